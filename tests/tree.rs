//! Who is a host: descendants, forked children, other namespaces, the anchor itself; and what they inherit.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use std::process::Command;
use support::*;

fn python(anchor: impl ToString, program: &str) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    anchored(command.args(["-c", program]), anchor);
    command
}

/// A fork that never execs and then echoes; its parent only waits.
const FORKS: &str = "import os, sys\n\
    child = os.fork()\n\
    if child:\n os.close(0); os.close(1); os.waitpid(child, 0); os._exit(0)\n\
    print(os.getpid(), flush=True)\n\
    for line in sys.stdin: print(line, end='', flush=True)";

// test -> sleep (anchor)
//      -> python3 -> python3 (host by fork alone)
#[test]
fn a_fork_without_exec_dies() {
    let mut anchor = sibling();
    let mut tree = Echo::spawn(&mut python(anchor.pid(), FORKS));
    let child: i32 = tree.line().parse().unwrap();
    wait_until_armed(child);
    tree.assert_lives();
    // Its parent goes first, so that the child's end is its own doing; it has been told to us as an orphan then.
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(tree.owned.pid()), Signal::SIGKILL).unwrap();
    tree.owned.0.wait().unwrap();
    tree.assert_lives();
    anchor.kill_and_reap();
    tree.wait_for_end();
    assert_signalled(child, Signal::SIGTERM);
}

// test -> python3 (anchor, with the library in it) -> python3 (host by fork alone)
#[test]
fn the_anchor_itself_lives_and_its_forks_are_hosts() {
    let program = format!(
        "import os\nos.execve('/usr/bin/python3', ['python3', '-c', {FORKS:?}],\n\
        dict(os.environ, ANCHOR_PID=str(os.getpid()), LD_PRELOAD={:?}))",
        LIBRARY.to_str().unwrap()
    );
    let mut command = Command::new("/usr/bin/python3");
    without_library(command.args(["-c", &program]));
    let mut tree = Echo::spawn(&mut command);
    let child: i32 = tree.line().parse().unwrap();
    wait_until_armed(child);
    assert_eq!(watcher(tree.owned.pid()), None);
    tree.assert_lives();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(tree.owned.pid()), Signal::SIGKILL).unwrap();
    tree.wait_for_end();
    assert_signalled(child, Signal::SIGTERM);
}

// test -> sleep (anchor)
//      -> unshare (host) -> cat (PID 1 of its own namespace: the anchor's number means nothing there)
#[test]
fn a_host_in_another_pid_namespace_lives() {
    let mut anchor = sibling();
    let mut command = Command::new("unshare");
    // The signal is one that unshare ignores, so that it stays to hold the namespace.
    anchored(
        command.args(["--pid", "--fork", "--mount-proc", "cat"]),
        anchor.pid(),
    )
    .env("ANCHOR_SIGNAL", "CHLD")
    .env("ANCHOR_GRACE", "never");
    let mut tree = Echo::spawn(&mut command);
    tree.assert_lives();
    anchor.kill_and_reap();
    tree.assert_lives();
}

#[test]
fn the_identity_is_pinned_and_inherited() {
    let anchor = sibling();
    let print = "import os, subprocess, sys\n\
        print(os.environ.get('ANCHOR_ID'), os.environ.get('ANCHOR_SCOPE'), flush=True)\n\
        subprocess.run(['sh', '-c', 'echo $ANCHOR_ID'])";
    let mut host = Echo::spawn(&mut python(anchor.pid(), print));
    assert_eq!(host.line(), format!("{} None", full_identity(anchor.pid())));
    assert_eq!(host.line(), full_identity(anchor.pid()));
}

