//! Many hosts: how long their end takes beside that by the kernel's own guard, what they hold in memory, that none of
//! them wakes while nothing happens, that a tree which forks without pause ends whole, and that nobody ends with
//! another's anchor.
//!
//! `scripts/load` runs this with ten thousand; here it is a share.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::*;

/// A number that the environment may say.
fn knob(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(said) => said
            .parse()
            .unwrap_or_else(|_| panic!("{name}: {said}: want a number")),
        Err(_) => default,
    }
}

fn hosts() -> usize {
    knob("LIBANCHOR_HOSTS", 300)
}

fn seconds() -> u64 {
    knob("LIBANCHOR_SECONDS", 2) as u64
}

/// tests/programs/herd.c: a keeper, an anchor and hosts, in a process group of their own.
struct Herd {
    keeper: Owned,
    anchor: i32,
    /// Who has made the hosts.
    parent: i32,
    output: Box<dyn Read>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Way {
    /// The kernel's own guard and nothing else.
    Floor,
    /// The same, and a thread that sleeps: what a watcher takes that does nothing and has nothing.
    Thread,
    /// The anchor is the hosts' parent.
    Child,
    /// It is not.
    Stranger,
}

const WAYS: [Way; 4] = [Way::Floor, Way::Thread, Way::Child, Way::Stranger];

impl Herd {
    /// Starts it; every host runs, and those with the library are armed, for that is done before `main`.
    fn start(count: usize, way: Way) -> Self {
        let program = program("herd", &[]);
        let mut command = Command::new(&program);
        command
            .arg(count.to_string())
            .arg(format!("{way:?}").to_lowercase());
        without_library(&mut command).env("HERD_PRELOAD", LIBRARY.as_os_str());
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(Timed(child.stderr.take().unwrap()));
        let mut output = Timed(child.stdout.take().unwrap());
        let keeper = Owned(child);
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let anchor: i32 = line.trim().strip_prefix("anchor ").unwrap().parse().unwrap();
        let mut herd = Self {
            parent: if way == Way::Stranger {
                keeper.pid()
            } else {
                anchor
            },
            keeper,
            anchor,
            output: Box::new(std::io::empty()),
        };
        let mut ready = vec![0; count];
        output.read_exact(&mut ready).unwrap();
        herd.output = Box::new(output);
        herd
    }

    fn hosts(&self) -> Vec<i32> {
        let list = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.parent)).unwrap();
        let children = list.split_whitespace().map(|pid| pid.parse().unwrap());
        children.filter(|pid| *pid != self.anchor).collect()
    }

    /// How long it takes from the anchor's SIGKILL until nobody holds the output any more.
    fn die(&mut self) -> Duration {
        let start = Instant::now();
        kill(Pid::from_raw(self.anchor), Signal::SIGKILL).unwrap();
        let said = self.output.read(&mut [0]).unwrap();
        assert_eq!(said, 0, "a host spoke twice");
        start.elapsed()
    }
}

impl Drop for Herd {
    /// The whole group: its keeper has not been waited for, so the number is its own.
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.keeper.pid()), Signal::SIGKILL);
    }
}

/// The sum of some fields of a file in `/proc`, in its own unit.
fn fields(file: impl AsRef<Path>, names: &[&str]) -> u64 {
    let text = std::fs::read_to_string(file).unwrap();
    let of = |line: &str| {
        let (name, value) = line.split_once(':')?;
        names
            .contains(&name)
            .then(|| value.split_whitespace().next()?.parse::<u64>().ok())?
    };
    text.lines().filter_map(of).sum()
}

/// In KiB, of one process: what nobody else has, on its stack and elsewhere.
///
/// Where the kernel puts a stack is chance, and how much stands above it is the environment's size: how many pages of it are
/// touched says something as an average alone. All else is the same in each host.
fn private(pid: i32) -> (u64, u64) {
    let (mut stack, mut rest, mut is_stack) = (0, 0, false);
    for line in std::fs::read_to_string(format!("/proc/{pid}/smaps"))
        .unwrap()
        .lines()
    {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Private_Clean:" | "Private_Dirty:") => {
                let kib: u64 = words.next().unwrap().parse().unwrap();
                *if is_stack { &mut stack } else { &mut rest } += kib;
            }
            // A mapping's first line begins with its addresses.
            Some(word) if !word.ends_with(':') => is_stack = line.ends_with("[stack]"),
            _ => {}
        }
    }
    (stack, rest)
}

/// What a host holds, in KiB; and bytes of the kernel's.
struct Held {
    stack: f64,
    rest: u64,
    kernel: i64,
}

/// In KiB, of the whole machine: what grows with the number of tasks.
fn of_kernel() -> u64 {
    fields("/proc/meminfo", &["Slab", "KernelStack", "PageTables", "Percpu"])
}

/// How often the watchers have been switched to, and for how many nanoseconds they have run.
fn activity(hosts: &[i32]) -> (u64, u64) {
    let mut all = (0, 0);
    for host in hosts {
        let task = watcher(*host).expect("a watcher");
        all.0 += fields(
            task.join("status"),
            &["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"],
        );
        let ran = std::fs::read_to_string(task.join("schedstat")).unwrap();
        all.1 += ran.split(' ').next().unwrap().parse::<u64>().unwrap();
    }
    all
}

