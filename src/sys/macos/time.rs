//! Time that passes, on a clock that nobody sets and that stands still while the machine sleeps, as on Linux.

use super::call::errno;
use anchor_contract::Millis;

/// A moment to come, in milliseconds of `CLOCK_UPTIME_RAW`, clock_gettime(3).
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
    let place = &raw mut left;
    loop {
        // SAFETY: one whole time, which is overwritten with what is left.
        if unsafe { libc::nanosleep(place, place) } == 0 {
            return true;
        }
        if errno() != libc::EINTR {
            return false;
        }
    }
}

fn now() -> u64 {
    let mut time = timespec(0);
    // SAFETY: room for one time.
    let _ = unsafe { libc::clock_gettime(libc::CLOCK_UPTIME_RAW, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000;
    seconds.saturating_mul(1000).saturating_add(rest)
}

/// A time as the kernel wants it.
pub fn timespec(millis: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: i64::try_from(millis / 1000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(millis % 1000)
            .unwrap_or(0)
            .saturating_mul(1_000_000),
    }
}
