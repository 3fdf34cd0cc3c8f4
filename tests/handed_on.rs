//! `ANCHOR_FD` further down: a descriptor that is handed on, closed, or another file's by then. And what becomes of it
//! where the watcher changes.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use nix::sys::socket::SockType;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;
use support::lifeline::*;
use support::*;

fn log_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap()
}

/// The line of process `pid` that begins with `what`.
fn line(folder: &Path, pid: i32, what: &str) -> String {
    let head = format!("libanchor[{pid}]: {what}: ");
    let mut found = None;
    wait_until("its line", || {
        let log = log_of(folder);
        found = log
            .lines()
            .find_map(|line| line.strip_prefix(&head))
            .map(str::to_owned);
        found.is_some()
    });
    found.unwrap()
}

// The first host pins the descriptor to its file, in place of what was there, and has no second entry.
#[test]
fn the_first_host_pins_the_file() {
    let (_anchors, hosts) = pipe();
    for said in [hosts.as_raw_fd().to_string(), pinned(&hosts)] {
        let mut command = Command::new("sh");
        held(command.args(["-c", "exec env"]), &hosts).env("ANCHOR_FD", said);
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let values: Vec<&str> = output
            .lines()
            .filter(|line| line.starts_with("ANCHOR_FD"))
            .collect();
        assert_eq!(values, [format!("ANCHOR_FD={}", pinned(&hosts))]);
    }
}

/// `test -> bash (launcher, lives on) -> cat (host)`: the host has the launcher's standard input and output, and the
/// launcher does `first` before it. The launcher says the host's number, and then how it has ended.
fn below(end: &OwnedFd, first: &str, settings: &[(&str, &str)]) -> (Echo, i32) {
    let script = format!("{first}\nexport LD_PRELOAD=$LIBRARY; cat <&0 & echo $!; wait $!; echo ended $?");
    let mut command = Command::new("bash");
    held(command.args(["-c", &script]), end)
        .env_remove("LD_PRELOAD")
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("END", end.as_raw_fd().to_string())
        .envs(settings.iter().copied());
    let mut echo = Echo::spawn(&mut command);
    let host = echo.line().parse().unwrap();
    echo.assert_lives();
    (echo, host)
}

#[test]
fn a_grandchild_dies_below_a_launcher_that_lives() {
    let (anchors, hosts) = pipe();
    let (mut echo, host) = below(&hosts, "", &[]);
    wait_until_armed(host);
    drop(anchors);
    assert_eq!(echo.line(), "ended 143");
}

// The number is another pipe's, which hangs up: nothing to the host, which is left with the process.
#[test]
fn a_number_that_was_given_to_another_pipe_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let (_anchors, hosts) = pipe();
    let value = pinned(&hosts);
    let mut anchor = sibling();
    // A pipe whose writer ends at once.
    let other = "eval \"exec $END< <(:)\"; wait $!";
    for process in [true, false] {
        let number = anchor.pid().to_string();
        let mut settings = vec![("ANCHOR_FD", &*value), ("ANCHOR_LOG", log.to_str().unwrap())];
        settings.extend(process.then_some(("ANCHOR_PID", &*number)));
        let (mut echo, host) = below(&hosts, other, &settings);
        echo.assert_lives();
        if process {
            let armed = line(folder.path(), host, "armed");
            assert!(
                armed.contains(": thread with pidfd, without ANCHOR_FD (another file has its number)"),
                "{armed}"
            );
            wait_until_armed(host);
            anchor.kill();
            assert_eq!(echo.line(), "ended 143");
        } else {
            let inert = line(folder.path(), host, "inert");
            assert_eq!(
                inert,
                format!("anchor fd {}: another file has its number", hosts.as_raw_fd())
            );
        }
    }
}

// The same where the launcher has closed it. Nobody's mistake: nothing is said on stderr.
#[test]
fn a_number_that_was_closed_leaves_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let (anchors, hosts) = pipe();
    let value = pinned(&hosts);
    let mut anchor = sibling();
    let number = anchor.pid().to_string();
    let close = "exec 2>\"$ANCHOR_LOG.err\"; eval \"exec $END<&-\"";
    let settings = [("ANCHOR_FD", &*value), ("ANCHOR_LOG", log.to_str().unwrap())];
    let both = [settings[0], settings[1], ("ANCHOR_PID", &*number)];
    let (mut alone, inert) = below(&hosts, close, &settings);
    let (mut echo, host) = below(&hosts, close, &both);
    let fd = hosts.as_raw_fd();
    assert_eq!(
        line(folder.path(), inert, "inert"),
        format!("anchor fd {fd}: it is closed")
    );
    drop(anchors);
    alone.assert_lives();
    echo.assert_lives();
    wait_until_armed(host);
    anchor.kill();
    assert_eq!(echo.line(), "ended 143");
    alone.assert_lives();
    assert_eq!(
        std::fs::read_to_string(folder.path().join("log.err")).unwrap(),
        ""
    );
}

