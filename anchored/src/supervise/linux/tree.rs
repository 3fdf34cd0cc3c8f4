//! The tree below a process, and how it is ended: asked, given its time, killed. Every signal goes through a handle of
//! a process that is known to be the one that was seen.

use super::environment::{asks_itself, is_left_alone};
use super::terms::Terms;
use crate::processes::{Entry, Handle, all};
use anchor_contract::Grace;
use nix::errno::Errno;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Whether `pid` has `root` above it, or is it.
pub fn is_below(mut pid: i32, root: i32) -> bool {
    while pid > 1 && pid != root {
        pid = Entry::of(pid).map_or(0, |entry| entry.parent);
    }
    pid == root
}

/// Every descendant of `root` that can be seen and lives.
///
/// RACE: 1. a process is looked at  2. its parent, not looked at yet, ends  3. the chain from it to `root` has a gap, and
///   it is not found. It is a child of `root` by then: the next look finds it. That is why one look is never the last,
///   and why the guard believes waitpid(2) alone that there is nobody left.
fn below(root: i32) -> Vec<Entry> {
    let entries = all();
    let parents: HashMap<i32, i32> = entries.iter().map(|entry| (entry.pid, entry.parent)).collect();
    let found = |entry: &Entry| {
        let (mut pid, mut steps) = (entry.parent, 0);
        // A look is no moment: numbers that were given anew meanwhile could make a ring of it.
        while pid != root && steps <= parents.len() {
            match parents.get(&pid) {
                Some(parent) => pid = *parent,
                None => return false,
            }
            steps += 1;
        }
        pid == root
    };
    let alive = entries.iter().filter(|entry| !entry.is_zombie() && found(entry));
    alive.cloned().collect()
}

/// The end of a tree, in passes.
pub struct Ending<'a> {
    terms: &'a Terms,
    root: i32,
    /// When asking is over.
    kills: Option<Instant>,
    asked: HashSet<(i32, u64)>,
    pause: Duration,
    empty: u32,
}

/// What a pass has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Look again, so much later.
    Again(Duration),
    /// Two in a row have found nobody who is meant.
    Nobody,
    /// Only such as cannot be signalled; one of them.
    OutOfReach(i32),
}

impl<'a> Ending<'a> {
    pub fn new(terms: &'a Terms, root: i32) -> Self {
        let kills = match terms.grace {
            Grace::Kill(time) => Some(Instant::now() + Duration::from_millis(u64::from(time.count()))),
            Grace::Never => None,
        };
        Self {
            terms,
            root,
            kills,
            asked: HashSet::new(),
            pause: SHORTEST,
            empty: 0,
        }
    }

    /// Signals whoever is there now: asks who has not been asked, and when the time is over kills.
    ///
    /// Births make no event, so it is looked for them again and again. Who starts others faster than this
    /// looks, and ends itself each time, can keep ahead of it: only a cgroup would hold that one.
    pub fn pass(&mut self, command: Option<i32>) -> Pass {
        // ORDER: the first pass asks, even if there is no time to be had: `0` is asked and killed.
        let killing = !self.asked.is_empty() && self.kills.is_some_and(|at| at <= Instant::now());
        let meant = self.meant(command);
        let mut refused = Vec::new();
        let mut news = false;
        for process in &meant {
            let Some(handle) = Handle::open(process.pid, process.start) else {
                continue;
            };
            let first = self.asked.insert((process.pid, process.start));
            news |= first;
            let sent = if killing {
                handle.send(libc::SIGKILL)
            } else {
                self.ask(process, &handle, first)
            };
            if sent == Err(Errno::EPERM) {
                refused.push(process.pid);
            }
        }
        self.empty = if meant.is_empty() { self.empty + 1 } else { 0 };
        if self.empty >= 2 {
            return Pass::Nobody;
        }
        if let (true, Some(pid)) = (killing && refused.len() == meant.len(), refused.first()) {
            return Pass::OutOfReach(*pid);
        }
        Pass::Again(self.pause_after(news || self.empty > 0, killing))
    }

    fn meant(&self, command: Option<i32>) -> Vec<Entry> {
        let everyone = if self.terms.alone {
            command
                .and_then(Entry::of)
                .filter(|entry| !entry.is_zombie())
                .into_iter()
                .collect()
        } else {
            below(self.root)
        };
        let is_meant = |entry: &Entry| !is_left_alone(entry, self.terms);
        everyone.into_iter().filter(is_meant).collect()
    }

    fn ask(&self, process: &Entry, handle: &Handle, first: bool) -> Result<(), Errno> {
        let mut sent = Ok(());
        if first && !asks_itself(process.pid, self.terms) {
            sent = handle.send(self.terms.signal);
        }
        // ORDER: what is stopped goes on when it has the signal, never before. Its own watcher is stopped with it, so
        // one that asks itself needs this no less.
        if process.state == b'T' {
            handle.send(libc::SIGCONT)?;
        }
        sent
    }

    /// Soon, where something has changed; later and later where nothing has; never past the end of the grace.
    fn pause_after(&mut self, changed: bool, killing: bool) -> Duration {
        self.pause = if changed { SHORTEST } else { self.pause * 2 }.min(LONGEST);
        let left = self.kills.filter(|_| !killing);
        let left = left.map(|at| at.saturating_duration_since(Instant::now()));
        left.map_or(self.pause, |left| self.pause.min(left))
    }
}

const SHORTEST: Duration = Duration::from_millis(4);
const LONGEST: Duration = Duration::from_millis(500);
