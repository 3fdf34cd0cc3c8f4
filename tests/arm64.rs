//! The arm64 library in an emulator: Debian's own programs, two C libraries, and every rung that an emulator has.
//!
//! Anchors are processes of this machine unless a tree says otherwise; hosts are arm64 programs, which the emulator
//! runs one in a process. What it has of the kernel is this machine's, so all the tests' means work.
//!
//! `LIBANCHOR_CROSS` is a folder with `aarch64-unknown-linux-gnu/libanchor.so` in it.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use once_cell::sync::Lazy;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::filter::refuse;
use support::*;

static CROSS: Lazy<PathBuf> = Lazy::new(|| {
    let folder = std::env::var_os("LIBANCHOR_CROSS").expect("LIBANCHOR_CROSS: not set: run scripts/cross");
    Path::new(&folder).canonicalize().unwrap()
});

/// The library that ships for arm64.
static ARM64: Lazy<PathBuf> = Lazy::new(|| {
    let library = CROSS.join("aarch64-unknown-linux-gnu/libanchor.so");
    assert!(
        library.exists(),
        "{}: not there: run scripts/cross",
        library.display()
    );
    library
});

/// Userlands and the emulator.
static ROOT: Lazy<PathBuf> = Lazy::new(|| {
    let root = CROSS.join("arm64-root");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/debian-root");
    let mut made = Command::new(script);
    assert!(made.arg("arm64").arg(&root).status().unwrap().success());
    root
});

const ECHO: [&str; 2] = ["bin/busybox", "cat"];

/// A program and its arguments in the emulator. The program is a file of the userland (`gnu` or `musl`) or a path of
/// this machine's; its loader and libraries are the userland's.
fn emulated(userland: &str, words: &[&str]) -> Command {
    let prefix = ROOT.join(userland);
    let mut command = Command::new(ROOT.join("qemu-aarch64"));
    let program = prefix.join(words[0]);
    without_library(command.arg(program).args(&words[1..])).env("QEMU_LD_PREFIX", prefix);
    command
}

/// Puts the library into whatever is emulated from here on. The emulator itself would be told by its own loader that
/// this is another machine's.
fn with_arm64_library(command: &mut Command) -> &mut Command {
    command.env("QEMU_SET_ENV", format!("LD_PRELOAD={}", ARM64.display()))
}

fn arm64_anchored(command: &mut Command, anchor: i32) -> &mut Command {
    with_arm64_library(command).env("ANCHOR_PID", anchor.to_string())
}

/// A program of `tests/programs` for arm64 and its C library.
fn arm64_program(name: &str) -> String {
    let path = compiled("aarch64-linux-gnu-gcc", name, name, &["-pthread"]);
    path.to_string_lossy().into_owned()
}

// test -> sleep (anchor)
//      -> host, control
fn ends_with_its_anchor(host: impl Fn() -> Command) {
    let mut anchor = sibling();
    let mut control = Echo::spawn(&mut host());
    let mut host = Echo::spawn(arm64_anchored(&mut host(), anchor.pid())).armed();
    control.assert_lives();
    host.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    control.assert_lives();
}

#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn the_file_is_what_it_is_on_other_machines() {
    elf::assert_asks_nothing_of_a_loader(&ARM64);
    elf::assert_imports_and_exports_what_is_on_the_lists(&ARM64);
    assert!(elf::readelf("-h", &ARM64).contains("AArch64"));
    // Kernels with pages of 64 KiB load nothing that is laid out for smaller ones.
    let segments = elf::readelf("-l", &ARM64);
    let mut loaded = segments.lines().filter(|line| line.contains(" LOAD "));
    assert!(loaded.all(|line| line.ends_with("0x10000")), "{segments}");
}

#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn a_compiled_program_ends_with_its_anchor() {
    let program = arm64_program("echo");
    ends_with_its_anchor(|| emulated("gnu", &[&program]));
}

#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn debians_programs_end_with_their_anchor() {
    let python = "import sys\nfor line in iter(sys.stdin.readline, ''): print(line, end='', flush=True)";
    let programs: [&[&str]; 5] = [
        &ECHO,
        &["bin/cat"],
        &["bin/dash", "-c", "while read -r line; do echo \"$line\"; done"],
        &["usr/bin/perl", "-e", "$| = 1; print while <STDIN>"],
        &["usr/bin/python3.11", "-c", python],
    ];
    for program in programs {
        ends_with_its_anchor(|| emulated("gnu", program));
    }
}

