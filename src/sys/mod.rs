//! The machine: system calls, descriptors, threads, memory. The only place with `unsafe` and with `cfg` for a
//! platform. One mechanism a file, one folder a platform, and the same functions from each.

mod environ_array;
mod lock;
mod once;
mod outcome;
mod room;
mod text;
#[cfg(any(target_os = "macos", test))]
mod waiting;
#[cfg(test)]
mod waiting_tests;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(target_os = "linux", feature = "stops"))]
pub use linux::stops;
#[cfg(target_os = "linux")]
pub use linux::{
    atfork, bell, environ, errno, lifeline, memory, numbers, output, parent, pidfd as handle, polling,
    proc_stat, process, program, signals, thread, time,
};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::{
    atfork, bell, environ, kqueue as handle, lifeline, memory, numbers, output, parent, polling, process,
    program, signals, thread, time,
};

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("libanchor runs on Linux and macOS, and has no room for this platform in src/sys");

pub use lock::{Held, Locked};
pub use once::Once;
pub use outcome::{Errno, NoHandle, Unfit, Waited, Woken};
pub use room::room;
pub use text::until_nul;
