//! macOS, 11 and later. System calls are the C library's to make there: their numbers change. What is used of it is what
//! may be used before `main` and in a forked child: no Objective-C, no CoreFoundation, no dispatch queue, no allocation.

mod call;
mod process_table;

pub mod atfork;
pub mod bell;
pub mod environ;
pub mod kqueue;
pub mod lifeline;
pub mod memory;
pub mod numbers;
pub mod output;
pub mod parent;
pub mod polling;
pub mod process;
pub mod program;
pub mod signals;
pub mod thread;
pub mod time;
