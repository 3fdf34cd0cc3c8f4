//! Where numbers and times mean something, namespaces(7).

use std::fs;
use std::os::unix::fs::MetadataExt;

/// KERNEL: `PROC_TIME_INIT_INO` (include/linux/proc_ns.h), the time namespace of a machine.
const INITIAL_TIME_NAMESPACE: u64 = 0xEFFF_FFFA;

/// The PID namespace in which this process counts.
pub fn own_numbers() -> Option<u64> {
    inode("self", "pid")
}

/// The one in which process `pid` counts itself.
pub fn numbers_of(pid: i32) -> Option<u64> {
    inode(pid, "pid")
}

/// Whether start times are read here as everybody else reads them, time_namespaces(7).
pub fn has_common_times() -> bool {
    is_common(inode("self", "time"))
}

/// Whether process `pid` reads them so.
pub fn has_common_times_in(pid: i32) -> bool {
    is_common(inode(pid, "time"))
}

/// A kernel without such namespaces has one time.
fn is_common(times: Option<u64>) -> bool {
    times.is_none_or(|inode| inode == INITIAL_TIME_NAMESPACE)
}

fn inode(pid: impl std::fmt::Display, kind: &str) -> Option<u64> {
    let place = fs::metadata(format!("/proc/{pid}/ns/{kind}"));
    place.ok().map(|place| place.ino())
}
