//! How a watcher waits, and what it costs: read off `/proc`.

use crate::host::{POLL, Wrong};
use crate::support::{nap, state};
use std::fs::{read_dir, read_link, read_to_string};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How a watcher waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waits {
    /// For an event of its handle.
    Event,
    /// For the next look at `/proc`.
    Looks,
    /// For the next look at the number.
    Probes,
    /// For a descriptor to hang up, and nothing else.
    HangUp,
}

impl Waits {
    /// `None` while it does something else.
    pub fn of(task: &Path) -> Option<Self> {
        let polls = call_of(task)? == libc::SYS_ppoll;
        let held = held(task)?;
        let looks = |held: &PathBuf| held.starts_with("/proc") && held.ends_with("stat");
        let handle = |held: &PathBuf| held.as_os_str() == "anon_inode:[pidfd]";
        Some(match (held.iter().any(looks), held.iter().any(handle)) {
            (true, _) => Self::Looks,
            (_, true) if polls => Self::Event,
            _ => Self::Probes,
        })
    }
}

/// The call in which it sleeps, one of the two that wait.
fn call_of(task: &Path) -> Option<i64> {
    let call = read_to_string(task.join("syscall")).ok()?;
    let number: i64 = call.split(' ').next()?.trim().parse().ok()?;
    let waits = [libc::SYS_ppoll, libc::SYS_clock_nanosleep].contains(&number);
    (waits && state(task) == Some('S')).then_some(number)
}

/// What its descriptors are of.
pub fn held(task: &Path) -> Option<Vec<PathBuf>> {
    let files = read_dir(task.join("fd")).ok()?.flatten();
    Some(files.filter_map(|fd| read_link(fd.path()).ok()).collect())
}

/// Whether a watcher waits for an end of a pipe or socket too: it has one, and poll(2) to wait by.
pub fn listens(task: &Path) -> bool {
    let is_end = |held: &PathBuf| {
        let name = held.to_string_lossy();
        name.starts_with("pipe:[") || name.starts_with("socket:[")
    };
    // It may have been caught between two looks.
    let waits = (0..1000).find_map(|_| call_of(task).or_else(nap_first));
    waits == Some(libc::SYS_ppoll) && held(task).is_some_and(|held| held.iter().any(is_end))
}

fn nap_first() -> Option<i64> {
    nap();
    None
}

/// How much time a thread has used, in clock ticks.
pub fn cpu_ticks(task: &Path) -> u64 {
    let stat = read_to_string(task.join("stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let field = |number: usize| fields.split(' ').nth(number - 3)?.parse::<u64>().ok();
    field(14).unwrap_or(0) + field(15).unwrap_or(0)
}

/// A line of a thread's status, proc_pid_status(5).
fn status(task: &Path, name: &str) -> Option<String> {
    let status = read_to_string(task.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches(':').trim().to_owned())
}

/// Whether the watcher sleeps with all signals blocked, and wakes no more often than its looks need.
pub fn is_quiet(task: &Path) -> Result<(), Wrong> {
    let blocked = status(task, "SigBlk").unwrap_or_default();
    if blocked != "fffffffffffbfeff" {
        return Err(format!("the watcher takes the host's signals: {blocked}"));
    }
    let switches = || -> u64 {
        ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"]
            .iter()
            .filter_map(|name| status(task, name)?.parse::<u64>().ok())
            .sum()
    };
    let (start, before) = (Instant::now(), switches());
    pause();
    let (after, time) = (switches(), start.elapsed());
    // Each look may take two: the wait itself, and a processor taken away.
    let most = 4 + 2 * u64::try_from(time.as_millis()).unwrap() / POLL;
    if after - before > most {
        return Err(format!("{} wake-ups in {time:?}", after - before));
    }
    Ok(())
}

#[allow(clippy::disallowed_methods)] // an interval to count in, and nothing waits for its end
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
