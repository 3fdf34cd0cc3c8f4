//! Time that passes, on a clock that nobody sets.

use super::call::{Errno, call};
use anchor_contract::Millis;

/// A moment to come, in milliseconds of CLOCK_MONOTONIC, clock_gettime(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(u64);

impl Deadline {
    /// So long from now.
    pub fn after(time: Millis) -> Self {
        Self(now().saturating_add(u64::from(time.count())))
    }

    /// As a number that is never 0, and back.
    pub fn number(self) -> u64 {
        self.0.max(1)
    }

    /// See [`Deadline::number`].
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// How long until then, in milliseconds; 0 where it has passed.
    pub fn left(self) -> u64 {
        self.0.saturating_sub(now())
    }
}

/// Sleeps so many milliseconds. `false` where the kernel refuses even that: the caller must not try again, or it
/// would spin.
pub fn sleep(millis: u64) -> bool {
    let mut left = timespec(millis);
    let place = core::ptr::from_mut(&mut left);
    loop {
        // SAFETY: one whole time, which the kernel overwrites with what is left, clock_nanosleep(2).
        match unsafe { call!(SYS_clock_nanosleep, libc::CLOCK_MONOTONIC, 0, place, place) } {
            Ok(_) => return true,
            Err(Errno(libc::EINTR)) => {}
            // A filter that knows one kind of sleep may not know the other.
            // SAFETY: no descriptors, one whole time, no signal set.
            Err(_) => return unsafe { call!(SYS_ppoll, 0_usize, 0, place, 0_usize, 0) }.is_ok(),
        }
    }
}

/// 0 where even the time is refused: then no deadline ever passes early.
fn now() -> u64 {
    let mut time = timespec(0);
    let place = core::ptr::from_mut(&mut time);
    // SAFETY: room for one time.
    if unsafe { call!(SYS_clock_gettime, libc::CLOCK_MONOTONIC, place) }.is_err() {
        // SAFETY: writes nothing. A hundred ticks a second, to every program, times(2).
        let ticks = unsafe { call!(SYS_times, 0_usize) }.unwrap_or(0);
        return u64::try_from(ticks).unwrap_or(0).saturating_mul(10);
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000;
    seconds.saturating_mul(1000).saturating_add(rest)
}

/// A time as the kernel wants it. KERNEL: on a 32-bit machine that of the calls of the first kind, which is too short for
/// the time of day from 2038 on, and not for the time since the machine was started.
pub fn timespec(millis: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(millis / 1000).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::try_from(millis % 1000)
            .unwrap_or(0)
            .saturating_mul(1_000_000),
    }
}
