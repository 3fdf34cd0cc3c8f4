//! The signals of `anchored`: all of them are blocked and read from a descriptor, signalfd(2). Blocked ones are never
//! thrown away, not even where nobody handles them in PID 1 of a PID namespace.

use nix::errno::Errno;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use std::os::fd::{AsFd, BorrowedFd};

/// What the processor raises against the one who runs: it is about `anchored` itself and cannot wait. SIGABRT is not
/// here: abort(3) unblocks it by itself, and a service manager's watchdog sends it for a core of the command.
const OF_THE_PROCESSOR: [Signal; 6] = [
    Signal::SIGILL,
    Signal::SIGTRAP,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGSEGV,
    Signal::SIGSYS,
];

/// What is read, and what was there before.
pub struct Signals {
    queue: SignalFd,
    before: Before,
}

/// What the command is to start with: as if `anchored` were not there.
#[derive(Clone, Copy)]
pub struct Before {
    mask: SigSet,
    ignores_children: bool,
}

impl Signals {
    /// Blocks them, and remembers what was there.
    pub fn take() -> Result<Self, Errno> {
        let mut all = SigSet::all();
        for signal in OF_THE_PROCESSOR {
            all.remove(signal);
        }
        let mask = SigSet::thread_get_mask()?;
        all.thread_set_mask()?;
        // KERNEL: whoever ignores SIGCHLD has no children to wait for, wait(2); and what is ignored is inherited.
        // SAFETY: no handler, the default.
        let old = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
        Ok(Self {
            queue: queue(&all)?,
            before: Before {
                mask,
                ignores_children: matches!(old, SigHandler::SigIgn),
            },
        })
    }

    pub fn before(&self) -> Before {
        self.before
    }

    /// The next one that waits, if any.
    pub fn next(&self) -> Option<siginfo> {
        self.queue.read_signal().ok().flatten()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

impl Before {
    /// In the child, before its exec. Nothing but system calls.
    pub fn restore(&self) -> Result<(), Errno> {
        if self.ignores_children {
            // SAFETY: no handler.
            unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
        }
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None)
    }
}

/// A descriptor of its own for SIGCHLD alone: the guard's.
pub fn of_children() -> Result<SignalFd, Errno> {
    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    queue(&children)
}

fn queue(signals: &SigSet) -> Result<SignalFd, Errno> {
    SignalFd::with_flags(signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}
