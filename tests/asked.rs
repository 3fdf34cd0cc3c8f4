//! How a host is ended: asked once, given its grace, then killed.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use std::path::Path;
use std::process::Command;
use support::*;

/// Longer than any machine takes until a host has told of what it was asked.
const LONG: &str = "120s";

/// A host with a SIGTERM handler that counts; it says how often it was asked when its input ends.
const COUNTS: &str = r#"
import os, signal, sys, time
asked = 0
def count(signum, frame):
    global asked
    asked += 1
signal.signal(signal.SIGTERM, count)
os.write(1, b"ready\n")
deadline = time.monotonic() + 60
while not asked and time.monotonic() < deadline:
    time.sleep(0.01)
# Whoever asks twice does so by now: the watcher is awake as soon as the kernel has asked.
for _ in range(5):
    time.sleep(0.01)
os.write(1, b"asked %d\n" % asked)
os._exit(asked)
"#;

const DEATHS: usize = 200;

// test -> python3 (anchor; its main thread makes the host, so PDEATHSIG is set) -> python3 (host)
#[test]
fn a_direct_child_is_asked_once() {
    let parallel = 20;
    for _ in 0..DEATHS / parallel {
        let mut trees: Vec<Echo> = (0..parallel).map(|_| direct_child(COUNTS)).collect();
        for tree in &mut trees {
            assert_eq!(tree.line(), "ready");
        }
        for tree in &mut trees {
            tree.owned.kill_and_reap();
        }
        for tree in &mut trees {
            assert_eq!(tree.line(), "asked 1");
        }
    }
}

/// `test -> sh (anchor) -> python3 (host)`, the host's output being the tree's.
fn direct_child(program: &str) -> Echo {
    direct_child_with(program, &[])
}

fn direct_child_with(program: &str, settings: &[(&str, &Path)]) -> Echo {
    let script =
        r#"export ANCHOR_PID=$$ LD_PRELOAD="$LIBRARY"; exec 3<&0; /usr/bin/python3 -c "$PROGRAM" <&3 & wait"#;
    let mut command = Command::new("sh");
    without_library(&mut command)
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("PROGRAM", program)
        .env("ANCHOR_GRACE", LONG)
        .envs(settings.iter().copied())
        .args(["-c", script]);
    Echo::spawn(&mut command)
}

/// An anchor that makes a host which holds one end of its pipe, and waits. What it is called is in `HOW`.
const HOLDS: &str = r#"
import os, subprocess, sys
hosts, anchors = os.pipe()
env = dict(os.environ, LD_PRELOAD=os.environ["LIBRARY"], ANCHOR_FD=str(hosts))
if "pid" in os.environ["HOW"]:
    env["ANCHOR_PID"] = str(os.getpid())
if "always" in os.environ["HOW"]:
    env["ANCHOR_PDEATHSIG"] = "always"
kernel = ["setpriv", "--pdeathsig", "TERM"] if "kernel" in os.environ["HOW"] else []
host = subprocess.Popen([*kernel, "/usr/bin/python3", "-c", os.environ["PROGRAM"]], env=env, pass_fds=[hosts])
if "lets go" in os.environ["HOW"]:
    sys.stdin.readline()
    os.close(anchors)
host.wait()
"#;

/// `test -> python3 (anchor, makes the host) -> python3 (host)`
fn holding(how: &str) -> Echo {
    let mut command = Command::new("/usr/bin/python3");
    without_library(&mut command)
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("PROGRAM", COUNTS)
        .env("ANCHOR_GRACE", LONG)
        .env("HOW", how)
        .args(["-c", HOLDS]);
    let mut tree = Echo::spawn(&mut command);
    assert_eq!(tree.line(), "ready", "{how}");
    tree
}

// An anchor that hangs up and lives: the kernel does not ask, though it was told to.
#[test]
fn a_host_whose_anchor_lets_go_is_asked_once() {
    for how in [
        "fd lets go",
        "fd pid lets go",
        "fd always lets go",
        "fd pid always lets go",
        "fd kernel lets go",
    ] {
        let mut tree = holding(how);
        tree.send("go");
        assert_eq!(tree.line(), "asked 1", "{how}");
    }
}

