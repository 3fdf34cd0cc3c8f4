//! What the guard waits for, and who is below it: one queue that tells of the anchor's end, of every member's forks and
//! end, of the command's stops, and of the link.

use crate::cookie::{Block, TREE, mark};
use crate::processes::{Entry, Handle, all};
use crate::supervise::Watched;
use crate::supervise::kin::{Birth, Kin, Sight};
use crate::supervise::link::Link;
use crate::supervise::start::number;
use crate::sys::handle::{event_of, timespec};
use crate::sys::process_table::births;
use nix::errno::Errno;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a queue is believed: an end may be told late (that of a process under a debugger, when the debugger has reaped
/// it).
const BELIEVED: Duration = Duration::from_secs(60);

/// A look takes at most one part in so many of the time, however often somebody forks.
const PARTS: u32 = 10;

/// So often in a row, then it is waited for other things too.
const ROUNDS: u32 = 8;

/// Where the guard looks out from.
pub struct Lookout {
    queue: Kqueue,
    kin: Kin,
    mark: String,
    /// `None` where there is none, or when it is dead.
    anchor: Option<Handle>,
    /// Not before, so that it does not cost too much.
    next_look: Instant,
    /// Whether somebody has forked or ended since the last one.
    stale: bool,
}

/// What has come.
#[derive(Default)]
pub struct Came {
    /// There is a word on the link, or its end.
    pub said: bool,
    /// The anchor has died. Told once.
    pub died: bool,
    /// A child, or a member, fares otherwise than before.
    changed: bool,
}

impl Sight {
    /// What there is of a process now.
    pub fn of(pid: i32) -> Option<Self> {
        Some(Self::from(Entry::of(pid)?))
    }

    /// RACE: 1. the entry is read  2. the number is given to another  3. that one's birth is read. It is put right at the
    ///   next look, and nobody is signalled until then: the start is compared once more before that.
    fn from(entry: Entry) -> Self {
        let birth = births(entry.pid).map(|(own, maker)| Birth { own, maker });
        Self { entry, birth }
    }
}

impl Lookout {
    /// Opened by the guard, before there is a command.
    pub fn open(anchor: Watched) -> Result<Self, Errno> {
        let anchor = anchor.process;
        let own = nix::unistd::getpid().as_raw();
        let mut lookout = Self::instead_of(Sight::of(own).ok_or(Errno::ESRCH)?)?;
        // KERNEL: recorded although it is blocked, and by default ignored.
        lookout.register(KEvent::new(
            libc::SIGCHLD as usize,
            EventFilter::EVFILT_SIGNAL,
            EvFlags::EV_ADD,
            FilterFlag::empty(),
            0,
            0,
        ))?;
        if let Some(anchor) = &anchor {
            let event = event_of(anchor.pid(), EvFlags::EV_ONESHOT, FilterFlag::NOTE_EXIT);
            // It dies just now, or is dead: it is looked at before it is waited for.
            let registered = lookout.register(event);
            registered.or_else(|error| if error == Errno::ESRCH { Ok(()) } else { Err(error) })?;
        }
        lookout.anchor = anchor;
        Ok(lookout)
    }

    /// Opened by the front, when this guard has been killed.
    pub fn instead_of(guard: Sight) -> Result<Self, Errno> {
        Ok(Self {
            queue: Kqueue::new()?,
            mark: mark(&guard.entry),
            kin: Kin::of(guard),
            anchor: None,
            next_look: Instant::now(),
            stale: true,
        })
    }

    /// The descriptors without which it is blind.
    pub fn descriptors(&self) -> Vec<i32> {
        vec![number(&self.queue)]
    }

    /// Tells the command, and whatever inherits its environment, whose it is.
    pub fn mark(&self, command: &mut Command) {
        command.env(TREE, &self.mark);
    }

    /// The oldest member.
    pub fn command(&mut self) -> Option<i32> {
        let members = self.members();
        let oldest = members.iter().min_by_key(|entry| entry.start);
        oldest.map(|entry| entry.pid)
    }

    /// Waits for a child to change, for the anchor's death, and for the link; at most so long. Looks in between whenever
    /// somebody has forked, so that a child is seen before its maker ends.
    pub fn wait(&mut self, link: Option<&Link>, at_most: Option<Duration>) -> Came {
        let until = at_most.map(|pause| Instant::now() + pause);
        loop {
            let now = Instant::now();
            if self.stale && self.next_look <= now {
                self.look();
            }
            // ORDER: after it was registered. It may have died before that, and the end may be told late.
            if self.anchor.as_ref().is_some_and(Handle::is_dead) {
                self.anchor = None;
                return Came {
                    died: true,
                    ..Came::default()
                };
            }
            let left = until.map_or(BELIEVED, |until| until.saturating_duration_since(now));
            let next = if self.stale {
                self.next_look.saturating_duration_since(now)
            } else {
                BELIEVED
            };
            let came = self.come(link, left.min(next).min(BELIEVED));
            if came.died {
                self.anchor = None;
            }
            let over = until.is_some_and(|until| until <= Instant::now());
            if came.said || came.died || came.changed || over {
                return came;
            }
        }
    }

    /// Whether there is nobody left, now that there is no child.
    ///
    /// RACE: 1. a look passes over a number that is free  2. a member forks, and the child gets it  3. the member ends, and
    ///   is passed over too. The child is there at the next look.
    pub fn is_alone(&mut self) -> bool {
        self.members().is_empty() && self.members().is_empty()
    }

    /// Every descendant that was seen and lives.
    pub fn members(&mut self) -> Vec<Entry> {
        self.look();
        self.kin.members().cloned().collect()
    }

    fn look(&mut self) {
        let began = Instant::now();
        self.stale = true;
        for _ in 0..ROUNDS {
            let sights: Vec<Sight> = all().into_iter().map(Sight::from).collect();
            let mark = &self.mark;
            let fresh = self.kin.look(&sights, |pid| has(pid, mark));
            // RACE: 1. a member forks  2. its forks are registered for  3. nobody tells of the one in 1. So it is looked once
            //   more, until there is nobody new; soon again where there always is.
            for member in &fresh {
                let what = FilterFlag::NOTE_FORK | FilterFlag::NOTE_EXIT;
                // Whoever is dead by now tells nothing.
                let _ = self.register(event_of(member.pid, EvFlags::EV_CLEAR, what));
            }
            if fresh.is_empty() {
                self.stale = false;
                break;
            }
        }
        let now = Instant::now();
        self.next_look = now + (now - began) * (PARTS - 1);
    }

    fn register(&self, event: KEvent) -> Result<(), Errno> {
        let at_once = timespec(Duration::ZERO);
        self.queue.kevent(&[event], &mut [], Some(at_once)).map(drop)
    }

    /// Waits once.
    fn come(&mut self, link: Option<&Link>, at_most: Duration) -> Came {
        let read = |link: &Link| {
            let ident = usize::try_from(number(link)).unwrap_or(0);
            let (filter, flags) = (EventFilter::EVFILT_READ, EvFlags::EV_ADD);
            KEvent::new(ident, filter, flags, FilterFlag::empty(), 0, 0)
        };
        let changes: Vec<KEvent> = link.map(read).into_iter().collect();
        let mut events = [event_of(0, EvFlags::empty(), FilterFlag::empty()); 64];
        let count = self.queue.kevent(&changes, &mut events, Some(timespec(at_most)));
        // Nothing for so long: in case that something was not told, it is looked once more.
        self.stale |= count == Ok(0) && at_most >= BELIEVED;
        let mut came = Came::default();
        for event in events.iter().take(count.unwrap_or(0)) {
            match event.filter() {
                Ok(EventFilter::EVFILT_READ) => came.said = true,
                Ok(EventFilter::EVFILT_SIGNAL) => came.changed = true,
                Ok(EventFilter::EVFILT_PROC) if self.is_of_anchor(event) => came.died = true,
                Ok(EventFilter::EVFILT_PROC) => {
                    self.stale = true;
                    came.changed |= event.fflags().contains(FilterFlag::NOTE_EXIT);
                }
                _ => {}
            }
        }
        came
    }

    fn is_of_anchor(&self, event: &KEvent) -> bool {
        let anchor = self.anchor.as_ref().map(Handle::pid);
        anchor.is_some_and(|pid| usize::try_from(pid) == Ok(event.ident()))
    }
}

/// Whether a process has this mark. `None` where that cannot be read.
fn has(pid: i32, mark: &str) -> Option<bool> {
    Block::of(pid).map(|block| block.value(TREE) == Some(mark.as_bytes()))
}
