//! `--sweep`: ends what an anchor that is gone has left behind, where nothing else does: static and set-id programs,
//! stopped ones, those whose supervisor was killed.
//!
//! Only a process whose cookie names an anchor that is certainly dead; never one that somebody wanted to live
//! (`ANCHOR_DISABLE`, `ANCHOR_SKIP`), never this process, whoever started it, or PID 1.

use crate::armed::{How, NOT_MEANT, SKIPPED};
use crate::cli::Line;
use crate::command;
use crate::cookie::{Block, Cookie};
use crate::failure::{Failure, plain, say};
use crate::processes::{Entry, Handle};
use crate::survey::{Found, Survey};
use crate::sys::handle::wait_for_any;
use anchor_contract::{Grace, Line as Text, Signal};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often it is looked again for what those that were asked have started in the meantime.
const ROUNDS: usize = 8;
/// How long the kernel is given to end what was killed.
const DYING: Duration = Duration::from_secs(5);
/// How long one that is asked and nothing more (`ANCHOR_GRACE=never`) is waited for, until it counts as left.
const UNHURRIED: Duration = Duration::from_secs(10);

/// Ends them. 0: nothing is left.
pub fn sweep(line: &Line) -> Result<ExitCode, Failure> {
    allow_many_handles();
    let mut known = BTreeSet::new();
    let mut left = false;
    for round in 0..ROUNDS {
        let survey = Survey::take(line.pid)?;
        if round == 0 {
            tell_unseen(&survey);
        }
        let fresh = |found: &Found| known.insert((found.entry.pid, found.entry.start));
        let due: Vec<Found> = survey
            .found()
            .filter(|found| is_due(found, &survey))
            .filter(fresh)
            .collect();
        if due.is_empty() {
            break;
        }
        if line.dry_run {
            due.iter().for_each(show);
            return Ok(ExitCode::FAILURE);
        }
        let mut targets = Vec::new();
        for found in due {
            match Target::begin(&found, &survey) {
                Ok(target) => targets.extend(target),
                Err(failure) => {
                    failure.tell();
                    left = true;
                }
            }
        }
        left |= !see_through(targets);
        // Whoever goes on starting others has more of them by now.
        left |= round + 1 == ROUNDS;
    }
    Ok(if left {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Whether a process is one of those that are ended.
fn is_due(found: &Found, survey: &Survey) -> bool {
    let wanted = matches!(found.how, How::Released | How::No(SKIPPED) | How::No(NOT_MEANT));
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let spared =
        [1, own].contains(&found.entry.pid) || survey.family.above(own).any(|it| it == found.entry.pid);
    let unreleased = found.cookie.as_ref().is_some_and(|cookie| !cookie.released);
    unreleased && found.state.is_over() && !wanted && !spared
}

/// How many are left alone because their anchor is a descriptor, though nothing watches for it.
fn tell_unseen(survey: &Survey) {
    let guarded = |how| !matches!(how, How::No(why) if why != SKIPPED && why != NOT_MEANT);
    let unseen = |found: &Found| found.is_unseen() && !guarded(found.how);
    let count = survey.found().filter(unseen).count();
    if count > 0 {
        let why = "their anchor is a descriptor, whose hang-up nobody sees from outside; --list shows them";
        say(&format!("not armed, and left alone: {count}: {why}"));
    }
}

fn show(found: &Found) {
    let Some(cookie) = &found.cookie else { return };
    let what = match found.how {
        How::Thread => "would be left to its watcher".to_owned(),
        How::Supervised => "would be left to its supervisor".to_owned(),
        _ => format!("would be asked with {}", name(cookie.signal)),
    };
    print(found.entry.pid, &what, &command::shown(&found.entry));
}

/// A process that is to end.
struct Target {
    handle: Handle,
    entry: Entry,
    cookie: Cookie,
    command: String,
    /// When the next thing is done to it.
    next: Instant,
    then: Then,
}

/// What is done when a time is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Kill,
    /// Nothing more can be done, or may be.
    GiveUp,
}

impl Target {
    /// Opens, verifies, asks. `None`: it has ended, or is none of those any more.
    fn begin(seen: &Found, survey: &Survey) -> Result<Option<Self>, Failure> {
        let (pid, start) = (seen.entry.pid, seen.entry.start);
        let command = command::shown(&seen.entry);
        let Some(handle) = Handle::open(pid, start) else {
            let there = Entry::of(pid).is_some_and(|entry| entry.start == start && !entry.is_zombie());
            let why = format_args!("{pid}: {command}: no handle of it could be opened").to_string();
            return if there { Err(Failure::own(why)) } else { Ok(None) };
        };
        // RACE: 1. the cookie is read  2. the process execs, and lives on by intention (`anchored --release`)  3. it is
        //   asked. So the cookie is read again with the handle in hand. What is left is an exec between these lines.
        let now = Entry::of(pid).and_then(|entry| survey.look(&entry));
        let Some(found) = now.filter(|found| found.entry.start == start && is_due(found, survey)) else {
            return Ok(None);
        };
        let Some(cookie) = found.cookie.clone().filter(|_| !handle.is_dead()) else {
            return Ok(None);
        };
        let done = match found.how {
            // Asked by its own watcher, and only once. One that is stopped has a watcher that is stopped too.
            How::Thread if found.entry.state == b'T' => {
                sent(&handle, libc::SIGCONT).map(|()| "continued, left to its watcher".to_owned())
            }
            How::Thread => Ok("left to its watcher".to_owned()),
            How::Supervised => Ok("left to its supervisor".to_owned()),
            _ => ask(&handle, &cookie),
        };
        let done = done.map_err(|error| {
            let error = plain(&std::io::Error::from(error));
            Failure::own(format_args!("{pid}: {command}: {error}"))
        })?;
        // As it was called before: by now it may have no memory to read that from.
        print(pid, &done, &command);
        let (grace, then) = match cookie.grace {
            Grace::Kill(time) => (Duration::from_millis(time.count().into()), Then::Kill),
            Grace::Never => (UNHURRIED, Then::GiveUp),
        };
        Ok(Some(Self {
            handle,
            entry: found.entry,
            command,
            next: Instant::now() + grace,
            then,
            cookie,
        }))
    }

    /// Its time is over. Whether it is still waited for.
    fn go_on(&mut self) -> bool {
        if self.then == Then::GiveUp || !self.is_still_meant() {
            self.say("still there");
            return false;
        }
        match self.handle.send(libc::SIGKILL) {
            Err(Errno::ESRCH) => {}
            Err(error) => {
                let error = plain(&std::io::Error::from(error));
                Failure::own(format_args!("{}: {}: {error}", self.entry.pid, self.command)).tell();
                return false;
            }
            Ok(()) => self.say("killed"),
        }
        (self.next, self.then) = (Instant::now() + DYING, Then::GiveUp);
        true
    }

    /// Whether it has not become something that is meant to live since it was asked. What cannot be read any more was
    /// written over by itself: the handle says that it is the same process.
    fn is_still_meant(&self) -> bool {
        let same = |block: Block| {
            let other = block.cookie().is_some_and(|cookie| cookie != self.cookie);
            !other && !block.is_released()
        };
        Block::of(self.entry.pid).is_none_or(same)
    }

    fn say(&self, what: &str) {
        print(self.entry.pid, what, &self.command);
    }
}

/// Asks, and wakes what is stopped, so that it can hear that.
fn ask(handle: &Handle, cookie: &Cookie) -> Result<String, Errno> {
    sent(handle, cookie.signal.raw())?;
    sent(handle, libc::SIGCONT)?;
    Ok(format!("asked with {}", name(cookie.signal)))
}

/// Whoever is dead by now needs no signal.
fn sent(handle: &Handle, signal: i32) -> Result<(), Errno> {
    match handle.send(signal) {
        Err(Errno::ESRCH) => Ok(()),
        other => other,
    }
}

/// Waits until each has ended or nothing more can be done. Whether all have ended.
fn see_through(mut targets: Vec<Target>) -> bool {
    let mut all = true;
    while let Some(next) = targets.iter().map(|target| target.next).min() {
        let wait = next.saturating_duration_since(Instant::now());
        wait_for_any(targets.iter().map(|target| &target.handle), wait);
        let now = Instant::now();
        targets.retain_mut(|target| {
            if target.handle.is_dead() {
                return false;
            }
            let stays = target.next > now || target.go_on();
            all &= stays;
            stays
        });
    }
    all
}

/// One descriptor a process: as many as the machine allows, getrlimit(2).
fn allow_many_handles() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

fn name(signal: Signal) -> String {
    let mut text = Text::new();
    signal.print(&mut text);
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}

/// Whether anybody reads it or not, the sweep goes on.
fn print(pid: i32, what: &str, command: &str) {
    let _ = writeln!(std::io::stdout(), "{pid}: {what}: {command}");
}
