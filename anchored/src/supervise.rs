//! Staying beside the command, where injection does not reach it: what is sent to `anchored` reaches the command, its
//! exit status is handed through, and when the anchor dies its whole tree ends. Two processes:
//!
//!     whoever has started it -> front -> guard -> command -> what it starts
//!
//! The front stands for the command: it has the number that was started, hands signals and the exit status through,
//! and is gone when the command is. The guard is the command's parent; it knows the command's tree, and stays as long as
//! there is one. REJECTED: one process for both. It would have to stay when the command has ended and a daemon of it has
//! not, and whoever waits for the status would wait for the daemon; or leave, and the daemon with nobody to end it. And a
//! SIGKILL that is sent to the front would leave nobody to act on it.
//!
//! What differs stands in one folder a platform, with the same functions in each: how the guard learns what happens and
//! who is below it (`lookout`), how the front hears signals (`signals`), what the kernel does when the guard is killed
//! (`bond`), how a job fares (`job`).

mod ending;
mod environment;
mod front;
mod guard;
mod held;
mod journal;
#[cfg(any(target_os = "macos", test))]
mod kin;
mod link;
#[cfg(test)]
mod machine;
mod start;
#[cfg(any(target_os = "macos", test))]
mod terminal;
mod terms;
mod tree;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as system;

use crate::cli::Line;
use crate::failure::{Failure, plain, shown};
use crate::processes::{Entry, Handle};
use crate::sigpipe;
use crate::sys::handle::WANTED;
use anchor_spawn::Anchor;
use journal::Journal;
use nix::unistd::{ForkResult, fork};
use std::ffi::OsStr;
use std::process::{Command, ExitCode};
use system::hangup::Hangup;
use system::signals::Signals;
use terms::Terms;

/// Runs the command below this process, until it ends or the anchor does. Without an anchor this is an init: all it
/// does is to hand through and to reap.
pub fn supervise(anchor: Option<&Anchor>, line: &Line, mut command: Command) -> Result<ExitCode, Failure> {
    let own = |what: &'static str| move |error| Failure::own(format_args!("{what}: {error}"));
    let terms = Terms::of(anchor, line);
    let journal = Journal::of(line, &terms);
    let name = command.get_program().to_owned();
    sigpipe::hand_on(&mut command);
    let anchor = anchor
        .map(|anchor| Watched::of(anchor, &name))
        .transpose()?
        .unwrap_or_default();
    // ORDER: before the fork, of this process itself: no number is looked up later that might be another's by then.
    let front = itself().ok_or_else(|| Failure::own(format_args!("no handle of this process: {WANTED}")))?;
    // ORDER: before the fork, so that no signal falls between: what comes early waits until it can be handed on.
    let signals = Signals::take().map_err(own("signals"))?;
    let (near, far) = link::pair().map_err(|error| Failure::own(format_args!("socketpair: {error}")))?;
    // SAFETY: this process has one thread of its own, so that what it allocates or locks is whole in the child too.
    match unsafe { fork() }.map_err(own("fork"))? {
        ForkResult::Child => {
            drop(near);
            guard::run(far, front, anchor, terms, journal, command, &signals)
        }
        ForkResult::Parent { child } => {
            drop((far, anchor));
            front::run(near, child.as_raw(), &signals, &terms, &journal, &name)
        }
    }
}

/// What tells of the anchor's death: either.
#[derive(Default)]
pub struct Watched {
    process: Option<Handle>,
    lifeline: Option<Hangup>,
}

impl Watched {
    /// A handle of the anchor and a copy of the descriptor, whichever are named, if it lives.
    ///
    /// A program that the library finds too late is asked at once, because it runs already. What does not run yet need not
    /// be started.
    fn of(anchor: &Anchor, name: &OsStr) -> Result<Self, Failure> {
        let dead = |anchor: &dyn std::fmt::Display| {
            Failure::own(format_args!(
                "{}: not started: its anchor {anchor} is dead",
                shown(name)
            ))
        };
        let process = anchor.process().map(|process| {
            let pid = process.pid.raw();
            match Handle::open(pid, process.id.start) {
                Some(handle) if !handle.is_dead() => Ok(handle),
                // Seen, and still no handle: the kernel has none to give.
                None if process.is_there() => {
                    Err(Failure::own(format_args!("{pid}: no handle of it: {WANTED}")))
                }
                _ => Err(dead(&pid)),
            }
        });
        let lifeline = anchor.lifeline().map(|lifeline| {
            let number = lifeline.value().raw();
            let opened = Hangup::of(number);
            let mut opened =
                opened.map_err(|error| Failure::own(format_args!("--fd: {number}: {}", plain(&error))))?;
            if opened.has_come() {
                return Err(dead(&format_args!("fd {number}")));
            }
            Ok(opened)
        });
        Ok(Self {
            process: process.transpose()?,
            lifeline: lifeline.transpose()?,
        })
    }

    fn is_any(&self) -> bool {
        self.process.is_some() || self.lifeline.is_some()
    }
}

fn itself() -> Option<Handle> {
    let pid = i32::try_from(std::process::id()).ok()?;
    Handle::open(pid, Entry::of(pid)?.start)
}
