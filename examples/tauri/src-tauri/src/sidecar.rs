//! The sidecar of `bundle.externalBin`, started so that it ends with the app.

use std::io::{Error, Result};
use std::path::PathBuf;
use std::process::{Child, Command};

/// Where Tauri puts what is in `externalBin`: beside the app. `app.shell().sidecar(name)` looks there too.
pub fn path(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// Starts it, and whatever it starts, for as long as this process lives.
pub fn start(command: &mut Command) -> Result<Child> {
    anchor_spawn::Anchor::current()
        .and_then(|anchor| anchor.apply(command).map(drop))
        .map_err(Error::other)?;
    command.spawn()
}
