//! Where tests may stop a thread of ours, so that the anchor can die between any two steps (`tests/stops.rs`).
//!
//! Only in a library that is built with the feature `stops`. In the file that ships this is nothing at all, which
//! `tests/file.rs` checks.

#[cfg(all(feature = "stops", target_os = "linux"))]
pub use crate::sys::stops::at;

/// Nothing.
#[cfg(not(all(feature = "stops", target_os = "linux")))]
#[inline(always)]
pub fn at(_: &str) {}
