//! Whether the library would leave the program alone: the contract's list and `ANCHOR_SKIP`, asked here as the library
//! asks them inside the program (src/exclusions.rs).

use super::Found;
use anchor_contract::{EXCLUSIONS, NAMED, Skip};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Where the kernel cuts a process's name, PR_SET_NAME(2const).
const NAME_LENGTH: usize = 15;

/// Why it would be left alone; `None` if it would not.
pub fn reason(found: &Found, command: &[OsString], skip: Option<&OsStr>) -> Option<&'static str> {
    let arguments = arguments(found, command);
    let called = arguments
        .first()
        .map(|first| first.as_bytes())
        .unwrap_or_default();
    let file = found
        .program
        .file
        .canonicalize()
        .unwrap_or_else(|_| found.program.file.clone());
    let file = file.as_os_str().as_bytes();
    let listed = EXCLUSIONS
        .iter()
        .filter(|entry| cfg!(target_os = "macos") || !entry.if_known)
        .find(|entry| {
            let sign = &entry.sign;
            arguments
                .iter()
                .any(|argument| sign.is_argument(argument.as_bytes()))
                || sign.is_name(called)
                || sign.is_name(file)
        });
    let named = || {
        let skip = Skip::parse(skip?.as_bytes())?;
        [called, file, name(found, command)]
            .into_iter()
            .find_map(|text| skip.matching(text))
            .map(|_| NAMED)
    };
    listed.map(|entry| entry.why).or_else(named)
}

/// The command line that the program is given in the end.
fn arguments(found: &Found, command: &[OsString]) -> Vec<OsString> {
    let mut arguments = command.to_vec();
    for script in &found.scripts {
        let before = [
            Some(script.interpreter.clone().into()),
            script.argument.clone(),
            Some(script.file.clone().into()),
        ];
        arguments.splice(..1, before.into_iter().flatten());
    }
    arguments
}

/// As `ps` shows it: a script by its own name, unless the shell was asked to run it.
fn name<'a>(found: &'a Found, command: &'a [OsString]) -> &'a [u8] {
    let path = match found.scripts.first() {
        Some(script) if script.by_shell => script.interpreter.as_os_str(),
        Some(script) => script.file.as_os_str(),
        None => command.first().map(OsString::as_os_str).unwrap_or_default(),
    };
    let name = path
        .as_bytes()
        .rsplit(|byte| *byte == b'/')
        .next()
        .unwrap_or_default();
    name.get(..NAME_LENGTH).unwrap_or(name)
}
