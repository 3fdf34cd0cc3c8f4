//! Running the command: as it, with the library in it, or beside it.

use crate::cli::{Line, When};
use crate::failure::{Failure, shown};
use crate::{inspect, supervise};
use anchor_contract::{AnchorId, Disable, Pid, Scope, Setting, VARIABLES};
use anchor_spawn::{Anchor, Error, Library, PRELOAD, Preload};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Injects, and becomes the command; supervises where that does not reach it.
pub fn run(line: &Line) -> Result<ExitCode, Failure> {
    let (name, mut command) = command(line);
    // The off switch, for the launcher as for the library.
    let off = std::env::var_os(Disable::VARIABLE.name).and_then(|value| Disable::parse(value.as_bytes()));
    if off == Some(Disable(true)) {
        return Err(Failure::of_exec(name, &command.exec()));
    }
    if is_init(line) {
        return supervise::supervise(None, line, command);
    }
    let anchor = anchor(line)?;
    forget_others(&mut command);
    let library = library();
    let reached = match (line.supervise, &library) {
        (When::Always, _) => Err("--supervise".to_owned()),
        (_, Err(error)) => Err(error.to_string()),
        (when, Ok(library)) => {
            let found = inspect::look(name)?;
            let reached = found.takes(&inspect::fits(library));
            let beside = found.starts_others().filter(|_| when == When::Auto);
            beside.map_or(reached, |why| Err(why.to_owned()))
        }
    };
    let preload = library.map_or(Preload::Nothing, Preload::Library);
    anchor.apply_with(&mut command, &preload);
    match reached {
        Ok(()) => Err(Failure::of_exec(name, &command.exec())),
        Err(why) if line.supervise == When::Never => {
            let name = shown(name);
            Err(Failure::own(format_args!(
                "{name}: cannot be injected: {why}; --supervise=never"
            )))
        }
        Err(_) => supervise::supervise(Some(&anchor), line, command),
    }
}

/// Becomes the command, unanchored, whatever the environment says.
///
/// What stays is a mark, `ANCHOR_ID` of nobody, by which a supervisor, `--list` and `--sweep` know that it is meant to
/// live; the library looks at nothing where there is no `ANCHOR_PID`.
pub fn released(line: &Line) -> Result<ExitCode, Failure> {
    let (name, mut command) = command(line);
    for variable in VARIABLES {
        command.env_remove(variable.name);
    }
    command.env(AnchorId::VARIABLE.name, AnchorId::NOBODY.to_string());
    if let (Some(before), Ok(library)) = (std::env::var_os(PRELOAD), library()) {
        match library.removed_from(&before) {
            Some(others) => command.env(PRELOAD, others),
            None => command.env_remove(PRELOAD),
        };
    }
    // Where this process was armed itself, the kernel's guard would go on to the command: it outlives an exec.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(None);
    Err(Failure::of_exec(name, &command.exec()))
}

/// The command of the line, with the environment that this process has.
fn command(line: &Line) -> (&OsStr, Command) {
    let mut words = line.command.iter();
    let name = words.next().map_or(OsStr::new(""), OsString::as_os_str);
    let mut command = Command::new(name);
    command.args(words);
    (name, command)
}

/// What an anchored tree further up has left in the environment, and what does not hold for this one.
fn forget_others(command: &mut Command) {
    // Pinned to another process: everybody here would take itself for a descendant of the one that is meant.
    let pinned = |value: OsString| matches!(Scope::parse(value.as_bytes()), Some(Scope::Itself(Some(_))));
    if std::env::var_os(Scope::VARIABLE.name).is_some_and(pinned) {
        command.env(Scope::VARIABLE.name, "self");
    }
}

/// The anchor that the line means, and what else the program is told.
pub fn anchor(line: &Line) -> Result<Anchor, Failure> {
    let pid = match line.pid {
        Some(pid) => pid,
        None => parent()?,
    };
    let mut anchor = Anchor::of(pid).map_err(|error| match (line.pid, error) {
        (Some(_), error) => Failure::own(format_args!("--pid: {error}")),
        (None, error) => Failure::own(format_args!("the parent of anchored: {error}")),
    })?;
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

/// Whether `anchored` is to be the init of a container: nobody is above it, and nobody is named. Its own end is the
/// anchor then, for the kernel ends a PID namespace with its first process, pid_namespaces(7).
fn is_init(line: &Line) -> bool {
    let alone = std::os::unix::process::parent_id() == 0;
    alone && line.pid.is_none() && line.supervise == When::Always
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

/// The library that is injected.
pub fn library() -> Result<Library, Error> {
    Library::find()
}
