//! placeholder
use crate::cli::Line;
use crate::failure::Failure;
use std::process::ExitCode;

pub fn sweep(_: &Line) -> Result<ExitCode, Failure> {
    Err(Failure::own("--sweep: not built yet"))
}
