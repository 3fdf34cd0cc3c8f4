//! Signals: held back while we work, and the ones that end the host.

use super::call::{Errno, call};
use super::process;
use super::time::timespec;
use anchor_contract::Signal;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

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
        if !mask(&Set::MAX, Some(&mut before)) {
            REFUSED.store(true, Ordering::Relaxed);
        }
        Self { before }
    }
}

/// Whether a filter keeps the host's signals open. No filter is ever taken back.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Whether signals can be blocked.
pub fn can_be_blocked() -> bool {
    !REFUSED.load(Ordering::Relaxed)
}

impl Drop for Blocked {
    fn drop(&mut self) {
        mask(&self.before, None);
    }
}

/// rt_sigprocmask(2) fails only for bad addresses; a filter that refuses it leaves the mask alone.
fn mask(set: &Set, before: Option<&mut Set>) -> bool {
    let before = before.map_or(core::ptr::null_mut(), core::ptr::from_mut);
    // SAFETY: both point to whole sets of the size that is given.
    let done = unsafe {
        call!(
            SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            core::ptr::from_ref(set),
            before,
            size_of::<Set>()
        )
    };
    done.is_ok()
}

/// Sends the host a signal as a whole, so that its own handler runs wherever it would.
pub fn send_to_host(signal: Signal) -> Result<(), Errno> {
    send(signal.raw())
}

/// SIGKILL to the host. It returns only where that has no effect: to PID 1 of a PID namespace, pid_namespaces(7).
pub fn kill_host() {
    let _ = send(libc::SIGKILL);
}

/// Where a filter refuses kill(2), to the main thread: most handlers do not mind.
fn send(signal: i32) -> Result<(), Errno> {
    let own = process::own_pid();
    if own == 0 {
        // GUEST: it would go to the whole process group.
        return Err(Errno(libc::ESRCH));
    }
    // SAFETY: signals the calling process, which is what we are here for.
    let sent = unsafe { call!(SYS_kill, own, signal) };
    // SAFETY: as above.
    sent.or_else(|_| unsafe { call!(SYS_tgkill, own, own, signal) })
        .map(drop)
}

/// Takes back the SIGPIPE or SIGXFSZ that a write of ours has just caused. It is directed at the calling thread, which
/// has it blocked, so it is still pending.
pub fn discard_of_write() {
    let set: Set = (1 << (libc::SIGPIPE - 1)) | (1 << (libc::SIGXFSZ - 1));
    let at_once = timespec(0);
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

/// Whether a signal waits for the calling thread, which has it blocked, or for the process as a whole.
pub fn pending(signal: Signal) -> bool {
    let mut set: Set = 0;
    // SAFETY: room for one set of the size that is given, sigpending(2).
    let _ = unsafe { call!(SYS_rt_sigpending, core::ptr::from_mut(&mut set), size_of::<Set>()) };
    u32::try_from(signal.raw())
        .is_ok_and(|number| set.checked_shr(number.saturating_sub(1)).unwrap_or(0) & 1 == 1)
}

/// Has the kernel kill the host after so many milliseconds, by a timer and without a thread: timer_create(2). An exec
/// removes it. `false` where there is none to be had.
pub fn kill_host_after(millis: u64) -> bool {
    let mut event = MaybeUninit::<libc::sigevent>::zeroed();
    let event = event.as_mut_ptr();
    // SAFETY: a field of the structure.
    let notify = unsafe { &raw mut (*event).sigev_notify };
    // SAFETY: as above, and aligned.
    unsafe { notify.write(libc::SIGEV_SIGNAL) };
    // SAFETY: a field of the structure.
    let number = unsafe { &raw mut (*event).sigev_signo };
    // SAFETY: as above, and aligned.
    unsafe { number.write(libc::SIGKILL) };
    let mut timer: i32 = 0;
    // SAFETY: a whole event and room for the timer's number.
    let made = unsafe {
        call!(
            SYS_timer_create,
            libc::CLOCK_MONOTONIC,
            event,
            core::ptr::from_mut(&mut timer)
        )
    };
    // Zero would mean never.
    let times = [timespec(0), timespec(millis.max(1))];
    // SAFETY: an interval of zero and the time until the one event, timer_settime(2).
    made.is_ok() && unsafe { call!(SYS_timer_settime, timer, 0, times.as_ptr(), 0_usize) }.is_ok()
}