// The hang-up comes before the kernel asks, if it asks: not under `auto`; and always, where it was told to, or by
// whoever has started the host.
#[test]
fn a_host_that_hears_the_hang_up_is_asked_once() {
    let parallel = 20;
    for how in [
        "fd",
        "fd pid",
        "fd always",
        "fd pid always",
        "fd kernel",
        "fd pid kernel",
    ] {
        for _ in 0..DEATHS / parallel / 5 {
            let mut trees: Vec<Echo> = (0..parallel).map(|_| holding(how)).collect();
            for tree in &mut trees {
                tree.owned.kill_and_reap();
            }
            for tree in &mut trees {
                assert_eq!(tree.line(), "asked 1", "{how}");
            }
        }
    }
}

// A look into `/proc` is much where ten thousand hosts of one anchor want to end (scripts/load). A signal that waits for
// its turn says the same.
#[test]
fn a_host_for_which_the_signal_waits_is_not_looked_up() {
    let program = "import os, signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n\
        print(os.getpid(), flush=True)\nsys.stdin.readline()\n\
        print(signal.SIGTERM in signal.sigpending(), flush=True)\n\
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])\nprint('never', flush=True)";
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut tree = direct_child_with(program, &[("ANCHOR_LOG", &log)]);
    let host = tree.line().parse().unwrap();
    wait_until_armed(host);
    let account = watcher(host).unwrap().join("io");
    // Calls of read(2) and its like, proc_pid_io(5).
    let reads = || {
        let account = std::fs::read_to_string(&account).unwrap();
        let line = account.lines().find(|line| line.starts_with("syscr: "));
        line.expect("a kernel that counts").to_owned()
    };
    let before = reads();
    tree.owned.kill_and_reap();
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    wait_until("the watcher says so", || told().contains(" fired: "));
    assert!(told().contains("the kernel has asked"), "{}", told());
    assert_eq!(reads(), before);
    tree.send("go");
    assert_eq!(tree.line(), "True");
    tree.wait_for_end();
}

// The two guards are really both there: the host can see its parent death signal, the test its watcher.
#[test]
fn a_direct_child_has_both_guards() {
    let program = r"
import ctypes, os
value = ctypes.c_int()
ctypes.CDLL(None).prctl(2, ctypes.byref(value))
print(value.value, os.getpid(), flush=True)
input()
";
    let mut tree = direct_child(program);
    let line = tree.line();
    let (signal, pid) = line.split_once(' ').unwrap();
    assert_eq!(signal, "15");
    // It need not have run when the host's main begins.
    wait_until_armed(pid.parse().unwrap());
    tree.owned.kill_and_reap();
    tree.wait_for_end();
}

// PDEATHSIG follows the thread that made the child: one that ends must not end the child.
// test -> python3 (anchor) -> cat (host, made by a thread that ends)
#[test]
fn lives_when_the_thread_that_made_it_ends() {
    let program = r#"
import os, subprocess, threading
env = dict(os.environ, LD_PRELOAD=os.environ["LIBRARY"], ANCHOR_PID=str(os.getpid()))
thread = threading.Thread(target=lambda: subprocess.Popen(["cat"], env=env))
thread.start()
thread.join()
os.write(1, b"joined\n")
os.close(0), os.close(1)
threading.Event().wait()
"#;
    let mut command = Command::new("/usr/bin/python3");
    without_library(command.args(["-c", program])).env("LIBRARY", LIBRARY.as_os_str());
    let mut tree = Echo::spawn(&mut command);
    assert_eq!(tree.line(), "joined");
    tree.assert_lives();
    tree.owned.kill_and_reap();
    tree.wait_for_end();
}

fn python(anchor: &Owned, program: &str, settings: &[(&str, &str)]) -> Echo {
    let mut command = Command::new("/usr/bin/python3");
    anchored(command.args(["-c", program]), anchor.pid()).envs(settings.iter().copied());
    let mut host = Echo::spawn(&mut command);
    assert_eq!(host.line(), "ready");
    host
}

// This host needs two seconds.
#[test]
fn a_host_that_ends_itself_within_the_grace_keeps_its_status() {
    let mut anchor = sibling();
    let program = "import signal, sys, time, os\n\
        signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2), os.write(1, b'clean\\n'), os._exit(7)))\n\
        print('ready', flush=True)\nimport time\nwhile True: time.sleep(0.01)";
    let mut host = python(&anchor, program, &[("ANCHOR_GRACE", LONG)]);
    anchor.kill_and_reap();
    assert_eq!(host.line(), "clean");
    assert!(matches!(host.wait(), WaitStatus::Exited(_, 7)));
}

