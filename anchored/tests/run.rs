//! `anchored COMMAND`: becomes the command, with everything that a caller hands on, and fails as `env` and `timeout` do.

#![cfg(target_os = "linux")]

#[path = "../../tests/support/mod.rs"]
mod support;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use once_cell::sync::Lazy;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use support::*;

/// The launcher with the library beside it, as an installation has them.
static ANCHORED: Lazy<(tempfile::TempDir, PathBuf)> = Lazy::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("anchored");
    copied(env!("CARGO_BIN_EXE_anchored"), &program);
    copied(&*LIBRARY, folder.path().join("libanchor.so"));
    (folder, program)
});

fn launcher() -> Command {
    let mut command = Command::new(&ANCHORED.1);
    without_library(&mut command);
    command
}

fn run(words: &[&str]) -> (Option<i32>, String, String) {
    of(launcher().args(words).stdin(Stdio::null()).output().unwrap())
}

fn of(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// One line on stderr that begins with the text, nothing on stdout, and the status.
fn fails(words: &[&str], status: i32, beginning: &str) {
    let (code, out, said) = run(words);
    assert_eq!((code, out.as_str()), (Some(status), ""), "{words:?}: {said}");
    assert!(
        said.starts_with(&format!("anchored: {beginning}")),
        "{words:?}: {said}"
    );
    assert_eq!(said.lines().count(), 1, "{words:?}: {said}");
}

// test (anchor) -> anchored, which becomes sh
#[test]
fn it_becomes_the_command() {
    let (_, out, _) = run(&[
        "sh",
        "-c",
        "echo $$ $PPID; tr '\\0' ' ' </proc/$$/cmdline; cat /proc/$$/comm",
    ]);
    let mut lines = out.lines();
    let numbers: Vec<u32> = lines
        .next()
        .unwrap()
        .split(' ')
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(numbers[1], std::process::id(), "nobody stands in between");
    assert!(lines.next().unwrap().starts_with("sh -c "), "{out}");
}

#[test]
fn it_hands_on_words_streams_and_status() {
    let (code, out, said) = run(&[
        "--",
        "sh",
        "-c",
        "echo \"$@\"; echo said >&2; exit 7",
        "sh",
        "a b",
        "--",
        "-x",
        "",
    ]);
    assert_eq!(
        (code, out.as_str(), said.as_str()),
        (Some(7), "a b -- -x \n", "said\n")
    );
    // A word of the command's is not one of ours.
    let (code, out, _) = run(&["echo", "--pid", "nobody", "--help"]);
    assert_eq!((code, out.as_str()), (Some(0), "--pid nobody --help\n"));
}

#[test]
fn every_option_becomes_its_variable() {
    let anchor = sibling();
    let options = [
        ("--signal", "INT", "ANCHOR_SIGNAL=INT"),
        ("--grace", "500ms", "ANCHOR_GRACE=500ms"),
        ("--log", "stderr", "ANCHOR_LOG=stderr"),
        ("--scope", "tree", "ANCHOR_SCOPE=tree"),
    ];
    let pid = anchor.pid().to_string();
    let mut command = launcher();
    command.args(["--pid", &pid, "--strict", "--skip", "nobody", "--skip", "no*"]);
    for (option, value, _) in options {
        command.args([option, value]);
    }
    let output = of(command.arg("env").output().unwrap());
    let lines: Vec<&str> = output.1.lines().collect();
    let expected = [
        format!("ANCHOR_PID={pid}"),
        format!("ANCHOR_ID={}", full_identity(anchor.pid())),
        "ANCHOR_STRICT=1".to_owned(),
        "ANCHOR_SKIP=nobody:no*".to_owned(),
        format!(
            "LD_PRELOAD={}",
            ANCHORED
                .0
                .path()
                .canonicalize()
                .unwrap()
                .join("libanchor.so")
                .display()
        ),
    ];
    let others = options.iter().map(|(_, _, variable)| (*variable).to_owned());
    for variable in expected.into_iter().chain(others) {
        assert!(lines.contains(&variable.as_str()), "{variable}: {output:?}");
    }
}

#[test]
fn what_is_preloaded_already_stays_first() {
    let own = ANCHORED.0.path().canonicalize().unwrap().join("libanchor.so");
    for (before, expected) in [
        ("/nowhere.so".to_owned(), format!("/nowhere.so:{}", own.display())),
        (own.display().to_string(), own.display().to_string()),
    ] {
        let output = of(launcher().env("LD_PRELOAD", before).arg("env").output().unwrap());
        assert!(
            output.1.contains(&format!("LD_PRELOAD={expected}\n")),
            "{output:?}"
        );
    }
}

// test -> sleep (anchor)
//      -> anchored, which becomes cat (host)
#[test]
fn the_command_ends_with_the_anchor_that_was_named() {
    let mut anchor = sibling();
    let mut control = Echo::spawn(without_library(&mut Command::new("cat")));
    let mut host = Echo::spawn(launcher().args(["--pid", &anchor.pid().to_string(), "cat"])).armed();
    control.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    control.assert_lives();
}

// test -> sh (anchor) -> anchored, which becomes cat (host)
#[test]
fn the_anchor_is_who_has_started_it() {
    let mut command = Command::new("sh");
    let script = "exec 3<&0; \"$ANCHORED\" cat <&3 & echo $! >&2; wait";
    without_library(command.args(["-c", script])).env("ANCHORED", &ANCHORED.1);
    let (mut tree, mut said) = Echo::spawn_with_errors(&mut command);
    let host = said.number();
    tree.assert_lives();
    wait_until_armed(host);
    tree.owned.kill_and_reap();
    tree.wait_for_end();
    wait_for_exit(host);
}

#[test]
fn what_is_not_to_be_had_is_127_and_126() {
    fails(&["no-such-command-anywhere"], 127, "no-such-command-anywhere: ");
    fails(&["/no/such/file"], 127, "/no/such/file: ");
    fails(&["/etc/passwd"], 126, "/etc/passwd: ");
    fails(&["/"], 126, "/: ");
}

#[test]
fn misuse_is_125_and_one_line() {
    fails(&[], 125, "COMMAND: missing");
    fails(
        &["--pid", "abc", "true"],
        125,
        "invalid value 'abc' for '--pid <PID>': want a process id",
    );
    fails(
        &["--grace", "soon", "true"],
        125,
        "invalid value 'soon' for '--grace <TIME>': want a time",
    );
    fails(
        &["--signal", "STOP", "true"],
        125,
        "invalid value 'STOP' for '--signal <SIGNAL>': want a signal",
    );
    fails(
        &["--scope", "all", "true"],
        125,
        "invalid value 'all' for '--scope <SCOPE>': want tree or self",
    );
    fails(&["--nonsense", "true"], 125, "unexpected argument '--nonsense'");
    fails(
        &["--check", "--list"],
        125,
        "the argument '--check' cannot be used with",
    );
    fails(&["--json", "true"], 125, "--json: not with this mode");
    fails(&["--list", "true"], 125, "true: not expected here");
    for (mode, options) in [
        (
            "--list",
            "--signal=1 --grace=1s --scope=tree --skip=x --log=x --strict --supervise --probe --dry-run --shell=sh",
        ),
        (
            "--sweep",
            "--signal=1 --skip=x --strict --supervise --json --probe --shell=sh",
        ),
        (
            "--release",
            "--pid=1 --log=x --strict --supervise --json --dry-run",
        ),
        ("--print-env", "--supervise --json --probe --dry-run"),
        ("--check", "--dry-run --shell=sh"),
    ] {
        for option in options.split(' ') {
            let name = option.split('=').next().unwrap();
            let mut words = vec![mode, option];
            words.extend(
                ["true"]
                    .iter()
                    .filter(|_| ["--check", "--release"].contains(&mode)),
            );
            fails(&words, 125, &format!("{name}: not with this mode"));
        }
    }
    for option in ["pid", "signal", "grace", "scope", "skip", "log"] {
        let wanted = format!("invalid value '' for '--{option}");
        fails(&[&format!("--{option}="), "true"], 125, &wanted);
    }
    let mut gone = sibling();
    let pid = gone.pid().to_string();
    gone.kill_and_reap();
    fails(
        &["--pid", &pid, "true"],
        125,
        &format!("--pid: {pid}: no such process"),
    );
}

// A thread has a number too, of which kill(2) and /proc know; its end is not the end of a process.
#[test]
fn a_thread_is_no_anchor() {
    let (told, number) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        told.send(nix::unistd::gettid()).unwrap();
        let _ = ends.recv();
    });
    let tid = number.recv().unwrap().to_string();
    fails(
        &["--pid", &tid, "true"],
        125,
        &format!("--pid: {tid}: a thread of process {}", std::process::id()),
    );
    drop(end);
    thread.join().unwrap();
}

