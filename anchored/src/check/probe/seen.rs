//! What is seen of the command's processes, look by look, until nothing changes any more.

use super::Signals;
use super::standing::{self, Log, Standing};
use super::tree::{Mark, Tree, mark};
use crate::check::report::{Probe, Process};
use crate::cli::Line;
use crate::failure::Failure;
use crate::processes::Entry;
use anchor_spawn::Library;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Nothing has changed for so long, and of each process it is known how it stands.
const CALM: Duration = Duration::from_millis(500);
/// The same where a loader might still be at work.
const QUIET: Duration = Duration::from_secs(2);
/// The same where the library is in a process and has said nothing.
const SILENT: Duration = Duration::from_secs(10);
/// However long somebody is at work, where nothing changes.
const AT_WORK: Duration = Duration::from_secs(20);
/// However much happens.
const LONGEST: Duration = Duration::from_secs(30);
/// How long those that were armed have to end by themselves when the stand-in is dead.
const FAREWELL: Duration = Duration::from_secs(2);

/// In place of the start time of a process that is known by its log alone.
const NEVER_SEEN: u64 = 0;

/// What was seen of the tree.
pub struct Seen {
    stand_in: i32,
    command: i32,
    library: Library,
    log: PathBuf,
    processes: BTreeMap<Mark, One>,
    /// Whether somebody had, or waited for, a processor or a disk when it was looked.
    at_work: bool,
}

#[derive(Clone, PartialEq, Eq)]
struct One {
    command: String,
    standing: Standing,
    thread: bool,
    ended: bool,
}

impl Seen {
    /// Nothing yet.
    pub fn of(stand_in: i32, command: i32, library: Library, log: PathBuf) -> Self {
        Self {
            stand_in,
            command,
            library,
            log,
            processes: BTreeMap::new(),
            at_work: false,
        }
    }

    /// Looks until nothing changes any more, or the command has ended.
    pub fn until_calm(&mut self, tree: &mut Tree, signals: &mut Signals) -> Result<(), Failure> {
        let begun = Instant::now();
        let (mut since, mut rests) = (begun, begun);
        loop {
            let before = self.processes.clone();
            self.look(tree);
            if before != self.processes {
                since = Instant::now();
            }
            // RACE: 1. a shell is armed  2. others have the processors for half a second  3. it is taken to rest, and
            //   what it starts then is not seen. Who waits for a processor is at work.
            if self.at_work {
                rests = Instant::now();
            }
            if self.processes.values().all(|one| one.ended) || begun.elapsed() > LONGEST {
                return Ok(());
            }
            let calm = since.elapsed() > self.enough() && rests.elapsed() > CALM;
            if calm || since.elapsed() > AT_WORK {
                return Ok(());
            }
            signals.nap()?;
        }
    }

    fn enough(&self) -> Duration {
        let living = self.processes.values().filter(|one| !one.ended);
        let each = living.map(|one| match one.standing {
            Standing::Unknown => SILENT,
            Standing::NotArmed { for_good: false, .. } => QUIET,
            _ => CALM,
        });
        each.max().unwrap_or(CALM)
    }

    fn look(&mut self, tree: &mut Tree) {
        // ORDER: the log after the processes, so that what is armed in between is not taken for silent.
        let now = tree.now();
        let log = Log::read(&self.log, self.stand_in);
        // Whoever was known by its log alone may be seen now.
        self.processes.retain(|mark, _| mark.1 != NEVER_SEEN);
        for one in self.processes.values_mut() {
            one.ended = true;
        }
        self.at_work = false;
        for entry in now.iter().filter(|entry| entry.pid != self.stand_in) {
            if entry.is_zombie() {
                continue;
            }
            self.at_work |= matches!(entry.state, b'R' | b'D');
            let one = One {
                command: words(entry),
                standing: standing::of(entry.pid, &log, &self.library),
                thread: standing::has_thread(entry.pid),
                ended: false,
            };
            self.processes.insert(mark(entry), one);
        }
        // Some were too short-lived to be seen, and have said something.
        for pid in log.processes() {
            let of_it = |(mark, _): &(&Mark, &mut One)| mark.0 == pid;
            match self.processes.iter_mut().find(of_it) {
                Some((_, one)) if one.ended && !matches!(one.standing, Standing::Armed(_)) => {
                    one.standing = log.said(pid)
                }
                Some(_) => {}
                None => {
                    let standing = log.said(pid);
                    let command = "(not seen)".to_owned();
                    self.processes.insert(
                        (pid, NEVER_SEEN),
                        One {
                            command,
                            standing,
                            thread: false,
                            ended: true,
                        },
                    );
                }
            }
        }
    }

    pub fn lives(&self, pid: i32) -> bool {
        self.processes
            .iter()
            .any(|(mark, one)| mark.0 == pid && !one.ended)
    }

    /// Waits for those that are armed to end as they would.
    pub fn let_end(&self, tree: &mut Tree, signals: &mut Signals) {
        let begun = Instant::now();
        let is_armed = |entry: &Entry| {
            let one = self.processes.get(&mark(entry));
            !entry.is_zombie() && one.is_some_and(|one| matches!(one.standing, Standing::Armed(_)))
        };
        while begun.elapsed() < FAREWELL && tree.now().iter().any(is_armed) {
            if signals.nap().is_err() {
                return;
            }
        }
    }

    pub fn told(self, line: &Line, ended: bool) -> Probe {
        let whole_tree = line.scope.as_deref().is_none_or(|scope| scope == "tree");
        let meant = |pid: i32| whole_tree || pid == self.command;
        let found: Vec<Option<bool>> = self
            .processes
            .iter()
            .filter(|(mark, _)| meant(mark.0))
            .map(|(_, one)| one.is_armed())
            .collect();
        let armed = if found.contains(&Some(false)) {
            Some(false)
        } else {
            found.contains(&Some(true)).then_some(true)
        };
        let processes = self.processes.into_iter().map(|((pid, _), one)| {
            let (state, how) = match one.standing {
                Standing::Armed(how) => ("armed", how),
                Standing::LeftAlone(why) => ("left alone", why),
                Standing::NotArmed { why, .. } => ("not armed", why),
                Standing::Unknown if one.ended => ("unknown", "it ended before it said anything".to_owned()),
                Standing::Unknown => ("unknown", "the library is in it and says nothing".to_owned()),
            };
            Process {
                pid,
                command: one.command,
                state,
                how,
                thread: one.thread,
                ended: one.ended,
            }
        });
        Probe {
            armed,
            ended,
            processes: processes.collect(),
        }
    }
}

impl One {
    /// `None`: it had ended before that could be known.
    fn is_armed(&self) -> Option<bool> {
        match self.standing {
            Standing::Armed(_) | Standing::LeftAlone(_) => Some(true),
            Standing::NotArmed { for_good: true, .. } => Some(false),
            _ if self.ended => None,
            _ => Some(false),
        }
    }
}

/// What a process calls itself, not too long.
fn words(entry: &Entry) -> String {
    let line = fs::read(format!("/proc/{}/cmdline", entry.pid)).unwrap_or_default();
    let words: Vec<_> = line
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .collect();
    let text = String::from_utf8_lossy(&words.join(&b' '))
        .chars()
        .take(60)
        .collect::<String>();
    if text.is_empty() { entry.name.clone() } else { text }
}
