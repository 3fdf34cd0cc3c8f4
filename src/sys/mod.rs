//! The machine: system calls, descriptors, threads, memory. The only place with `unsafe` and with `cfg` for a
//! platform. One mechanism a file, one folder a platform, and the same functions from each.

mod once;

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::{
    Errno, Locked, atfork, bell, environ, errno, output, parent, pidfd, polling, proc, proc_stat, process,
    signals, thread, time,
};

#[cfg(not(target_os = "linux"))]
compile_error!("libanchor has no backend for this platform yet");

pub use once::Once;
