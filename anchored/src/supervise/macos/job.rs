//! Whether a process is stopped, and which signals it wants.

use crate::processes::Entry;
pub use crate::sys::process_table::catches;

/// Whether it is stopped.
///
/// KERNEL: a signal that stops by default stops when it is sent, not when it is come to (XNU, bsd/kern/kern_sig.c).
pub fn is_stopped(pid: i32) -> bool {
    Entry::of(pid).is_some_and(|entry| entry.state == b'T')
}
