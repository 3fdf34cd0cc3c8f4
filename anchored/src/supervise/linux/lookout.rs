//! What the guard waits for, and who is below it.

use crate::processes::{Entry, Handle, all};
use crate::supervise::Watched;
use crate::supervise::link::Link;
use crate::supervise::start::number;
use crate::supervise::system::hangup::Hangup;
use crate::supervise::system::signals::queue;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use std::collections::HashMap;
use std::os::fd::AsFd;
use std::time::Duration;

/// How often a lifeline is looked at that does not let anybody wait.
const NOISY: Duration = Duration::from_millis(250);

/// Where the guard looks out from.
pub struct Lookout {
    root: i32,
    children: SignalFd,
    /// `None` where there is none, or when it is dead.
    anchor: Option<Handle>,
    lifeline: Option<Hangup>,
}

/// What has come.
pub struct Came {
    /// There is a word on the link, or its end.
    pub said: bool,
    /// The anchor has died. Told once.
    pub died: bool,
}

impl Lookout {
    /// Opened by the guard, before there is a command.
    pub fn open(anchor: Watched) -> Result<Self, Errno> {
        let mut children = SigSet::empty();
        children.add(Signal::SIGCHLD);
        Ok(Self {
            root: nix::unistd::getpid().as_raw(),
            children: queue(&children)?,
            anchor: anchor.process,
            lifeline: anchor.lifeline,
        })
    }

    /// The descriptors without which it is blind.
    pub fn descriptors(&self) -> Vec<i32> {
        let anchor = self.anchor.as_ref().map(Handle::descriptor);
        let anchor = anchor.map(number);
        let lifeline = self.lifeline.as_ref().map(Hangup::number);
        let held = anchor.into_iter().chain(lifeline);
        held.chain([number(&self.children)]).collect()
    }

    /// The command is told nothing: it is below us whatever it does.
    pub fn mark(&self, _: &mut std::process::Command) {}

    /// Waits for a child to change, for the anchor's death, and for the link; at most so long.
    pub fn wait(&mut self, link: Option<&Link>, at_most: Option<Duration>) -> Came {
        let mut waits = vec![PollFd::new(self.children.as_fd(), PollFlags::POLLIN)];
        let mut place = |fd| {
            waits.push(PollFd::new(fd, PollFlags::POLLIN));
            waits.len() - 1
        };
        let link = link.map(|link| place(link.as_fd()));
        let anchor = self.anchor.as_ref();
        let anchor = anchor.map(|anchor| place(anchor.descriptor().as_fd()));
        let lifeline = self.lifeline.as_ref();
        if let Some(entry) = lifeline.and_then(Hangup::entry) {
            waits.push(entry);
        }
        let looks = lifeline.is_some_and(Hangup::is_noisy).then_some(NOISY);
        let at_most = at_most.into_iter().chain(looks).min();
        // Rounded up: a pause that ends too early would be polled out at full speed.
        let timeout = at_most.map(|pause| pause + Duration::from_millis(1));
        let timeout = timeout.map_or(PollTimeout::NONE, |pause| {
            PollTimeout::try_from(pause).unwrap_or(PollTimeout::MAX)
        });
        let _ = poll(&mut waits, timeout);
        let came = |place: Option<usize>| place.is_some_and(|place| waits[place].any() == Some(true));
        // A pidfd says POLLIN when its process is dead, and nothing else means that.
        let is_dead = |place: usize| {
            waits[place]
                .revents()
                .is_some_and(|is| is.contains(PollFlags::POLLIN))
        };
        let (said, died) = (came(link), anchor.is_some_and(is_dead));
        let died = died || self.lifeline.as_mut().is_some_and(Hangup::has_come);
        while let Ok(Some(_)) = self.children.read_signal() {}
        if died {
            (self.anchor, self.lifeline) = (None, None);
        }
        Came { said, died }
    }

    /// Whether there is nobody left, now that there is no child.
    ///
    /// KERNEL: whoever has a descendant has a child, since this is a child subreaper: no child, no tree.
    pub fn is_alone(&mut self) -> bool {
        true
    }

    /// Every descendant that can be seen and lives.
    ///
    /// RACE: 1. a process is looked at  2. its parent, not looked at yet, ends  3. the chain from it to here has a gap, and
    ///   it is not found. It is a child of the guard's by then: the next look finds it. That is why one look is never
    ///   the last, and why the guard believes waitpid(2) alone that there is nobody left.
    pub fn members(&mut self) -> Vec<Entry> {
        let entries = all();
        let parents: HashMap<i32, i32> = entries.iter().map(|entry| (entry.pid, entry.parent)).collect();
        let found = |entry: &Entry| {
            let (mut pid, mut steps) = (entry.parent, 0);
            // A look is no moment: numbers that were given anew meanwhile could make a ring of it.
            while pid != self.root && steps <= parents.len() {
                match parents.get(&pid) {
                    Some(parent) => pid = *parent,
                    None => return false,
                }
                steps += 1;
            }
            pid == self.root
        };
        let alive = entries.iter().filter(|entry| !entry.is_zombie() && found(entry));
        alive.cloned().collect()
    }
}
