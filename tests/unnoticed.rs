//! Ways in which a host has noticed its guest, or its guest has harmed it: each was found by trying, and is kept here.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::wait::WaitStatus;
use std::process::Command;
use support::*;

#[test]
fn a_successor_opens_nothing_in_the_hosts_table() {
    let (path, anchor) = (program("own_table", &["-pthread"]), sibling());
    let output = anchored(Command::new(path).arg("4000"), anchor.pid())
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"0 foreign descriptors\n", "{output:?}");
}

// test -> unshare (keeps the outside) -> sh (PID 1, given an outside number) -> sh, sleep
#[test]
fn children_of_whoever_is_beyond_are_beyond_too() {
    let anchor = sibling();
    let script = "sleep 0.01; sh -c 'sh -c \"sleep 0.01; echo lived\"'";
    let mut command = Command::new("unshare");
    without_library(command.args(["--pid", "--fork", "--mount-proc", "env"]));
    command.arg(format!("LD_PRELOAD={}", LIBRARY.display()));
    command.args([&format!("ANCHOR_PID={}", anchor.pid()), "sh", "-c", script]);
    let output = command.output().unwrap();
    assert_eq!(
        (output.stdout.as_slice(), output.status.code()),
        (&b"lived\n"[..], Some(0)),
        "{output:?}"
    );
}

/// `test -> sh (anchor) -> python3 (host)`; the host's PID is the first thing said on descriptor 2.
fn child_of_its_anchor(python: &str, wrap: &str) -> (Echo, Lines) {
    let script = "export ANCHOR_PID=$$; exec 3<&0; LD_PRELOAD=$LIBRARY $WRAP /usr/bin/python3 -c \"$HOST\" <&3 & echo $! >&2; wait";
    let mut command = Command::new("sh");
    without_library(command.args(["-c", script]))
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("WRAP", wrap)
        .env("HOST", python);
    Echo::spawn_with_errors(&mut command)
}

// The kernel has asked; that the handler changes the ids must not look as if it had not.
#[test]
fn a_handler_that_changes_ids_is_asked_once() {
    let host = program("handler", &[]);
    let script = "export ANCHOR_PID=$$; LD_PRELOAD=$LIBRARY $HOST & echo $! >&2; wait";
    for round in 0..200 {
        let mut command = Command::new("sh");
        without_library(command.args(["-c", script]))
            .env("LIBRARY", LIBRARY.as_os_str())
            .env("ANCHOR_GRACE", "120s")
            .env("HOST", &host);
        let (mut tree, mut said) = Echo::spawn_with_errors(&mut command);
        let pid = said.number();
        assert_eq!(tree.line(), "ready");
        wait_until_armed(pid);
        tree.owned.kill_and_reap();
        assert_eq!(tree.line(), "asked 1", "round {round}");
        assert!(matches!(wait(pid), WaitStatus::Exited(_, 7)));
    }
}

// What was set for a program goes when it becomes one that is to be left alone.
#[test]
fn pdeathsig_does_not_outlive_an_exec_into_a_program_that_is_left_alone() {
    let host = "import ctypes\nvalue = ctypes.c_int(-1)\nctypes.CDLL(None).prctl(2, ctypes.byref(value))\n\
        print(value.value, flush=True)\nimport sys\nfor line in sys.stdin: print(line, end='', flush=True)";
    for (wrap, expected) in [
        ("env", "15"),
        ("env ANCHOR_DISABLE=1", "0"),
        ("env ANCHOR_SKIP=python3*", "0"),
    ] {
        let (mut tree, _said) = child_of_its_anchor(host, wrap);
        assert_eq!(tree.line(), expected, "{wrap}");
        if expected == "0" {
            tree.owned.kill_and_reap();
            tree.assert_lives();
        }
    }
}

// RLIMIT_FSIZE: a line too many must not be the host's end.
#[test]
fn a_full_log_kills_nobody() {
    let (folder, anchor) = (tempfile::tempdir().unwrap(), sibling());
    let log = folder.path().join("log");
    std::fs::write(&log, vec![b'x'; 20_000]).unwrap();
    let mut command = Command::new("prlimit");
    anchored(command.args(["--fsize=8192", "true"]), anchor.pid())
        .env("ANCHOR_SKIP", "true")
        .env("ANCHOR_LOG", &log);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

// ANCHOR_SKIP by name, by path, by a script's name; its children are hosts again.
#[test]
fn programs_that_are_named_are_left_alone() {
    let anchor = sibling();
    let tasks = |skip: &str, command: &mut Command| {
        let output = anchored(command, anchor.pid())
            .env("ANCHOR_SKIP", skip)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let count = "import os, time\nwhile len(os.listdir('/proc/self/task')) < int(os.environ.get('WANT', 1)): time.sleep(0.001)\n\
        print(len(os.listdir('/proc/self/task')))";
    let python = || {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", count]);
        command
    };
    for (skip, expected) in [
        ("nothing:else", "2"),
        ("python3", "1"),
        ("python3.[0-9]*", "1"),
        ("*/bin/python3*", "1"),
        ("/usr/bin/perl", "2"),
    ] {
        assert_eq!(tasks(skip, python().env("WANT", expected)), expected, "{skip}");
    }
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        &format!("/usr/bin/python3 -c \"{}\"", count.replace('"', "\\\"")),
    ]);
    assert_eq!(tasks("sh:dash", shell.env("WANT", "2")), "2");
}