// The programs of the tree are in other folders.
#[test]
fn a_log_is_where_the_line_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let typed = OsStr::from_bytes(b"n\xffme.log");
    let script = "cd / && test -f \"$ANCHOR_LOG\" && printf %s \"$ANCHOR_LOG\"";
    let mut command = launcher();
    command.arg("--log").arg(typed).args(["sh", "-c", script]);
    let output = command.current_dir(folder.path()).output().unwrap();
    let whole = folder.path().canonicalize().unwrap().join(typed);
    assert_eq!(OsStr::from_bytes(&output.stdout), whole);
}

#[test]
fn help_names_every_variable_of_an_option() {
    let (code, help, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(
        launcher().arg("--help").stdout(full).status().unwrap().code(),
        Some(125)
    );
    for name in ["PID", "SIGNAL", "GRACE", "SCOPE", "SKIP", "LOG", "STRICT"] {
        assert!(help.contains(&format!("[ANCHOR_{name}")), "{name}: {help}");
    }
}

// A launcher without its library still runs what it is given; whoever insists is told.
#[test]
fn without_the_library_nothing_is_injected_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("anchored");
    copied(&ANCHORED.1, &alone);
    let mut command = Command::new(&alone);
    let output = of(without_library(command.args(["--supervise=never", "true"]))
        .output()
        .unwrap());
    assert_eq!(output.0, Some(125), "{output:?}");
    assert!(
        output
            .2
            .starts_with("anchored: true: cannot be injected: libanchor.so: not found in"),
        "{output:?}"
    );
}

