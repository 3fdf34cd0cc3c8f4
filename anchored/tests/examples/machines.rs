//! Across the borders where a number means little: services, connections, containers.

use crate::nothing_is_left;
use crate::running::Example;
use crate::support::*;
use std::process::Command;

// test -> jobs (anchor) -> sh -> python3
//                       -> sleep, released
#[test]
fn a_services_processes_end_with_its_main_process_and_who_was_released_stays() {
    nothing_is_left(&Example::new("systemd", &["python3"]));
}

#[test]
fn systemd_takes_the_unit() {
    if have("systemd-analyze") {
        let unit = root().join("examples/systemd/jobs.service");
        let mut verify = Command::new("systemd-analyze");
        let output = without_library(verify.arg("verify").arg(unit)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("jobs.service"), "{said}");
    }
}

// test -> sh -> sshd -> sshd (of the connection, the job's anchor) -> python3
//            -> ssh (killed)
#[test]
fn a_remote_command_ends_when_ssh_is_killed() {
    let example = Example::new("ssh", &["sshd", "ssh", "python3"]);
    nothing_is_left(&Example {
        apart: |line| line.starts_with("sshd") || line.contains("/sshd"),
        ..example
    });
}

fn may_make_namespaces() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        left_out("examples of containers: PID namespaces want root");
    }
    root
}

// test -> unshare -> sh (the namespace's PID 1) -> python3 main.py (anchor)
//                                               -> python3 sidecar.py
#[test]
fn a_pods_sidecar_ends_with_its_main_process() {
    if !may_make_namespaces() {
        return;
    }
    let example = Example::new("container-shared", &["unshare", "pgrep", "python3"]);
    nothing_is_left(&Example {
        anchor: Some("python3 main.py"),
        ..example
    });
}

// test -> sh -> unshare -> python3 main.py (PID 1 of its namespace, anchor)
//            -> unshare -> python3 sidecar.py (PID 1 of another)
#[test]
fn a_sidecar_in_another_pid_namespace_ends_with_the_main_process() {
    if !may_make_namespaces() {
        return;
    }
    let example = Example::new("container-apart", &["unshare", "python3"]);
    nothing_is_left(&Example {
        anchor: Some("python3 main.py"),
        // Each stands outside its namespace, and ends with the one inside.
        apart: |line| line.starts_with("unshare "),
        ..example
    });
}
