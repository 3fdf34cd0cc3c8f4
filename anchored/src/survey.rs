//! Every process of this machine that was told of an anchor, or has a watcher: what `--list` shows and `--sweep`
//! chooses from.

use crate::armed::{self, Family, How};
use crate::cookie::{self, Block, Cookie, Judge, State};
use crate::failure::Failure;
use crate::processes::{self, Entry};
use crate::sys::{process_table, watcher::Watcher};
use anchor_contract::Pid;

/// A process that is anchored, or was meant to be.
#[derive(Debug)]
pub struct Found {
    pub entry: Entry,
    /// `None` where a watcher is there and the cookie cannot be read any more.
    pub cookie: Option<Cookie>,
    /// The anchor's number, from the cookie or the watcher.
    pub anchor: Option<i32>,
    /// What has become of the anchor.
    pub state: State,
    pub how: How,
}

/// The whole machine at one moment, as far as it is looked at.
#[derive(Debug)]
pub struct Survey {
    judge: Judge,
    pub family: Family,
    all: Vec<Entry>,
    /// The anchor that is meant; every one, where none is.
    only: Option<u32>,
}

impl Survey {
    /// Takes it.
    pub fn take(only: Option<u32>) -> Result<Self, Failure> {
        process_table::is_ours().map_err(Failure::own)?;
        let mut all = processes::all();
        all.sort_by_key(|entry| entry.pid);
        Ok(Self {
            judge: Judge::here(),
            family: Family::of(&all),
            all,
            only,
        })
    }

    /// Those that are meant, by number; never this process.
    pub fn found(&self) -> impl Iterator<Item = Found> {
        let own = i32::try_from(std::process::id()).ok();
        let others = self.all.iter().filter(move |entry| Some(entry.pid) != own);
        others.filter_map(|entry| self.look(entry))
    }

    /// What can be said of a process now.
    pub fn look(&self, entry: &Entry) -> Option<Found> {
        let cookie = Block::of(entry.pid).and_then(|block| block.cookie());
        let mut found = match &cookie {
            Some(cookie) => Found {
                entry: entry.clone(),
                anchor: cookie.anchor.map(Pid::raw),
                state: self.judge.anchor(entry, cookie),
                how: armed::how(entry, cookie, &self.family),
                cookie: None,
            },
            None => Found {
                entry: entry.clone(),
                anchor: None,
                state: State::Unknown,
                how: Watcher::of(entry.pid).map(|_| How::Thread)?,
                cookie: None,
            },
        };
        found.cookie = cookie;
        if found.state == State::Unknown && found.how == How::Thread {
            found.ask_watcher();
        }
        let meant = |only| found.anchor.and_then(|anchor| u32::try_from(anchor).ok()) == Some(only);
        self.only.is_none_or(meant).then_some(found)
    }
}

impl Found {
    /// Whether its anchor is a descriptor alone. What has become of that nobody sees from outside.
    pub fn is_unseen(&self) -> bool {
        let by_fd = |cookie: &Cookie| cookie.anchor.is_none() && cookie.fd.is_some();
        self.anchor.is_none() && self.cookie.as_ref().is_some_and(by_fd)
    }

    /// The watcher has a handle of its anchor, and has compared the identity.
    fn ask_watcher(&mut self) {
        match Watcher::of(self.entry.pid).and_then(|watcher| watcher.anchor()) {
            Some(Some(pid)) => {
                self.anchor = Some(pid);
                // RACE: dead and reaped since, it is nobody; the next look says so.
                self.state = Entry::of(pid).map_or(State::Unknown, |anchor| cookie::life(&anchor));
            }
            Some(None) => self.state = State::Gone,
            None => {}
        }
    }
}
