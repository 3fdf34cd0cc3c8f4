//! Supervision when the anchor dies, or `anchored` itself: who ends, who lives on, and how each is asked.

#![cfg(target_os = "linux")]

mod support;

use nix::unistd::geteuid;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::*;

/// As often as the knob says: the anchor is killed, and everybody is gone. `status`: what the command ends with where
/// it had time enough to be asked, and what it ends with where it is killed.
fn ends_with_its_anchor(command: &[&str], grace: &str, status: i32, before: impl Fn(&mut Tree)) {
    // test -> sleep (lives)
    //      -> front -> guard -> cat (the control, whose anchor lives)
    let living = sibling();
    let mut control = Tree::spawn(&mut supervised(&["--pid", &living.pid().to_string()], &["cat"]));
    control.assert_lives();
    let mut longest = Duration::ZERO;
    for _ in 0..rounds() {
        let mut anchor = sibling();
        let pid = anchor.pid().to_string();
        let mut tree = Tree::spawn(&mut supervised(&["--pid", &pid, "--grace", grace], command));
        before(&mut tree);
        let guard = tree.guard();
        let killed = Instant::now();
        anchor.kill_and_reap();
        assert_eq!(tree.rest(), "");
        assert_eq!(tree.code(), status);
        wait_until("the guard is gone", || is_gone(guard));
        longest = longest.max(killed.elapsed());
    }
    control.assert_lives();
    // For whoever asks with --nocapture: a slow machine is no failure.
    println!(
        "{command:?}, grace {grace}: {} of {} gone, the slowest after {longest:?}",
        rounds(),
        rounds()
    );
}