// bash writes into its environment while it reads it, node copies it, perl frees it: none may mind where it is.
#[test]
fn a_pinned_environment_is_a_normal_one() {
    let anchor = sibling();
    for (program, arguments) in [
        ("bash", ["-c", "echo $KEPT; X=1 env | sort | grep -c ^ANCHOR_ID="]),
        ("sh", ["-c", "echo $KEPT; X=1 env | sort | grep -c ^ANCHOR_ID="]),
        (
            "perl",
            [
                "-e",
                "$ENV{X}=1; delete $ENV{Y}; print \"$ENV{KEPT}\\n\"; system('env | grep -c ^ANCHOR_ID=')",
            ],
        ),
        (
            "node",
            [
                "-e",
                "console.log(process.env.KEPT); process.env.X = 1; \
            require('child_process').execFileSync('sh', ['-c', 'env | grep -c ^ANCHOR_ID='], {stdio: 'inherit'})",
            ],
        ),
    ] {
        if !have(program) {
            continue;
        }
        let mut command = Command::new(program);
        anchored(command.args(arguments), anchor.pid())
            .env("KEPT", "kept")
            .env("Y", "1");
        assert_eq!(
            String::from_utf8(command.output().unwrap().stdout).unwrap(),
            "kept\n1\n",
            "{program}"
        );
    }
}

// test -> sleep (anchor)
//      -> sh, then env, then cat (host: one process, three programs)
//      -> ... -> cat (not a host: a child of the one that is)
#[test]
fn scope_self_is_one_process_across_its_execs() {
    let mut anchor = sibling();
    let mut command = Command::new("sh");
    let script = "exec 3<&0; cat <&3 & echo $! $$ >&2; exec env nice sleep 1000";
    anchored(command.args(["-c", script]), anchor.pid()).env("ANCHOR_SCOPE", "self");
    let (mut tree, mut said) = Echo::spawn_with_errors(&mut command);
    let numbers = said.numbers();
    let [child, host] = numbers[..] else {
        panic!("{numbers:?}")
    };
    tree.assert_lives();
    wait_until_armed(host);
    assert_eq!(watcher(child), None);
    anchor.kill_and_reap();
    assert_signalled(host, Signal::SIGTERM);
    tree.assert_lives();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child), Signal::SIGKILL).unwrap();
    wait(child);
}

#[test]
fn the_off_switch_is_off() {
    let mut anchor = sibling();
    let mut host = Echo::spawn(anchored(&mut Command::new("cat"), anchor.pid()).env("ANCHOR_DISABLE", "1"));
    host.assert_lives();
    assert_eq!(watcher(host.owned.pid()), None);
    anchor.kill_and_reap();
    host.assert_lives();
}

#[test]
fn the_log_tells_the_events() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut anchor = sibling();
    let program = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\nsignal.pause()";
    let mut command = python(anchor.pid(), program);
    let mut host = Echo::spawn(command.env("ANCHOR_LOG", &log).env("ANCHOR_GRACE", "50ms"));
    assert_eq!(host.line(), "ready");
    let (host_pid, anchor_pid) = (host.owned.pid(), anchor.pid());
    wait_until("armed", || {
        std::fs::read_to_string(&log).is_ok_and(|text| text.contains("armed"))
    });
    anchor.kill_and_reap();
    host.wait_for_end();
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let head = |what| format!("libanchor[{host_pid}]: {what}: anchor {anchor_pid}: ");
    assert_eq!(
        lines,
        [
            head("armed") + "thread with pidfd, no PDEATHSIG (not the anchor's child), grace 50ms",
            head("fired") + "gone; asking with SIGTERM, SIGKILL after 50ms",
            head("escalated") + "SIGKILL, still alive after 50ms",
        ]
    );
}

// The watcher has no descriptor 2 of its own, and a pipe that is full must not hold it.
#[test]
fn a_full_stderr_holds_nobody() {
    let mut anchor = sibling();
    let mut command = python(
        anchor.pid(),
        "import os\nos.set_blocking(2, False)\n\
        try:\n  while True: os.write(2, b'x' * 4096)\nexcept BlockingIOError: pass\n\
        os.set_blocking(2, True)\nos.write(1, b'full\\n')\nos.read(0, 1)",
    );
    let mut host = Echo::spawn(
        command
            .env("ANCHOR_LOG", "stderr")
            .stderr(std::process::Stdio::piped()),
    );
    assert_eq!(host.line(), "full");
    anchor.kill_and_reap();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}
