//! The programs whose loops scripts/bench times do what they are timed for: each host has its watcher while it works,
//! and so have its children; without the library nobody has.

#![cfg(target_os = "linux")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::*;

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs/tax")
        .join(name)
}

/// Compiles a file of `tests/programs/tax`.
fn compiled(compiler: &str, name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name).with_extension("");
    let done = Command::new(compiler)
        .args(["-O2", "-Wall", "-o"])
        .args([&path, &source(name)])
        .status();
    assert!(done.unwrap().success(), "{name} does not compile");
    path
}

/// Runs a host to its end, which must be a good one, and returns its output.
fn said(command: &mut Command) -> String {
    let mut host = Owned(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    wait_for_exit(host.pid());
    let status = host.0.wait().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    std::io::read_to_string(host.0.stdout.take().unwrap()).unwrap()
}

/// Runs a program with the library and without. Of what it says, `counts` are how many threads each host has.
fn each_has_its_watcher(words: &[&str], counts: impl Fn(&str) -> Vec<String>) {
    let anchor = sibling();
    for threads in ["1", "2"] {
        let mut command = Command::new(words[0]);
        match threads {
            "1" => without_library(&mut command),
            _ => anchored(&mut command, anchor.pid()),
        };
        // A make above us would have this one ask it for leave.
        let said = said(command.args(&words[1..]).env_remove("MAKEFLAGS"));
        let counts = counts(&said);
        assert!(!counts.is_empty(), "no host has counted its threads");
        assert!(
            counts.iter().all(|count| count == threads),
            "{words:?}: {counts:?} and not {threads}"
        );
    }
}

/// All but the last number, which is a time.
fn but_the_time(said: &str) -> Vec<String> {
    let mut numbers = all(said);
    assert!(numbers.pop().unwrap().parse::<u64>().unwrap() > 0);
    numbers
}

fn all(said: &str) -> Vec<String> {
    said.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn loops() {
    for (name, arguments) in [
        ("stdio.c", &["100000"][..]),
        ("malloc.c", &["100000", "16", "256"]),
        ("malloc.c", &["100000", "1100", "2000"]),
        ("children.c", &["20"]),
    ] {
        let program = compiled("cc", name);
        each_has_its_watcher(&[&[program.to_str().unwrap()], arguments].concat(), but_the_time);
    }
}

#[test]
fn a_loop_in_cpp() {
    if have("g++") {
        let program = compiled("g++", "shared_ptr.cpp");
        each_has_its_watcher(&[program.to_str().unwrap(), "100000"], but_the_time);
    }
}

#[test]
fn children_that_exec() {
    let (children, tiny) = (compiled("cc", "children.c"), compiled("cc", "tiny.c"));
    let words = [children.to_str().unwrap(), "20", tiny.to_str().unwrap()];
    each_has_its_watcher(&words, but_the_time);
}

#[test]
fn python() {
    if have("python") {
        let count = "import os; print(len(os.listdir('/proc/self/task')))";
        each_has_its_watcher(&["/usr/bin/python3", "-c", count], all);
    }
}

#[test]
fn make() {
    if have("make") {
        let makefile = source("Makefile");
        let words = [
            "make",
            "--no-print-directory",
            "-f",
            makefile.to_str().unwrap(),
            "threads",
        ];
        each_has_its_watcher(&words, all);
    }
}
