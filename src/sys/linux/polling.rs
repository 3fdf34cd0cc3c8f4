//! The rung below a pidfd: looking at the process again and again.

use super::bell::Bell;
use super::call::{Errno, call};
use super::proc_stat::{StatFile, stat};
use super::time::Deadline;
use super::{numbers, process};
use crate::stops;
use crate::sys::{Waited, Woken};
use anchor_contract::{Millis, Pid};

/// What is looked at, and what is left where nothing may be opened.
pub const LOOKS_AT: &str = "/proc";
/// See [`LOOKS_AT`].
pub const PROBES: &str = "the number alone";

/// Whether the number is nobody's, or a dead process's that was not reaped yet.
pub fn exited(pid: Pid) -> bool {
    probe(pid) == Err(Errno(libc::ESRCH))
        || (numbers::is_ours() && stat(pid).is_some_and(|stat| stat.is_dead()))
}

/// Looks every `interval` until the process is dead. Keeps no descriptor open unless it may.
///
/// An open `/proc/PID/stat` pins the process as a pidfd does: once it is gone, reading says ESRCH for ever, whoever
/// has its number then. Where there is no `/proc`, only the number is left.
pub fn until_exit(
    pid: Pid,
    started: Option<u64>,
    interval: Millis,
    may_open: bool,
    bell: &mut Bell,
) -> Waited {
    // In a `/proc` of another PID namespace the number is somebody else's.
    let may_open = may_open && numbers::is_ours();
    let open = || may_open.then(|| StatFile::open(pid)).flatten();
    let mut file = open();
    stops::at("watcher-looks");
    let could_signal = probe(pid).is_ok();
    // What a filter refuses even for the own process says nothing of others.
    if file.is_none()
        && !could_signal
        && Pid::from_raw(process::own_pid()).is_none_or(|own| probe(own).is_err())
    {
        return Waited::Lost;
    }
    let mut dismissed = false;
    loop {
        let looked = file
            .as_ref()
            .map_or(Err(()), |file| look(file, started))
            .unwrap_or_else(|()| look_by_number(pid, could_signal));
        if let Some(end) = looked {
            return end;
        }
        // RACE: 1. the number was nobody's when the file was opened  2. it is given away  3. the number alone says that
        //   somebody lives. Where it is only hidden there is no file now either.
        if file.is_none() {
            file = open();
            if let Some(end) = file.as_ref().and_then(|file| look(file, started).ok()?) {
                return end;
            }
        }
        // ORDER: dismissed only after the last look, as in `Bell::wait`.
        if dismissed {
            return Waited::Dismissed;
        }
        match bell.pause(Deadline::after(interval)) {
            Woken::Time | Woken::Event => {}
            Woken::HungUp => return Waited::HungUp,
            Woken::Rung => dismissed = true,
            Woken::Refused => return Waited::Lost,
        }
    }
}

/// `Err` where the file cannot be read.
fn look(file: &StatFile, started: Option<u64>) -> Result<Option<Waited>, ()> {
    match file.read() {
        Err(Errno(libc::ESRCH)) => Ok(Some(Waited::Exited)),
        Err(_) => Err(()),
        Ok(stat) if stat.is_dead() => Ok(Some(Waited::Exited)),
        Ok(stat) => {
            let other = started.is_some_and(|started| started != stat.start) && numbers::starts_compare();
            Ok(other.then_some(Waited::Recycled))
        }
    }
}

fn look_by_number(pid: Pid, could_signal: bool) -> Option<Waited> {
    match probe(pid) {
        Err(Errno(libc::ESRCH)) => Some(Waited::Exited),
        // The one EPERM that says something: what we may not signal now is not what we could signal before.
        Err(Errno(libc::EPERM)) if could_signal => Some(Waited::Recycled),
        _ => None,
    }
}

/// kill(2) with signal 0: whether the number is a process, and whether we may signal it.
fn probe(pid: Pid) -> Result<(), Errno> {
    // SAFETY: sends nothing.
    unsafe { call!(SYS_kill, pid.raw(), 0) }.map(drop)
}
