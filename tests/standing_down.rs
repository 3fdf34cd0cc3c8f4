//! Calls that one more thread would break, and credentials that nobody may keep.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use std::path::Path;
use std::process::{Command, Output};
use support::*;

/// Runs a program of `tests/programs` with and without the library.
fn both(name: &str, arguments: &[&str], user: Option<&str>) -> (Output, Output) {
    let anchor = sibling();
    let path = program(name, &[]);
    let command = || match user {
        None => Command::new(&path),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", user, "--regid", user, "--clear-groups"])
                .arg(&path);
            command
        }
    };
    let with = anchored(command().args(arguments), anchor.pid())
        .output()
        .unwrap();
    let without = without_library(command().args(arguments)).output().unwrap();
    (with, without)
}

fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    format!("{}{:?}", String::from_utf8(all).unwrap(), output.status)
}

#[test]
fn twenty_thousand_forks_each_get_their_user_namespace() {
    let (with, _) = both("userns", &["20000"], None);
    println!("{}", String::from_utf8_lossy(&with.stdout).trim());
    assert_eq!(with.stdout, b"20000 of 20000\n", "{}", text(&with));
}

#[test]
fn ten_thousand_changes_of_credentials_leave_nobody_behind() {
    let (with, without) = both("credentials", &["10000"], None);
    println!("{}", String::from_utf8_lossy(&with.stdout).trim());
    let all_well = "10000 changes, 0 failed, 0 tasks with old ids, 0 with capabilities, ";
    assert_eq!(
        String::from_utf8_lossy(&with.stdout),
        format!("{all_well}2 to 2 tasks\n"),
        "{}",
        text(&with)
    );
    assert_eq!(
        String::from_utf8_lossy(&without.stdout),
        format!("{all_well}1 to 1 tasks\n")
    );
}

// Results, errno and what has changed: of each function, with good and bad arguments.
#[test]
fn every_wrapped_call_does_what_it_did() {
    for user in [None, Some("65534")] {
        let (with, without) = both("calls", &[], user);
        assert_eq!(text(&with), text(&without), "{user:?}");
        assert!(text(&with).lines().count() > 40, "{}", text(&with));
    }
}

/// A host in Python that does `first` and then echoes.
fn python(first: &str) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    let echo = "for line in sys.stdin: print(line, end='', flush=True)";
    command.args([
        "-c",
        &format!("import ctypes, os, signal, sys, subprocess\n{first}\n{echo}"),
    ]);
    command
}

const DROP: &str = "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)";

fn status_line(folder: &Path, name: &str) -> String {
    let status = std::fs::read_to_string(folder.join("status")).unwrap();
    status
        .lines()
        .find(|line| line.starts_with(name))
        .unwrap()
        .to_owned()
}