#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn a_musl_program_ends_with_its_anchor() {
    let musl = ROOT.join("musl");
    let part = |name: &str| musl.join(name).to_string_lossy().into_owned();
    let object = |name: &str| part(&format!("usr/lib/aarch64-linux-musl/{name}"));
    let headers = part("usr/include/aarch64-linux-musl");
    let folder = format!("-L{}", part("lib/aarch64-linux-musl"));
    let [start, first, last] = ["Scrt1.o", "crti.o", "crtn.o"].map(object);
    let loader = "-Wl,--dynamic-linker=/lib/ld-musl-aarch64.so.1";
    let words = [
        "-nostdinc",
        "-isystem",
        &headers,
        "-nostdlib",
        "-fPIE",
        "-pie",
        loader,
    ];
    let parts = [&*start, &first, &folder, "-lc", &last];
    let program = compiled(
        "aarch64-linux-gnu-gcc",
        "echo",
        "echo-musl",
        &[&words[..], &parts].concat(),
    );
    assert!(elf::readelf("-l", &program).contains("ld-musl-aarch64"));
    let program = program.to_string_lossy().into_owned();
    ends_with_its_anchor(|| emulated("musl", &[&program]));
}

/// `test -> sh -> ... -> host`: the shell exports its number as the anchor's; the script gets the host's command as
/// its arguments and this tree's input as descriptor 3.
fn below(script: &str, host: &[&str], with_library: bool) -> Command {
    let template = emulated("gnu", host);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!("exec 3<&0 </dev/null; export ANCHOR_PID=$$; {script}"),
            "sh",
        ])
        .arg(template.get_program())
        .args(template.get_args());
    without_library(&mut command).env("QEMU_LD_PREFIX", ROOT.join("gnu"));
    if with_library {
        with_arm64_library(&mut command);
    }
    command
}

const CHILD: &str = "\"$@\" <&3 & echo $! >&2; wait";
// test -> sh (anchor) -> sh -> host
const GRANDCHILD: &str = "sh -c '\"$@\" <&3 & echo $! >&2; wait' sh \"$@\" & wait";
// test -> sh (anchor) -> setsid -> host (in a session of its own, child of the test by then)
const SESSION: &str = "(setsid sh -c 'echo $$ >&2; exec \"$@\"' sh \"$@\" <&3 &); exec sleep 1000";

// Reaped or not: the tree's end is seen while its zombie is still there, too.
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn ends_with_a_parent_or_further_up_reaped_or_not() {
    for script in [CHILD, GRANDCHILD, SESSION] {
        for reaped in [true, false] {
            let (mut tree, mut said) = Echo::spawn_with_errors(&mut below(script, &ECHO, true));
            let host = said.number();
            tree.assert_lives();
            wait_until_armed(host);
            if reaped {
                tree.owned.kill_and_reap();
            } else {
                tree.owned.kill();
            }
            tree.wait_for_end();
            wait_for_exit(host);
        }
        let (mut control, mut said) = Echo::spawn_with_errors(&mut below(script, &ECHO, false));
        let host = said.number();
        control.assert_lives();
        control.owned.kill_and_reap();
        control.assert_lives();
        kill(Pid::from_raw(host), Signal::SIGKILL).unwrap();
    }
}

