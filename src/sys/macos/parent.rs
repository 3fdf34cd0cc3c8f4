//! The parent. macOS has no parent death signal: nothing here can ask for one, and the watcher alone asks.

use anchor_contract::{Pid, Signal};

/// Whether the kernel has such a thing.
pub const OFFERED: bool = false;

/// `None`: the kernel has no such thing.
pub fn death_signal() -> Option<i32> {
    None
}

/// `false`: it cannot be set.
pub fn set_death_signal(_: Option<Signal>) -> bool {
    false
}

/// The parent's number.
pub fn parent_pid() -> i32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::getppid() }
}

/// Only asked where there is a death signal.
pub fn made_by_main_thread(_: Pid) -> bool {
    false
}

/// Whether the calling thread is the host's main thread.
pub fn on_main_thread() -> bool {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::pthread_main_np() != 0 }
}

/// Only asked where there is a death signal.
pub fn dumpable() -> bool {
    false
}

/// `false`: ids belong to the process.
pub fn main_thread_changed_ids() -> bool {
    false
}

/// The process's effective ids.
pub fn effective_ids() -> (usize, usize) {
    // SAFETY: no arguments, cannot fail.
    let user = unsafe { libc::geteuid() };
    // SAFETY: as above.
    let group = unsafe { libc::getegid() };
    (user as usize, group as usize)
}
