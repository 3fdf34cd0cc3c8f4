//! The library for 32-bit programs, which a 64-bit x86 kernel runs as they are: in Debian's own, on two C libraries.
//!
//! Each program is in a root of its own, where every other one is a 32-bit one too; anchors are processes of this
//! machine unless a tree says otherwise.
//!
//! `LIBANCHOR_CROSS` is a folder with `i586-unknown-linux-gnu/libanchor.so` in it.

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

/// The library that ships for them.
static I386: Lazy<PathBuf> = Lazy::new(|| {
    let library = CROSS.join("i586-unknown-linux-gnu/libanchor.so");
    assert!(
        library.exists(),
        "{}: not there: run scripts/cross",
        library.display()
    );
    library
});

/// Userlands.
static ROOT: Lazy<PathBuf> = Lazy::new(|| {
    let root = CROSS.join("i386-root");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/debian-root");
    let mut made = Command::new(script);
    assert!(made.arg("i386").arg(&root).status().unwrap().success());
    root
});

const ECHO: [&str; 2] = ["busybox", "cat"];

/// One process all the way: it takes a root of its own, where the test's files are in `/mnt`, and becomes the program.
const ENTER: &str = r#"
    for folder in dev mnt proc; do
        mkdir -p "$ROOT/$folder"
    done
    mount --rbind /dev "$ROOT/dev"
    mount --rbind /proc "$ROOT/proc"
    mount -t tmpfs none "$ROOT/mnt"
    cp "$ROOT/../musl/lib/i386-linux-musl/libc.so" "$ROOT/mnt/ld-musl-i386.so.1"
    cp "$LIBRARY" "$ROOT/mnt/libanchor.so"
    [ -z "$PROGRAM" ] || cp "$PROGRAM" "$ROOT/mnt/program"
    exec chroot --userspec="$AS" "$ROOT" env $PRELOADS "$@"
"#;

fn entered(preloads: &str, words: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-euc", ENTER, "sh"]);
    without_library(command.args(words))
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("ROOT", ROOT.join("gnu"))
        .env("LIBRARY", &*I386)
        .env("PROGRAM", "")
        .env("AS", "0:0")
        .env("PRELOADS", preloads);
    command
}

fn control(words: &[&str]) -> Command {
    entered("", words)
}

fn host(words: &[&str], anchor: i32) -> Command {
    let mut command = entered("LD_PRELOAD=/mnt/libanchor.so", words);
    command.env("ANCHOR_PID", anchor.to_string());
    command
}

/// A program of `tests/programs`, which is then `/mnt/program`.
fn program(name: &str) -> PathBuf {
    let part = |path: &str| ROOT.join("gnu").join(path).to_string_lossy().into_owned();
    let (objects, own) = (
        part("usr/lib/i386-linux-gnu"),
        part("usr/lib/gcc/i686-linux-gnu/12"),
    );
    let words = [
        "-m32",
        "-pthread",
        &format!("--sysroot={}", part("")),
        "-isystem",
        &part("usr/include/i386-linux-gnu"),
        &format!("-B{own}"),
        &format!("-B{objects}"),
        &format!("-L{own}"),
        &format!("-L{objects}"),
        &format!("-L{}", part("lib/i386-linux-gnu")),
    ];
    compiled("gcc", name, name, &words)
}

// test -> sleep (anchor)
//      -> host, control
fn ends_with_its_anchor(words: &[&str], program: &Path) {
    let mut anchor = sibling();
    let mut other = Echo::spawn(control(words).env("PROGRAM", program));
    let mut host = Echo::spawn(host(words, anchor.pid()).env("PROGRAM", program)).armed();
    other.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    other.assert_lives();
}

#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn debians_programs_end_with_their_anchor() {
    let programs: [&[&str]; 4] = [
        &ECHO,
        &["cat"],
        &["dash", "-c", "while read -r line; do echo \"$line\"; done"],
        &["perl", "-e", "$| = 1; print while <STDIN>"],
    ];
    for words in programs {
        ends_with_its_anchor(words, Path::new(""));
    }
}

