//! `--print-env`: what a parent has to set, for whoever starts programs by other means than `anchored`.

use crate::cli::{Line, Shell};
use crate::failure::{Failure, plain, shown};
use crate::run;
use anchor_spawn::{PRELOAD, Preload};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// Prints the variables. The anchor is the parent of `anchored`: whoever evaluates what is printed.
pub fn print(line: &Line) -> Result<ExitCode, Failure> {
    let anchor = run::anchor(line)?;
    let preload = Preload::Library(run::library()?);
    let variables = anchor.variables(&preload, std::env::var_os(PRELOAD));
    // What would name another anchor too.
    let withdrawn = || anchor.withdrawn().filter(|name| std::env::var_os(name).is_some());
    let mut text = Vec::new();
    match line.shell {
        Shell::Sh => {
            withdrawn().for_each(|name| text.extend_from_slice(format!("unset {name}\n").as_bytes()));
            for (name, value) in &variables {
                text.extend_from_slice(format!("export {name}=").as_bytes());
                text.extend(quoted(value, b"'\\''"));
                text.push(b'\n');
            }
        }
        Shell::Fish => {
            withdrawn().for_each(|name| text.extend_from_slice(format!("set -e {name}\n").as_bytes()));
            for (name, value) in &variables {
                text.extend_from_slice(format!("set -gx {name} ").as_bytes());
                let backslashes = value.as_bytes().iter().flat_map(|byte| match byte {
                    b'\\' => b"\\\\".to_vec(),
                    byte => vec![*byte],
                });
                text.extend(quoted(
                    OsStr::from_bytes(&backslashes.collect::<Vec<u8>>()),
                    b"\\'",
                ));
                text.push(b'\n');
            }
        }
        Shell::Json => {
            let mut object = serde_json::Map::new();
            object.extend(withdrawn().map(|name| (name.to_owned(), serde_json::Value::Null)));
            for (name, value) in &variables {
                let Some(value) = value.to_str() else {
                    let value = shown(value);
                    return Err(Failure::own(format_args!(
                        "{name}: {value}: not UTF-8, and JSON is"
                    )));
                };
                object.insert((*name).to_owned(), value.into());
            }
            text = serde_json::to_vec_pretty(&object).map_err(Failure::own)?;
            text.push(b'\n');
        }
    }
    let written = std::io::stdout().lock().write_all(&text);
    written.map_err(|error| Failure::own(format_args!("stdout: {}", plain(&error))))?;
    Ok(ExitCode::SUCCESS)
}

/// In single quotes; `quote` is what stands for one inside.
fn quoted(value: &OsStr, quote: &[u8]) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in value.as_bytes() {
        match byte {
            b'\'' => text.extend_from_slice(quote),
            byte => text.push(*byte),
        }
    }
    text.push(b'\'');
    text
}
