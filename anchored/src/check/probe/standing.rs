//! How one process stands: armed, how; or why not. From what the library wrote in its log and what `/proc` shows.

use crate::failure::plain;
use crate::inspect::{self, Found, Program, read_image};
use crate::sys::memory::maps_library;
use anchor_contract::{EXCLUSIONS, NAMED};
use anchor_spawn::Library;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

/// What is known of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Armed(String),
    /// The library is in it and does nothing, because that is wanted.
    LeftAlone(String),
    /// It is not armed. `for_good`: and cannot be, whatever comes; else its loader may not be done yet.
    NotArmed {
        why: String,
        for_good: bool,
    },
    /// The library is in it, and has said nothing yet.
    Unknown,
}

/// What each process wrote last, of its arming.
pub struct Log(BTreeMap<i32, (String, String)>);

impl Log {
    /// `libanchor[PID]: what: anchor ANCHOR: how`; other lines are of no interest, and one that is cut off comes again.
    pub fn read(file: &Path, anchor: i32) -> Self {
        let text = fs::read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut said = BTreeMap::new();
        for line in text
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
        {
            let Some((pid, rest)) = line
                .strip_prefix("libanchor[")
                .and_then(|rest| rest.split_once("]: "))
            else {
                continue;
            };
            let Some((what, how)) = rest.split_once(&format!(": anchor {anchor}: ")) else {
                continue;
            };
            if let (Ok(pid), "armed" | "inert") = (pid.parse(), what) {
                said.insert(pid, (what.to_owned(), how.to_owned()));
            }
        }
        Self(said)
    }

    /// Who has written.
    pub fn processes(&self) -> impl Iterator<Item = i32> {
        self.0.keys().copied()
    }

    /// What a process said of itself; it may have become another program since.
    pub fn said(&self, pid: i32) -> Standing {
        match self.0.get(&pid) {
            Some((what, how)) if what == "armed" => Standing::Armed(how.clone()),
            Some((_, why)) if is_wanted(why) => Standing::LeftAlone(why.clone()),
            Some((_, why)) => Standing::NotArmed {
                why: why.clone(),
                for_good: true,
            },
            None => Standing::Unknown,
        }
    }
}

fn is_wanted(why: &str) -> bool {
    why == NAMED || why.contains("ANCHOR_SCOPE=self") || EXCLUSIONS.iter().any(|entry| entry.why == why)
}

/// Of a process that lives.
pub fn of(pid: i32, log: &Log, library: &Library) -> Standing {
    let maps = match fs::read(format!("/proc/{pid}/maps")) {
        Ok(maps) => maps,
        Err(error) => {
            let why = format!("its memory cannot be looked at: {}", plain(&error));
            // Another's, proc(5); or it has just ended.
            let for_good = error.kind() == ErrorKind::PermissionDenied;
            return Standing::NotArmed { why, for_good };
        }
    };
    if !maps_library(&maps) {
        let image = File::open(format!("/proc/{pid}/exe")).ok().and_then(read_image);
        let program = Program {
            file: format!("/proc/{pid}/exe").into(),
            image,
            raised: None,
        };
        let found = Found {
            scripts: Vec::new(),
            program,
        };
        let library = inspect::fits(&inspect::suited_to(library.clone(), &found.program));
        return match (found.program.image.is_some(), found.takes(&library)) {
            (true, Err(why)) => Standing::NotArmed { why, for_good: true },
            _ => Standing::NotArmed {
                why: "the library is not in it".to_owned(),
                for_good: false,
            },
        };
    }
    match log.said(pid) {
        // The line was the program's that this process was before.
        Standing::Armed(how) if how.starts_with("thread") && !has_thread(pid) => Standing::Unknown,
        said => said,
    }
}

/// Whether the watcher's thread is there.
pub fn has_thread(pid: i32) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    tasks
        .flatten()
        .any(|task| fs::read(task.path().join("comm")).is_ok_and(|name| name == b"anchor\n"))
}