// test -> sleep (anchor, a zombie)
//      -> host
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn ends_when_the_anchor_is_a_zombie() {
    let mut anchor = sibling();
    let mut host = Echo::spawn(arm64_anchored(&mut emulated("gnu", &ECHO), anchor.pid())).armed();
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
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn an_anchor_that_was_dead_before_is_dead() {
    let mut anchor = sibling();
    anchor.kill_and_reap();
    let mut command = emulated("gnu", &["bin/busybox", "echo", "must not run"]);
    let mut host = Echo::spawn(arm64_anchored(&mut command, anchor.pid()));
    assert_eq!(host.line(), "");
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

fn log_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

// Both guards ask, but the host is asked once: its handler, which changes the host's ids at once, counts.
// test -> sh (anchor) -> handler (host)
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn a_direct_child_is_asked_once_by_the_kernel() {
    let program = arm64_program("handler");
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let mut command = below("\"$@\" <&3 & wait", &[&program], true);
        let mut tree = Echo::spawn(command.env("ANCHOR_LOG", folder.path().join("log")));
        assert_eq!(tree.line(), "ready");
        let armed = "thread with pidfd, PDEATHSIG SIGTERM, grace 10s\n";
        wait_until("PDEATHSIG in the log", || log_of(folder.path()).ends_with(armed));
        tree.owned.kill_and_reap();
        assert_eq!(tree.line(), "asked 1");
    }
}

// test -> sleep (anchor)
//      -> python3 (host) -> python3 (host too, forked without exec)
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn a_forked_child_is_armed_too() {
    let program = "import os, sys\nif child := os.fork():\n print(child, flush=True)\n os.read(os.pipe()[0], 1)\n\
        for line in iter(sys.stdin.readline, ''): print(line, end='', flush=True)";
    let words = ["usr/bin/python3.11", "-c", program];
    let start = |command: &mut Command| {
        let mut host = Echo::spawn(command);
        let child: i32 = host.line().parse().unwrap();
        host.assert_lives();
        (host, child)
    };
    let mut anchor = sibling();
    let (mut host, child) = start(arm64_anchored(&mut emulated("gnu", &words), anchor.pid()));
    let (mut control, controls_child) = start(&mut emulated("gnu", &words));
    wait_until_armed(host.owned.pid());
    wait_until_armed(child);
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    assert_signalled(child, Signal::SIGTERM);
    control.assert_lives();
    kill(Pid::from_raw(controls_child), Signal::SIGKILL).unwrap();
}

// A kernel before 5.3.
// test -> sleep (anchor, then a zombie)
//      -> host
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn polls_where_there_is_no_pidfd() {
    let folder = tempfile::tempdir().unwrap();
    let mut anchor = sibling();
    let mut command = emulated("gnu", &ECHO);
    arm64_anchored(&mut command, anchor.pid())
        .env("ANCHOR_POLL", "10ms")
        .env("ANCHOR_LOG", folder.path().join("log"));
    let mut host = Echo::spawn(refuse(&mut command, libc::SYS_pidfd_open, libc::ENOSYS));
    host.assert_lives();
    wait_until("the rung in the log", || {
        log_of(folder.path()).contains("thread that polls /proc every 10ms")
    });
    host.assert_lives();
    anchor.kill();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// test -> sleep (anchor)
//      -> dash (host, will not end)
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn a_host_that_will_not_end_is_killed_after_the_grace() {
    let words = [
        "bin/dash",
        "-c",
        "trap '' TERM; while read -r line; do echo \"$line\"; done",
    ];
    let mut anchor = sibling();
    let mut command = emulated("gnu", &words);
    arm64_anchored(&mut command, anchor.pid()).env("ANCHOR_GRACE", "100ms");
    let mut host = Echo::spawn(&mut command).armed();
    let mut control = Echo::spawn(&mut emulated("gnu", &words));
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGKILL);
    control.assert_lives();
}

#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn a_bad_value_is_one_line_and_the_program_runs() {
    let mut command = emulated("gnu", &["bin/busybox", "echo", "ran"]);
    with_arm64_library(&mut command).env("ANCHOR_PID", "abc");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("ANCHOR_PID: abc: want "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!((&*output.stdout, output.status.code()), (&b"ran\n"[..], Some(0)));
    let output = command.env("ANCHOR_STRICT", "1").output().unwrap();
    assert_eq!((&*output.stdout, output.status.code()), (&b""[..], Some(125)));
}

/// The user ids of a process or thread, as proc_pid_status(5) has them.
fn users(folder: &Path) -> String {
    let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
    let mut lines = status.lines();
    lines
        .find(|line| line.starts_with("Uid:"))
        .unwrap_or_default()
        .to_owned()
}

// test -> sleep (anchor)
//      -> python3 (host)
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn the_watcher_follows_a_change_of_ids() {
    let program = "import os, sys\nfor line in iter(sys.stdin.readline, ''):\n\
        \x20os.seteuid(int(line))\n print(os.geteuid(), flush=True)";
    let mut anchor = sibling();
    let mut command = emulated("gnu", &["usr/bin/python3.11", "-c", program]);
    let mut host = Echo::spawn(arm64_anchored(&mut command, anchor.pid()));
    for user in ["0", "1000", "0", "65534"] {
        host.send(user);
        assert_eq!(host.line(), user);
        let pid = host.owned.pid();
        wait_until_armed(pid);
        let found = users(&watcher(pid).unwrap());
        assert_eq!(found, format!("Uid:\t0\t{user}\t0\t{user}"));
        assert_eq!(users(Path::new(&format!("/proc/{pid}"))), found);
    }
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// The anchor dies at any moment of any change, made by one thread or five: the host is asked, once.
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn a_host_in_the_middle_of_a_change_is_asked_once() {
    let program = arm64_program("flip");
    for threads in ["0", "1", "4"] {
        let mut anchor = sibling();
        let mut command = emulated("gnu", &[&program, threads]);
        arm64_anchored(&mut command, anchor.pid()).env("ANCHOR_GRACE", "120s");
        let mut host = Echo::spawn(&mut command);
        assert_eq!(host.line(), "ready");
        anchor.kill_and_reap();
        assert_eq!(host.line(), "asked 1", "{threads} threads");
        assert!(matches!(host.wait(), WaitStatus::Exited(_, 7)));
    }
}

// Results, errno and ids of every wrapped call, with good and bad arguments, are what they are without the library.
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn wrapped_calls_answer_as_they_would() {
    let (program, folder) = (arm64_program("calls"), tempfile::tempdir().unwrap());
    let anchor = sibling();
    let without = emulated("gnu", &[&program]).output().unwrap();
    let mut with = emulated("gnu", &[&program]);
    arm64_anchored(&mut with, anchor.pid()).env("ANCHOR_LOG", folder.path().join("log"));
    let with = with.output().unwrap();
    assert!(log_of(folder.path()).contains("]: armed: "));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text(&without.stdout).lines().count() > 40);
    assert_eq!(text(&with.stdout), text(&without.stdout));
    assert_eq!(
        (text(&with.stderr), with.status),
        (text(&without.stderr), without.status)
    );
}

/// What binfmt_misc is told: whatever begins as an arm64 program does is the emulator's, which is opened now.
const FORMAT: &str = r":arm64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:";

/// An arm64 shell in a root of its own, where every program is arm64: in a user and a mount namespace, so that nothing
/// of this machine is changed.
fn in_arm64_root(script: &str) -> Command {
    let enter = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
        printf %s \"$FORMAT\" >/proc/sys/fs/binfmt_misc/register
        mount --rbind /dev \"$ROOT/dev\"
        mount --rbind /proc \"$ROOT/proc\"
        mount -t tmpfs none \"$ROOT/mnt\"
        cp \"$LIBRARY\" \"$ROOT/mnt/libanchor.so\"
        exec chroot \"$ROOT\" /bin/sh -c \"$SCRIPT\"";
    let mut command = Command::new("unshare");
    without_library(command.args(["--map-root-user", "--mount", "sh", "-ec", enter]))
        .env(
            "FORMAT",
            format!("{FORMAT}{}:F", ROOT.join("qemu-aarch64").display()),
        )
        .env("ROOT", ROOT.join("gnu"))
        .env("LIBRARY", &*ARM64)
        .env("SCRIPT", script);
    command
}

/// The processes below one, however far.
fn descendants(pid: i32) -> Vec<i32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().map(|child| child.parse().unwrap());
    children
        .flat_map(|child: i32| [vec![child], descendants(child)].concat())
        .collect()
}

