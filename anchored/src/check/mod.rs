//! `--check`: how the command would be anchored, and why, in words and by exit status. Nothing of it is run, unless
//! `--probe` asks for that.

#[cfg(target_os = "linux")]
mod probe;
mod report;

use crate::cli::{Line, When};
use crate::failure::{Failure, plain, shown};
use crate::inspect::{self, Found, Image, exclusion};
use crate::run;
use anchor_contract::{Disable, Setting, Skip};
use anchor_spawn::{Anchor, Library};
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// The library would be in it.
pub const INJECTED: u8 = 0;
/// anchored would stay beside it.
pub const SUPERVISED: u8 = 3;
/// It is on the list of exclusions, or somebody wants it left alone.
pub const LEFT_ALONE: u8 = 4;
/// The library would be in it, and the probe has seen a process that was not armed.
pub const NOT_ARMED: u8 = 5;

/// How the command would be anchored.
#[derive(Debug)]
pub enum Verdict {
    Injected,
    Supervised(String),
    LeftAlone(String),
}

/// All that is told.
struct Checked {
    anchor: Anchor,
    found: Found,
    /// What it is, or why nobody can load it. `Err`: there is none.
    library: Result<(Library, Result<Image, String>), String>,
    /// Why it would be left alone.
    excluded: Option<String>,
    verdict: Verdict,
}

/// Looks, and tells.
pub fn check(line: &Line) -> Result<ExitCode, Failure> {
    let checked = look(line)?;
    let probe = if line.probe { Some(probed(line)?) } else { None };
    let status = status(&checked.verdict, probe.as_ref());
    let report = report::Report::of(line, &checked, probe, status);
    let text = if line.json {
        report.as_json()?
    } else {
        report.as_text()
    };
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    written.map_err(|error| Failure::own(format_args!("stdout: {}", plain(&error))))?;
    Ok(ExitCode::from(status))
}

fn look(line: &Line) -> Result<Checked, Failure> {
    let anchor = run::anchor(line)?;
    let name = line.command.first().expect("the line has a command");
    let found = inspect::look(name)?;
    let library = match run::library() {
        Ok(library) => {
            let fits = inspect::fits(&library);
            Ok((library, fits))
        }
        Err(error) => Err(error.to_string()),
    };
    let excluded = excluded(line, &found);
    let reached = match &library {
        Ok((_, fits)) => found.takes(fits),
        Err(why) => Err(why.clone()),
    };
    let verdict = match (line.supervise, &excluded, reached) {
        (When::Always, ..) => Verdict::Supervised("--supervise".to_owned()),
        (_, Some(why), _) => Verdict::LeftAlone(why.clone()),
        (When::Auto, _, Ok(())) if found.starts_others().is_some() => {
            let why = found.starts_others().unwrap_or_default();
            Verdict::Supervised(format!("{why}; injected too"))
        }
        (_, _, Ok(())) => Verdict::Injected,
        (When::Auto, _, Err(why)) => Verdict::Supervised(why),
        (When::Never, _, Err(why)) => {
            let name = shown(name);
            return Err(Failure::own(format_args!(
                "{name}: cannot be injected: {why}; --supervise=never"
            )));
        }
    };
    Ok(Checked {
        anchor,
        found,
        library,
        excluded,
        verdict,
    })
}

/// What the line says goes before what is inherited.
fn excluded(line: &Line, found: &Found) -> Option<String> {
    let off = std::env::var_os(Disable::VARIABLE.name).unwrap_or_default();
    if Disable::parse(off.as_bytes()) == Some(Disable(true)) {
        return Some(format!("{} is 1", Disable::VARIABLE.name));
    }
    let inherited = std::env::var_os(Skip::VARIABLE.name).filter(|list| !list.is_empty());
    let skip: Option<OsString> = line.skip.clone().or(inherited);
    let why = exclusion::reason(found, &line.command, skip.as_deref().map(OsStr::new))?;
    Some(why.to_owned())
}

fn status(verdict: &Verdict, probe: Option<&report::Probe>) -> u8 {
    match verdict {
        Verdict::Injected if probe.is_some_and(|probe| probe.armed == Some(false)) => NOT_ARMED,
        Verdict::Injected => INJECTED,
        Verdict::Supervised(_) => SUPERVISED,
        Verdict::LeftAlone(_) => LEFT_ALONE,
    }
}

#[cfg(target_os = "linux")]
fn probed(line: &Line) -> Result<report::Probe, Failure> {
    probe::probe(line)
}

#[cfg(not(target_os = "linux"))]
fn probed(_: &Line) -> Result<report::Probe, Failure> {
    Err(Failure::own(
        "--probe: on Linux alone so far; scripts/harness shows the same",
    ))
}