#[test]
fn many_hosts_of_one_anchor() {
    let count = hosts();
    let mut took: BTreeMap<Way, Vec<f64>> = BTreeMap::new();
    let mut held: BTreeMap<Way, Held> = BTreeMap::new();
    // Each begins with another way.
    let rounds = knob("LIBANCHOR_LOAD_ROUNDS", 3);
    for round in 0..rounds {
        for place in 0..WAYS.len() {
            let way = WAYS[(round + place) % WAYS.len()];
            let before = of_kernel();
            let mut herd = Herd::start(count, way);
            let hosts = herd.hosts();
            assert_eq!(hosts.len(), count, "{way:?}");
            if round == 0 {
                let kernel = of_kernel() as i64 - before as i64;
                let each: Vec<(u64, u64)> = hosts.iter().take(101).map(|host| private(*host)).collect();
                let mut rests: Vec<u64> = each.iter().map(|(_, rest)| *rest).collect();
                rests.sort_unstable();
                let all = Held {
                    stack: each.iter().map(|(stack, _)| *stack as f64).sum::<f64>() / each.len() as f64,
                    rest: rests[rests.len() / 2],
                    kernel: kernel * 1024 / count as i64,
                };
                held.insert(way, all);
            }
            took.entry(way).or_default().push(herd.die().as_secs_f64());
        }
    }
    println!("{count} hosts of one anchor, {rounds} interleaved rounds:");
    let median = |mut of: Vec<f64>| {
        of.sort_by(f64::total_cmp);
        of[of.len() / 2]
    };
    for way in WAYS {
        let Held { stack, rest, kernel } = &held[&way];
        println!(
            "  {way:?}: the last is gone after {:.0} ms, {:.2} of the round's floor; a host has {rest} KiB for itself and {stack:.1} on its stack, and {kernel} bytes of the kernel's",
            median(took[&way].clone()) * 1e3,
            median(
                took[&way]
                    .iter()
                    .zip(&took[&Way::Floor])
                    .map(|(time, floor)| time / floor)
                    .collect()
            ),
        );
    }
    for way in [Way::Child, Way::Stranger] {
        let (with, floor) = (&held[&way], &held[&Way::Floor]);
        let (more, deeper) = (with.rest.saturating_sub(floor.rest), with.stack - floor.stack);
        println!("  {way:?}: {more} KiB more than without the library, and {deeper:.1} on the stack");
        assert!(more <= 16, "{more} KiB a host");
        assert!(deeper <= 4.0, "{deeper} KiB of a host's stack");
    }
}

#[test]
fn nobody_wakes_while_nothing_happens() {
    let mut herd = Herd::start(hosts(), Way::Stranger);
    let hosts = herd.hosts();
    hosts.iter().for_each(|host| wait_until_armed(*host));
    let before = activity(&hosts);
    let since = Instant::now();
    wait_until("the time is over", || since.elapsed().as_secs() >= seconds());
    assert_eq!(
        activity(&hosts),
        before,
        "context switches and nanoseconds of {} watchers",
        hosts.len()
    );
    println!(
        "{} watchers, {} s: no context switch, no nanosecond",
        hosts.len(),
        seconds()
    );
    // The control: they were asleep and not dead.
    herd.die();
}

// test -> sleep (anchor)
//      -> storm (host) -> its children (hosts), a thousand a second
#[test]
fn a_tree_that_forks_without_pause() {
    let mut anchor = sibling();
    let count = 1000 * seconds();
    let mut command = Command::new(program("storm", &[]));
    command.args(["1000", &count.to_string()]);
    let mut storm = Echo::spawn(anchored(&mut command, anchor.pid()));
    assert_eq!(storm.line(), "ready");
    let pid = storm.owned.pid();
    wait_until_armed(pid);
    let memory = || fields(format!("/proc/{pid}/status"), &["VmSize"]);
    let before = memory();
    // A thousand a second is what a machine that is not busy does.
    let since = Instant::now();
    while !storm.has_something() {
        let late = since.elapsed().saturating_sub(Duration::from_secs(seconds()));
        assert!(late < CEILING, "waited too long: every child has ended well");
        nap();
    }
    assert_eq!(storm.line(), "done");
    assert_eq!(memory(), before, "KiB of address space after {count} forks");
    anchor.kill_and_reap();
    storm.wait_for_end();
    println!("{count} forks in an anchored tree: every child ended well, the host grew by nothing");
}

#[test]
fn each_tree_ends_with_its_own_anchor() {
    let each = (hosts() as f64).sqrt() as usize;
    let mut herds: Vec<Herd> = (0..each)
        .map(|number| Herd::start(each, WAYS[1 + number % 2]))
        .collect();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    while !herds.is_empty() {
        // xorshift: the same order each time.
        for (left, by) in [(true, 13), (false, 7), (true, 17)] {
            random ^= if left { random << by } else { random >> by };
        }
        let chosen = (random % herds.len() as u64) as usize;
        herds.swap_remove(chosen).die();
        for other in &herds {
            assert_eq!(other.hosts().len(), each, "hosts of {}", other.anchor);
        }
    }
    println!("{each} anchors with {each} hosts each: each tree ended with its own");
}
