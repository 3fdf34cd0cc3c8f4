//! The front: the process that was started, which looks from outside as the command would. It hands signals to it, stops
//! and goes on with it, and ends as it ends.
//!
//! The command is in the front's own process group and session, so the terminal's foreground is the command's and a
//! pipeline stays one job. REJECTED: a group of its own for the command, which gets the terminal, as tini does. In
//! `anchored a | less` less would then be in the background and be stopped at its first read.

use super::journal::Journal;
use super::link::{Link, Word};
use super::system::bond::Bond;
use super::system::signals::{Came, OF_THE_TERMINAL, Signals};
use super::terms::Terms;
use super::tree::is_below;
use crate::failure::Failure;
use nix::unistd::{getpid, getsid};
use std::ffi::OsStr;
use std::process::ExitCode;

/// Stays until the guard says how the command has ended.
pub fn run(
    mut link: Link,
    guard: i32,
    signals: &Signals,
    terms: &Terms,
    journal: &Journal,
    name: &OsStr,
) -> Result<ExitCode, Failure> {
    // ORDER: before it is waited for, so that the number is still its own.
    let bond = Bond::to(guard);
    loop {
        let said = signals.wait(&link);
        while let Some(came) = signals.next() {
            match came.number {
                libc::SIGCHLD => reap(),
                number if is_for_the_command(&came, guard) => link.say(Word::Signal(number)),
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
            Some(Word::Event(event)) => journal.show(event),
            Some(Word::Signal(_)) => {}
            // The command ends with it, and nobody knows how.
            None => {
                bond.broken(terms);
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
fn is_for_the_command(came: &Came, guard: i32) -> bool {
    let (number, sender) = (came.number, came.sender);
    // These a terminal sends to its whole foreground group, the command included. Its hang-up comes here alone where
    // this process leads the session.
    if came.by_terminal && OF_THE_TERMINAL.contains(&number) {
        return number == libc::SIGHUP && getsid(None) == Ok(getpid());
    }
    // A write of our own to a pipe that nobody reads; and the guard's own signal that has us go on.
    if number == libc::SIGPIPE && sender == getpid().as_raw() || sender == guard {
        return false;
    }
    // `trap 'kill 0' EXIT` in a script that is the command: it is in the group and has it already.
    !is_below(sender, guard)
}

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
