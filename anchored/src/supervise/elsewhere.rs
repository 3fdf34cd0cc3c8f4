//! Where there is no supervision. It says so, in one line, before anything is started.

use crate::cli::Line;
use crate::failure::Failure;
use anchor_spawn::Anchor;
use std::process::{Command, ExitCode};

/// Starts nothing.
pub fn supervise(_: Option<&Anchor>, _: &Line, _: Command) -> Result<ExitCode, Failure> {
    Err(Failure::own("supervision: not on this system yet"))
}