fn musl_program() -> PathBuf {
    let part = |path: &str| ROOT.join("musl").join(path).to_string_lossy().into_owned();
    let object = |name: &str| part(&format!("usr/lib/i386-linux-musl/{name}"));
    let [start, first, last] = ["Scrt1.o", "crti.o", "crtn.o"].map(object);
    let (headers, folder) = (
        part("usr/include/i386-linux-musl"),
        format!("-L{}", part("lib/i386-linux-musl")),
    );
    let words = [
        "-m32",
        "-nostdinc",
        "-isystem",
        &headers,
        "-nostdlib",
        "-fPIE",
        "-pie",
        "-fno-stack-protector",
        "-Wl,--dynamic-linker=/mnt/ld-musl-i386.so.1",
        &start,
        &first,
        &folder,
        "-lc",
        &last,
    ];
    compiled("gcc", "echo", "echo-musl", &words)
}

#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_musl_program_ends_with_its_anchor() {
    ends_with_its_anchor(&["/mnt/program"], &musl_program());
}

// The kernel's first calls for ids have room for 16 bits, and say 65534 for what does not fit.
#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_user_with_a_large_number_is_a_user() {
    for (words, program) in [(&["/mnt/program"][..], musl_program()), (&ECHO, PathBuf::new())] {
        let mut anchor = sibling();
        let mut command = host(words, anchor.pid());
        let command = command.env("PROGRAM", program).env("AS", "100000:100000");
        let mut host = Echo::spawn(command).armed();
        anchor.kill_and_reap();
        host.wait_for_end();
        assert_signalled(host.owned.pid(), Signal::SIGTERM);
    }
}

// test -> sleep (anchor)
//      -> sh (host) -> cat, busybox cat, sh (forked without exec)
#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_pipeline_ends_with_its_anchor() {
    let script = "cat | busybox cat | { while read -r line; do echo \"$line\"; done; }; :";
    let tree = |mut command: Command| {
        let mut tree = Echo::spawn(&mut command);
        tree.assert_lives();
        let pid = tree.owned.pid();
        let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let below: Vec<i32> = list.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        assert_eq!(below.len(), 3, "{list}");
        (tree, below)
    };
    let mut anchor = sibling();
    let (mut host, below) = tree(host(&["dash", "-c", script], anchor.pid()));
    let (mut other, _) = tree(control(&["dash", "-c", script]));
    wait_until_armed(host.owned.pid());
    below.iter().for_each(|pid| wait_until_armed(*pid));
    anchor.kill_and_reap();
    host.wait_for_end();
    below.iter().for_each(|pid| wait_for_exit(*pid));
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    other.assert_lives();
    other.close_input();
    other.wait_for_end();
}

#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_dead_anchor_is_dead_and_a_zombie_too() {
    let mut anchor = sibling();
    let mut watching = Echo::spawn(&mut host(&ECHO, anchor.pid())).armed();
    anchor.kill();
    watching.wait_for_end();
    assert_signalled(watching.owned.pid(), Signal::SIGTERM);
    assert_eq!(kill(Pid::from_raw(anchor.pid()), None), Ok(()), "it was reaped");

    anchor.kill_and_reap();
    let mut late = Echo::spawn(&mut host(&["busybox", "echo", "must not run"], anchor.pid()));
    assert_eq!(late.line(), "");
    assert_signalled(late.owned.pid(), Signal::SIGTERM);
}

