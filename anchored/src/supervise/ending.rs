//! How a tree is ended: asked, given its time, killed. Every signal goes through a handle of a process that is known to be
//! the one that was seen.

use crate::processes::Entry;
use anchor_contract::Grace;
use nix::errno::Errno;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// What an ending sees of the machine, and does to it.
pub trait World {
    /// By which a process is signalled that is known to be the one that was seen.
    type Handle;
    fn now(&self) -> Instant;
    /// Everybody who is to end, and lives.
    fn meant(&mut self) -> Vec<Entry>;
    /// Whether the library in it asks it.
    fn asks_itself(&mut self, process: &Entry) -> bool;
    /// `None`: it is not there any more.
    fn open(&mut self, process: &Entry) -> Option<Self::Handle>;
    fn send(&mut self, handle: &Self::Handle, signal: i32) -> Result<(), Errno>;
}

/// The end of a tree, in passes.
pub struct Ending {
    signal: i32,
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

impl Ending {
    /// The anchor has died now: everybody is asked with this signal, and killed when the grace is over.
    pub fn new(signal: i32, grace: Grace, now: Instant) -> Self {
        let kills = match grace {
            Grace::Kill(time) => Some(now + Duration::from_millis(u64::from(time.count()))),
            Grace::Never => None,
        };
        Self {
            signal,
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
    pub fn pass<W: World>(&mut self, world: &mut W) -> Pass {
        // ORDER: the first pass asks, even if there is no time to be had: `0` is asked and killed.
        let killing = !self.asked.is_empty() && self.kills.is_some_and(|at| at <= world.now());
        let meant = world.meant();
        let mut refused = Vec::new();
        let mut news = false;
        for process in &meant {
            let Some(handle) = world.open(process) else {
                continue;
            };
            let first = self.asked.insert((process.pid, process.start));
            news |= first;
            let sent = if killing {
                world.send(&handle, libc::SIGKILL)
            } else {
                self.ask(world, process, &handle, first)
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
        Pass::Again(self.pause_after(world.now(), news || self.empty > 0, killing))
    }

    fn ask<W: World>(
        &self,
        world: &mut W,
        process: &Entry,
        handle: &W::Handle,
        first: bool,
    ) -> Result<(), Errno> {
        let mut sent = Ok(());
        if first && !world.asks_itself(process) {
            sent = world.send(handle, self.signal);
        }
        // ORDER: what is stopped goes on when it has the signal, never before. Its own watcher is stopped with it, so
        // one that asks itself needs this no less.
        if process.state == b'T' {
            world.send(handle, libc::SIGCONT)?;
        }
        sent
    }

    /// Soon, where something has changed; later and later where nothing has; never past the end of the grace.
    fn pause_after(&mut self, now: Instant, changed: bool, killing: bool) -> Duration {
        self.pause = if changed { SHORTEST } else { self.pause * 2 }.min(LONGEST);
        let left = self.kills.filter(|_| !killing);
        let left = left.map(|at| at.saturating_duration_since(now));
        left.map_or(self.pause, |left| self.pause.min(left))
    }
}

const SHORTEST: Duration = Duration::from_millis(4);
const LONGEST: Duration = Duration::from_millis(500);

#[cfg(test)]
#[path = "ending_tests.rs"]
mod tests;