fn shell_out(command: &str) -> String {
    let output = plain("sh").args(["-c", command]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn ready(tree: &mut Tree) {
    tree.ready();
}

// Time enough that nobody is killed: whoever ends was asked.
const ENOUGH: &str = "1000s";
// Time in which whoever is asked comes to say so on a machine with much else to do, where the kill is waited for.
const UNHURRIED: &str = "15s";

// test -> sleep (anchor)
//      -> front -> guard -> acts (static)
#[test]
fn a_static_program_ends_with_its_anchor() {
    ends_with_its_anchor(&[STATIC.to_str().unwrap()], ENOUGH, 143, ready);
}

// test -> sleep (anchor)
//      -> front -> guard -> busybox (static), a shell that waits for input -> busybox
#[test]
fn a_static_busybox_ends_with_its_anchor() {
    if !have("busybox") {
        return;
    }
    let busybox = shell_out("command -v busybox");
    let script = format!("{busybox} sleep 1000 & echo ready $!; read line");
    ends_with_its_anchor(&[&busybox, "sh", "-c", &script], ENOUGH, 143, ready);
}

// test -> sleep (anchor)
//      -> front -> guard -> waits (Go, static) -> sleep
#[test]
fn a_static_go_program_ends_with_its_anchor() {
    if !have("go") {
        return;
    }
    let program = folder().join("go-waits");
    let source = root().join("tests/programs/waits.go");
    let built = plain("go")
        .args(["build", "-o"])
        .args([&program, &source])
        .env("CGO_ENABLED", "0")
        .env("GOCACHE", folder().join("go-cache"))
        .status();
    assert!(built.unwrap().success());
    ends_with_its_anchor(&[program.to_str().unwrap()], ENOUGH, 143, ready);
}

// test -> sleep (anchor)
//      -> front -> guard -> acts (ignores the signal)
#[test]
fn the_log_says_who_was_asked_and_killed() {
    let log = folder().join("events.log");
    for to in ["stderr", log.to_str().unwrap()] {
        let _ = fs::remove_file(&log);
        let mut anchor = sibling();
        let (pid, ignores) = (anchor.pid().to_string(), [STATIC.to_str().unwrap(), "ignore"]);
        let options = ["--pid", &pid, "--grace", "50ms", "--log", to];
        let mut command = supervised(&options, &ignores);
        let mut tree = Tree::spawn(command.stderr(Stdio::piped()));
        let host = tree.ready();
        let guard = tree.guard();
        anchor.kill_and_reap();
        tree.rest();
        assert_eq!(tree.code(), 137);
        let mut said = String::new();
        let mut errors = tree.front.0.stderr.take().unwrap();
        errors.read_to_string(&mut said).unwrap();
        // Whoever writes says who it is.
        let mut writer = tree.front.pid();
        if to != "stderr" {
            assert_eq!(said, "");
            (said, writer) = (fs::read_to_string(&log).unwrap(), guard);
        }
        let lines = [
            format!("armed: anchor {pid}: supervised, command {host}, SIGKILL after 50ms"),
            format!("fired: anchor {pid}: gone; asking with SIGTERM, SIGKILL after 50ms"),
            format!("asked: anchor {pid}: process {host} with SIGTERM"),
            format!("killed: anchor {pid}: process {host}"),
        ];
        let expected = lines.map(|line| format!("anchored[{writer}]: {line}\n"));
        assert_eq!(said, expected.concat());
    }
}

// test -> sleep (anchor)
//      -> front -> guard -> acts (set-uid)
#[test]
fn a_set_uid_program_ends_with_its_anchor() {
    if !geteuid().is_root() {
        return left_out("a set-uid program: wants root");
    }
    let program = folder().join("set-uid");
    copied(&*STATIC, &program);
    let nobody = 65_534;
    chown(&program, Some(nobody), Some(nobody)).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
    ends_with_its_anchor(&[program.to_str().unwrap(), "user"], ENOUGH, 143, |tree| {
        assert_eq!(tree.ready(), 65_534, "the set-uid bit has no effect here");
    });
}

// test -> sleep (anchor)
//      -> front -> guard -> sh -> acts (static), acts (static, in the background)
#[test]
fn a_script_ends_with_its_static_children() {
    // The shell waits for neither: it would end by itself, and with its own status, once they have.
    let script = format!("{0} & {0} & read line", STATIC.display());
    ends_with_its_anchor(&["sh", "-c", &script], ENOUGH, 143, |tree| {
        tree.ready();
        tree.ready();
    });
}

// test -> sleep (anchor)
//      -> front -> guard -> acts
//                        -> acts (a session of its own, its parent is gone)
#[test]
fn a_daemon_ends_with_its_anchor() {
    ends_with_its_anchor(&[STATIC.to_str().unwrap(), "daemon"], ENOUGH, 143, |tree| {
        tree.ready();
    });
}

#[test]
fn a_stopped_program_ends_with_its_anchor() {
    ends_with_its_anchor(&[STATIC.to_str().unwrap(), "stopped"], ENOUGH, 143, |tree| {
        let command = tree.ready();
        wait_until("it is stopped", || state(command) == Some('T'));
        // Its front with it: the end of that one shows that it goes on to say how the command ended.
        let front = tree.front.pid();
        wait_until("its front is stopped", || state(front) == Some('T'));
    });
}

#[test]
fn what_ignores_the_signal_is_killed_after_the_grace() {
    ends_with_its_anchor(&[STATIC.to_str().unwrap(), "ignore"], "20ms", 137, ready);
}

#[test]
fn no_grace_is_a_kill_at_once() {
    ends_with_its_anchor(&[STATIC.to_str().unwrap(), "ignore"], "0", 137, ready);
}

// test -> sleep (anchor)
//      -> front -> guard -> sh -> sh -> ... (each starts the next and stays)
#[test]
fn what_is_born_during_the_grace_ends_too() {
    let static_one = STATIC.display();
    let script = format!(
        "exec 2>/dev/null; trap '{static_one} ignore & {static_one} ignore & exit 9' TERM; echo ready 1; while :; do sleep 0.01; done"
    );
    let command = ["sh", "-c", script.as_str()];
    let round = |_| {
        let mut anchor = sibling();
        let options = ["--pid", &anchor.pid().to_string(), "--grace", UNHURRIED];
        let mut tree = Tree::spawn(&mut supervised(&options, &command));
        tree.ready();
        anchor.kill_and_reap();
        tree
    };
    // Side by side: the grace is waited for once.
    for first in (0..rounds()).step_by(10) {
        let trees: Vec<Tree> = (first..rounds().min(first + 10)).map(round).collect();
        for mut tree in trees {
            // Whether they came as far as to say so depends on the machine; that the pipe ends does not.
            tree.rest();
            assert_eq!(tree.code(), 9);
        }
    }
}

// test -> sleep (anchor)
//      -> front -> guard -> acts (says every signal)
#[test]
fn never_is_to_be_asked_and_no_more() {
    let mut anchor = sibling();
    let options = [
        "--pid",
        &anchor.pid().to_string(),
        "--grace",
        "never",
        "--signal",
        "40",
    ];
    let mut tree = Tree::spawn(&mut supervised(&options, &[STATIC.to_str().unwrap(), "signals"]));
    tree.ready();
    anchor.kill_and_reap();
    assert_eq!(tree.line(), "signal 40");
    // It is handed on as ever.
    tree.signal(libc::SIGUSR1);
    assert_eq!(tree.line(), "signal 10");
}

// test -> sleep (anchor)
//      -> front -> guard -> acts (armed: it asks itself; or static: the guard asks it), many times over
#[test]
fn a_host_of_the_library_is_asked_once() {
    let mut anchor = sibling();
    let start = |program: &Path| {
        let mut command = plain(&*INSTALLED);
        command.args(["--supervise", "--grace", UNHURRIED, "--pid"]);
        command.args([&anchor.pid().to_string(), program.to_str().unwrap(), "signals"]);
        let mut tree = Tree::spawn(&mut command);
        let pid = tree.ready();
        (tree, pid)
    };
    // Two signals at the same moment can become one: being asked twice would show only now and then.
    let mut trees = Vec::new();
    for _ in 0..rounds().min(10) {
        let (armed, pid) = start(&DYNAMIC);
        wait_until("it is armed", || has_watcher(pid));
        let (unarmed, pid) = start(&STATIC);
        assert!(!has_watcher(pid), "the library is in a static program");
        trees.extend([armed, unarmed]);
    }
    anchor.kill_and_reap();
    for mut tree in trees {
        // All that it is told until it is killed.
        assert_eq!(tree.rest(), "signal 15\n");
        assert_eq!(tree.code(), 137);
    }
}

fn has_watcher(pid: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let mut names = threads.filter_map(|thread| fs::read(thread.path().join("comm")).ok());
    names.any(|name| name == b"anchor\n")
}

// test -> sleep (anchor)
//      -> front -> guard -> sh -> cat (released)
#[test]
fn what_was_released_lives_on() {
    lives_on(&[], &format!("{ANCHORED} --release cat <&3 3<&- & echo $!; wait"));
}

#[test]
fn what_is_to_be_skipped_lives_on() {
    lives_on(&["--skip", "ssh-agent:c?t"], "cat <&3 3<&- & echo $!; wait");
}

#[test]
fn with_scope_self_the_children_live_on() {
    lives_on(&["--scope", "self"], "cat <&3 3<&- & echo $!; wait");
}

/// `script` starts a cat that reads descriptor 3, and says its number. It must outlive everybody else.
fn lives_on(options: &[&str], script: &str) {
    let mut anchor = sibling();
    let pid = anchor.pid().to_string();
    let script = format!("exec 3<&0 </dev/null; {script}");
    let mut options = options.to_vec();
    options.extend(["--pid", &pid]);
    let mut tree = Tree::spawn(&mut supervised(&options, &["sh", "-c", &script]));
    let cat: i32 = tree.line().parse().unwrap();
    wait_until("it is cat", || name(cat).as_deref() == Some("cat"));
    tree.assert_lives();
    let guard = tree.guard();
    anchor.kill_and_reap();
    assert_eq!(tree.code(), 143);
    wait_until("the guard is gone", || is_gone(guard));
    tree.assert_lives();
    tree.input = None;
    assert_eq!(tree.rest(), "");
}

// test -> sleep (anchor)
//      -> front -> guard -> cat (to be left alone)
#[test]
fn a_command_that_is_to_be_skipped_lives_on_with_its_front() {
    let mut anchor = sibling();
    let options = ["--pid", &anchor.pid().to_string(), "--skip", "cat"];
    let mut tree = Tree::spawn(&mut supervised(&options, &["cat"]));
    tree.assert_lives();
    let guard = tree.guard();
    let handles = || {
        let open = fs::read_dir(format!("/proc/{guard}/fd")).unwrap().flatten();
        let links = open.filter_map(|fd| fs::read_link(fd.path()).ok());
        links.filter(|link| link.ends_with("anon_inode:[pidfd]")).count()
    };
    wait_until("it watches", || handles() == 2);
    anchor.kill_and_reap();
    wait_until("it has seen the death", || handles() == 1);
    tree.assert_lives();
    tree.signal(libc::SIGHUP);
    assert_eq!(tree.code(), 129);
    wait_until("the guard is gone", || is_gone(guard));
}

// test -> sleep (anchor)
//      -> setpriv, then front -> guard (nobody) -> acts (set-uid, root for good)
#[test]
fn what_is_out_of_reach_is_named() {
    if !geteuid().is_root() {
        return left_out("a program out of reach: wants root");
    }
    let program = folder().join("set-uid-root");
    copied(&*STATIC, &program);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
    let as_nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let runs = plain("setpriv")
        .args(as_nobody)
        .args([ANCHORED, "--help"])
        .output();
    if !runs.unwrap().status.success() {
        return left_out("a program out of reach: nobody may not run what was built here");
    }
    let mut anchor = sibling();
    let mut command = plain("setpriv");
    command.args(as_nobody);
    command.args([
        ANCHORED,
        "--supervise",
        "--grace",
        "0",
        "--pid",
        &anchor.pid().to_string(),
    ]);
    command
        .args([program.to_str().unwrap(), "become root"])
        .stderr(Stdio::piped());
    let mut tree = Tree::spawn(&mut command);
    let pid = tree.ready();
    anchor.kill_and_reap();
    assert_eq!(tree.code(), 125);
    // Before the end of the pipe: the program holds it too.
    kill_now(pid);
    let line = std::io::read_to_string(Timed(tree.front.0.stderr.take().unwrap()));
    assert_eq!(
        line.unwrap(),
        format!("anchored: {pid}: the anchor is dead, and this process cannot be signalled\n")
    );
}

// test -> front -> guard -> acts (its anchor is the test)
#[test]
fn the_command_does_not_outlive_anchored() {
    for _ in 0..rounds() {
        let mut tree = Tree::spawn(&mut supervised(&[], &[STATIC.to_str().unwrap(), "ignore"]));
        tree.ready();
        tree.front.kill_and_reap();
        assert_eq!(tree.rest(), "");
    }
}

// test -> sleep (anchor)
//      -> front -> guard -> acts (ends with anchored)
//                        -> acts (a session of its own: does not)
#[test]
fn a_daemon_outlives_anchored_but_not_its_anchor() {
    let mut anchor = sibling();
    let pid = anchor.pid().to_string();
    let mut tree = Tree::spawn(&mut supervised(
        &["--pid", &pid],
        &[STATIC.to_str().unwrap(), "daemon"],
    ));
    let daemon = tree.ready();
    let guard = tree.guard();
    tree.front.kill_and_reap();
    wait_until("the daemon alone is left", || children(guard) == [daemon]);
    assert!(!is_gone(daemon));
    anchor.kill_and_reap();
    assert_eq!(tree.rest(), "");
}

// test -> front -> guard -> acts
#[test]
fn the_command_does_not_outlive_its_guard() {
    for _ in 0..rounds() {
        let mut command = supervised(&[], &[STATIC.to_str().unwrap(), "ignore"]);
        let mut tree = Tree::spawn(command.stderr(Stdio::null()));
        tree.ready();
        kill_now(tree.guard());
        assert_eq!(tree.rest(), "");
        assert_eq!(tree.code(), 125);
    }
}

// test -> sleep (anchor)
//      -> front -> guard -> acts (ends)
//                        -> acts (a session of its own: ends with its anchor)
#[test]
fn the_status_does_not_wait_for_a_daemon_that_is_guarded_on() {
    let mut anchor = sibling();
    let pid = anchor.pid().to_string();
    let mut tree = Tree::spawn(&mut supervised(
        &["--pid", &pid],
        &[STATIC.to_str().unwrap(), "leaves"],
    ));
    let daemon = tree.ready();
    assert_eq!(tree.code(), 5);
    assert!(!is_gone(daemon));
    anchor.kill_and_reap();
    assert_eq!(tree.rest(), "");
}

// Whoever reads the output waits for the command and for nobody else.
#[test]
fn the_guard_keeps_no_pipe_open() {
    let mut anchor = sibling();
    let pid = anchor.pid().to_string();
    let script = format!("{} daemon >/dev/null 2>&1 & echo $!", STATIC.display());
    let mut tree = Tree::spawn(&mut supervised(&["--pid", &pid], &["sh", "-c", &script]));
    let daemon: i32 = tree.line().parse().unwrap();
    assert_eq!(tree.rest(), "");
    assert_eq!(tree.code(), 0);
    assert!(!is_gone(daemon));
    anchor.kill_and_reap();
    wait_until("the daemon is gone", || is_gone(daemon));
}

// A zombie is dead: nothing is started for it.
#[test]
fn nothing_is_started_for_a_dead_anchor() {
    let mut anchor = sibling();
    anchor.0.kill().unwrap();
    wait_until("it is a zombie", || is_gone(anchor.pid()));
    let pid = anchor.pid().to_string();
    let output = supervised(&["--pid", &pid], &["echo", "must not run"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(output.stdout, b"");
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!("anchored: echo: not started: its anchor {pid} is dead\n")
    );
    // The control.
    let output = supervised(&[], &["echo", "runs"]).output().unwrap();
    assert_eq!(
        (output.status.code(), &output.stdout[..]),
        (Some(0), &b"runs\n"[..])
    );
}
