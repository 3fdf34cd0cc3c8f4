//! What a process's environment says of it: whether it is meant to live on, and whether it asks itself.

use super::terms::Terms;
use crate::cookie::Block;
use crate::processes::Entry;
use crate::sys::{memory, watcher};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Whether it was released (`anchored --release`), or the settings name it.
pub fn is_left_alone(process: &Entry, terms: &Terms) -> bool {
    let off = Block::of(process.pid).is_some_and(|block| block.is_released());
    let named = || {
        let path = memory::program(process.pid);
        terms.skips(process.name.as_bytes())
            || path.is_some_and(|path| terms.skips(path.as_os_str().as_bytes()))
    };
    off || named()
}

/// Whether the library is in it and watches the same anchor: then it asks itself, and a host is asked once.
///
/// Where the environment cannot be read, the watcher's thread alone decides.
pub fn asks_itself(pid: i32, terms: &Terms) -> bool {
    let watched =
        Block::of(pid).is_none_or(|block| terms.anchors(|name| block.value(name).map(OsStr::from_bytes)));
    watched && watcher::has_thread(pid)
}
