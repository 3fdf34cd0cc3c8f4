//! Signals: held back while we work, and the ones that end the host.

use super::call::{Errno, call};
use super::process;
use anchor_contract::Signal;

/// The kernel's signal set on 64-bit machines: one bit a signal, 1 to 64.
type Set = u64;

/// While it lives, the calling thread takes no signal; then the mask is what it was.
pub struct Blocked {
    before: Set,
}

impl Blocked {
    /// Blocks every signal of the calling thread, the C library's own two included: they are back before the
    /// library could miss them.
    pub fn all() -> Self {
        let mut before: Set = 0;
        mask(&Set::MAX, Some(&mut before));
        Self { before }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        mask(&self.before, None);
    }
}

/// rt_sigprocmask(2) fails only for bad addresses; a filter that refuses it leaves the mask alone.
fn mask(set: &Set, before: Option<&mut Set>) {
    let before = before.map_or(core::ptr::null_mut(), core::ptr::from_mut);
    // SAFETY: both point to whole sets of the size that is given.
    let _ = unsafe {
        call!(
            SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            core::ptr::from_ref(set),
            before,
            size_of::<Set>()
        )
    };
}

/// Sends the host a signal as a whole, so that its own handler runs wherever it would.
pub fn send_to_host(signal: Signal) -> Result<(), Errno> {
    // SAFETY: signals the calling process, which is what we are here for.
    unsafe { call!(SYS_kill, process::own_pid(), signal.raw()) }.map(drop)
}

/// SIGKILL to the host. It returns only where that has no effect: to PID 1 of a PID namespace, pid_namespaces(7).
pub fn kill_host() {
    // SAFETY: as above.
    let _ = unsafe { call!(SYS_kill, process::own_pid(), libc::SIGKILL) };
}

/// Takes back the SIGPIPE that a write of ours has just caused. It is directed at the calling thread, which has it
/// blocked, so it is still pending.
pub fn discard_sigpipe() {
    let set: Set = 1 << (libc::SIGPIPE - 1);
    let at_once = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a whole set, no information wanted, a time-out of zero.
    let _ = unsafe {
        call!(
            SYS_rt_sigtimedwait,
            core::ptr::from_ref(&set),
            0_usize,
            core::ptr::from_ref(&at_once),
            size_of::<Set>(),
        )
    };
}
