//! The time that start times are counted in.

use std::fs;

/// The time since boot, as the start of a process is counted: both are read in the time namespace of this process.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    seconds: u64,
    ticks: u64,
}

impl Clock {
    pub fn read() -> Option<Self> {
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        // SAFETY: a number of sysconf(3), which has no effect.
        let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
        Some(Self {
            seconds: uptime.split('.').next()?.parse().ok()?,
            ticks: u64::try_from(ticks).ok().filter(|ticks| *ticks > 0)?,
        })
    }

    /// How many seconds ago that was.
    pub fn age(self, start: u64) -> u64 {
        self.seconds.saturating_sub(start / self.ticks)
    }
}
