//! A filter that the host installs itself, once it is armed: it knows nothing of the library's calls.

use crate::calls::{CALLS, filter_of_number};
use crate::host::{HURRIED, Host, Kin, PATIENT, UNASKED, Wrong};
use crate::{all, page};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Whom the filter is for: the host's own thread, or every thread, `SECCOMP_FILTER_FLAG_TSYNC`.
const MODES: [(char, &str); 2] = [('o', "own thread"), ('t', "every thread")];

const ACTIONS: [(&str, u32); 4] = [
    ("EPERM", libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
    ("KILL_THREAD", libc::SECCOMP_RET_KILL_THREAD),
    ("KILL_PROCESS", libc::SECCOMP_RET_KILL_PROCESS),
    ("TRAP", libc::SECCOMP_RET_TRAP),
];

/// What the host does after that, before its anchor dies.
const DOES: [(&str, char); 5] = [
    ("nothing", 'e'),
    ("is stopped and goes on", 's'),
    ("forks", 'f'),
    ("changes its ids", 'i'),
    ("makes a user namespace", 'u'),
];

struct Cell {
    mode: usize,
    does: usize,
    action: usize,
    number: i64,
    name: &'static str,
}

/// Every number in the table once, and the one by which the kernel goes on with an interrupted call.
fn cells() -> Vec<Cell> {
    let mut numbers: Vec<(i64, &str)> = vec![(libc::SYS_restart_syscall, "restart_syscall")];
    for call in CALLS {
        if !numbers.iter().any(|(number, _)| *number == call.number) {
            let end = call.name.find([' ', ',']).unwrap_or(call.name.len());
            numbers.push((call.number, &call.name[..end]));
        }
    }
    let mut cells = Vec::new();
    for (number, name) in numbers {
        for mode in 0..MODES.len() {
            for (does, (_, what)) in DOES.iter().enumerate() {
                // In the middle of standing down it is chance which call comes first.
                let actions = if *what == 'u' { 1 } else { ACTIONS.len() };
                for action in 0..actions {
                    cells.push(Cell {
                        mode,
                        does,
                        action,
                        number,
                        name,
                    });
                }
            }
        }
    }
    cells
}

#[test]
fn a_filter_of_the_hosts_own_does_what_the_page_says() {
    let cells = cells();
    let mut table: BTreeMap<_, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    for (cell, result) in cells.iter().zip(all(&cells, run)) {
        let came = result.unwrap_or_else(|wrong| {
            let (mode, does, action) = (MODES[cell.mode].1, DOES[cell.does].0, ACTIONS[cell.action].0);
            panic!("{} {action} for {mode}, then the host {does}: {wrong}", cell.name)
        });
        let row = table.entry((cell.mode, cell.does, cell.action)).or_default();
        row.entry(came).or_default().insert(cell.name);
    }
    let mut text = String::from("| filter | then the host | answers | outcome |\n|---|---|---|---|\n");
    for ((mode, does, action), row) in table {
        // What becomes of most has nothing to do with the call: they are not named.
        let most = row.values().map(BTreeSet::len).max();
        let words: Vec<String> = row
            .iter()
            .map(|(came, names)| {
                let came = if came.is_empty() { "as without" } else { came };
                if Some(names.len()) == most {
                    return came.to_owned();
                }
                format!("{came}: {}", Vec::from_iter(names.iter().copied()).join(", "))
            })
            .collect();
        let (mode, does, action) = (MODES[mode].1, DOES[does].0, ACTIONS[action].0);
        writeln!(text, "| {mode} | {does} | {action} | {} |", words.join("; ")).unwrap();
    }
    page::shows("later", &text);
}

fn run(cell: &Cell) -> Result<String, Wrong> {
    let filter = filter_of_number(cell.number, ACTIONS[cell.action].1);
    below(&filter, MODES[cell.mode].0, DOES[cell.does].1)
}

/// What comes of a host that installs a filter and does something, the letters of tests/programs/refused.c.
pub fn below(filter: &str, installs: char, does: char) -> Result<String, Wrong> {
    let live = |grace| live(filter, installs, does, grace);
    let hurried = live(HURRIED);
    // As in `cell::run`.
    let unasked = hurried.as_ref().is_ok_and(|words| words.contains(UNASKED));
    if unasked { live(PATIENT) } else { hurried }
}

fn live(filter: &str, installs: char, does: char, grace: &str) -> Result<String, Wrong> {
    let mut host = Host::start(Kin::Stranger, None, grace, &[("REFUSED_LATER", filter)]);
    host.answer('+')?;
    host.settled()?;
    if host.does(installs)?.0 != 0 {
        return Err("the filter was not installed".into());
    }
    let mut words = Vec::new();
    match act(&mut host, does) {
        Ok(0) => {}
        Ok(_) => words.push("the host's call fails".to_owned()),
        Err(wrong) => return Ok(wrong),
    }
    let armed = host.settled()?.is_some();
    if let Err(wrong) = host.does('e') {
        return Ok(wrong);
    }
    host.kill_anchor();
    if armed {
        words.extend(host.end(true)?);
    } else {
        words.push("inert".into());
        host.does('e')?;
    }
    Ok(words.join(", "))
}

fn act(host: &mut Host, letter: char) -> Result<i32, Wrong> {
    if letter != 's' {
        return Ok(host.does(letter)?.0);
    }
    let pid = Pid::from_raw(host.pid);
    kill(pid, Signal::SIGSTOP).unwrap();
    match waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap() {
        WaitStatus::Stopped(..) => {}
        other => return Err(format!("{other:?}")),
    }
    kill(pid, Signal::SIGCONT).unwrap();
    host.does('e').map(|_| 0)
}
