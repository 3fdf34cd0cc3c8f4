//! The front: the process that was started, which looks from outside as the command would. It hands signals to it, stops
//! and goes on with it, and ends as it ends.
//!
//! The command is in the front's own process group and session, so the terminal's foreground is the command's and a
//! pipeline stays one job. REJECTED: a group of its own for the command, which gets the terminal, as tini does. In
//! `anchored a | less` less would then be in the background and be stopped at its first read.

use super::link::{Link, Word};
use super::signals::Signals;
use super::tree;
use crate::failure::Failure;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::siginfo;
use nix::unistd::{getpid, getsid};
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::process::ExitCode;

/// Stays until the guard says how the command has ended.
pub fn run(mut link: Link, guard: i32, signals: &Signals, name: &OsStr) -> Result<ExitCode, Failure> {
    loop {
        let mut waits = [
            PollFd::new(link.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        let _ = poll(&mut waits, PollTimeout::NONE);
        let said = waits[0].any() == Some(true);
        while let Some(signal) = signals.next() {
            match signal.ssi_signo as i32 {
                libc::SIGCHLD => reap(),
                number if is_for_the_command(&signal, guard) => link.say(Word::Signal(number)),
                _ => {}
            }
        }
        if !said {
            continue;
        }
        match link.next() {
            Some(Word::Ended(status)) => return Ok(ExitCode::from(exit_code(status))),
            Some(Word::Refused(errno)) => {
                let error = std::io::Error::from_raw_os_error(errno);
                return Err(Failure::of_exec(name, &error));
            }
            Some(Word::OutOfReach(pid)) => {
                let why = "the anchor is dead, and this process cannot be signalled";
                return Err(Failure::own(format_args!("{pid}: {why}")));
            }
            Some(Word::Signal(_)) => {}
            // The command has the guard's death signal: it is gone too, and nobody knows how it ended.
            None => {
                let why = "the guard of the command has been killed";
                return Err(Failure::own(format_args!("{guard}: {why}")));
            }
        }
    }
}

/// Whether the command would not have had it, were it not handed on.
///
/// What whoever sends to the whole process group is handed on as well: from here it looks the same as a signal to this
/// process alone. The command has it twice then, as below sudo(8).
fn is_for_the_command(signal: &siginfo, guard: i32) -> bool {
    let (number, sender) = (signal.ssi_signo as i32, signal.ssi_pid as i32);
    // KERNEL: only what the kernel itself sends has this code, and these it sends to a terminal's whole foreground
    // group, the command included. A timer that was set before `anchored` was executed rings here alone, and so does
    // the hang-up of the terminal where this process leads the session.
    if signal.ssi_code == libc::SI_KERNEL && OF_THE_TERMINAL.contains(&number) {
        return number == libc::SIGHUP && getsid(None) == Ok(getpid());
    }
    // A write of our own to a pipe that nobody reads; and the guard's own signal that has us go on.
    if number == libc::SIGPIPE && sender == getpid().as_raw() || sender == guard {
        return false;
    }
    // `trap 'kill 0' EXIT` in a script that is the command: it is in the group and has it already.
    !tree::is_below(sender, guard)
}

const OF_THE_TERMINAL: [i32; 8] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGCONT,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGWINCH,
];

/// The guard, when it has gone first; and as PID 1 whatever has lost its parent and is not the guard's.
fn reap() {
    // SAFETY: wants no status, waits for nobody.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
}

/// As a shell shows it.
fn exit_code(status: i32) -> u8 {
    let code = if libc::WIFSIGNALED(status) {
        128 + libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    };
    u8::try_from(code).unwrap_or(u8::MAX)
}
