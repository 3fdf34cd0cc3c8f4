//! What a process's environment says of it: whether it is meant to live on, and whether it asks itself.

use super::terms::Terms;
use crate::cookie::Block;
use crate::processes::Entry;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// Whether it was released (`anchored --release`), or the settings name it.
pub fn is_left_alone(process: &Entry, terms: &Terms) -> bool {
    let off = Block::of(process.pid).is_some_and(|block| block.is_released());
    let named = || {
        let path = fs::read_link(format!("/proc/{}/exe", process.pid));
        terms.skips(process.name.as_bytes())
            || path.is_ok_and(|path| terms.skips(path.as_os_str().as_bytes()))
    };
    off || named()
}

/// Whether the library is in it and watches the same anchor: then it asks itself, and a host is asked once.
///
/// Where the environment cannot be read, the watcher's thread alone decides.
pub fn asks_itself(pid: i32, terms: &Terms) -> bool {
    let watched = Block::of(pid).is_none_or(|block| {
        let (number, identity) = Terms::OF_ANCHOR;
        let found = |name| block.value(name).map(OsStr::from_bytes);
        terms.anchors(found(number), found(identity))
    });
    watched && has_watcher(pid)
}

/// Whether it has a thread with the watcher's name.
fn has_watcher(pid: i32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    let own = OsStr::new("anchor\n").as_bytes();
    let mut names = threads
        .flatten()
        .filter_map(|thread| fs::read(thread.path().join("comm")).ok());
    names.any(|name| name == own)
}
