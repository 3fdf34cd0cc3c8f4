//! Linux: what /proc says, and pidfds.

pub mod clock;
pub mod handle;
pub mod memory;
pub mod namespaces;
pub mod process_table;
pub mod watcher;
