//! macOS, 11 and later: sysctl(3), proc_pidinfo and kqueue(2). What a header declares and the `libc` crate does not stands
//! where it is used, with the header's name.
//!
//! KERNEL: whose process it is decides what is told of it. Everybody's number, parent, start and state (`KERN_PROC`) and
//! numbers of birth; of one's own processes alone the arguments, environment, threads and memory, of everybody's for root.

pub mod clock;
pub mod handle;
mod info;
pub mod memory;
pub mod namespaces;
pub mod process_table;
pub mod watcher;
