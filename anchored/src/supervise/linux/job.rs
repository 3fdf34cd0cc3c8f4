//! Whether a process is stopped, and which signals it wants: proc_pid_status(5).

use crate::processes::Entry;
use anchor_contract::status_value;
use std::fs;

/// Whether it is stopped, or has a SIGSTOP that it has not yet come to.
///
/// ORDER: what is pending first, the state second. A SIGSTOP leaves the one and changes the other under one lock of the
/// kernel's: whoever looks the other way round can see neither.
pub fn is_stopped(pid: i32) -> bool {
    has(pid, "ShdPnd", libc::SIGSTOP) || Entry::of(pid).is_some_and(|entry| entry.state == b'T')
}

/// Whether it has a handler for it.
pub fn catches(pid: i32, signal: i32) -> bool {
    has(pid, "SigCgt", signal)
}

fn has(pid: i32, field: &str, signal: i32) -> bool {
    // Not text as a whole: the name above may hold any bytes.
    let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
    let set = status_value(&status, field).and_then(|set| std::str::from_utf8(set).ok());
    let set = set.and_then(|set| u64::from_str_radix(set, 16).ok());
    set.is_some_and(|set| set >> (signal - 1) & 1 == 1)
}
