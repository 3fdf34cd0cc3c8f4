//! What a process's number says: since when it has been this process's. There is one namespace of numbers.

use super::kqueue::Darwin;
use super::process;
use crate::sys::waiting::{Look, look};
use anchor_contract::Pid;

/// The namespace in which numbers count: the one that there is.
pub fn namespace(_: bool) -> Option<u64> {
    Some(0)
}

/// Whether a start time read here may be held against one that was read elsewhere.
pub fn starts_compare() -> bool {
    true
}

/// When process `pid` started, in microseconds since 1970, if that can be seen: proc_pidinfo, `PROC_PIDTBSDINFO`. The
/// kernel wrote it down then; setting the clock does not change it.
pub fn start_of(pid: Pid) -> Option<u64> {
    match look(&mut Darwin, pid) {
        Look::Lives(start) | Look::Exiting(start) => Some(start),
        Look::Gone | Look::Hidden => None,
    }
}

/// When this process started.
pub fn own_start() -> Option<u64> {
    start_of(Pid::from_raw(process::own_pid())?)
}