// test (anchor) -> anchored --release, which becomes sh: of a tree that is anchored, and not in it any more.
#[test]
fn what_is_released_has_no_anchor() {
    let mut command = launcher();
    command
        .args(["sh", "-c", "\"$ANCHORED\" --release env"])
        .env("ANCHORED", &ANCHORED.1);
    let output = of(command.output().unwrap());
    let variables: Vec<&str> = output
        .1
        .lines()
        .filter(|line| line.starts_with("ANCHOR_"))
        .collect();
    assert_eq!(variables, ["ANCHOR_PID="], "{output:?}");
    assert!(!output.1.contains("LD_PRELOAD="), "{output:?}");
}

// test -> sh (anchor) -> cat (released), cat (control, anchored)
#[test]
fn what_is_released_lives_on() {
    let anchored_tree = |release: &str| {
        let script = format!("exec 3<&0; \"$ANCHORED\" {release} cat <&3 & echo $! >&2; wait");
        let mut command = Command::new("sh");
        without_library(command.args(["-c", &script])).env("ANCHORED", &ANCHORED.1);
        Echo::spawn_with_errors(&mut command)
    };
    let (mut released, mut said) = anchored_tree("\"$ANCHORED\" --release");
    let host = said.number();
    released.assert_lives();
    let (mut control, mut controls) = anchored_tree("");
    let controls_host = controls.number();
    control.assert_lives();
    wait_until_armed(controls_host);
    for tree in [&mut released, &mut control] {
        tree.owned.kill_and_reap();
    }
    control.wait_for_end();
    released.assert_lives();
    released.close_input();
    wait_for_exit(host);
}