const IGNORES: &str = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
    print('ready', flush=True)\nimport time\nwhile True: time.sleep(0.01)";
const BLOCKS: &str = "import signal, threading\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n\
    [threading.Thread(target=threading.Event().wait, daemon=True).start() for _ in range(3)]\n\
    print('ready', flush=True)\nthreading.Event().wait()";
const OVERRUNS: &str = "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: time.sleep(1000))\n\
    print('ready', flush=True)\nimport time\nwhile True: time.sleep(0.01)";

#[test]
fn a_host_that_will_not_end_is_killed_after_the_grace() {
    for program in [IGNORES, BLOCKS, OVERRUNS] {
        let mut anchor = sibling();
        let mut host = python(&anchor, program, &[("ANCHOR_GRACE", "100ms")]);
        anchor.kill_and_reap();
        host.wait_for_end();
        assert_signalled(host.owned.pid(), Signal::SIGKILL);
    }
}

#[test]
fn grace_zero_is_sigkill() {
    let mut anchor = sibling();
    let host = python(&anchor, IGNORES, &[("ANCHOR_GRACE", "0")]);
    anchor.kill_and_reap();
    assert_signalled(host.owned.pid(), Signal::SIGKILL);
}

// The grace is as long as it is said to be: shorter would be a lie, longer may be a slow machine.
#[test]
fn the_default_grace_is_ten_seconds() {
    let mut anchor = sibling();
    let mut host = python(&anchor, IGNORES, &[]);
    let started = std::time::Instant::now();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert!(started.elapsed() >= std::time::Duration::from_secs(10));
    assert_signalled(host.owned.pid(), Signal::SIGKILL);
}

#[test]
fn grace_never_asks_and_leaves_it_at_that() {
    let mut anchor = sibling();
    // Python runs no handler for a signal that comes right before a read(2), until that returns.
    let program = "import signal, sys, time\nasked = []\nsignal.signal(signal.SIGTERM, lambda *_: asked.append(1))\n\
        print('ready', flush=True)\nwhile not asked: time.sleep(0.01)\nprint('asked', flush=True)\n\
        for line in sys.stdin: print(line, end='', flush=True)";
    let mut host = python(&anchor, program, &[("ANCHOR_GRACE", "never")]);
    anchor.kill_and_reap();
    assert_eq!(host.line(), "asked");
    wait_until("the watcher leaves", || watcher(host.owned.pid()).is_none());
    host.assert_lives();
}

#[test]
fn the_signal_is_the_one_that_was_named() {
    for (value, signal) in [
        ("INT", Signal::SIGINT),
        ("SIGUSR1", Signal::SIGUSR1),
        ("9", Signal::SIGKILL),
    ] {
        let mut anchor = sibling();
        let mut command = Command::new("cat");
        let mut host = Echo::spawn(anchored(&mut command, anchor.pid()).env("ANCHOR_SIGNAL", value)).armed();
        anchor.kill_and_reap();
        host.wait_for_end();
        assert_signalled(host.owned.pid(), signal);
    }
}

// test -> unshare -> sh, then cat (host, PID 1 of its namespace; no signal from inside ends it)
//                      -> sleep (anchor)
//                      -> sh (ends the anchor when it is told to)
#[test]
fn a_host_that_no_signal_ends_exits() {
    let folder = tempfile::tempdir().unwrap();
    let word = folder.path().join("word");
    nix::unistd::mkfifo(&word, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = "sleep 1000 & export ANCHOR_PID=$! LD_PRELOAD=$LIBRARY ANCHOR_GRACE=100ms; \
        (read go <\"$WORD\"; kill -9 $ANCHOR_PID) & exec cat";
    let mut command = Command::new("unshare");
    command.args([
        "--pid",
        "--fork",
        "--mount-proc",
        "--kill-child",
        "sh",
        "-c",
        script,
    ]);
    without_library(&mut command)
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("WORD", &word);
    let mut host = Echo::spawn(&mut command);
    host.assert_lives();
    std::fs::write(&word, "go\n").unwrap();
    host.wait_for_end();
    assert!(matches!(host.wait(), WaitStatus::Exited(_, 143)));
}
