//! Time that passes: relative, on a clock that nobody sets.

use super::call::{Errno, call};
use anchor_contract::Millis;

/// Sleeps. `false` where the kernel refuses even that: the caller must not try again, or it would spin.
pub fn sleep(time: Millis) -> bool {
    let mut left = timespec(time);
    loop {
        let place = core::ptr::from_mut(&mut left);
        // SAFETY: one whole time, which the kernel overwrites with what is left, clock_nanosleep(2).
        match unsafe { call!(SYS_clock_nanosleep, libc::CLOCK_MONOTONIC, 0, place, place) } {
            Ok(_) => return true,
            Err(Errno(libc::EINTR)) => {}
            // A filter that knows one kind of sleep may not know the other.
            Err(_) => return sleep_by_poll(&left),
        }
    }
}

fn sleep_by_poll(time: &libc::timespec) -> bool {
    // SAFETY: no descriptors, one whole time, no signal set.
    unsafe { call!(SYS_ppoll, 0_usize, 0, core::ptr::from_ref(time), 0_usize, 0) }.is_ok()
}

/// A time as the kernel wants it.
fn timespec(time: Millis) -> libc::timespec {
    let ms = time.count();
    libc::timespec {
        tv_sec: i64::from(ms / 1000),
        tv_nsec: i64::from(ms % 1000).saturating_mul(1_000_000),
    }
}
