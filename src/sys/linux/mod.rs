//! Linux, 5.3 and later by preference; every call has a rung below it for older and stricter ones.

mod arch;
mod call;
mod file;
mod futex;
mod next_symbol;
mod proc;
mod wrapped;

pub mod atfork;
pub mod bell;
pub mod environ;
pub mod errno;
pub mod lifeline;
pub mod memory;
pub mod numbers;
pub mod output;
pub mod parent;
pub mod pidfd;
pub mod polling;
pub mod proc_stat;
pub mod process;
pub mod program;
pub mod signals;
#[cfg(feature = "stops")]
pub mod stops;
pub mod thread;
pub mod time;
