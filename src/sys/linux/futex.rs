//! Waiting for a word of memory to change: futex(2).

use super::call::{Errno, call};
use super::time::{sleep, timespec};
use core::sync::atomic::{AtomicI32, Ordering};

/// Waits while `word` holds `value`, at most so many milliseconds. Why it ended is for the caller to see.
///
/// KERNEL: not the private kind: the wake at the end of a thread (`CLONE_CHILD_CLEARTID`) is a shared one.
pub fn wait(word: &AtomicI32, value: i32, millis: u64) {
    let time = timespec(millis);
    let place = core::ptr::from_ref(&time);
    // SAFETY: an aligned word that lives for the call, and one whole time.
    let waited = unsafe {
        call!(
            SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            value,
            place,
            0_usize,
            0
        )
    };
    // Whoever asks again at once, because a filter refuses this, would spin.
    let over = matches!(waited, Ok(_) | Err(Errno(libc::ETIMEDOUT | libc::EINTR)));
    if !over && word.load(Ordering::Acquire) == value {
        sleep(millis);
    }
}
