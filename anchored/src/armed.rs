//! How a process that was told of an anchor is guarded, as far as that can be seen from outside.
//!
//! What is not seen: a parent death signal (nobody but the thread itself can ask for it), so that a host that has
//! nothing else, because no thread could be made, is shown as not armed.

use crate::command;
use crate::cookie::{self, Cookie, namespace};
use crate::processes::Entry;
use anchor_contract::{Scope, Skip};
use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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

/// The watcher's folder in `/proc`: a thread of that name which is not the main thread, in a process that has the
/// library in its memory.
pub fn watcher(pid: i32) -> Option<PathBuf> {
    let main = pid.to_string();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let mut others = tasks.flatten().filter(|task| *task.file_name() != *main);
    let named =
        |task: &fs::DirEntry| fs::read(task.path().join("comm")).is_ok_and(|name| name == b"anchor\n");
    let watcher = others.find(named)?;
    has_library(pid).then(|| watcher.path())
}

/// The process whose handle the watcher holds: whoever it is, the watcher has compared its identity. `Some(None)`: it is
/// dead and reaped.
///
/// KERNEL: the file of a pidfd says `Pid:`, and -1 once nobody has the number, proc_pid_fdinfo(5).
pub fn watched(watcher: &Path) -> Option<Option<i32>> {
    let files = fs::read_dir(watcher.join("fdinfo")).ok()?;
    let mut texts = files
        .flatten()
        .filter_map(|file| fs::read_to_string(file.path()).ok());
    let pid: i32 = texts.find_map(|text| {
        let mut values = text.lines().filter_map(|line| line.strip_prefix("Pid:"));
        values.next()?.trim().parse().ok()
    })?;
    match pid {
        -1 => Some(None),
        // Of another namespace.
        0 => None,
        pid => Some(Some(pid)),
    }
}

fn has_library(pid: i32) -> bool {
    let maps = cookie::read(pid, "maps").unwrap_or_default();
    let mut lines = maps.split(|byte| *byte == b'\n');
    lines.any(|line| {
        let name = line.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        line.contains(&b'/') && name.starts_with(b"libanchor")
    })
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
    let program = format!("/proc/{pid}/exe");
    let Ok(path) = fs::read_link(&program) else {
        return false;
    };
    let file = |path: &str| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let name = path.file_name().unwrap_or_default().as_bytes();
    name.strip_suffix(b" (deleted)").unwrap_or(name) == b"anchored"
        || file(&program).is_some_and(|it| Some(it) == file("/proc/self/exe"))
}

/// Who guards process `entry`, which was told `cookie`.
pub fn how(entry: &Entry, cookie: &Cookie, family: &Family) -> How {
    let pid = entry.pid;
    if watcher(pid).is_some() {
        How::Thread
    } else if cookie.released {
        How::Released
    } else if let Some(why) = left_alone(entry, cookie) {
        How::No(why)
    } else if family.is_supervised(pid) {
        How::Supervised
    } else if is_anchored(pid) {
        How::No("it supervises")
    } else if has_library(pid) {
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
    let file = fs::read_link(format!("/proc/{}/exe", entry.pid)).unwrap_or_default();
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
    let inside = namespace(entry.pid, "pid");
    if cookie.anchor.raw() == entry.pid {
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
    let told = |kind| auxiliary(pid, kind);
    if told(libc::AT_SECURE).is_some_and(|secure| secure != 0) {
        "set-id"
    } else if told(libc::AT_BASE) == Some(0) {
        "static"
    } else if cookie.preloads {
        "not loaded"
    } else {
        "not preloaded"
    }
}

/// What the kernel told a program at its start, getauxval(3): where its loader is (a static program has none), and
/// whether the loader must not listen to the environment.
fn auxiliary(pid: i32, kind: libc::c_ulong) -> Option<usize> {
    let whole = cookie::read(pid, "auxv")?;
    let mut words = whole
        .chunks_exact(size_of::<usize>())
        .filter_map(|word| Some(usize::from_ne_bytes(word.try_into().ok()?)));
    loop {
        let (key, value) = (words.next()?, words.next()?);
        if libc::c_ulong::try_from(key).ok()? == kind {
            return Some(value);
        }
    }
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
