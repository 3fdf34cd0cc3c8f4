//! Signals: held back while we work, and the ones that end the host.

use super::call::{check, errno, set_errno};
use super::process;
use crate::sys::Errno;
use anchor_contract::Signal;
use libc::sigset_t;

/// While it lives, the calling thread takes no signal; then the mask is what it was, and so is errno.
pub struct Blocked {
    before: sigset_t,
    errno: i32,
}

impl Blocked {
    /// Blocks every signal of the calling thread.
    pub fn all() -> Self {
        let (errno, all, mut before) = (errno(), sigset_t::MAX, 0);
        // SAFETY: two whole sets.
        let _ = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before) };
        Self { before, errno }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: a whole set, and no room for the old one.
        let _ = unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, core::ptr::null_mut())
        };
        set_errno(self.errno);
    }
}

/// Sends the host a signal as a whole, so that its own handler runs wherever it would.
pub fn send_to_host(signal: Signal) -> Result<(), Errno> {
    // SAFETY: signals the calling process, which is what we are here for.
    check(unsafe { libc::kill(process::own_pid(), signal.raw()) }).map(drop)
}

/// SIGKILL to the host.
pub fn kill_host() {
    // SAFETY: as above.
    let _ = unsafe { libc::kill(process::own_pid(), libc::SIGKILL) };
}

/// Whether a signal waits for the calling thread, which has it blocked, or for the process as a whole.
pub fn pending(signal: Signal) -> bool {
    let mut set: sigset_t = 0;
    // SAFETY: room for one set, sigpending(2).
    let _ = unsafe { libc::sigpending(&raw mut set) };
    u32::try_from(signal.raw())
        .is_ok_and(|number| set.checked_shr(number.saturating_sub(1)).unwrap_or(0) & 1 == 1)
}

/// `false`: no timer kills here, and the one that could is the host's, setitimer(2). The caller kills at once: without a
/// thread that is the only end that is certain.
pub fn kill_host_after(_: u64) -> bool {
    false
}