#[test]
fn what_is_printed_can_be_evaluated() {
    let anchor = sibling();
    let pid = anchor.pid().to_string();
    let script = "eval \"$(\"$ANCHORED\" --print-env --pid $ANCHOR --grace 1s --skip \"a'b\")\"; env";
    let mut command = Command::new("sh");
    without_library(command.args(["-c", script]))
        .env("ANCHORED", &ANCHORED.1)
        .env("ANCHOR", &pid);
    let output = of(command.output().unwrap());
    for variable in [
        format!("ANCHOR_PID={pid}"),
        "ANCHOR_GRACE=1s".into(),
        "ANCHOR_SKIP=a'b".into(),
    ] {
        assert!(
            output.1.lines().any(|line| line == variable),
            "{variable}: {output:?}"
        );
    }
    let (code, json, _) = run(&["--print-env", "--shell", "json", "--pid", &pid]);
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (code, object["ANCHOR_PID"].as_str()),
        (Some(0), Some(pid.as_str()))
    );
    assert_eq!(
        object["ANCHOR_ID"].as_str(),
        Some(full_identity(anchor.pid()).as_str())
    );
    let (_, fish, _) = run(&["--print-env", "--shell", "fish", "--pid", &pid]);
    assert!(fish.contains(&format!("set -gx ANCHOR_PID '{pid}'\n")), "{fish}");
}

/// An executable file that a shell runs.
fn script(folder: &std::path::Path, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let file = folder.join("script");
    // Written elsewhere and copied: see `copied`.
    let draft = folder.join("draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::set_permissions(&draft, PermissionsExt::from_mode(0o755)).unwrap();
    copied(&draft, &file);
    file
}

// Nobody said how: the library does not get into the first, and not into what the second starts.
// test -> sleep (anchor)
//      -> anchored -> anchored -> echo (static); or -> script (host) -> echo (static)
#[test]
fn what_the_library_does_not_reach_ends_too() {
    let folder = tempfile::tempdir().unwrap();
    let alone = compiled("cc", "echo", "echo-static", &["-static"]);
    let line = format!("#!/bin/sh\nexec 3<&0\n{} <&3 &\nwait\n", alone.display());
    for program in [&alone, &script(folder.path(), &line)] {
        let mut anchor = sibling();
        let mut host = Echo::spawn(launcher().args(["--pid", &anchor.pid().to_string()]).arg(program));
        let mut control = Echo::spawn(without_library(&mut Command::new(program)));
        host.assert_lives();
        control.assert_lives();
        anchor.kill_and_reap();
        host.wait_for_end();
        // A script whose child is asked before itself has waited for it, and ends well.
        let ends: &[i32] = if *program == alone { &[143] } else { &[143, 0] };
        let WaitStatus::Exited(_, status) = host.wait() else {
            panic!("{}", program.display());
        };
        assert!(ends.contains(&status), "{}: {status}", program.display());
        control.assert_lives();
        control.close_input();
        control.wait_for_end();
    }
}

#[test]
fn never_means_never() {
    let folder = tempfile::tempdir().unwrap();
    let alone = compiled("cc", "echo", "echo-static", &["-static"]);
    let alone = alone.to_str().unwrap();
    fails(
        &["--supervise=never", alone],
        125,
        &format!("{alone}: cannot be injected: it is static"),
    );
    // A script can be, and then is.
    let file = script(folder.path(), "#!/bin/sh\necho $PPID\n");
    let (code, out, _) = run(&["--supervise=never", file.to_str().unwrap()]);
    assert_eq!(
        (code, out.trim()),
        (Some(0), std::process::id().to_string().as_str())
    );
}

// trap '' PIPE
#[test]
fn what_the_caller_ignores_the_command_ignores() {
    let script = "trap '' PIPE; grep SigIgn /proc/self/status; \"$ANCHORED\" grep SigIgn /proc/self/status";
    let mut command = Command::new("sh");
    without_library(command.args(["-c", script])).env("ANCHORED", &ANCHORED.1);
    let output = of(command.output().unwrap());
    let lines: Vec<&str> = output.1.lines().collect();
    assert_eq!(lines.len(), 2, "{output:?}");
    assert_eq!(lines[0], lines[1]);
}

// A scope that an anchored tree further up has pinned to another process is not this one's.
#[test]
fn a_pinned_scope_is_nobody_elses() {
    let mut command = launcher();
    let output = of(command
        .env("ANCHOR_SCOPE", "self:1:1")
        .arg("env")
        .output()
        .unwrap());
    assert!(output.1.contains("ANCHOR_SCOPE=tree\n"), "{output:?}");
}

#[test]
fn messages_are_one_line_and_nothing_a_terminal_obeys() {
    fails(&["no\nsuch\x1b[31m"], 127, "no?such?[31m: ");
    let mut command = launcher();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let status = command.arg("nosuch").stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(127));
}