// Where nothing else is named, a strict host does not run without it.
#[test]
fn a_strict_host_does_not_run_without_it() {
    let (_anchors, hosts) = pipe();
    let value = pinned(&hosts);
    drop(hosts);
    let mut command = Command::new("echo");
    without_library(command.arg("ran")).env(INJECTS, LIBRARY.as_os_str());
    let output = command
        .env("ANCHOR_FD", &value)
        .env("ANCHOR_STRICT", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let fd = value.split(':').next().unwrap();
    let end = format!("not run, because it cannot be armed: anchor fd {fd}: it is closed\n");
    assert!(said.ends_with(&end), "{said}");
    assert_eq!((output.status.code(), &*output.stdout), (Some(125), &b""[..]));
}

// test -> forked (host) -> its child, which never execs
#[test]
fn a_forked_child_holds_it_too() {
    let (anchors, hosts) = pipe();
    let mut echo = Echo::spawn(held(&mut Command::new(program("forked", &[])), &hosts));
    let child: i32 = echo.line().parse().unwrap();
    wait_until_armed(child);
    echo.assert_lives();
    drop(anchors);
    // Who alone could still write is the child.
    echo.wait_for_end();
    assert_signalled(echo.owned.pid(), Signal::SIGTERM);
}

const FORKS: &str = r#"
import os, sys
os.closerange(3, 100) if sys.argv[1] == "closes" else None
child = os.fork()
if child:
    print(child, flush=True)
    os.waitpid(child, 0)
for line in sys.stdin:
    print(line, end="", flush=True)
"#;

// The parent has closed it before it forks: the child has the process alone.
#[test]
fn a_forked_child_of_a_host_that_has_closed_it_has_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let (anchors, hosts) = pipe();
    let mut anchor = sibling();
    let mut command = Command::new("/usr/bin/python3");
    held(command.args(["-c", FORKS, "closes"]), &hosts)
        .env("ANCHOR_LOG", &log)
        .env("ANCHOR_PID", anchor.pid().to_string());
    let mut echo = Echo::spawn(&mut command);
    let child: i32 = echo.line().parse().unwrap();
    let armed = line(folder.path(), child, "armed");
    assert!(
        armed.contains(": thread with pidfd, without ANCHOR_FD (no copy of it could be had)"),
        "{armed}"
    );
    wait_until_armed(child);
    echo.assert_lives();
    anchor.kill();
    echo.wait_for_end();
    drop(anchors);
}

// A successor takes it from the host's table again: the host changes its ids, and has it still.
#[test]
fn a_successor_holds_it_too() {
    if !nix::unistd::geteuid().is_root() {
        return left_out("setuid wants root");
    }
    let program = "import os, sys\nos.setuid(65534)\nfor line in sys.stdin: print(line, end='', flush=True)";
    for (closes, kind) in [(false, SockType::Stream), (true, SockType::Stream)] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "").unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder.path(), std::fs::Permissions::clone(&open)).unwrap();
        std::fs::set_permissions(&log, open).unwrap();
        let (anchors, hosts) = local(kind);
        let mut anchor = sibling();
        let program = if closes {
            program.replacen("os.setuid", "os.closerange(3, 100)\nos.setuid", 1)
        } else {
            program.to_owned()
        };
        let mut command = Command::new("/usr/bin/python3");
        held(command.args(["-c", &program]), &hosts)
            .env("ANCHOR_LOG", &log)
            .env("ANCHOR_PID", anchor.pid().to_string());
        let mut echo = Echo::spawn(&mut command).armed();
        if closes {
            let pid = echo.owned.pid();
            wait_until("the successor's line", || {
                log_of(folder.path()).contains("without ANCHOR_FD")
            });
            echo.assert_lives();
            drop(anchors);
            echo.assert_lives();
            anchor.kill();
            assert_signalled(pid, Signal::SIGTERM);
        } else {
            drop(anchors);
            assert_signalled(echo.owned.pid(), Signal::SIGTERM);
        }
    }
}
