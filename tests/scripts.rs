//! The scripts, as a user calls them.

#![cfg(target_os = "linux")]

mod support;

use std::path::Path;
use std::process::{Command, Output};
use support::*;

fn script(name: &str) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name));
    without_library(&mut command);
    command
}

fn output(name: &str, arguments: &[&str]) -> Output {
    script(name).args(arguments).output().unwrap()
}

#[test]
fn anchor_run_becomes_the_command_and_hands_everything_on() {
    let mut command = script("anchor-run");
    command.args([
        "--",
        "sh",
        "-c",
        "echo $$ $ANCHOR_PID $ANCHOR_ID $LD_PRELOAD \"$1\"; exit 7",
        "x",
        "a  * b",
    ]);
    let child = command
        .env("LD_PRELOAD", "")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (pid, own) = (child.id(), std::process::id());
    let output = child.wait_with_output().unwrap();
    let expected = format!(
        "{pid} {own} {} {} a  * b\n",
        identity(own as i32),
        LIBRARY.display()
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn anchor_run_appends_to_what_is_preloaded() {
    let mut command = script("anchor-run");
    command
        .args(["sh", "-c", "echo $LD_PRELOAD"])
        .env("LD_PRELOAD", "libc.so.6");
    let expected = format!("libc.so.6:{}\n", LIBRARY.display());
    assert_eq!(
        String::from_utf8(command.output().unwrap().stdout).unwrap(),
        expected
    );
}

#[test]
fn anchor_run_fails_as_env_and_timeout_do() {
    for (arguments, status, words) in [
        (&["--pid"][..], 125, "--pid: want a process id"),
        (&["--pid", "abc", "true"], 125, "--pid: abc: want a process id"),
        (
            &["--pid", "4194304", "true"],
            125,
            "--pid: 4194304: no such process",
        ),
        (&["--nope", "true"], 125, "--nope: unknown option"),
        (&[], 125, "no command"),
        (&["/etc/passwd"], 126, "/etc/passwd: cannot be run"),
        (&["/"], 126, "/: cannot be run"),
        (&["no-such-program"], 127, "no-such-program: not found"),
        (&["./no-such-program"], 127, "./no-such-program: not found"),
    ] {
        let output = output("anchor-run", arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("anchor-run: ") && said.contains(words), "{said}");
    }
}

// A path that the dynamic loader would take apart.
#[test]
fn anchor_run_refuses_a_library_with_a_blank_in_its_path() {
    let folder = tempfile::Builder::new().prefix("a b").tempdir().unwrap();
    let copy = folder.path().join("anchor-run");
    copied(script("anchor-run").get_program(), &copy);
    std::fs::copy(&*LIBRARY, folder.path().join("libanchor.so")).unwrap();
    let output = without_library(Command::new(&copy).arg("true")).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("a path with a blank or a colon cannot be preloaded")
    );
}

/// A folder with a copy of `anchor-run`, a library for it, and a `uname` that answers as macOS does; and a command
/// that starts the copy there. What the script then does is the same on any system.
fn on_a_mac(folder: &Path) -> Command {
    let copy = folder.join("anchor-run");
    copied(script("anchor-run").get_program(), &copy);
    std::fs::write(folder.join("libanchor.dylib"), "").unwrap();
    let uname = folder.join("uname");
    written("#!/bin/sh\necho Darwin\n", &uname);
    copied("/usr/bin/printenv", folder.join("program"));
    let mut command = Command::new(copy);
    let path = format!("{}:/usr/bin:/bin", folder.display());
    without_library(&mut command)
        .env("PATH", path)
        .env("ANCHOR_ID", "1:2");
    command
}

// A blank is no separator there, and applications have them in their paths.
#[test]
fn anchor_run_sets_what_macos_reads() {
    let folder = tempfile::Builder::new().prefix("a b").tempdir().unwrap();
    let own = std::process::id().to_string();
    let output = on_a_mac(folder.path()).arg("program").output().unwrap();
    let environment = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let library = folder.path().canonicalize().unwrap().join("libanchor.dylib");
    let line = format!("DYLD_INSERT_LIBRARIES={}\n", library.display());
    assert!(environment.contains(&line), "{environment}");
    assert!(
        environment.contains(&format!("ANCHOR_PID={own}\n")),
        "{environment}"
    );
    for absent in ["LD_PRELOAD=", "ANCHOR_ID="] {
        assert!(!environment.contains(absent), "{environment}");
    }
}

#[test]
fn anchor_run_says_what_macos_keeps_the_library_out_of() {
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("tool");
    for (command, started) in [("sh", "/usr/bin/sh"), ("./tool", "/usr/bin/env")] {
        written("#! /usr/bin/env sh\neval \"$2\"\n", &tool);
        let run = |strict: &str| {
            let arguments = [command, "-c", "echo \"<$DYLD_INSERT_LIBRARIES>\"; exit 3"];
            let mut run = on_a_mac(folder.path());
            run.current_dir(folder.path())
                .args(arguments)
                .env("ANCHOR_STRICT", strict);
            run.output().unwrap()
        };
        let output = run("0");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "<>\n");
        assert_eq!(output.status.code(), Some(3), "{said}");
        let expected =
            format!("anchor-run: {command}: not anchored: macOS keeps the library out of {started} and");
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{said}");
        assert_eq!(run("1").status.code(), Some(125));
    }
}

// sh, which becomes a sleep, and two more. A shell that waited for them might end for their sake and not its anchor's.
#[test]
fn harness_reports_every_process_of_a_protected_tree() {
    let output = output(
        "harness",
        &[
            "--json",
            "--within",
            "60",
            "--",
            "sh",
            "-c",
            "sleep 1000 & sleep 1000 & exec sleep 1000",
        ],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.starts_with("{\"protected\":true,\"left\":0,\"control_survived\":3,"),
        "{text}"
    );
    assert_eq!(text.matches("\"armed\":\"thread with pidfd").count(), 3, "{text}");
    assert_eq!(text.matches("\"ended_by\":\"SIGTERM\"").count(), 3, "{text}");
}

#[test]
fn harness_finds_what_is_left() {
    let output = output("harness", &["--within", "5", "--", "env", "-i", "sleep", "1000"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("not armed: the library is not in it"), "{text}");
    assert!(text.ends_with("NOT protected: 1 left\n"), "{text}");
}

#[test]
fn harness_says_when_there_was_nothing_to_see() {
    let output = output("harness", &["--within", "60", "true"]);
    assert_eq!(output.status.code(), Some(125));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("had ended before the anchor was killed")
    );
}

#[test]
fn demo_shows_it() {
    let output = output("demo", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("program gone after") && text.ends_with("== ok\n"),
        "{text}"
    );
}
