//! Programs of PyPI, in environments of their own that are kept between runs.

use super::without_library;
use once_cell::sync::Lazy;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The environment `name`, with `packages`: each is a program's name too.
pub fn environment(name: &str, packages: &[&str]) -> PathBuf {
    static ONE_AT_A_TIME: Lazy<Mutex<()>> = Lazy::new(Mutex::default);
    let _guard = ONE_AT_A_TIME.lock();
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let missing: Vec<_> = packages
        .iter()
        .filter(|package| !environment.join("bin").join(package).exists())
        .collect();
    if !missing.is_empty() {
        succeeds(
            Command::new("/usr/bin/python3")
                .args(["-m", "venv"])
                .arg(&environment),
        );
        let mut install = Command::new(environment.join("bin/pip"));
        succeeds(install.args(["install", "--quiet"]).args(missing));
    }
    environment
}

/// Runs a command to its end, which must be a good one.
pub fn succeeds(command: &mut Command) {
    let output = without_library(command).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
