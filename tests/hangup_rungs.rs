//! `ANCHOR_FD` where there is less than usual: no thread, no descriptor table for one, another processor than the machine's.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use support::filter::{refuse, refuse_threads};
use support::lifeline::*;
use support::*;

/// A host that has said in its log what has become of it.
fn logged(command: &mut Command, log: &Path, text: &str) -> Echo {
    let mut host = Echo::spawn(command.env("ANCHOR_LOG", log));
    host.assert_lives();
    wait_until(text, || {
        std::fs::read_to_string(log).is_ok_and(|log| log.contains(text))
    });
    host
}

// test (holds the other end) -> valgrind, qemu-x86_64 (host, and in it cat)
#[test]
fn in_valgrind_and_in_an_emulator() {
    for (program, options) in [("valgrind", &["-q", "cat"][..]), ("qemu-x86_64", &["/bin/cat"])] {
        if !have(program) {
            continue;
        }
        let run = |end: &OwnedFd| {
            let mut command = Command::new(program);
            held(command.args(options), end);
            Echo::spawn_with_errors(&mut command)
        };
        let (_other, another) = pipe();
        let (mut control, _) = run(&another);
        let (anchors, hosts) = pipe();
        let (mut echo, said) = run(&hosts);
        (0..3).for_each(|_| echo.assert_lives());
        drop(anchors);
        assert_signalled(echo.owned.pid(), Signal::SIGTERM);
        assert_eq!(said.rest(), "", "{program}");
        control.assert_lives();
    }
}

/// A host of a user that may have no thread more: `LIBRARY` comes in behind those that make it that.
fn without_room<'a>(command: &'a mut Command, end: &OwnedFd) -> &'a mut Command {
    let last = format!("LD_PRELOAD={}", LIBRARY.display());
    command.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "prlimit",
        "--nproc=0",
    ]);
    held(command.args(["env", &last, "cat"]), end).env_remove(INJECTS)
}

// Whoever was told of a descriptor alone has nothing else. `always` says that the parent is to be followed.
#[test]
fn without_a_thread_nobody_hears() {
    let folder = tempfile::tempdir().unwrap();
    for (place, pdeathsig, text) in [
        (0, "auto", "inert: anchor fd "),
        (
            1,
            "always",
            "no thread could be made, PDEATHSIG SIGTERM alone, no grace",
        ),
    ] {
        let (anchors, hosts) = pipe();
        let mut command = Command::new("cat");
        held(&mut command, &hosts).env("ANCHOR_PDEATHSIG", pdeathsig);
        let log = folder.path().join(place.to_string());
        let mut host = logged(refuse_threads(&mut command), &log, text);
        assert_eq!(watcher(host.owned.pid()), None);
        drop(anchors);
        host.assert_lives();
    }
    if !nix::unistd::geteuid().is_root() {
        return left_out("RLIMIT_NPROC: another user wants root");
    }
    let (anchors, hosts) = pipe();
    let mut command = Command::new("setpriv");
    let (mut host, said) =
        Echo::spawn_with_errors(without_room(&mut command, &hosts).env("ANCHOR_LOG", "stderr"));
    host.assert_lives();
    drop(anchors);
    host.assert_lives();
    host.close_input();
    let said = said.rest();
    assert!(said.ends_with(": no thread could be made\n"), "{said}");
}

/// test -> sh (anchor; the test has the other end too) -> cat (host)
#[test]
fn without_a_thread_a_child_has_pdeathsig_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (anchors, hosts) = pipe();
    let script = "export ANCHOR_PID=$$ LD_PRELOAD=$LIBRARY; exec 3<&0; cat <&3 & wait";
    let mut command = Command::new("sh");
    held(command.args(["-c", script]), &hosts)
        .env("LIBRARY", LIBRARY.as_os_str())
        .env_remove(INJECTS);
    let text = "no thread could be made, PDEATHSIG SIGTERM alone, no grace";
    let mut tree = logged(refuse_threads(&mut command), &folder.path().join("log"), text);
    tree.owned.kill_and_reap();
    tree.wait_for_end();
    drop(anchors);
}

// What nobody hears is no anchor to a host that will not run without one: it does not begin.
#[test]
fn a_strict_host_that_nobody_listens_for_does_not_run() {
    let strict = |command: &mut Command, end: &OwnedFd, why: &str| {
        let output = held(command.arg("ran"), end)
            .env("ANCHOR_STRICT", "1")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), &*output.stdout),
            (Some(125), &b""[..]),
            "{said}"
        );
        assert!(said.ends_with(why) && said.lines().count() == 1, "{said}");
    };
    let (_anchors, hosts) = pipe();
    let mut command = Command::new("echo");
    strict(
        refuse_threads(&mut command),
        &hosts,
        ": no thread could be made\n",
    );
    let mut command = Command::new("echo");
    refuse(&mut command, libc::SYS_close_range, libc::EPERM);
    refuse(&mut command, libc::SYS_unshare, libc::EPERM);
    strict(&mut command, &hosts, ": no copy of it could be had\n");
    // The control: one of the two is enough.
    for call in [libc::SYS_close_range, libc::SYS_unshare] {
        let mut command = Command::new("cat");
        held(&mut command, &hosts).env("ANCHOR_STRICT", "1");
        Echo::spawn(refuse(&mut command, call, libc::EPERM))
            .armed()
            .assert_lives();
    }
}

// Who is not strict runs, and says why it is not armed.
#[test]
fn a_host_that_nobody_listens_for_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (anchors, hosts) = pipe();
    let mut command = Command::new("cat");
    held(&mut command, &hosts);
    refuse(&mut command, libc::SYS_close_range, libc::EPERM);
    refuse(&mut command, libc::SYS_unshare, libc::EPERM);
    let log = folder.path().join("log");
    let mut host = logged(&mut command, &log, ": no copy of it could be had\n");
    drop(anchors);
    host.assert_lives();
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.lines().count() == 1 && said.contains("inert: "), "{said}");
}
