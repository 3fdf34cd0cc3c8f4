//! The processes of this machine.

pub use crate::sys::handle::Handle;
use crate::sys::process_table;

/// A process at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub pid: i32,
    pub parent: i32,
    /// As the anchor's in `ANCHOR_ID`: with the number, who it is.
    pub start: u64,
    /// As `ps` shows it: `T` stopped, `Z` dead and not reaped.
    pub state: u8,
    pub name: String,
}

impl Entry {
    /// What is there now. `None` where nobody has the number.
    pub fn of(pid: i32) -> Option<Self> {
        process_table::entry(pid)
    }

    /// Whether it is dead and only waits to be reaped.
    pub fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }
}

/// Every process that can be seen.
pub fn all() -> Vec<Entry> {
    process_table::all()
}