// All of it arm64:
// test -> sh (anchor) -> sh -> cat, busybox cat, sh (forked without exec)
#[test]
#[ignore = "run by scripts/cross: needs an arm64 library, compiler and emulator"]
fn a_pipeline_of_a_shell_ends_with_the_shell_above() {
    if !in_arm64_root("exit 0").status().unwrap().success() {
        left_out("a whole arm64 tree: no binfmt_misc in a user namespace (Linux 6.7)");
        return;
    }
    let tree = |variables: &str| {
        let pipeline = "cat <&3 | busybox cat | { while read -r line; do echo \"$line\"; done; }; :";
        let script = format!("exec 3<&0; {variables} sh -c '{pipeline}' & exec 3<&-; wait");
        let mut tree = Echo::spawn(&mut in_arm64_root(&script));
        tree.assert_lives();
        let below = descendants(tree.owned.pid());
        assert_eq!(below.len(), 4);
        (tree, below)
    };
    let (mut armed, below) = tree("export ANCHOR_PID=$$ LD_PRELOAD=/mnt/libanchor.so;");
    let (mut control, controls) = tree("");
    below.iter().for_each(|pid| wait_until_armed(*pid));
    armed.owned.kill_and_reap();
    armed.wait_for_end();
    below.iter().for_each(|pid| wait_for_exit(*pid));
    control.owned.kill_and_reap();
    control.assert_lives();
    controls
        .iter()
        .for_each(|pid| kill(Pid::from_raw(*pid), Signal::SIGKILL).unwrap());
}
