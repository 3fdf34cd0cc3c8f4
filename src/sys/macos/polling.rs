//! The rung below a queue: looking at the process again and again.

use super::bell::Bell;
use super::kqueue::Darwin;
use crate::sys::Waited;
use crate::sys::waiting::{self, Look};
use anchor_contract::{Millis, Pid};

/// Whether the number is nobody's, or a dead process's that was not reaped yet.
pub fn exited(pid: Pid) -> bool {
    waiting::look(&mut Darwin, pid) == Look::Gone
}

/// Looks every `interval` until the process is dead, or until there is a queue that tells.
pub fn until_exit(pid: Pid, started: Option<u64>, interval: Millis, _: bool, _: &mut Bell) -> Waited {
    waiting::by_looking(&mut Darwin, pid, started, interval)
}
