//! What `--check` says: as aligned lines, and as one JSON object whose keys stay.

use super::Checked;
use crate::cli::Line;
use crate::decide::{Decision, Way};
use crate::failure::{Failure, shown};
use crate::inspect::{Image, Program, Script};
use anchor_contract::{Disable, Setting};
use anchor_spawn::Library;
use serde::Serialize;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

#[derive(Serialize)]
pub struct Report {
    command: Vec<String>,
    /// The process that would be watched.
    anchor: Option<i32>,
    /// The descriptor whose hang-up would be its death.
    anchor_fd: Option<i32>,
    /// Each file that another one interprets, the command's own first.
    scripts: Vec<ScriptShown>,
    program: ProgramShown,
    library: LibraryShown,
    /// Why it would be left alone.
    excluded: Option<String>,
    verdict: &'static str,
    why: Option<String>,
    exit_status: u8,
    probe: Option<Probe>,
}

#[derive(Serialize)]
struct ScriptShown {
    file: String,
    interpreter: String,
    argument: Option<String>,
    /// `line`: its first line names the interpreter; `shell`: it has no such line, and execvp has the shell run it.
    by: &'static str,
}

#[derive(Serialize)]
struct ProgramShown {
    file: String,
    /// `null` where the file cannot be read; so are the next.
    format: Option<&'static str>,
    bits: Option<u8>,
    machine: Option<String>,
    link: Option<&'static str>,
    loader: Option<String>,
    libc: Option<&'static str>,
    /// What makes its loader distrust the environment.
    privileged: Option<&'static str>,
}

#[derive(Serialize)]
struct LibraryShown {
    file: Option<String>,
    /// Whether it is the copy that anchored carries.
    embedded: bool,
    bits: Option<u8>,
    machine: Option<String>,
    /// Whether it could be in this program, were nothing else in the way.
    fits: bool,
    /// Why nobody can load it.
    why: Option<String>,
}

/// What was seen when it was run.
#[derive(Serialize)]
pub struct Probe {
    /// Whether every process that is meant was armed; `null` where all had ended before that could be known.
    pub armed: Option<bool>,
    /// Whether the command had ended by itself before anybody asked it.
    pub ended: bool,
    pub processes: Vec<Process>,
}

/// One process of its tree.
#[derive(Serialize)]
pub struct Process {
    pub pid: i32,
    pub command: String,
    /// `armed`, `left alone`, `not armed` or `unknown`.
    pub state: &'static str,
    /// How, or why not.
    pub how: String,
    /// Whether its watcher's thread was seen.
    pub thread: bool,
    /// Whether it had ended before the others were ended.
    pub ended: bool,
}

impl Report {
    pub fn of(line: &Line, checked: &Checked, probe: Option<Probe>, exit_status: u8) -> Self {
        let Checked { anchor, decision } = checked;
        let (verdict, why) = match &decision.way {
            Way::Injected => ("injected", None),
            Way::Supervised(why) => ("supervised", Some(why.clone())),
            Way::LeftAlone(why) => ("left alone", Some(why.clone())),
            Way::Off => ("left alone", Some(format!("{} is 1", Disable::VARIABLE.name))),
        };
        Self {
            command: line.command.iter().map(|word| text(word)).collect(),
            anchor: anchor.process().map(|process| process.pid.raw()),
            anchor_fd: anchor.lifeline().map(|lifeline| lifeline.value().raw()),
            scripts: decision.found.scripts.iter().map(ScriptShown::of).collect(),
            program: ProgramShown::of(&decision.found.program),
            library: LibraryShown::of(decision),
            excluded: decision.excluded.clone(),
            verdict,
            why,
            exit_status,
            probe,
        }
    }

    pub fn as_json(&self) -> Result<String, Failure> {
        let mut text = serde_json::to_string_pretty(self).map_err(Failure::own)?;
        text.push('\n');
        Ok(text)
    }

    fn anchors_name(&self) -> String {
        let process = self.anchor.map(|pid| format!("process {pid}"));
        let lifeline = self
            .anchor_fd
            .map(|fd| format!("whoever hangs up descriptor {fd}"));
        let named: Vec<String> = process.into_iter().chain(lifeline).collect();
        named.join(", or ")
    }