// Both guards ask, but the host is asked once: its handler, which changes the host's ids at once, counts.
// test -> sh (anchor) -> handler (host)
#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_direct_child_is_asked_once_by_the_kernel() {
    let program = program("handler");
    // The shell is the anchor, and not armed itself.
    let script = "exec 3<&0 </dev/null; ANCHOR_PID=$$ LD_PRELOAD=/mnt/libanchor.so /mnt/program <&3 & wait";
    for _ in 0..5 {
        let mut command = control(&["dash", "-c", script]);
        command.env("PROGRAM", &program).env("ANCHOR_LOG", "/mnt/log");
        let mut tree = Echo::spawn(&mut command);
        assert_eq!(tree.line(), "ready");
        let log = format!("/proc/{}/root/mnt/log", tree.owned.pid());
        let armed = "thread with pidfd, PDEATHSIG SIGTERM, grace 10s\n";
        let logged = || std::fs::read_to_string(&log).unwrap_or_default();
        wait_until("PDEATHSIG in the log", || logged().ends_with(armed));
        tree.owned.kill_and_reap();
        assert_eq!(tree.line(), "asked 1");
    }
}

// A kernel before 5.3: the number is the same on both machines.
#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn polls_where_there_is_no_pidfd() {
    let mut anchor = sibling();
    let mut command = host(&ECHO, anchor.pid());
    command.env("ANCHOR_POLL", "10ms").env("ANCHOR_LOG", "/mnt/log");
    let mut host = Echo::spawn(refuse(&mut command, libc::SYS_pidfd_open, libc::ENOSYS));
    host.assert_lives();
    let log = format!("/proc/{}/root/mnt/log", host.owned.pid());
    wait_until("the rung in the log", || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        log.contains("thread that polls /proc every 10ms")
    });
    anchor.kill();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_host_that_will_not_end_is_killed_after_the_grace() {
    let script = "trap '' TERM; while read -r line; do echo \"$line\"; done";
    let mut anchor = sibling();
    let mut command = host(&["dash", "-c", script], anchor.pid());
    let mut host = Echo::spawn(command.env("ANCHOR_GRACE", "100ms")).armed();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGKILL);
}

// The anchor dies at any moment of any change, made by one thread or five: the host is asked, once.
#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_host_in_the_middle_of_a_change_of_ids_is_asked_once() {
    let program = program("flip");
    for threads in ["0", "1", "4"] {
        let mut anchor = sibling();
        let mut command = host(&["/mnt/program", threads], anchor.pid());
        let mut host = Echo::spawn(command.env("PROGRAM", &program).env("ANCHOR_GRACE", "120s"));
        assert_eq!(host.line(), "ready");
        anchor.kill_and_reap();
        assert_eq!(host.line(), "asked 1", "{threads} threads");
        assert!(matches!(host.wait(), WaitStatus::Exited(_, 7)));
    }
}

// Results, errno and ids of every wrapped call, with good and bad arguments, are what they are without the library;
// and after each change, the watcher's ids are the host's.
#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn wrapped_calls_answer_as_they_would() {
    let (calls, anchor) = (program("calls"), sibling());
    let without = control(&["/mnt/program"])
        .env("PROGRAM", &calls)
        .output()
        .unwrap();
    let mut command = host(&["/mnt/program"], anchor.pid());
    let with = command.env("PROGRAM", &calls).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(
        text(&without.stdout).lines().count() > 40,
        "{}",
        text(&without.stderr)
    );
    assert_eq!(text(&with.stdout), text(&without.stdout));
    assert_eq!(
        (text(&with.stderr), with.status),
        (text(&without.stderr), without.status)
    );

    let mut command = host(&["/mnt/program", "200"], anchor.pid());
    let output = command.env("PROGRAM", program("credentials")).output().unwrap();
    assert_eq!(
        text(&output.stdout),
        "200 changes, 0 failed, 0 tasks with old ids, 0 with capabilities, 2 to 2 tasks\n",
        "{}",
        text(&output.stderr)
    );
}

#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_bad_value_is_one_line_and_the_program_runs() {
    let mut command = host(&["busybox", "echo", "ran"], 0);
    let output = command.env("ANCHOR_PID", "abc").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    // `env` has become the program and was not told.
    assert!(said.contains("ANCHOR_PID: abc: want "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!((&*output.stdout, output.status.code()), (&b"ran\n"[..], Some(0)));
    let output = command.env("ANCHOR_STRICT", "1").output().unwrap();
    assert_eq!((&*output.stdout, output.status.code()), (&b""[..], Some(125)));
}
