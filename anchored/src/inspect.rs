//! placeholder
use crate::failure::Failure;
use anchor_spawn::Library;
use std::ffi::OsStr;

/// Whether injection reaches the command: `Ok(Ok(()))`, or `Ok(Err(why not))`. `Err`: it is not there, or cannot be run.
pub fn reaches(_: &OsStr, _: &Library) -> Result<Result<(), String>, Failure> {
    Ok(Ok(()))
}
