//! placeholder
use crate::cli::Line;
use crate::failure::Failure;
use std::process::ExitCode;

pub fn list(_: &Line) -> Result<ExitCode, Failure> {
    Err(Failure::own("--list: not built yet"))
}
