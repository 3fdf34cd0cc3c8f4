//! Holding signals back, and what was there before.

use nix::errno::Errno;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, signal};

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

/// What the command is to start with: as if `anchored` were not there.
#[derive(Clone, Copy)]
pub struct Before {
    mask: SigSet,
    ignores_children: bool,
}

/// Blocks all signals but those of the processor. Which these are, and what was there before.
pub fn hold() -> Result<(SigSet, Before), Errno> {
    let mut all = SigSet::all();
    for signal in OF_THE_PROCESSOR {
        all.remove(signal);
    }
    let mask = SigSet::thread_get_mask()?;
    all.thread_set_mask()?;
    // KERNEL: whoever ignores SIGCHLD has no children to wait for, wait(2); and what is ignored is inherited.
    // SAFETY: no handler, the default.
    let old = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    let ignores_children = matches!(old, SigHandler::SigIgn);
    Ok((
        all,
        Before {
            mask,
            ignores_children,
        },
    ))
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
