//! What is measured is what is called so.

use super::contender::{Contender, environment};
use crate::fail;
use crate::programs::Programs;
use std::process::Command;

/// The loader takes the library, says nothing, and who arms has a thread more.
pub fn check(contender: &Contender, programs: &Programs) -> Result<(), String> {
    let run = |argument: Option<&str>, variable: Option<&str>| {
        let mut command = Command::new(
            contender
                .prefix
                .first()
                .map_or(programs.tiny.as_os_str(), |word| word.as_ref()),
        );
        command.args(contender.prefix.iter().skip(1));
        command
            .args((!contender.prefix.is_empty()).then_some(&programs.tiny))
            .args(argument);
        command
            .env_clear()
            .envs(environment(contender))
            .envs(variable.map(|name| (name, "1")));
        command
            .output()
            .map_err(|why| format!("{}: {why}", contender.name))
    };
    let plain = run(None, None)?;
    if !plain.status.success() || !plain.stderr.is_empty() {
        return fail(format!(
            "{}: {}, {}",
            contender.name,
            plain.status,
            String::from_utf8_lossy(&plain.stderr)
                .lines()
                .next()
                .unwrap_or("and says something")
        ));
    }
    if let Some(path) = &contender.preload {
        let loaded = run(None, Some("LD_TRACE_LOADED_OBJECTS"))?;
        if !String::from_utf8_lossy(&loaded.stdout).contains(&path.display().to_string()) {
            return fail(format!("{}: {} is not loaded", contender.name, path.display()));
        }
        let threads = if contender.variables.iter().any(|(name, _)| *name == "ANCHOR_PID") {
            2
        } else {
            1
        };
        let counted = run(Some("threads"), None)?.status.code();
        if counted != Some(threads) {
            return fail(format!(
                "{}: {counted:?} threads and not {threads}",
                contender.name
            ));
        }
    }
    Ok(())
}
