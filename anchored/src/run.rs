//! Running the command: as it, with the library in it, or beside it.

use crate::cli::{Line, When};
use crate::failure::{Failure, shown};
use crate::{inspect, supervise};
use anchor_contract::{Disable, Pid, Setting, VARIABLES};
use anchor_spawn::{Anchor, Error, Library, Preload};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Injects, and becomes the command; supervises where that does not reach it.
pub fn run(line: &Line) -> Result<ExitCode, Failure> {
    let anchor = anchor(line)?;
    let (name, arguments) = line.command.split_first().expect("the line has a command");
    let mut command = Command::new(name);
    command.args(arguments);
    let library = library();
    let reached = match (line.supervise, &library) {
        (When::Always, _) => Err("--supervise".to_owned()),
        (_, Err(error)) => Err(error.to_string()),
        (_, Ok(library)) => inspect::reaches(name, library)?,
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
        Err(_) => supervise::supervise(&anchor, line, command),
    }
}

/// Becomes the command, unanchored, whatever the environment says.
pub fn released(line: &Line) -> Result<ExitCode, Failure> {
    let (name, arguments) = line.command.split_first().expect("the line has a command");
    let mut command = Command::new(name);
    command.args(arguments);
    for variable in VARIABLES {
        command.env_remove(variable.name);
    }
    // The library may stay in the variable that loads it: without an anchor it does nothing. What is off stays off for
    // whatever an anchored ancestor's sweep looks for, too.
    command.env(Disable::VARIABLE.name, "1");
    Err(Failure::of_exec(name, &command.exec()))
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
