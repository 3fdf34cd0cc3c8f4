//! `--check`: how the command would be anchored, and why, in words and by exit status. Nothing of it is run, unless
//! `--probe` asks for that.

#[cfg(target_os = "linux")]
mod probe;
mod report;

use crate::cli::Line;
use crate::decide::{Decision, Way, decide};
use crate::failure::{Failure, plain};
use crate::run;
use anchor_spawn::Anchor;
use std::io::Write;
use std::process::ExitCode;

/// The library would be in it.
pub const INJECTED: u8 = 0;
/// anchored would stay beside it.
pub const SUPERVISED: u8 = 3;
/// It is on the list of exclusions, or somebody wants it left alone.
pub const LEFT_ALONE: u8 = 4;
/// The library would be in it, and the probe has seen a process that was not armed.
pub const NOT_ARMED: u8 = 5;

/// All that is told.
struct Checked {
    anchor: Anchor,
    decision: Decision,
}

/// Looks, and tells.
pub fn check(line: &Line) -> Result<ExitCode, Failure> {
    let checked = Checked {
        anchor: run::anchor(line)?,
        decision: decide(line)?,
    };
    let probe = line.probe.then(|| probed(line, &checked.decision)).transpose()?;
    let status = status(&checked.decision.way, probe.as_ref());
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

fn status(way: &Way, probe: Option<&report::Probe>) -> u8 {
    match way {
        Way::Injected if probe.is_some_and(|probe| probe.armed == Some(false)) => NOT_ARMED,
        Way::Injected => INJECTED,
        Way::Supervised(_) => SUPERVISED,
        Way::LeftAlone(_) | Way::Off => LEFT_ALONE,
    }
}

#[cfg(target_os = "linux")]
fn probed(line: &Line, decision: &Decision) -> Result<report::Probe, Failure> {
    probe::probe(line, decision)
}

#[cfg(not(target_os = "linux"))]
fn probed(_: &Line, _: &Decision) -> Result<report::Probe, Failure> {
    Err(Failure::own(
        "--probe: on Linux alone so far; scripts/harness shows the same",
    ))
}
