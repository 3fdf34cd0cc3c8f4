//! How a process that was told of an anchor is guarded, as far as that can be seen from outside.
//!
//! What is not seen: a parent death signal (nobody but the thread itself can ask for it), so that a host that has
//! nothing else, because no thread could be made, is shown as not armed.

use crate::command;
use crate::cookie::Cookie;
use crate::processes::Entry;
use crate::sys::{memory, namespaces, watcher::Watcher};
use anchor_contract::{Scope, Skip};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

/// Who guards a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The library's watcher in it.
    Thread,
    /// An `anchored` above it.
    Supervised,
    /// Nobody, as somebody has said: `ANCHOR_DISABLE=1`.
    Released,
    /// Nobody, and why.
    No(&'static str),
}

/// Why nobody guards a process that a person has named in `ANCHOR_SKIP`.
pub const SKIPPED: &str = "ANCHOR_SKIP names it";
/// As [`SKIPPED`], for a process that was not given the variable but has inherited it.
pub const NOT_MEANT: &str = "ANCHOR_SCOPE=self";

impl How {
    /// The word for it, and why where nobody guards.
    pub fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Thread => ("thread", None),
            Self::Supervised => ("supervised", None),
            Self::Released => ("released", None),
            Self::No(why) => ("not armed", Some(why)),
        }
    }
}

/// The family of every process at one moment.
#[derive(Debug)]
pub struct Family(HashMap<i32, i32>);

impl Family {
    /// Of these.
    pub fn of(all: &[Entry]) -> Self {
        Self(all.iter().map(|entry| (entry.pid, entry.parent)).collect())
    }

    /// Who stands above a process, from its parent on.
    pub fn above(&self, pid: i32) -> impl Iterator<Item = i32> {
        let parent = |pid: &i32| self.0.get(pid).copied().filter(|parent| *parent > 0);
        // Looked at one after the other while processes come and go, the numbers could lead in a circle.
        std::iter::successors(parent(&pid), move |pid| parent(pid)).take(self.0.len())
    }

    /// Whether an `anchored` stands above it. One that has injected has become the command, so whichever is there and
    /// has a descendant supervises it.
    fn is_supervised(&self, pid: i32) -> bool {
        self.above(pid).any(is_anchored)
    }
}

/// Whether a process runs this program: the same file, or one of its name.
fn is_anchored(pid: i32) -> bool {
    let Some(path) = memory::program(pid) else {
        return false;
    };
    let name = path.file_name().unwrap_or_default().as_bytes();
    name.strip_suffix(b" (deleted)").unwrap_or(name) == b"anchored" || memory::runs_ours(pid)
}

/// Who guards process `entry`, which was told `cookie`.
pub fn how(entry: &Entry, cookie: &Cookie, family: &Family) -> How {
    let pid = entry.pid;
    if Watcher::of(pid).is_some() {
        How::Thread
    } else if cookie.released {
        How::Released
    } else if let Some(why) = left_alone(entry, cookie) {
        How::No(why)
    } else if family.is_supervised(pid) || cookie.guard().is_some_and(is_anchored) {
        How::Supervised
    } else if is_anchored(pid) {
        How::No("it supervises")
    } else if memory::has_library(pid) {
        How::No(why_no_watcher(entry, cookie))
    } else {
        How::No(why_not_loaded(pid, cookie))
    }
}

/// Why it is none of whoever is meant, if that is so.
fn left_alone(entry: &Entry, cookie: &Cookie) -> Option<&'static str> {
    match cookie.scope {
        Scope::Itself(Some(holder)) if holder.pid.raw() == entry.pid && holder.start == entry.start => {}
        // Not filled in: who was given it, and who has inherited it from a program that the library is not in, can be
        // told apart only where an `anchored` has just given it.
        Scope::Itself(None) if is_anchored(entry.parent) => {}
        Scope::Itself(_) => return Some(NOT_MEANT),
        Scope::Tree => {}
    }
    // A person may know it as it was called, by its file, or as `ps` shows it: as the library does.
    let skip = Skip::parse(&cookie.skip)?;
    let called = command::arguments(entry.pid);
    let file = memory::program(entry.pid).unwrap_or_default();
    let names = [
        called.first().map_or(&[][..], Vec::as_slice),
        file.as_os_str().as_bytes(),
        entry.name.as_bytes(),
    ];
    let named = |name: &&[u8]| skip.matching(name).is_some();
    names.iter().any(named).then_some(SKIPPED)
}

/// The library is in it, and left it alone.
fn why_no_watcher(entry: &Entry, cookie: &Cookie) -> &'static str {
    let inside = namespaces::numbers_of(entry.pid);
    if cookie.anchor.is_some_and(|anchor| anchor.raw() == entry.pid) {
        "it is the anchor"
    } else if cookie
        .id
        .is_some_and(|id| inside.is_some_and(|inside| inside != id.namespace))
    {
        "in another PID namespace"
    } else if command::arguments(entry.pid).contains(&b"--type=zygote".to_vec()) {
        "a Chromium zygote"
    } else {
        "no watcher"
    }
}

/// The loader has not put the library into it.
fn why_not_loaded(pid: i32, cookie: &Cookie) -> &'static str {
    let otherwise = if cookie.preloads {
        "not loaded"
    } else {
        "not preloaded"
    };
    memory::takes_no_library(pid).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::Family;
    use crate::processes::Entry;

    #[test]
    fn who_stands_above_is_found_even_in_a_circle() {
        let entry = |(pid, parent)| Entry {
            pid,
            parent,
            start: 0,
            state: b'S',
            name: String::new(),
        };
        let family = Family::of(&[(1, 0), (2, 1), (3, 2), (8, 9), (9, 8)].map(entry));
        assert_eq!(family.above(3).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(family.above(1).count(), 0);
        assert_eq!(family.above(7).count(), 0);
        assert!(family.above(8).count() <= 5);
    }
}
