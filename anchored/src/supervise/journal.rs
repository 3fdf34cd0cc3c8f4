//! `ANCHOR_LOG` of a supervised tree: one line an event, in the words of the library, which is not in it.

use super::link::{Link, Word};
use super::terms::Terms;
use crate::cli::Line;
use anchor_contract::{Grace, Line as Text, LogTarget, Setting, Signal};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The command runs, and this is its number.
    Armed(i32),
    /// The anchor is dead.
    Fired,
    /// This process was asked.
    Asked(i32),
    /// This one was killed.
    Killed(i32),
}

/// Where it is written, and what of it is always the same.
pub struct Journal {
    target: Target,
    anchor: String,
    signal: String,
    grace: String,
    told: HashSet<Event>,
}

enum Target {
    Nowhere,
    /// The front's: the guard has let go of it.
    Stderr,
    /// Absolute, for the guard has left the caller's folder.
    File(PathBuf),
}

impl Journal {
    /// As the line says, else the environment that the command will see.
    pub fn of(line: &Line, terms: &Terms) -> Self {
        let said = |value: &OsString| !value.is_empty();
        let value = line.log.clone();
        let value = value.or_else(|| std::env::var_os(LogTarget::VARIABLE.name).filter(said));
        // Without an anchor there is nothing to tell.
        let value = value.filter(|_| terms.anchor.is_some());
        let target = match value {
            None => Target::Nowhere,
            Some(value) if LogTarget::parse(value.as_bytes()) == Some(LogTarget::Stderr) => Target::Stderr,
            Some(value) => std::path::absolute(value).map_or(Target::Nowhere, Target::File),
        };
        Self {
            target,
            anchor: terms.anchors_name(),
            signal: name(terms.signal),
            grace: match terms.grace {
                Grace::Never => "no SIGKILL".to_owned(),
                Grace::Kill(time) => printed(|line| time.print(line.text("SIGKILL after "))),
            },
            told: HashSet::new(),
        }
    }

    /// In the guard: writes it, or has the front do so while there is one. Who takes a while to die is killed again and
    /// again; that is one event.
    pub fn tell(&mut self, event: Event, front: Option<&mut Link>) {
        if !self.told.insert(event) {
            return;
        }
        match (&self.target, front) {
            (Target::Nowhere, _) | (Target::Stderr, None) => {}
            (Target::Stderr, Some(front)) => front.say(Word::Event(event)),
            (Target::File(path), _) => {
                // As the library: a FIFO that nobody reads is not waited for, and whatever goes wrong nobody hears of.
                let mut options = OpenOptions::new();
                let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
                options.append(true).create(true).custom_flags(flags);
                let file = options.open(path);
                let _ = file.and_then(|mut file| file.write_all(self.line(event).as_bytes()));
            }
        }
    }

    /// In the front: on stderr.
    pub fn show(&self, event: Event) {
        let _ = std::io::stderr().write_all(self.line(event).as_bytes());
    }

    fn line(&self, event: Event) -> String {
        let (what, rest) = match event {
            Event::Armed(pid) => ("armed", format!("supervised, command {pid}, {}", self.grace)),
            Event::Fired => (
                "fired",
                format!("gone; asking with {}, {}", self.signal, self.grace),
            ),
            Event::Asked(pid) => ("asked", format!("process {pid} with {}", self.signal)),
            Event::Killed(pid) => ("killed", format!("process {pid}")),
        };
        format!(
            "anchored[{}]: {what}: anchor {}: {rest}\n",
            std::process::id(),
            self.anchor
        )
    }
}

fn name(signal: i32) -> String {
    let number = signal.to_string();
    Signal::parse(number.as_bytes()).map_or(number, |signal| printed(|line| signal.print(line)))
}

fn printed(print: impl FnOnce(&mut Text)) -> String {
    let mut line = Text::new();
    print(&mut line);
    String::from_utf8_lossy(line.as_bytes()).into_owned()
}
