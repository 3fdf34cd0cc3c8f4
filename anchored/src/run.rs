//! Running the command: as it, with the library in it, or beside it.

use crate::cli::{Line, When};
use crate::decide::{Decision, Way, decide, is_off};
use crate::failure::Failure;
use crate::{cookie, embedded, sigpipe, supervise};
use anchor_contract::{AnchorFd, Pid, Setting, VARIABLES};
use anchor_spawn::{Anchor, Error, Library, Lifeline, PRELOAD, Preload};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Injects, and becomes the command; supervises where that does not reach it.
pub fn run(line: &Line) -> Result<ExitCode, Failure> {
    let (name, mut command) = command(line);
    if is_off() {
        return Err(become_it(name, command));
    }
    if is_init(line) {
        return supervise::supervise(None, line, command);
    }
    let anchor = anchor(line)?;
    let decision = decide(line)?;
    give(&anchor, &decision, &mut command);
    match decision.way {
        Way::Supervised(_) => {
            withdraw();
            supervise::supervise(Some(&anchor), line, command)
        }
        Way::Injected | Way::LeftAlone(_) | Way::Off => Err(become_it(name, command)),
    }
}

/// Gives a command the variables, and the library where its loader is to be told of it.
pub fn give(anchor: &Anchor, decision: &Decision, command: &mut Command) {
    let preload = decision.preload();
    anchor.apply_with(command, &preload);
    // Who calls may be a host, and its variable meant for hosts.
    if decision.would_harm() && matches!(preload, Preload::Nothing) {
        withhold(command);
    }
}

/// Becomes the command, unanchored, whatever the environment says.
///
/// What stays is a mark, an empty `ANCHOR_PID`, by which a supervisor, `--list` and `--sweep` know that it is meant to
/// live; to the library it is none.
pub fn released(line: &Line) -> Result<ExitCode, Failure> {
    let (name, mut command) = command(line);
    for variable in VARIABLES {
        command.env_remove(variable.name);
    }
    command.env(Pid::VARIABLE.name, "").env_remove(cookie::TREE);
    withhold(&mut command);
    Err(become_it(name, command))
}

/// Takes the library out of what the command would inherit, and leaves others there.
fn withhold(command: &mut Command) {
    if let Some(before) = std::env::var_os(PRELOAD) {
        match Library::removed_from(&before) {
            Some(others) => command.env(PRELOAD, others),
            None => command.env_remove(PRELOAD),
        };
    }
}

/// Becomes the command; returns only why not.
fn become_it(name: &OsStr, mut command: Command) -> Failure {
    withdraw();
    sigpipe::hand_on(&mut command);
    Failure::of_exec(name, &command.exec())
}

/// Takes back the kernel's guard, which outlives an exec: where this process was the host of another anchor, its end
/// is not to end the command. The library in the command sets one of its own where that is right.
fn withdraw() {
    #[cfg(target_os = "linux")]
    if let Ok(Some(signal)) = nix::sys::prctl::get_pdeathsig() {
        use anchor_contract::Signal;
        use std::os::unix::ffi::OsStrExt;
        let named = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let anchor = named(Pid::VARIABLE.name).and_then(|value| Pid::parse(value.as_bytes()));
        let told = named(Signal::VARIABLE.name).and_then(|value| Signal::parse(value.as_bytes()));
        let ours = signal as i32 == told.unwrap_or(Signal::DEFAULT).raw();
        if ours && anchor.is_some_and(|anchor| anchor.raw() == nix::unistd::getppid().as_raw()) {
            let _ = nix::sys::prctl::set_pdeathsig(None);
        }
    }
}

/// The command of the line, with the environment that this process has.
fn command(line: &Line) -> (&OsStr, Command) {
    let mut words = line.command.iter();
    let name = words.next().map_or(OsStr::new(""), OsString::as_os_str);
    let mut command = Command::new(name);
    command.args(words);
    (name, command)
}

/// The anchor that the line means, and what else the program is told.
pub fn anchor(line: &Line) -> Result<Anchor, Failure> {
    let lifeline = line.fd.map(lifeline).transpose()?;
    let process = |pid| {
        Anchor::of(pid).map_err(|error| match line.pid {
            Some(_) => Failure::own(format_args!("--pid: {error}")),
            None => Failure::own(format_args!("the parent of anchored: {error}")),
        })
    };
    let mut anchor = match (line.pid, lifeline) {
        (Some(pid), None) => process(pid)?,
        (None, None) => process(parent()?)?,
        (None, Some(lifeline)) => Anchor::by(lifeline),
        (Some(pid), Some(lifeline)) => {
            let mut anchor = process(pid)?;
            anchor.with(lifeline);
            anchor
        }
    };
    let own = |error: Error| Failure::own(error);
    if let Some(value) = &line.signal {
        anchor.signal(value).map_err(own)?;
    }
    if let Some(value) = &line.grace {
        anchor.grace(value).map_err(own)?;
    }
    if let Some(value) = &line.scope {
        anchor.scope(value).map_err(own)?;
    }
    if let Some(value) = &line.log {
        anchor.log(value).map_err(own)?;
    }
    if let Some(value) = &line.skip {
        anchor.skip(value).map_err(own)?;
    }
    if line.strict {
        anchor.strict("1").map_err(own)?;
    }
    Ok(anchor)
}

/// The descriptor that the line means. The file that was said with it must be the one that is there.
fn lifeline(told: AnchorFd) -> Result<Lifeline, Failure> {
    let found = Lifeline::at(told.raw()).map_err(|error| Failure::own(format_args!("--fd: {error}")))?;
    if told.file.is_some() && found.value() != told {
        let other = found.value();
        return Err(Failure::own(format_args!(
            "--fd: {told}: another file has its number: {other}"
        )));
    }
    Ok(found)
}

/// Whether `anchored` is to be the init of a container: nobody is above it, and nobody is named. Its own end is the
/// anchor then, for the kernel ends a PID namespace with its first process, pid_namespaces(7).
fn is_init(line: &Line) -> bool {
    let alone = std::os::unix::process::parent_id() == 0;
    alone && line.pid.is_none() && line.fd.is_none() && line.supervise == When::Always
}

/// Who has started `anchored`.
fn parent() -> Result<u32, Failure> {
    let parent = std::os::unix::process::parent_id();
    // Another PID namespace's, getppid(2).
    if parent == 0 {
        let name = Pid::VARIABLE.name;
        return Err(Failure::own(format_args!(
            "--pid: wanted here, where the parent is in another PID namespace ({name})"
        )));
    }
    Ok(parent)
}

/// The library that is injected: an installed one, and where there is none the copy that this program carries.
pub fn library() -> Result<Library, Failure> {
    Library::find().or_else(|none| match embedded::library() {
        Some(Ok(library)) => Ok(library),
        Some(Err(why)) => Err(Failure::own(format_args!("{none}; the copy in anchored: {why}"))),
        None => Err(Failure::own(none)),
    })
}
