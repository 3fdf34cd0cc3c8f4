//! Growth: many hosts of one anchor, tests/programs/herd.c. How long they take to start, how long until the last is
//! gone, and what one holds.

use crate::kernel::{self, CEILING, Processors, ready};
use crate::programs::Programs;
use crate::results::Herd;
use rustix::fd::AsFd;
use rustix::process::{Pid, Signal};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

pub const FLOOR: &str = "PDEATHSIG alone";
pub const CHILD: &str = "libanchor, its anchor's child";
pub const STRANGER: &str = "libanchor, no relation";
pub const STD: &str = "a std watcher, no relation";

/// As herd.c calls them.
fn ways(programs: &Programs) -> [(&'static str, &'static str, &Path); 4] {
    [
        (FLOOR, "floor", &programs.library),
        (CHILD, "child", &programs.library),
        (STRANGER, "stranger", &programs.library),
        (STD, "stranger", &programs.std_watcher),
    ]
}

/// Each size so often, the ways in a new order each time.
pub fn grow(
    programs: &Programs,
    processors: Processors,
    sizes: &[(usize, usize)],
    random: &mut fastrand::Rng,
) -> Result<Vec<Herd>, String> {
    kernel::pin(&[processors.own, processors.measured])?;
    let mut all = Vec::new();
    for (hosts, tries) in sizes {
        let ways = ways(programs);
        let mut herds = ways.map(|(name, ..)| Herd {
            way: name.into(),
            hosts: *hosts,
            start_ms: Vec::new(),
            end_ms: Vec::new(),
            private_kib: 0,
            kernel_kib: 0.0,
        });
        let mut order = [0, 1, 2, 3];
        // The first one is the warm-up: what the kernel keeps for many processes, it gets there. It has it after a thousand.
        let warm_up = usize::from(*hosts <= 1000);
        // And of those that are many tries, one more is for the scales: what is looked at takes longer to end
        // (`kernel::settle`). Of ten thousand, a hundred are looked at.
        let timed = warm_up..warm_up + tries;
        let last = timed.end - usize::from(warm_up == 0);
        for number in 0..=last {
            random.shuffle(&mut order);
            for way in order {
                let mut into = Herd {
                    start_ms: Vec::new(),
                    end_ms: Vec::new(),
                    way: String::new(),
                    ..herds[way]
                };
                let weigh = number == last;
                live_and_die(&programs.herd, ways[way].1, ways[way].2, weigh, &mut into)?;
                let herd = &mut herds[way];
                if weigh {
                    (herd.private_kib, herd.kernel_kib) = (into.private_kib, into.kernel_kib);
                }
                if timed.contains(&number) {
                    herd.start_ms.append(&mut into.start_ms);
                    herd.end_ms.append(&mut into.end_ms);
                }
            }
        }
        all.extend(herds);
    }
    kernel::pin(&[processors.own])?;
    Ok(all)
}

struct Keeper(Child);

impl Drop for Keeper {
    /// The whole group: its keeper has not been waited for, so the number is its own.
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
        kernel::clear();
    }
}

/// `weigh`: whether to look at what a host holds, too.
fn live_and_die(
    program: &Path,
    way: &str,
    library: &Path,
    weigh: bool,
    herd: &mut Herd,
) -> Result<(), String> {
    let said = |what: &str| format!("{} hosts, {way}: {what}", herd.hosts);
    let before = kernel::of_kernel();
    let begun = Instant::now();
    let mut command = Command::new(program);
    command
        .arg(herd.hosts.to_string())
        .arg(way)
        .env_clear()
        .env("HERD_PRELOAD", library);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut keeper = Keeper(
        command
            .process_group(0)
            .spawn()
            .map_err(|why| said(&why.to_string()))?,
    );
    let (output, errors) = (keeper.0.stdout.take(), keeper.0.stderr.take());
    let (mut output, errors) = output.zip(errors).ok_or_else(|| said("no pipes"))?;
    let mut line = String::new();
    BufReader::new(errors)
        .read_line(&mut line)
        .map_err(|why| said(&why.to_string()))?;
    let anchor: Option<i32> = line
        .trim()
        .strip_prefix("anchor ")
        .and_then(|pid| pid.parse().ok());
    let anchor = anchor
        .and_then(Pid::from_raw)
        .ok_or_else(|| said(&format!("herd said {line:?}")))?;
    for _ in 0..herd.hosts {
        if read_byte(&mut output)? != 1 {
            return Err(said("a host has ended before its time"));
        }
    }
    herd.start_ms.push(begun.elapsed().as_secs_f64() * 1e3);
    let parent = if way == "stranger" {
        keeper.0.id().cast_signed()
    } else {
        anchor.as_raw_nonzero().get()
    };
    kernel::settle(|| kernel::children(parent))?;
    if weigh {
        herd.kernel_kib = kernel::of_kernel()
            .cast_signed()
            .wrapping_sub(before.cast_signed()) as f64
            / herd.hosts as f64;
        let mut each: Vec<u64> = kernel::children(parent)
            .iter()
            .filter(|pid| **pid != anchor.as_raw_nonzero().get())
            .take(101)
            .map(|pid| kernel::private(*pid))
            .collect();
        each.sort_unstable();
        herd.private_kib = each
            .get(each.len() / 2)
            .copied()
            .ok_or_else(|| said("no hosts"))?;
    }
    let begun = Instant::now();
    rustix::process::kill_process(anchor, Signal::KILL).map_err(|why| said(&why.to_string()))?;
    if read_byte(&mut output)? != 0 {
        return Err(said("a host spoke twice"));
    }
    herd.end_ms.push(begun.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// How many bytes came: none at the end of the output, which is that of the last host.
fn read_byte(output: &mut ChildStdout) -> Result<usize, String> {
    // Ten thousand take their time.
    if !ready(&[output.as_fd()], 2 * CEILING)[0] {
        return Err("a herd that neither speaks nor ends".into());
    }
    output.read(&mut [0]).map_err(|why| why.to_string())
}

pub fn median(of: &[f64]) -> f64 {
    crate::stats::quantile(of, 0.5)
}