// test -> sleep (anchor)
//      -> python (host, becomes nobody)
#[test]
fn a_host_that_gave_up_root_is_watched_as_what_it_is() {
    let mut anchor = sibling();
    let mut host = Echo::spawn(anchored(&mut python(DROP), anchor.pid())).armed();
    let task = watcher(host.owned.pid()).unwrap();
    for (line, value) in [
        ("Uid:", "65534\t65534\t65534\t65534"),
        ("Gid:", "65534\t65534\t65534\t65534"),
        ("Groups:", " "),
        ("CapPrm:", "0000000000000000"),
        ("CapEff:", "0000000000000000"),
    ] {
        assert_eq!(status_line(&task, line), format!("{line}\t{value}"));
    }
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// The successor must not need /proc to know the anchor, nor may it see more of the file system than its host.
#[test]
fn a_host_that_locked_itself_up_is_watched_still() {
    let (mut anchor, cage) = (sibling(), tempfile::tempdir().unwrap());
    let first = format!("os.chroot('{}'); os.chdir('/'); {DROP}", cage.path().display());
    let mut host = Echo::spawn(anchored(&mut python(&first), anchor.pid())).armed();
    let root = std::fs::read_link(watcher(host.owned.pid()).unwrap().join("root")).unwrap();
    assert_eq!(root, cage.path().canonicalize().unwrap());
    host.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

const READ_PDEATHSIG: &str =
    "value = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(value)); print(value.value, flush=True)";

/// A host that is the direct child of its anchor, which is a shell: `test -> sh (anchor) -> python (host)`.
fn direct_child(first: &str, log: &Path) -> (Echo, i32) {
    let mut command = Command::new("sh");
    let script = "export ANCHOR_PID=$$; exec 3<&0; LD_PRELOAD=$LIBRARY \"$@\" <&3 & echo $! >&2; wait";
    let host = python(first);
    without_library(&mut command)
        .args(["-c", script, "sh"])
        .arg(host.get_program())
        .args(host.get_args())
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("ANCHOR_GRACE", "120s")
        .env("ANCHOR_LOG", log);
    let (tree, mut said) = Echo::spawn_with_errors(&mut command);
    let host = said.number();
    (tree, host)
}

// A change of credentials clears PDEATHSIG in the kernel; where it was ours it is set again, and the host is asked once.
#[test]
fn pdeathsig_comes_back_after_a_change_of_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let first = format!(
        "asked = 0\ndef ask(*_):\n global asked\n asked += 1\n\
         signal.signal(signal.SIGTERM, ask)\n{READ_PDEATHSIG}\n{DROP}\n{READ_PDEATHSIG}\n\
         os.close(0) if False else None\n\
         import time\nwhile not asked: time.sleep(0.01)\n\
         import time; time.sleep(0.2); print('asked', asked, flush=True); os._exit(7)"
    );
    for _ in 0..10 {
        let (mut tree, host) = direct_child(&first, &folder.path().join("log"));
        assert_eq!((tree.line().as_str(), tree.line().as_str()), ("15", "15"));
        wait_until_armed(host);
        tree.owned.kill_and_reap();
        assert_eq!(tree.line(), "asked 1");
        assert!(matches!(wait(host), WaitStatus::Exited(_, 7)));
    }
}

// After unshare(CLONE_NEWPID) no thread can be made: said in the log, and what the kernel guards stays guarded.
#[test]
fn without_a_successor_pdeathsig_stays() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let first = format!("assert ctypes.CDLL(None).unshare(0x30000000) == 0\n{READ_PDEATHSIG}");
    let (mut tree, host) = direct_child(&first, &log);
    assert_eq!(tree.line(), "15");
    tree.assert_lives();
    assert_eq!(watcher(host), None);
    let said = std::fs::read_to_string(&log).unwrap();
    let expected = "no thread could be made after that; PDEATHSIG SIGTERM stays, no grace";
    assert!(said.contains(expected), "{said}");
    tree.owned.kill_and_reap();
    tree.wait_for_end();
    assert_signalled(host, Signal::SIGTERM);
}

