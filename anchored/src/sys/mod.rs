//! The machine, as far as the launcher looks at processes and signals them: one folder a platform, one mechanism a file,
//! and the same functions from each. What is decided with the answers stands outside.

#[cfg(any(target_os = "macos", test))]
mod procargs;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{clock, handle, memory, namespaces, process_table, watcher};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::{clock, handle, memory, namespaces, process_table, watcher};
