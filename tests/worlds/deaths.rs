//! A compiled host ends with its anchor, whoever that is and however it ends; without the library it goes on.

use super::*;
use nix::sys::signal::kill;
use nix::unistd::Pid;

fn echo() -> Command {
    inside(&[&compiled_program("echo")])
}

/// `test -> sh (anchor) -> ... -> host`: the shell exports its number as the anchor's; the script gets the host as its
/// arguments and this tree's input as descriptor 3.
fn below(script: &str, host: &str, library: &str) -> Command {
    let script = format!("exec 3<&0 </dev/null; export ANCHOR_PID=$$ LD_PRELOAD=$LIBRARY; {script}");
    let mut command = inside(&["/bin/sh", "-c", &script, "sh", &compiled_program(host)]);
    command.env("LIBRARY", library).env("ANCHOR_POLL", "10ms");
    command
}

/// Kills the shell that is the anchor of a host that echoes: it ends, and after it whatever `left` says. The control's
/// host goes on. Their numbers come by descriptor 2.
fn ends_with_a_shell_above(script: &str, left: &str) {
    let (mut tree, mut said) = Echo::spawn_with_errors(&mut below(script, "echo", "/mnt/libanchor.so"));
    let host = said.number();
    tree.assert_lives();
    wait_until_armed(host);
    tree.owned.kill_and_reap();
    wait_for_exit(host);
    assert_eq!(tree.line(), left);

    let (mut control, mut said) = Echo::spawn_with_errors(&mut below(script, "echo", ""));
    let host = said.number();
    control.assert_lives();
    control.owned.kill_and_reap();
    control.assert_lives();
    kill(Pid::from_raw(host), Signal::SIGKILL).unwrap();
}

// Both guards ask, but the host is asked once: its handler, which changes the host's ids at once, counts.
// test -> sh (anchor) -> handler (host)
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_direct_child_is_asked_once() {
    for _ in 0..10 {
        let mut command = below("\"$@\" <&3 & wait", "handler", "/mnt/libanchor.so");
        let log = Log::of(&mut command);
        let mut tree = Echo::spawn(&mut command);
        assert_eq!(tree.line(), "ready");
        wait_until("PDEATHSIG in the log", || {
            log.text().ends_with(", PDEATHSIG SIGTERM, grace 10s\n")
        });
        tree.owned.kill_and_reap();
        assert_eq!(tree.line(), "asked 1");
    }
    ends_with_a_shell_above("\"$@\" <&3 & echo $! >&2; wait", "");
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn an_anchor_that_is_not_the_parent() {
    ends_with_its_anchor(echo);
}

// test -> sh (anchor) -> sh (survives) -> host
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_grandchild_behind_a_shell_that_survives() {
    let inner = "LD_PRELOAD=$LIBRARY \"$@\" <&3 & echo $! >&2; exec 3<&-; wait; echo survived";
    ends_with_a_shell_above(
        &format!("INNER='{inner}' LD_PRELOAD= sh -c 'eval \"$INNER\"' sh \"$@\" & exec 3<&-; wait"),
        "survived",
    );
}

// test -> sh (anchor) -> setsid -> host (child of the test by then)
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_daemon_in_a_session_of_its_own() {
    let script = "(setsid sh -c 'echo $$ >&2; exec \"$@\"' sh \"$@\" <&3 &); exec 3<&-; exec sleep 1000";
    ends_with_a_shell_above(script, "");
}

// Dead but reaped by nobody: kill(pid, 0) still finds it.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn an_anchor_that_stays_a_zombie() {
    let mut anchor = sibling();
    let mut host = Echo::spawn(anchored_inside(&mut echo(), anchor.pid())).armed();
    anchor.kill();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    assert_eq!(kill(Pid::from_raw(anchor.pid()), None), Ok(()));
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn an_anchor_that_was_dead_before() {
    let mut anchor = sibling();
    let id = identity(anchor.pid());
    anchor.kill_and_reap();
    for id in [None, Some(id)] {
        let mut command = echo();
        anchored_inside(&mut command, anchor.pid());
        id.map(|id| command.env("ANCHOR_ID", id));
        let mut host = Echo::spawn(&mut command);
        assert_eq!(host.line(), "");
        assert_signalled(host.owned.pid(), Signal::SIGTERM);
    }
    Echo::spawn(echo().env("ANCHOR_PID", anchor.pid().to_string())).assert_lives();
}

// The anchor's number with another start time: it is somebody else's by now.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_number_that_is_another_process_by_now() {
    let anchor = sibling();
    let id = identity(anchor.pid());
    let (namespace, start) = id.split_once(':').unwrap();
    let earlier = start.parse::<u64>().unwrap() - 1;
    let mut command = echo();
    anchored_inside(&mut command, anchor.pid()).env("ANCHOR_ID", format!("{namespace}:{earlier}"));
    let mut host = Echo::spawn(&mut command);
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    let mut control = echo();
    Echo::spawn(anchored_inside(&mut control, anchor.pid()).env("ANCHOR_ID", &id)).armed();
}