// unshare(CLONE_NEWPID) alone needs nobody to leave: then nobody does.
#[test]
fn the_last_watcher_is_kept() {
    let mut anchor = sibling();
    let first =
        "assert ctypes.CDLL(None).unshare(0x20000000) == 0\nassert ctypes.CDLL(None).unshare(0x20000) == 0";
    let mut host = Echo::spawn(anchored(&mut python(first), anchor.pid())).armed();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// A host that goes to another network namespace leaves nothing behind that keeps the old one alive.
#[test]
fn the_watcher_follows_into_namespaces() {
    let anchor = sibling();
    let first = "assert ctypes.CDLL(None).unshare(0x40020000) == 0"; // CLONE_NEWNET | CLONE_NEWNS
    let host = Echo::spawn(anchored(&mut python(first), anchor.pid())).armed();
    let task = watcher(host.owned.pid()).unwrap();
    for namespace in ["net", "mnt"] {
        let of = |folder: &Path| std::fs::read_link(folder.join("ns").join(namespace)).unwrap();
        let own = of(Path::new("/proc/self"));
        assert_eq!(of(&task), of(format!("/proc/{}", host.owned.pid()).as_ref()));
        assert_ne!(of(&task), own);
    }
}

// subprocess uses vfork and changes ids in the child, which shares our memory but has no watcher.
#[test]
fn a_child_of_vfork_dismisses_nobody() {
    let mut anchor = sibling();
    let first = "tasks = os.listdir('/proc/self/task')\n\
        print(subprocess.run(['id', '-u'], user=1234, group=1234, extra_groups=[], capture_output=True).stdout)\n\
        assert os.listdir('/proc/self/task') == tasks, tasks\nassert len(tasks) == 2";
    let mut host = Echo::spawn(anchored(&mut python(first), anchor.pid()));
    assert_eq!(host.line(), "b'1234\\n'");
    let mut host = host.armed();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// The anchor dies at any moment of any change, whoever is on duty: the host is asked, once.
#[test]
fn a_host_in_the_middle_of_a_change_is_asked_once() {
    let path = program("flip", &["-pthread"]);
    for round in 0..30 {
        let mut anchor = sibling();
        let threads = ["0", "1", "4"][round % 3];
        let mut command = Command::new(&path);
        // It goes on for as long as some hundred changes take.
        anchored(command.arg(threads), anchor.pid()).env("ANCHOR_GRACE", "120s");
        let mut host = Echo::spawn(&mut command);
        assert_eq!(host.line(), "ready");
        for _ in 0..round * 7 {
            std::hint::spin_loop();
        }
        anchor.kill_and_reap();
        assert_eq!(host.line(), "asked 1", "round {round}, {threads} threads");
        assert!(matches!(host.wait(), WaitStatus::Exited(_, 7)));
    }
}

// Somebody sends the host the very signal that is our bell: it stays the host's, and nobody spins.
#[test]
fn the_bell_is_not_taken_from_the_host() {
    let mut anchor = sibling();
    let first = format!(
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSTKFLT])\n\
         os.kill(os.getpid(), signal.SIGSTKFLT)\n{DROP}\nassert signal.SIGSTKFLT in signal.sigpending()\n\
         os.setresuid(65534, 65534, 65534)\nassert signal.SIGSTKFLT in signal.sigpending()"
    );
    let mut host = Echo::spawn(anchored(&mut python(&first), anchor.pid()));
    host.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// Nor can the host silence it.
#[test]
fn an_ignored_bell_is_heard() {
    let anchor = sibling();
    let first = format!(
        "signal.signal(signal.SIGSTKFLT, signal.SIG_IGN)\n{DROP}\nsignal.signal(signal.SIGSTKFLT, signal.SIG_DFL)"
    );
    let host = Echo::spawn(anchored(&mut python(&first), anchor.pid())).armed();
    let task = watcher(host.owned.pid()).unwrap();
    assert_eq!(status_line(&task, "Uid:"), "Uid:\t65534\t65534\t65534\t65534");
}

// A grace that has begun goes on over a change of credentials, and ends when it would have.
#[test]
fn the_grace_survives_a_change_of_watchers() {
    let mut anchor = sibling();
    let first = "signal.signal(signal.SIGTERM, lambda *_: os.seteuid(65534))\nprint('ready', flush=True)\n\
                 import time\nwhile True: time.sleep(0.01)";
    let mut host = Echo::spawn(anchored(&mut python(first), anchor.pid()).env("ANCHOR_GRACE", "300ms"));
    assert_eq!(host.line(), "ready");
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGKILL);
}

// No C library, so nobody who could be asked for the real function: the system call itself. (The program is of x86-64.)
#[cfg(target_arch = "x86_64")]
#[test]
fn a_host_without_a_c_library_gets_the_system_call() {
    let loader = "-Wl,--dynamic-linker=/lib64/ld-linux-x86-64.so.2";
    let flags = [
        "-nostdlib",
        "-pie",
        "-fpie",
        "-fno-plt",
        "-Wl,-z,dynamic-undefined-weak",
        loader,
    ];
    let (path, anchor) = (program("bare", &flags), sibling());
    let output = anchored(&mut Command::new(path), anchor.pid()).output().unwrap();
    assert_eq!(output.status.code(), Some(42), "{output:?}");
}

#[test]
fn the_same_in_a_musl_program() {
    if !have("musl-gcc") {
        return;
    }
    let anchor = sibling();
    for (name, argument, expected) in [
        ("userns", "500", "500 of 500\n".to_owned()),
        (
            "credentials",
            "500",
            "500 changes, 0 failed, 0 tasks with old ids, 0 with capabilities, 2 to 2 tasks\n".to_owned(),
        ),
    ] {
        let path = program(name, &[]).with_file_name(format!("{name}-musl"));
        let source = format!("{}/tests/programs/{name}.c", env!("CARGO_MANIFEST_DIR"));
        assert!(
            Command::new("musl-gcc")
                .arg("-o")
                .arg(&path)
                .arg(source)
                .status()
                .unwrap()
                .success()
        );
        let output = anchored(Command::new(&path).arg(argument), anchor.pid())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
    }
}
