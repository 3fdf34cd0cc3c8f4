//! The cookie: by what a process says, from its start on, whose death it is to end with, and whether that anchor is
//! still there.
//!
//! It is read from the block that the process was started with. What a host has put into its own memory since is not
//! seen: the first host pins `ANCHOR_ID` there, its children have it in their blocks. `sys::memory` says what else is not.

use crate::processes::{Entry, Handle};
use crate::sys::{memory, namespaces};
use anchor_contract::{AnchorFd, AnchorId, Disable, Grace, Pid, Scope, Setting, Signal, Skip, value_in};
use serde::Serialize;

/// Whose tree it is: where no subreaper keeps one together, a guard tells what it starts. Nobody else reads it.
pub const TREE: &str = "ANCHORED_TREE";

/// Its value: the guard.
pub fn mark(guard: &Entry) -> String {
    format!("{}:{}", guard.pid, guard.start)
}

/// A block of `NAME=VALUE`.
#[derive(Debug)]
pub struct Block(Vec<u8>);

impl Block {
    /// The one that a process was started with. `None` where it cannot be read, or is empty.
    pub fn of(pid: i32) -> Option<Self> {
        memory::environment(pid).map(Self)
    }

    /// The value of a variable that is set and not empty; of two, the first, as with getenv(3).
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        value_in(&self.0, name).filter(|value| !value.is_empty())
    }

    fn setting<T: Setting>(&self) -> Option<T> {
        self.value(T::VARIABLE.name).and_then(T::parse)
    }

    /// Whether somebody has said that this process is to live on: by the off switch, or by `--release`, which leaves an
    /// empty `ANCHOR_PID`.
    pub fn is_released(&self) -> bool {
        let off = self.setting::<Disable>() == Some(Disable(true));
        off || value_in(&self.0, Pid::VARIABLE.name) == Some(b"")
    }

    /// The cookie. `None` where no anchor is named, or by a value that the library does not understand either.
    pub fn cookie(&self) -> Option<Cookie> {
        let (anchor, fd) = (self.setting::<Pid>(), self.setting::<AnchorFd>());
        if anchor.is_none() && fd.is_none() {
            return None;
        }
        Some(Cookie {
            anchor,
            fd: fd.map(AnchorFd::raw),
            id: self.setting(),
            signal: self.setting().unwrap_or(Signal::DEFAULT),
            grace: self.setting().unwrap_or(Grace::DEFAULT),
            scope: self.setting().unwrap_or(Scope::Tree),
            skip: self.value(Skip::VARIABLE.name).unwrap_or_default().to_owned(),
            released: self.is_released(),
            preloads: self.value(anchor_spawn::PRELOAD).is_some_and(names_library),
            tree: self.value(TREE).unwrap_or_default().to_owned(),
        })
    }
}

/// What a process was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// The anchor's number.
    pub anchor: Option<Pid>,
    /// The descriptor whose hang-up is its death. That nobody can see from outside.
    pub fd: Option<i32>,
    pub id: Option<AnchorId>,
    pub signal: Signal,
    pub grace: Grace,
    pub scope: Scope,
    /// The globs of `ANCHOR_SKIP`.
    pub skip: Vec<u8>,
    /// Whether it is to live on: `ANCHOR_DISABLE=1`.
    pub released: bool,
    /// Whether the library stands in the variable that loads it.
    pub preloads: bool,
    /// Whose tree it is of, where that is told.
    pub tree: Vec<u8>,
}

impl Cookie {
    /// The guard whose tree it is of, if that lives.
    pub fn guard(&self) -> Option<i32> {
        let named = std::str::from_utf8(&self.tree).ok()?;
        let pid = named.split(':').next()?.parse().ok()?;
        let guard = Entry::of(pid).filter(|guard| !guard.is_zombie())?;
        (mark(&guard) == named).then_some(pid)
    }
}

/// Whether a list of files has the library in it, under whatever name of its it was installed.
pub fn names_library(list: &[u8]) -> bool {
    list.windows(LIBRARY.len()).any(|part| part == LIBRARY)
}

const LIBRARY: &[u8] = b"/libanchor";

/// What has become of an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is there.
    Alive,
    /// Nobody has the number, or only a process that is dead and not reaped.
    Gone,
    /// Another process has the number.
    Recycled,
    /// That cannot be said from here. It is never taken for a death.
    Unknown,
}

impl State {
    /// As a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Gone => "gone",
            Self::Recycled => "recycled",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it is certain that the anchor is dead.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Gone | Self::Recycled)
    }
}

/// Who looks: numbers and times mean something only in namespaces.
#[derive(Debug)]
pub struct Judge {
    /// The PID namespace in which this process counts.
    numbers: Option<u64>,
    /// Whether start times are read here as everybody else reads them, time_namespaces(7).
    times: bool,
}

impl Judge {
    /// This process.
    pub fn here() -> Self {
        Self {
            numbers: namespaces::own_numbers(),
            times: namespaces::has_common_times(),
        }
    }

