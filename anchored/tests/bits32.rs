//! The 32-bit programs of an x86-64 machine, where the library is not there for them: they are supervised, and their
//! loader is not told of a library that it would complain of.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "../../tests/support/mod.rs"]
mod support;

use once_cell::sync::Lazy;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::*;

/// `anchored` with the library beside it.
static ANCHORED: Lazy<PathBuf> = Lazy::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    std::fs::create_dir_all(&folder).unwrap();
    copied(&*LIBRARY, folder.join("libanchor.so"));
    let program = folder.join("anchored");
    copied(env!("CARGO_BIN_EXE_anchored"), &program);
    program
});

/// A program whose loader prints the environment instead.
static PROGRAM: Lazy<PathBuf> = Lazy::new(|| {
    let own = ["-m32", "-nostdlib", "-fpie", "-fno-stack-protector"];
    let made = |file, others: &[&str]| compiled("cc", "bits32", file, &[&own[..], others].concat());
    let loader = made("ld-linux-32.so.2", &["-static"]);
    let named = format!("-Wl,--dynamic-linker={}", loader.display());
    made("bits32", &["-pie", &named])
});

/// What it is given by the launcher, with `preloaded` in the environment before.
fn environment(preloaded: Option<&str>) -> Vec<String> {
    let mut command = Command::new(&*ANCHORED);
    without_library(command.arg(&*PROGRAM));
    if let Some(preloaded) = preloaded {
        command.env(INJECTS, preloaded);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

// glibc's loader says on stderr that it ignores what is made for another machine, at every start of a program; musl's
// does not even run it.
#[test]
fn a_program_of_another_class_is_not_told_of_the_library() {
    let check = Command::new(&*ANCHORED)
        .args([Path::new("--check"), &PROGRAM])
        .output()
        .unwrap();
    let check = String::from_utf8(check.stdout).unwrap();
    assert!(
        check.contains("verdict     supervised: it is 32-bit i386"),
        "{check}"
    );

    for (before, after) in [
        (None, None),
        (Some(""), None),
        (Some("/opt/other.so"), Some("LD_PRELOAD=/opt/other.so")),
        (
            Some("/opt/libanchor.so /opt/other.so"),
            Some("LD_PRELOAD=/opt/other.so"),
        ),
        (Some("/opt/libanchor.so"), None),
    ] {
        let environment = environment(before);
        let preloaded = environment.iter().find(|entry| entry.starts_with("LD_PRELOAD="));
        assert_eq!(preloaded.map(String::as_str), after, "{before:?}");
        // By these a supervisor knows whose it is.
        let anchor = format!("ANCHOR_PID={}", std::process::id());
        assert!(environment.contains(&anchor), "{environment:?}");
    }
}
