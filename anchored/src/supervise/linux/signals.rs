//! The signals of `anchored`: all of them are blocked and read from a descriptor, signalfd(2). Blocked ones are never
//! thrown away, not even where nobody handles them in PID 1 of a PID namespace.

use crate::supervise::held::{Before, hold};
use crate::supervise::link::Link;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::AsFd;

/// What a terminal sends to its whole foreground group.
pub const OF_THE_TERMINAL: [i32; 8] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGCONT,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGWINCH,
];

/// What is read, and what was there before.
pub struct Signals {
    queue: SignalFd,
    before: Before,
}

/// One that has come.
pub struct Came {
    pub number: i32,
    /// Who has sent it. 0 where nobody has, or nobody who can be seen from here.
    pub sender: i32,
    /// Whether, if it is one of the terminal's, the terminal has sent it.
    ///
    /// KERNEL: only what the kernel itself sends has this code. A timer that was set before `anchored` was executed
    /// has it too, and rings here alone.
    pub by_terminal: bool,
}

impl Signals {
    /// Blocks them, and remembers what was there.
    pub fn take() -> Result<Self, Errno> {
        let (all, before) = hold()?;
        Ok(Self {
            queue: queue(&all)?,
            before,
        })
    }

    pub fn before(&self) -> Before {
        self.before
    }

    /// Waits for one, or for the link. Whether there is a word on the link, or its end.
    pub fn wait(&self, link: &Link) -> bool {
        let mut waits = [
            PollFd::new(link.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.queue.as_fd(), PollFlags::POLLIN),
        ];
        let _ = poll(&mut waits, PollTimeout::NONE);
        waits[0].any() == Some(true)
    }

    /// The next one that waits, if any.
    pub fn next(&self) -> Option<Came> {
        let came = self.queue.read_signal().ok().flatten()?;
        Some(Came {
            number: came.ssi_signo as i32,
            sender: came.ssi_pid as i32,
            by_terminal: came.ssi_code == libc::SI_KERNEL,
        })
    }
}

/// A descriptor that these are read from.
pub fn queue(signals: &SigSet) -> Result<SignalFd, Errno> {
    SignalFd::with_flags(signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}
