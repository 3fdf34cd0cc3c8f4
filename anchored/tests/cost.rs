//! What `anchored COMMAND` costs over the bare command: pairs of runs, one after the other, and their medians. A
//! benchmark, not a check: `scripts/measure` prints it. LIBANCHOR_ROUNDS: how many hundred pairs, ten at most.

#![cfg(target_os = "linux")]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::*;

fn time(program: &Path, words: &[&str]) -> Duration {
    let mut command = Command::new(program);
    without_library(command.args(words)).stdin(Stdio::null());
    let before = Instant::now();
    assert!(command.status().unwrap().success());
    before.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn what_the_launcher_costs() {
    let rounds = std::env::var("LIBANCHOR_ROUNDS").map_or(1, |text| text.parse::<usize>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let launcher = folder.path().join("anchored");
    let release = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--quiet",
            "--package",
            "anchored",
            "--no-default-features",
        ])
        .current_dir(root())
        .status();
    assert!(release.unwrap().success());
    copied(LIBRARY.with_file_name("anchored"), &launcher);
    copied(&*LIBRARY, folder.path().join("libanchor.so"));
    let (mut bare, mut anchored) = (Vec::new(), Vec::new());
    for _ in 0..rounds.min(10) * 100 {
        bare.push(time(Path::new("/bin/true"), &[]));
        anchored.push(time(&launcher, &["/bin/true"]));
    }
    let (bare, anchored) = (median(&mut bare), median(&mut anchored));
    let ratio = anchored.as_secs_f64() / bare.as_secs_f64();
    println!(
        "anchored true over true, medians: {ratio:.2} times, {:+.2} ms",
        (anchored.as_secs_f64() - bare.as_secs_f64()) * 1000.0
    );
}
