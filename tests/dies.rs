//! The main job: the host ends when its anchor is dead, whoever the anchor is and however it ended; and it lives
//! while the anchor lives.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::process::Command;
use support::*;

fn cat(anchor: i32) -> Echo {
    Echo::spawn(anchored(&mut Command::new("cat"), anchor)).armed()
}

// test -> sleep (anchor)
//      -> cat (host)
#[test]
fn dies_when_a_sibling_is_killed() {
    let mut anchor = sibling();
    let (mut host, mut control) = (
        cat(anchor.pid()),
        Echo::spawn(without_library(&mut Command::new("cat"))),
    );
    host.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    control.assert_lives();
}

// test -> sh -> sleep (anchor, in a session of its own)
//      -> cat (host)
#[test]
fn dies_when_a_stranger_is_killed() {
    let mut command = Command::new("sh");
    without_library(command.args(["-c", "setsid sleep 1000 <&- >&- & echo $! >&2; exec cat"]));
    let (mut branch, mut said) = Echo::spawn_with_errors(&mut command);
    let anchor = said.number();
    branch.assert_lives();
    let mut host = cat(anchor);
    let mut control = Echo::spawn(without_library(&mut Command::new("cat")));
    kill(Pid::from_raw(anchor), Signal::SIGKILL).unwrap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    control.assert_lives();
    branch.assert_lives();
}

// The anchor is dead but nobody has reaped it: kill(pid, 0) still finds it.
#[test]
fn dies_when_the_anchor_is_a_zombie() {
    let mut anchor = sibling();
    let mut host = cat(anchor.pid());
    anchor.kill();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    assert_eq!(
        kill(Pid::from_raw(anchor.pid()), None),
        Ok(()),
        "the anchor was to stay unreaped"
    );
}

#[test]
fn dies_when_the_anchor_segfaults() {
    let mut anchor = sibling();
    let mut host = cat(anchor.pid());
    kill(Pid::from_raw(anchor.pid()), Signal::SIGSEGV).unwrap();
    anchor.0.wait().unwrap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// test -> cat (anchor, ends by itself)
//      -> cat (host)
#[test]
fn dies_when_the_anchor_exits() {
    let mut anchor = Echo::spawn(without_library(&mut Command::new("cat")));
    anchor.assert_lives();
    let mut host = cat(anchor.owned.pid());
    anchor.close_input();
    assert!(matches!(anchor.wait(), WaitStatus::Exited(_, 0)));
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// test -> sh (anchor) -> cat (host)
#[test]
fn dies_when_its_parent_is_killed() {
    dies_below("cat <&3 & echo $! >&2; wait");
}

// test -> sh (anchor) -> sh -> cat (host)
#[test]
fn dies_when_its_grandparent_is_killed() {
    dies_below("env -u LD_PRELOAD sh -c 'LD_PRELOAD=$LIBRARY cat <&3 & echo $! >&2; wait' & wait");
}

// test -> sh (anchor) -> setsid -> cat (host, in a session of its own, child of the test by then)
#[test]
fn dies_after_a_double_fork_with_setsid() {
    dies_below("(setsid sh -c 'echo $$ >&2; exec cat' <&3 &) ; wait; exec sleep 1000");
}

// test -> sh (anchor) -> sh -> env -> nice -> cat (host, three programs in one process)
#[test]
fn dies_after_a_chain_of_execs() {
    dies_below("sh -c 'echo $$ >&2; exec env nice cat' <&3 & wait");
}

/// Runs `script` in a shell that is the anchor. It starts a host that reads descriptor 3 and writes to its output,
/// and writes the host's number to descriptor 2.
fn dies_below(script: &str) {
    let (mut anchor, host) = host_below(script, true);
    anchor.assert_lives();
    wait_until_armed(host);
    anchor.assert_lives();
    kill(Pid::from_raw(anchor.owned.pid()), Signal::SIGKILL).unwrap();
    anchor.wait_for_end();
    let (_, mut control) = (0, host_below(script, false));
    kill(Pid::from_raw(control.0.owned.pid()), Signal::SIGKILL).unwrap();
    control.0.assert_lives();
    kill(Pid::from_raw(control.1), Signal::SIGKILL).unwrap();
}

fn host_below(script: &str, with_library: bool) -> (Echo, i32) {
    let variables = if with_library {
        "export ANCHOR_PID=$$ LD_PRELOAD=$LIBRARY; "
    } else {
        ""
    };
    let script = format!("exec 3<&0 </dev/null; {variables}{script}");
    let mut command = Command::new("sh");
    without_library(&mut command)
        .env("LIBRARY", LIBRARY.as_os_str())
        .args(["-c", &script]);
    if !with_library {
        command.env("LIBRARY", "");
    }
    let (anchor, mut errors) = Echo::spawn_with_errors(&mut command);
    let host = errors.number();
    (anchor, host)
}

// An exec keeps the process: nothing to fire for.
// test -> sh, then cat (anchor)
//      -> cat (host)
#[test]
fn lives_when_the_anchor_execs() {
    let mut anchor = Echo::spawn(without_library(
        Command::new("sh").args(["-c", "echo ready; read go; exec cat"]),
    ));
    assert_eq!(anchor.line(), "ready");
    let mut host = cat(anchor.owned.pid());
    anchor.send("go");
    anchor.assert_lives();
    host.assert_lives();
    anchor.owned.kill_and_reap();
    host.wait_for_end();
}

#[test]
fn dies_when_the_anchor_was_dead_before_it_started() {
    let mut anchor = sibling();
    let id = identity(anchor.pid());
    anchor.kill_and_reap();
    for id in [None, Some(id)] {
        let mut command = Command::new("echo");
        anchored(command.arg("must not run"), anchor.pid());
        id.map(|id| command.env("ANCHOR_ID", id));
        let mut host = Echo::spawn(&mut command);
        assert_eq!(host.line(), "");
        assert_signalled(host.owned.pid(), Signal::SIGTERM);
    }
}

#[test]
fn dies_when_the_number_is_another_process_by_now() {
    let anchor = sibling();
    let (namespace, start) = identity(anchor.pid())
        .split_once(':')
        .map(|(n, s)| (n.to_owned(), s.to_owned()))
        .unwrap();
    let earlier = start.parse::<u64>().unwrap() - 1;
    let mut command = Command::new("cat");
    let mut host =
        Echo::spawn(anchored(&mut command, anchor.pid()).env("ANCHOR_ID", format!("{namespace}:{earlier}")));
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

#[test]
fn lives_in_another_pid_namespace() {
    let mut anchor = sibling();
    let (_, start) = identity(anchor.pid())
        .split_once(':')
        .map(|(n, s)| (n.to_owned(), s.to_owned()))
        .unwrap();
    let mut command = Command::new("cat");
    let mut host = Echo::spawn(anchored(&mut command, anchor.pid()).env("ANCHOR_ID", format!("1:{start}")));
    host.assert_lives();
    assert_eq!(watcher(host.owned.pid()), None);
    anchor.kill_and_reap();
    host.assert_lives();
}
