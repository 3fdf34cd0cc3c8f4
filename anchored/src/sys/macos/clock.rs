//! The time that start times are counted in.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in microseconds since 1970: the kernel writes down when a process starts, and does not change that when the
/// clock is set. An age is wrong by as much as the clock was set by since.
#[derive(Clone, Copy, Debug)]
pub struct Clock(u64);

impl Clock {
    pub fn read() -> Option<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(now.as_micros()).ok().map(Self)
    }

    /// How many seconds ago that was.
    pub fn age(self, start: u64) -> u64 {
        self.0.saturating_sub(start) / 1_000_000
    }
}
