//! The rung below a queue: looking at the process again and again.

use super::bell::Bell;
use super::kqueue::Darwin;
use crate::sys::Waited;
use crate::sys::waiting::{self, Look};
use anchor_contract::{Millis, Pid};

/// What is looked at, and what is left where nothing may be opened: the same.
pub const LOOKS_AT: &str = "the process table";
/// See [`LOOKS_AT`].
pub const PROBES: &str = LOOKS_AT;

/// Whether the number is nobody's, or a dead process's that was not reaped yet.
pub fn exited(pid: Pid) -> bool {
    waiting::look(&mut Darwin, pid) == Look::Gone
}

/// Looks every `interval` until the process is dead; now and then it tries whether there is a queue to be had.
pub fn until_exit(pid: Pid, started: Option<u64>, interval: Millis, _: bool, _: &mut Bell) -> Waited {
    waiting::by_looking(&mut Darwin, pid, started, interval)
}
