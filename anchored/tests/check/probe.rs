//! `--probe`: what it sees, and that it leaves nothing.

use super::support::*;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Those that lived when it was over as `state command`, sorted.
fn probed(words: &[&str]) -> (i32, Value, Vec<String>) {
    let (status, value) = json(&[&["--probe"], words].concat());
    let processes = value["probe"]["processes"].as_array().unwrap();
    let mut shown: Vec<String> = processes
        .iter()
        .filter(|process| process["ended"] == false)
        .map(|process| {
            format!(
                "{} {}",
                process["state"].as_str().unwrap(),
                process["command"].as_str().unwrap()
            )
        })
        .collect();
    shown.sort();
    for process in processes {
        let pid = process["pid"].as_i64().unwrap();
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{process} was left");
    }
    (status, value, shown)
}

#[test]
fn the_probe_sees_a_program_armed() {
    let (status, value, shown) = probed(&["sleep", "1000"]);
    assert_eq!(
        (status, shown),
        (INJECTED, vec!["armed sleep 1000".to_owned()]),
        "{value}"
    );
    let process = &value["probe"]["processes"][0];
    // As a child of the anchor, which it would be.
    let how = process["how"].as_str().unwrap();
    assert!(how.starts_with("thread with pidfd, PDEATHSIG SIGTERM"), "{value}");
    assert_eq!(
        (&process["thread"], &value["probe"]["armed"]),
        (&true.into(), &true.into())
    );
    // With another anchor it is none.
    let own = std::process::id().to_string();
    let (status, value, _) = probed(&["--pid", &own, "sleep", "1000"]);
    let how = value["probe"]["processes"][0]["how"].as_str().unwrap();
    assert_eq!(status, INJECTED);
    assert!(
        how.starts_with("thread with pidfd, no PDEATHSIG (not the anchor's child)"),
        "{value}"
    );
}

#[test]
fn the_probe_sees_a_whole_tree() {
    let (status, value, shown) = probed(&["sh", "-c", "sleep 1000 & (setsid sleep 1001 &) ; wait"]);
    let expected = [
        "armed sh -c sleep 1000 & (setsid sleep 1001 &) ; wait",
        "armed sleep 1000",
        "armed sleep 1001",
    ];
    assert_eq!(
        (status, shown),
        (INJECTED, expected.map(str::to_owned).to_vec()),
        "{value}"
    );
}

// A start that computes, or waits for a processor: nothing is to be seen of it, and it is not over.
#[test]
fn the_probe_waits_for_who_is_at_work() {
    let works = "import os, time\nwhile time.process_time() < 0.6: pass\nos.execlp('sleep', 'sleep', '1000')";
    let (status, value, shown) = probed(&["/usr/bin/python3", "-c", works]);
    assert_eq!(
        (status, shown),
        (INJECTED, vec!["armed sleep 1000".to_owned()]),
        "{value}"
    );
}

#[test]
fn the_probe_sees_what_is_not_armed() {
    let folder = Folder::new();
    let program = folder.compiled("static", "cc", &["-static"]);
    let (status, value, shown) = probed(&[&program, "stay"]);
    assert_eq!(
        (status, shown),
        (SUPERVISED, vec![format!("not armed {program} stay")]),
        "{value}"
    );
    assert_eq!(
        value["probe"]["processes"][0]["how"],
        "it is static: no loader, no preloading"
    );
    // Below one that is injected.
    let (status, value, shown) = probed(&["env", &program, "stay"]);
    assert_eq!(
        (status, shown),
        (NOT_ARMED, vec![format!("not armed {program} stay")]),
        "{value}"
    );
    let (status, value, shown) = probed(&["env", "-i", "/bin/sleep", "1000"]);
    assert_eq!(
        (status, shown),
        (NOT_ARMED, vec!["not armed /bin/sleep 1000".to_owned()]),
        "{value}"
    );
    assert_eq!(value["probe"]["processes"][0]["how"], "the library is not in it");
    let (status, value, shown) = probed(&["env", "ANCHOR_SKIP=sleep", "sleep", "1000"]);
    assert_eq!(
        (status, shown),
        (INJECTED, vec!["left alone sleep 1000".to_owned()]),
        "{value}"
    );
}

#[test]
fn the_probe_ends_with_the_command() {
    let (status, value, _) = probed(&["true"]);
    assert_eq!(
        (status, &value["probe"]["ended"]),
        (INJECTED, &true.into()),
        "{value}"
    );
    assert_ne!(value["probe"]["armed"], false, "{value}");
}

#[test]
fn the_probe_runs_a_command_as_exec_does() {
    let folder = Folder::new();
    let script = folder.file("plain", 0o755, "exec sleep 1000\n");
    let (status, value, shown) = probed(&[&script]);
    assert_eq!(
        (status, shown),
        (SUPERVISED, vec!["armed sleep 1000".to_owned()]),
        "{value}"
    );
    // Heard by nobody, with no signal blocked.
    let seen = folder.path("seen");
    let look = format!("read x; echo loud; grep SigBlk /proc/self/status > {seen}; exec sleep 1000");
    let (_, value, _) = probed(&["sh", "-c", &look]);
    assert_eq!(value["probe"]["armed"], true);
    assert_eq!(
        std::fs::read_to_string(seen).unwrap(),
        "SigBlk:\t0000000000000000\n"
    );
}

// test -> sh, which becomes anchored -> sleep 1002 (not the probe's)
#[test]
fn the_probe_leaves_other_children_alone() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let script = "sleep 1002 >&2 & echo $!; exec \"$1\" --check --probe --json sleep 1003";
    let mut sh = Command::new("sh");
    sh.args(["-c", script, "sh", INSTALLED.join("anchored").to_str().unwrap()])
        .stderr(Stdio::null());
    let Output { status, stdout, .. } = sh.output().unwrap();
    let out = text(&stdout);
    let (other, report) = out.split_once('\n').unwrap();
    let report: Value = serde_json::from_str(report).unwrap();
    let other: i32 = other.parse().unwrap();
    // The probe does not wait for it: the shell that becomes it may not have come to that.
    let name = || std::fs::read_to_string(format!("/proc/{other}/cmdline")).unwrap();
    wait_until("the other child lives", || name() == "sleep\x001002\x00");
    kill(Pid::from_raw(other), Signal::SIGKILL).unwrap();
    assert_eq!(status.code(), Some(INJECTED));
    let processes = report["probe"]["processes"].as_array().unwrap();
    assert_eq!(
        (processes.len(), &processes[0]["command"]),
        (1, &"sleep 1003".into())
    );
}

// test -> anchored -> stand-in -> sh -> sleep
#[test]
fn a_probe_that_is_interrupted_leaves_nothing() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let folder = Folder::new();
    let (ready, temporary) = (folder.path("ready"), folder.path("temporary"));
    std::fs::create_dir(&temporary).unwrap();
    // It changes all the time, so the probe goes on: much more often than a probe takes for rest.
    let busy =
        format!("echo $$ > {ready}.tmp; mv {ready}.tmp {ready}; trap '' TERM; while :; do sleep 0.03; done");
    let child = anchored()
        .args(["--check", "--probe", "sh", "-c", &busy])
        .env("TMPDIR", &temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !Path::new(&ready).exists() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
    let shell: i32 = std::fs::read_to_string(&ready).unwrap().trim().parse().unwrap();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(text(&output.stderr), "anchored: --probe: ended by signal 2\n");
    assert!(!Path::new(&format!("/proc/{shell}")).exists());
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
}
