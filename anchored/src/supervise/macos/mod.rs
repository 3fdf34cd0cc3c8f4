//! Supervision on macOS: ends and births come out of one queue, kqueue(2), orphans go to launchd and are found again, and
//! the front and the guard stand in for a death signal of each other's.

pub mod bond;
pub mod hangup;
pub mod job;
pub mod lookout;
pub mod signals;
