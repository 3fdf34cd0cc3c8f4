//! The processes that a probe has started, wherever they hang by now, and their end.
//!
//! This process is made the reaper of orphans, PR_SET_CHILD_SUBREAPER(2const): whatever leaves its parent comes back
//! here and is found.

use crate::processes::{self, Entry, Handle};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd;

/// A process by number and start time.
pub type Mark = (i32, u64);

/// How often whatever is left is killed.
const ROUNDS: usize = 100;
/// How long one that was killed is waited for, in milliseconds.
const DYING: u16 = 100;

/// The stand-in anchor and all below it.
pub struct Tree {
    own: i32,
    /// Children that this process had before, and what they start: exec keeps children.
    foreign: BTreeSet<Mark>,
    /// All that ever was in it.
    known: BTreeMap<i32, u64>,
}

impl Tree {
    /// ORDER: before the first process of it is made.
    pub fn begin() -> Result<Self, Errno> {
        prctl::set_child_subreaper(true)?;
        let own = Pid::this().as_raw();
        let mut tree = Self {
            own,
            foreign: BTreeSet::new(),
            known: BTreeMap::new(),
        };
        let all = processes::all();
        tree.foreign = below(&all, |entry| entry.parent == own)
            .iter()
            .map(mark)
            .collect();
        Ok(tree)
    }

    /// What is there now, zombies too.
    pub fn now(&mut self) -> Vec<Entry> {
        let all = processes::all();
        let foreign = &self.foreign;
        let also: BTreeSet<Mark> = below(&all, |entry| foreign.contains(&mark(entry)))
            .iter()
            .map(mark)
            .collect();
        self.foreign.extend(also);
        let (own, foreign) = (self.own, &self.foreign);
        let found = below(&all, |entry| {
            entry.parent == own && !foreign.contains(&mark(entry))
        });
        self.known.extend(found.iter().map(mark));
        found
    }

    /// Ends whatever is left, and reaps what is a child of this process by then.
    pub fn end(&mut self) {
        // Whoever is killed may have started another one just before: until none is left. What cannot be ended at all
        // (it sleeps in the kernel) is not waited for.
        for _ in 0..ROUNDS {
            self.reap();
            // Zombies too: one whose other threads are not gone yet (the watcher is one) cannot be reaped yet.
            let left = self.now();
            if left.is_empty() {
                break;
            }
            let open = |entry: Entry| Handle::open(entry.pid, entry.start);
            let handles: Vec<Handle> = left.into_iter().filter_map(open).collect();
            for handle in &handles {
                let _ = handle.signal(Signal::SIGKILL);
            }
            for handle in &handles {
                let mut entry = [PollFd::new(handle.descriptor().as_fd(), PollFlags::POLLIN)];
                let _ = poll(&mut entry, PollTimeout::from(DYING));
            }
        }
    }

    /// Only what is known: other children are not this tree's.
    fn reap(&self) {
        for pid in self.known.keys() {
            let _ = waitpid(Pid::from_raw(*pid), Some(WaitPidFlag::WNOHANG));
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.end();
    }
}

/// Those that are a root, and their descendants.
fn below(all: &[Entry], root: impl Fn(&Entry) -> bool) -> Vec<Entry> {
    let mut found: BTreeMap<i32, &Entry> = BTreeMap::new();
    loop {
        let before = found.len();
        for entry in all {
            if root(entry) || found.contains_key(&entry.parent) {
                found.insert(entry.pid, entry);
            }
        }
        if found.len() == before {
            return found.into_values().cloned().collect();
        }
    }
}

pub fn mark(entry: &Entry) -> Mark {
    (entry.pid, entry.start)
}
