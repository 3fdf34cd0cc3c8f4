//! The machine: system calls, descriptors, threads, memory. The only place with `unsafe` and with `cfg` for a
//! platform. One mechanism a file, one folder a platform, and the same functions from each.

mod environ_array;
mod lock;
mod once;
mod outcome;

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::{
    atfork, bell, environ, errno, numbers, output, parent, pidfd as handle, polling, proc_stat, process,
    program, signals, thread, time,
};

#[cfg(not(target_os = "linux"))]
compile_error!("libanchor has no backend for this platform yet");

pub use lock::{Held, Locked};
pub use once::Once;
pub use outcome::{Errno, NoHandle, Waited, Woken};
