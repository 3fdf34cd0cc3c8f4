//! Staying beside the command, where injection does not reach it: what is sent to `anchored` reaches the command, its
//! exit status is handed through, and when the anchor dies its whole tree ends. One folder a platform, one function each.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::supervise;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::supervise;
