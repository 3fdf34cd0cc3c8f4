//! The part of a Tauri app that starts its sidecar, without the windows: in `tauri::Builder::setup` stands
//! `sidecar::start(&mut app.shell().sidecar("server")?.into())?` instead of the second line.

mod sidecar;

use std::process::Command;

fn main() -> std::io::Result<()> {
    println!("anchor {}", std::process::id());
    let mut server = sidecar::start(&mut Command::new(sidecar::path("server")?))?;
    server.wait()?;
    Ok(())
}