    /// What has become of the anchor that `bearer` was told of.
    pub fn anchor(&self, bearer: &Entry, cookie: &Cookie) -> State {
        let (Some(id), Some(pid)) = (cookie.id, cookie.anchor) else {
            return State::Unknown;
        };
        if self.numbers != Some(id.namespace) {
            return State::Unknown;
        }
        match Entry::of(pid.raw()) {
            // KERNEL: counted in ticks, of 10 ms mostly. A number that was given away within one keeps its orphans. Its
            // new owner is as old as who was told of the anchor, or older: see below.
            Some(found) if found.start == id.start => life(&found),
            // An owner that is older than who was told of it has not followed the anchor: somebody has changed the
            // number further up and kept the identity. What was born of an orphan later is not known then.
            Some(found) if found.start <= bearer.start => State::Unknown,
            // Whoever is in another time namespace may have read the start there.
            Some(_) => {
                let same = self.times && namespaces::has_common_times_in(bearer.pid);
                if same { State::Recycled } else { State::Unknown }
            }
            // `/proc` may be mounted with hidepid; kill(2) knows even those that it may not signal.
            None if anchor_spawn::exists(pid) => State::Unknown,
            None => State::Gone,
        }
    }
}

/// Whether a process that is there is alive.
pub fn life(found: &Entry) -> State {
    if !found.is_zombie() {
        return State::Alive;
    }
    // KERNEL: a main thread that has ended looks like a dead process, and the others may live. The pidfd knows.
    match Handle::open(found.pid, found.start) {
        Some(handle) if handle.is_dead() => State::Gone,
        Some(_) => State::Alive,
        None => State::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Judge, State, TREE, mark, names_library};
    use crate::processes::Entry;
    use crate::sys::namespaces;
    use anchor_contract::{AnchorId, Grace, Pid, Setting, Signal};

    fn block(entries: &[&str]) -> Block {
        Block(entries.join("\0").into_bytes())
    }

    #[test]
    fn a_block_is_read_as_the_library_reads_it() {
        let cookie = block(&[
            "XANCHOR_PID=9",
            "ANCHOR_PID=7",
            "ANCHOR_PID=8",
            "ANCHOR_GRACE=soon",
        ])
        .cookie()
        .unwrap();
        assert_eq!(cookie.anchor.map(Pid::raw), Some(7));
        assert_eq!(cookie.grace, Grace::DEFAULT);
        assert_eq!(cookie.signal, Signal::DEFAULT);
        assert!(cookie.id.is_none() && !cookie.released && !cookie.preloads);
        for none in ["ANCHOR_PID=", "ANCHOR_PID=abc", "ANCHOR_ID=1:2", ""] {
            assert_eq!(block(&[none]).cookie(), None, "{none}");
        }
        let lifeline = block(&["ANCHOR_FD=3:14:15"]).cookie().unwrap();
        assert_eq!((lifeline.anchor, lifeline.fd), (None, Some(3)));
        assert!(block(&["ANCHOR_DISABLE=1"]).is_released());
        assert!(!block(&["ANCHOR_DISABLE=0"]).is_released());
        assert!(block(&["ANCHOR_PID="]).is_released());
        assert!(!block(&["ANCHOR_PID=1"]).is_released());
        // The library has read the first of two.
        assert!(!block(&["ANCHOR_PID=1", "ANCHOR_PID="]).is_released());
        assert!(block(&["ANCHOR_PID=", "ANCHOR_PID=1"]).is_released());
    }

    #[test]
    fn a_guard_is_known_by_its_mark_while_it_lives() {
        let own = Entry::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let guard = |mark: &str| {
            let cookie = block(&["ANCHOR_PID=1", &format!("{TREE}={mark}")]).cookie();
            cookie.unwrap().guard()
        };
        assert_eq!(guard(&mark(&own)), Some(own.pid));
        let start = own.start + 1;
        assert_eq!(
            guard(&mark(&Entry { start, ..own })),
            None,
            "another has its number"
        );
        for bad in ["", "1", "x:1", "4194304:1"] {
            assert_eq!(guard(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_library_is_known_by_its_file() {
        assert!(names_library(b"/x.so:/opt/libanchor.so"));
        assert!(!names_library(b"/x.so:/opt/anchor.so"));
    }

    #[test]
    fn only_what_is_certain_is_a_death() {
        let own = i32::try_from(std::process::id()).unwrap();
        let (entry, numbers) = (Entry::of(own).unwrap(), namespaces::own_numbers().unwrap());
        let judged = |pid: i32, id: Option<(u64, u64)>| {
            let mut cookie = block(&["ANCHOR_PID=1"]).cookie().unwrap();
            cookie.anchor = Some(Pid::from_raw(pid).unwrap());
            cookie.id = id.map(|(namespace, start)| AnchorId {
                namespace,
                start,
                mark: None,
            });
            let older = Entry {
                start: entry.start - 1,
                ..entry.clone()
            };
            assert_ne!(
                Judge::here().anchor(&entry, &cookie),
                State::Recycled,
                "as old as itself"
            );
            Judge::here().anchor(&older, &cookie)
        };
        assert_eq!(judged(own, Some((numbers, entry.start))), State::Alive);
        assert_eq!(judged(own, Some((numbers, entry.start + 1))), State::Recycled);
        assert_eq!(judged(own, Some((numbers + 1, entry.start))), State::Unknown);
        assert_eq!(judged(own, None), State::Unknown);
        // Above what the kernel ever gives, and below what the contract takes.
        let nobody = Pid::parse(b"4194304").unwrap().raw();
        assert_eq!(judged(nobody, Some((numbers, 1))), State::Gone);
        assert_eq!(judged(nobody, Some((numbers + 1, 1))), State::Unknown);
        assert_eq!(judged(nobody, None), State::Unknown);
    }
}
