//! Supervision on Linux: signals come out of descriptors, ends out of pidfds, and orphans to the guard, which is a child
//! subreaper.

pub mod bond;
pub mod hangup;
pub mod job;
pub mod lookout;
pub mod signals;