    pub fn as_text(&self) -> String {
        let mut lines = vec![
            ("command", self.command.join(" ")),
            ("anchor", self.anchors_name()),
        ];
        for script in &self.scripts {
            let by = if script.by == "shell" {
                "a file without #!, run by "
            } else {
                "#!"
            };
            let mut line = format!("{}: {by}{}", script.file, script.interpreter);
            if let Some(argument) = &script.argument {
                line.push(' ');
                line.push_str(argument);
            }
            lines.push(("script", line));
        }
        lines.push(("program", self.program.in_words()));
        lines.push(("library", self.library.in_words()));
        lines.push((
            "exclusions",
            self.excluded
                .clone()
                .unwrap_or_else(|| "none is meant".to_owned()),
        ));
        let verdict = match &self.why {
            Some(why) => format!("{}: {why}", self.verdict),
            None => self.verdict.to_owned(),
        };
        lines.push(("verdict", verdict));
        if let Some(probe) = &self.probe {
            let said = match probe.armed {
                Some(true) => "every process was armed, or is to be left alone",
                Some(false) => "NOT every process was armed",
                None => "nothing was seen, it was too short",
            };
            let ended = if probe.ended {
                "; the command ended by itself"
            } else {
                ""
            };
            lines.push(("probe", format!("{said}{ended}")));
            lines.extend(probe.processes.iter().map(|process| ("", process.in_words())));
        }
        let mut whole = String::new();
        for (name, line) in lines {
            // A file's name may hold anything; a line of ours is one line.
            let line = line.replace(char::is_control, "?");
            let _ = writeln!(whole, "{name:<11} {line}");
        }
        whole
    }
}

impl ScriptShown {
    fn of(script: &Script) -> Self {
        Self {
            file: path(&script.file),
            interpreter: path(&script.interpreter),
            argument: script.argument.as_deref().map(text),
            by: if script.by_shell { "shell" } else { "line" },
        }
    }
}

impl ProgramShown {
    fn of(program: &Program) -> Self {
        let image = program.image.as_ref();
        Self {
            file: path(&program.file),
            format: image.map(Image::format),
            bits: image.map(Image::bits),
            machine: image.map(Image::machine),
            link: image.map(Image::link),
            loader: image.and_then(Image::loader).map(path),
            libc: image.and_then(Image::libc),
            privileged: program.raised,
        }
    }

    fn in_words(&self) -> String {
        let mut words = format!("{}: ", self.file);
        let (Some(format), Some(bits), Some(machine), Some(link)) =
            (self.format, self.bits, &self.machine, self.link)
        else {
            words.push_str("cannot be read");
            return words;
        };
        let _ = write!(words, "{format} {bits}-bit {machine}, {link}");
        if let (Some(libc), Some(loader)) = (self.libc, &self.loader) {
            let _ = write!(words, ", {libc} ({loader})");
        }
        if let Some(privileged) = self.privileged {
            let _ = write!(words, ", {privileged}");
        }
        words
    }
}

impl LibraryShown {
    fn of(decision: &Decision) -> Self {
        let (file, image) = match &decision.library {
            Ok((library, image)) => (Some(path(library.path())), image.as_ref()),
            Err(why) => (None, Err(why)),
        };
        let unpacked = |found: &(Library, _)| found.0.is_unpacked();
        let known = image.ok();
        let program = decision.found.program.image.as_ref();
        let fits = known
            .zip(program)
            .is_some_and(|(library, program)| library.gets_into(program, "it").is_ok());
        Self {
            file,
            embedded: decision.library.as_ref().is_ok_and(unpacked),
            bits: known.map(Image::bits),
            machine: known.map(Image::machine),
            fits,
            why: image.err().cloned(),
        }
    }

    fn in_words(&self) -> String {
        match (&self.file, self.bits, &self.machine, &self.why) {
            (Some(file), Some(bits), Some(machine), _) => {
                let fits = if self.fits { "fits" } else { "does not fit" };
                let whose = if self.embedded {
                    ", unpacked from anchored itself"
                } else {
                    ""
                };
                format!("{file}: {bits}-bit {machine}, {fits}{whose}")
            }
            (.., why) => why.clone().unwrap_or_default(),
        }
    }
}

impl Process {
    fn in_words(&self) -> String {
        let ended = if self.ended { " (ended)" } else { "" };
        format!(
            "{} {}: {}: {}{ended}",
            self.pid, self.command, self.state, self.how
        )
    }
}

fn text(word: &OsStr) -> String {
    shown(word).to_string()
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
