//! The tree below the guard as an ending sees it: who is of it, and how each is signalled.

use super::ending::World;
use super::environment::{asks_itself, is_left_alone};
use super::journal::Event;
use super::system::lookout::Lookout;
use super::terms::Terms;
use crate::processes::{Entry, Handle};
use nix::errno::Errno;
use std::time::Instant;

/// Whether `pid` has `root` above it, or is it.
pub fn is_below(mut pid: i32, root: i32) -> bool {
    while pid > 1 && pid != root {
        pid = Entry::of(pid).map_or(0, |entry| entry.parent);
    }
    pid == root
}

/// The real one.
pub struct Tree<'a> {
    lookout: &'a mut Lookout,
    terms: &'a Terms,
    command: Option<i32>,
    events: Vec<Event>,
}

impl<'a> Tree<'a> {
    /// Everybody that is seen from there; with `ANCHOR_SCOPE=self` the command alone.
    pub fn of(lookout: &'a mut Lookout, terms: &'a Terms, command: Option<i32>) -> Self {
        Self {
            lookout,
            terms,
            command,
            events: Vec::new(),
        }
    }

    /// What was done to whom.
    pub fn events(self) -> Vec<Event> {
        self.events
    }
}

impl World for Tree<'_> {
    type Handle = (i32, Handle);

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn meant(&mut self) -> Vec<Entry> {
        let everyone = if self.terms.alone {
            let command = self.command.and_then(Entry::of);
            command.filter(|entry| !entry.is_zombie()).into_iter().collect()
        } else {
            self.lookout.members()
        };
        let is_meant = |entry: &Entry| !is_left_alone(entry, self.terms);
        everyone.into_iter().filter(is_meant).collect()
    }

    fn asks_itself(&mut self, process: &Entry) -> bool {
        asks_itself(process.pid, self.terms)
    }

    fn open(&mut self, process: &Entry) -> Option<Self::Handle> {
        let handle = Handle::open(process.pid, process.start)?;
        Some((process.pid, handle))
    }

    fn send(&mut self, (pid, handle): &Self::Handle, signal: i32) -> Result<(), Errno> {
        handle.send(signal)?;
        self.events.extend(match signal {
            libc::SIGCONT => None,
            libc::SIGKILL => Some(Event::Killed(*pid)),
            _ => Some(Event::Asked(*pid)),
        });
        Ok(())
    }
}
