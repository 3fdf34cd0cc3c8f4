//! `anchored --fd N`: injected, supervised, shown; and what is no lifeline.

#![cfg(target_os = "linux")]

mod support;

use lifeline::{hand_down, hang_up, held, local, network, pinned, pipe, pipe_to_write};
use nix::sys::signal::Signal;
use nix::sys::socket::SockType;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;
use support::*;

fn anchored_by(end: &OwnedFd, options: &[&str], command: &[&str]) -> Command {
    let mut anchored = plain(&*INSTALLED);
    hand_down(&mut anchored, end);
    anchored.args(["--fd", &end.as_raw_fd().to_string()]);
    anchored.args(options).arg("--").args(command);
    anchored
}

#[test]
fn the_command_ends_with_whoever_hangs_up() {
    let (anchors, hosts) = pipe();
    let mut echo = Echo::spawn(&mut anchored_by(&hosts, &[], &["cat"])).armed();
    echo.assert_lives();
    drop(anchors);
    assert_signalled(echo.owned.pid(), Signal::SIGTERM);
}

// A descriptor alone replaces the anchor that is inherited; with --pid, either is.
#[test]
fn the_line_names_the_whole_anchor() {
    let (_anchors, hosts) = pipe();
    let own = std::process::id().to_string();
    let fd = format!("ANCHOR_FD={}", pinned(&hosts));
    let named = |options: &[&str]| {
        let mut command = anchored_by(&hosts, options, &["env"]);
        command.env("ANCHOR_PID", "1").env("ANCHOR_ID", "1:1");
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let names = ["ANCHOR_PID=", "ANCHOR_ID=", "ANCHOR_FD="];
        let lines = text
            .lines()
            .filter(|line| names.iter().any(|name| line.starts_with(name)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(named(&[]), std::slice::from_ref(&fd));
    let mut both = named(&["--pid", &own]);
    both.sort();
    let id = full_identity(own.parse().unwrap());
    assert_eq!(
        both,
        [fd.clone(), format!("ANCHOR_ID={id}"), format!("ANCHOR_PID={own}")]
    );
    // And a process alone replaces a descriptor.
    let mut command = plain(&*INSTALLED);
    command
        .args(["--pid", &own, "env"])
        .env("ANCHOR_FD", pinned(&hosts));
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(
        text.contains("ANCHOR_PID=") && !text.contains("ANCHOR_FD"),
        "{text}"
    );
    // What lives on has neither.
    let mut command = plain(&*INSTALLED);
    command
        .args(["--release", "env"])
        .env("ANCHOR_FD", pinned(&hosts));
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(!text.contains("ANCHOR_FD"), "{text}");
}

// test (holds the other end) -> front -> guard -> acts (static)
#[test]
fn a_supervised_command_ends_with_whoever_hangs_up() {
    let program = STATIC.to_str().unwrap();
    for (anchors, hosts) in [pipe(), pipe_to_write(), local(SockType::Stream), network()] {
        let (_other, another) = pipe();
        let mut control = Tree::spawn(&mut anchored_by(&another, &["--supervise"], &["cat"]));
        control.assert_lives();
        let mut command = anchored_by(&hosts, &[], &[program]);
        let mut tree = Tree::spawn(&mut command);
        tree.ready();
        let guard = tree.guard();
        drop(anchors);
        assert_eq!(tree.rest(), "");
        wait_until("the guard is gone", || is_gone(guard));
        control.assert_lives();
    }
}

/// A FIFO that is its own other end.
fn both_ends() -> (tempfile::TempDir, OwnedFd) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut options = std::fs::File::options();
    let both = options.read(true).write(true).open(&path).unwrap();
    (folder, both.into())
}

#[test]
fn what_is_no_lifeline_is_said() {
    let file: OwnedFd = std::fs::File::open("/etc/passwd").unwrap().into();
    let refused = |command: &mut Command, why: &str| {
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.as_str()), (Some(125), why));
    };
    let number = file.as_raw_fd();
    refused(
        &mut anchored_by(&file, &[], &["true"]),
        &format!(
            "anchored: --fd: {number}: neither a pipe nor a socket: want a pipe or a connected stream socket\n"
        ),
    );
    let (_folder, both) = both_ends();
    let number = both.as_raw_fd();
    let alone = format!("--fd: {number}: not one end alone: want a pipe or a connected stream socket\n");
    refused(
        &mut anchored_by(&both, &[], &["true"]),
        &format!("anchored: {alone}"),
    );
    let mut script = plain(root().join("scripts/anchor-run"));
    hand_down(&mut script, &both).args(["--fd", &number.to_string(), "true"]);
    refused(&mut script, &format!("anchor-run: {alone}"));
    refused(
        plain(&*INSTALLED).args(["--fd", "1023", "true"]),
        "anchored: --fd: 1023: closed: want a pipe or a connected stream socket\n",
    );
    let output = plain(&*INSTALLED)
        .args(["--fd", "three", "true"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("want the number of an open pipe") && output.status.code() == Some(125),
        "{said}"
    );
    // Dead by now: what does not run yet need not be started.
    let hosts = hang_up(pipe());
    let name = STATIC.to_str().unwrap();
    refused(
        &mut anchored_by(&hosts, &[], &[name]),
        &format!(
            "anchored: {name}: not started: its anchor fd {} is dead\n",
            hosts.as_raw_fd()
        ),
    );
}

#[test]
fn it_is_shown() {
    let (_anchors, hosts) = pipe();
    let fd = hosts.as_raw_fd();
    let output = |command: &mut Command| String::from_utf8(command.output().unwrap().stdout).unwrap();
    let said = output(&mut anchored_by(&hosts, &["--check"], &["cat"]));
    assert!(
        said.contains(&format!("whoever hangs up descriptor {fd}")),
        "{said}"
    );
    let said = output(&mut anchored_by(&hosts, &["--check", "--json"], &["cat"]));
    assert!(
        said.contains(&format!("\"anchor_fd\": {fd}")) && said.contains("\"anchor\": null"),
        "{said}"
    );
    let mut print = plain(&*INSTALLED);
    hand_down(&mut print, &hosts).args(["--print-env", "--fd", &fd.to_string()]);
    let said = output(print.env("ANCHOR_PID", "1"));
    let value = format!("export ANCHOR_FD='{}'\n", pinned(&hosts));
    assert!(
        said.contains(&value) && said.contains("unset ANCHOR_PID\n"),
        "{said}"
    );
    let echo = Echo::spawn(&mut anchored_by(&hosts, &[], &["cat"])).armed();
    let said = output(plain(&*INSTALLED).arg("--list"));
    let pid = echo.owned.pid().to_string();
    let row = said
        .lines()
        .find(|line| line.split_whitespace().next() == Some(&pid));
    assert!(
        row.is_some_and(|row| row.contains(&format!("fd {fd}")) && row.contains("thread")),
        "{said}"
    );
}

// scripts/anchor-run has the same option.
#[test]
fn the_script_takes_it_too() {
    let script = root().join("scripts/anchor-run");
    let (anchors, hosts) = pipe();
    let number = hosts.as_raw_fd().to_string();
    let mut command = plain(&script);
    hand_down(&mut command, &hosts)
        .args(["--fd", &number, "cat"])
        .env("ANCHOR_PID", "1");
    let mut echo = Echo::spawn(&mut command).armed();
    echo.assert_lives();
    drop(anchors);
    assert_signalled(echo.owned.pid(), Signal::SIGTERM);
    for (number, why) in [("1023", "closed"), ("x", "want the number of a descriptor")] {
        let output = plain(&script).args(["--fd", number, "true"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!("anchor-run: --fd: {number}: {why}\n"));
        assert_eq!(output.status.code(), Some(125));
    }
}

// What no shell can know of a socket the library looks at: one without a peer says at once that its peer is gone.
#[test]
fn the_script_leaves_a_socket_to_the_library() {
    use nix::sys::socket::{AddressFamily, SockFlag, socket};
    let script = root().join("scripts/anchor-run");
    for family in [AddressFamily::Inet, AddressFamily::Unix] {
        let nobodys = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        let mut command = plain(&script);
        let number = nobodys.as_raw_fd().to_string();
        hand_down(&mut command, &nobodys).args(["--fd", &number, "echo", "ran"]);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.stdout, b"ran\n", "{said}");
        assert!(
            said.ends_with("; it is not connected; the program runs unanchored\n"),
            "{said}"
        );
    }
    // The control: one with a peer.
    let (anchors, hosts) = local(SockType::Stream);
    let mut command = plain(&script);
    hand_down(&mut command, &hosts).args(["--fd", &hosts.as_raw_fd().to_string(), "cat"]);
    let mut echo = Echo::spawn(&mut command).armed();
    echo.assert_lives();
    drop(anchors);
    assert_signalled(echo.owned.pid(), Signal::SIGTERM);
}

// Whether a descriptor has hung up nobody sees from outside: it is said, and nobody is ended for it.
#[test]
fn who_is_left_alone_by_a_sweep_is_said() {
    let (anchors, hosts) = pipe();
    let mut command = Command::new(&*STATIC);
    held(&mut command, &hosts).env("ANCHOR_FD", pinned(&hosts));
    let mut tree = Tree::spawn(&mut command);
    let host = tree.ready().to_string();
    drop(anchors);
    let output = |option: &[&str]| plain(&*INSTALLED).args(option).output().unwrap();
    let said = String::from_utf8(output(&["--sweep", "--dry-run"]).stderr).unwrap();
    assert!(said.contains("anchored: not armed, and left alone: "), "{said}");
    let list = String::from_utf8(output(&["--list"]).stdout).unwrap();
    let row = list
        .lines()
        .find(|row| row.split_whitespace().next() == Some(&host));
    let whose = format!("fd {}", hosts.as_raw_fd());
    assert!(
        row.is_some_and(|row| row.contains(&whose) && row.contains(" not seen from outside ")),
        "{list}"
    );
    // It has still to be ended.
    assert_eq!(tree.front.0.try_wait().unwrap(), None);
}
