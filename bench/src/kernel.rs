//! What is asked of the kernel: the clock, processors, processes by handle, and what `/proc` says of a tree.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use rustix::thread::CpuSet;
use std::fs::read_to_string;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long anything is waited for. A machine with much else to do takes its time.
pub const CEILING: Duration = Duration::from_secs(60);

/// The benchmark runs on the one and what is measured on the other, where there are two.
#[derive(Clone, Copy, Debug)]
pub struct Processors {
    pub own: usize,
    pub measured: usize,
}

impl Processors {
    pub fn choose() -> Result<Self, String> {
        let set =
            rustix::thread::sched_getaffinity(None).map_err(|why| format!("sched_getaffinity: {why}"))?;
        let mut all = (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu));
        let own = all.next().ok_or("sched_getaffinity: no processor")?;
        let measured = all.next().unwrap_or(own);
        Ok(Self { own, measured })
    }

    pub fn apart(self) -> bool {
        self.own != self.measured
    }
}

/// This thread, and whoever it starts from now on, runs there.
pub fn pin(processors: &[usize]) -> Result<(), String> {
    let mut set = CpuSet::new();
    processors.iter().for_each(|cpu| set.set(*cpu));
    rustix::thread::sched_setaffinity(None, &set)
        .map_err(|why| format!("sched_setaffinity: {processors:?}: {why}"))
}

/// Until then nothing is looked at.
#[allow(clippy::disallowed_methods)] // what is measured is left in peace
pub fn rest(time: Duration) {
    std::thread::sleep(time);
}

pub fn handle(pid: Pid) -> Result<OwnedFd, String> {
    rustix::process::pidfd_open(pid, PidfdFlags::empty())
        .map_err(|why| format!("pidfd_open: {}: {why}", pid.as_raw_nonzero()))
}

/// Whether one of them has something to tell, waiting so long.
pub fn ready(of: &[BorrowedFd], patience: Duration) -> Vec<bool> {
    let mut entries: Vec<PollFd> = of
        .iter()
        .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
        .collect();
    let patience = Timespec::try_from(patience).ok();
    let _ = poll(&mut entries, patience.as_ref());
    entries.iter().map(|entry| !entry.revents().is_empty()).collect()
}

/// Takes an ended process off the kernel's list, if it is ours to take.
pub fn reap(process: &OwnedFd) {
    let _ = rustix::process::waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED);
}

/// Ends every child, and whoever becomes one because its parent is gone. RACE: none, a number is its child's until it is
/// reaped, and nobody else here reaps.
pub fn clear() {
    loop {
        for child in children(own()) {
            if let Some(pid) = Pid::from_raw(child) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
        if rustix::process::waitid(WaitId::All, WaitIdOptions::EXITED).is_err() {
            return;
        }
    }
}

pub fn own() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// By every thread of a process.
pub fn children(pid: i32) -> Vec<i32> {
    let of = |task: std::path::PathBuf| read_to_string(task.join("children")).unwrap_or_default();
    let all: String = tasks(pid).into_iter().map(of).collect();
    all.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

pub fn descendants(pid: i32) -> Vec<i32> {
    let mut all = children(pid);
    let mut seen = 0;
    while seen < all.len() {
        all.extend(children(all[seen]));
        seen += 1;
    }
    all
}

/// The folders of a process's threads.
pub fn tasks(pid: i32) -> Vec<std::path::PathBuf> {
    let Ok(folder) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    folder.flatten().map(|task| task.path()).collect()
}

/// Waits until every thread of these sleeps; zombies do.
///
/// By what the whole machine does, if it will: the kernel makes a folder of `/proc` when somebody first looks into it, and
/// takes it down when its thread ends. That would be in the time of every death, once more for who has a thread more,
/// and at a thousand at once it is many times all the rest.
pub fn settle(of: impl Fn() -> Vec<i32>) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < QUIET_WITHIN {
        if runnable() == Some(1) {
            return Ok(());
        }
        rest(Duration::from_micros(200));
    }
    loop {
        let all = of();
        if all.iter().all(|pid| asleep(*pid)) {
            return Ok(());
        }
        if begun.elapsed() > CEILING {
            return Err(format!("does not come to rest: {all:?}"));
        }
        rest(Duration::from_micros(200));
    }
}

/// How long the machine may take until nobody else has anything to do.
const QUIET_WITHIN: Duration = Duration::from_secs(1);

/// How many threads run or could, of all there are: who asks is one. proc_loadavg(5).
fn runnable() -> Option<u32> {
    let line = read_to_string("/proc/loadavg").ok()?;
    line.split(' ').nth(3)?.split_once('/')?.0.parse().ok()
}

fn asleep(pid: i32) -> bool {
    tasks(pid).iter().all(|task| {
        // KERNEL: who is about to sleep has the state already, and is still "running" in proc_pid_syscall(5).
        let call = read_to_string(task.join("syscall")).unwrap_or_default();
        let stat = read_to_string(task.join("stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        !call.starts_with("running") && state.is_none_or(|state| "SZX".contains(state))
    })
}

/// The sum of some fields of a file in `/proc`, in the file's own unit.
pub fn fields(file: impl AsRef<Path>, names: &[&str]) -> u64 {
    let text = read_to_string(file).unwrap_or_default();
    let of = |line: &str| {
        let (name, value) = line.split_once(':')?;
        names
            .contains(&name)
            .then(|| value.split_whitespace().next()?.parse::<u64>().ok())?
    };
    text.lines().filter_map(of).sum()
}

/// In KiB, what nobody else has.
pub fn private(pid: i32) -> u64 {
    fields(
        format!("/proc/{pid}/smaps_rollup"),
        &["Private_Clean", "Private_Dirty"],
    )
}

/// In KiB, of the whole machine: what grows with the number of tasks.
pub fn of_kernel() -> u64 {
    fields("/proc/meminfo", &["Slab", "KernelStack", "PageTables", "Percpu"])
}