// test -> sleep (anchor)
//      -> forked (host) -> forked (host too, without exec; it echoes)
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_fork_without_exec() {
    let forked = || inside(&[&compiled_program("forked")]);
    let start = |command: &mut Command| {
        let mut host = Echo::spawn(command);
        let child: i32 = host.line().parse().unwrap();
        host.assert_lives();
        (host, child)
    };
    let mut anchor = sibling();
    let (mut host, child) = start(anchored_inside(&mut forked(), anchor.pid()));
    let (mut control, controls_child) = start(&mut forked());
    wait_until_armed(host.owned.pid());
    wait_until_armed(child);
    anchor.kill_and_reap();
    // The parent is asked too, or ends because its child has: whichever comes first.
    host.wait_for_end();
    wait_for_exit(child);
    wait_for_exit(host.owned.pid());
    control.assert_lives();
    kill(Pid::from_raw(controls_child), Signal::SIGKILL).unwrap();
}

// test -> sleep (anchor)
//      -> sh, then echo (host, ignores SIGTERM)
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_deaf_host_is_killed_after_the_grace() {
    let deaf = || {
        inside(&[
            "/bin/sh",
            "-c",
            "trap '' TERM; exec \"$@\"",
            "sh",
            &compiled_program("echo"),
        ])
    };
    let mut anchor = sibling();
    let mut command = deaf();
    let log = Log::of(anchored_inside(&mut command, anchor.pid()).env("ANCHOR_GRACE", "100ms"));
    let mut host = Echo::spawn(&mut command).armed();
    let mut control = Echo::spawn(&mut deaf());
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGKILL);
    assert!(log.text().contains("]: escalated: "), "{}", log.text());
    control.assert_lives();
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_strict_host() {
    ends_with_its_anchor(|| {
        let mut command = echo();
        command.env("ANCHOR_STRICT", "1");
        command
    });
}

// What it opens is its own, and what it closes is not ours.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_host_that_closes_every_descriptor() {
    ends_with_its_anchor(|| inside(&[&compiled_program("closes")]));
}

// The anchor dies at any moment of any change, made by one thread or five.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_host_whose_threads_change_its_ids_is_asked_once() {
    for threads in ["0", "1", "4"] {
        let mut anchor = sibling();
        let mut command = inside(&[&compiled_program("flip"), threads]);
        // It goes on for as long as five hundred changes take, which in an emulator may be long.
        anchored_inside(&mut command, anchor.pid()).env("ANCHOR_GRACE", "never");
        let mut host = Echo::spawn(&mut command);
        assert_eq!(host.line(), "ready");
        anchor.kill_and_reap();
        assert_eq!(host.line(), "asked 1", "{threads} threads");
        assert_eq!(host.owned.0.wait().unwrap().code(), Some(7));
    }
}
