//! placeholder
use crate::cli::Line;
use crate::failure::Failure;
use std::process::ExitCode;

pub fn check(_: &Line) -> Result<ExitCode, Failure> {
    Err(Failure::own("--check: not built yet"))
}
