//! What holds on every platform: the library ends its host when the anchor dies, and not before. The hosts are compiled
//! here, because on macOS the system's own programs load no library.

mod support;

use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use support::*;

/// A host that says in a log how it is armed, and is waited for until it does.
struct Logged {
    host: Echo,
    folder: tempfile::TempDir,
}

impl Logged {
    fn spawn(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = Echo::spawn(command.env("ANCHOR_LOG", folder.path().join("log")));
        Self { host, folder }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn armed(self, times: usize) -> Self {
        wait_until("armed", || self.log().matches("]: armed: ").count() == times);
        self
    }
}

fn echo() -> Command {
    Command::new(program("echo", &[]))
}

// test -> sleep (anchor)
//      -> echo (host), echo (control)
#[test]
fn a_host_ends_with_its_anchor() {
    let mut anchor = sibling();
    let mut control = Echo::spawn(without_library(&mut echo()));
    let mut logged = Logged::spawn(anchored(&mut echo(), anchor.pid())).armed(1);
    control.assert_lives();
    logged.host.assert_lives();
    anchor.kill_and_reap();
    logged.host.wait_for_end();
    assert_signalled(logged.host.owned.pid(), Signal::SIGTERM);
    assert!(logged.log().contains("]: fired: "), "{}", logged.log());
    control.assert_lives();
}

#[test]
fn an_anchor_that_nobody_reaps_is_dead() {
    let mut anchor = sibling();
    let mut logged = Logged::spawn(anchored(&mut echo(), anchor.pid())).armed(1);
    anchor.kill();
    logged.host.wait_for_end();
    assert_signalled(logged.host.owned.pid(), Signal::SIGTERM);
}

// It is a zombie when the host begins.
#[test]
fn an_anchor_that_was_a_zombie_before_is_dead() {
    let mut anchor = Echo::spawn(without_library(&mut echo()));
    anchor.owned.kill();
    anchor.wait_for_end(); // its output closes before it is a zombie: dying counts as dead too
    let anchor = anchor.owned;
    let mut host = Echo::spawn(anchored(&mut echo(), anchor.pid()));
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

#[test]
fn an_anchor_that_was_gone_before_is_dead() {
    let mut anchor = sibling();
    anchor.kill_and_reap();
    let mut host = Echo::spawn(anchored(&mut echo(), anchor.pid()));
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

#[test]
fn a_host_that_will_not_end_is_killed_after_the_grace() {
    let ignore = || {
        // SAFETY: one call, no handler of ours.
        unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) }?;
        Ok(())
    };
    let (mut anchor, mut command) = (sibling(), echo());
    // SAFETY: that call allocates nothing.
    unsafe { command.pre_exec(ignore) };
    let command = anchored(&mut command, anchor.pid()).env("ANCHOR_GRACE", "100ms");
    let mut logged = Logged::spawn(command).armed(1);
    anchor.kill_and_reap();
    logged.host.wait_for_end();
    assert_signalled(logged.host.owned.pid(), Signal::SIGKILL);
    assert!(logged.log().contains("]: escalated: "), "{}", logged.log());
}

// test -> sleep (anchor)
//      -> forked (host) -> forked (host too)
#[test]
fn a_forked_child_is_a_host_too() {
    let mut anchor = sibling();
    let path = program("forked", &[]);
    let mut logged = Logged::spawn(anchored(&mut Command::new(&path), anchor.pid()));
    let _child = logged.host.line();
    logged = logged.armed(2);
    logged.host.assert_lives();
    let mut control = Echo::spawn(without_library(&mut Command::new(&path)));
    let controls_child: i32 = control.line().parse().unwrap();
    anchor.kill_and_reap();
    // The child alone holds the output.
    logged.host.wait_for_end();
    logged.host.wait();
    control.assert_lives();
    kill(Pid::from_raw(controls_child), Signal::SIGKILL).unwrap();
}

// On macOS the watcher's queue is among what it closes: that is no death, and the next one is.
#[test]
fn a_host_may_close_every_descriptor() {
    let mut anchor = sibling();
    let path = program("closes", &[]);
    let mut logged = Logged::spawn(anchored(&mut Command::new(path), anchor.pid())).armed(1);
    for _ in 0..10 {
        logged.host.assert_lives();
    }
    anchor.kill_and_reap();
    logged.host.wait_for_end();
    assert_signalled(logged.host.owned.pid(), Signal::SIGTERM);
}

// A number that was recycled: the anchor that was meant is dead.
#[test]
fn another_process_of_that_number_is_another() {
    let anchor = sibling();
    let pinned = |command: &mut Command| {
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let show = "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(getenv(\"ANCHOR_ID\")); return 0; }\n";
    let folder = tempfile::tempdir().unwrap();
    let (source, shows) = (folder.path().join("shows.c"), folder.path().join("shows"));
    std::fs::write(&source, show).unwrap();
    compile(&source, &shows);
    let id = pinned(anchored(&mut Command::new(&shows), anchor.pid()));
    let last = id.chars().last().unwrap();
    let other = format!("{}{}", &id[..id.len() - 1], if last == '1' { '2' } else { '1' });
    let mut host = Echo::spawn(anchored(&mut echo(), anchor.pid()).env("ANCHOR_ID", other));
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    let mut same = Echo::spawn(anchored(&mut echo(), anchor.pid()).env("ANCHOR_ID", id));
    same.assert_lives();
}

fn compile(source: &Path, program: &Path) {
    let done = Command::new("cc").arg("-o").args([program, source]).status();
    assert!(done.unwrap().success());
}

#[test]
fn a_host_is_asked_once() {
    let path = program("handler", &[]);
    for _ in 0..20 {
        let mut anchor = sibling();
        let mut command = Command::new(&path);
        let command = anchored(&mut command, anchor.pid()).env("ANCHOR_GRACE", "120s");
        let mut logged = Logged::spawn(command).armed(1);
        assert_eq!(logged.host.line(), "ready");
        anchor.kill_and_reap();
        assert_eq!(logged.host.line(), "asked 1");
        assert!(matches!(logged.host.wait(), WaitStatus::Exited(_, 7)));
    }
}

#[test]
fn a_bad_value_is_one_line_and_the_program_runs() {
    let mut command = echo();
    let (mut host, errors) = Echo::spawn_with_errors(anchored(&mut command, "abc"));
    host.assert_lives();
    host.close_input();
    host.wait();
    let said = errors.rest();
    assert!(said.contains("ANCHOR_PID: abc: want "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn without_an_anchor_nothing_is_done() {
    let mut command = echo();
    without_library(&mut command).env(INJECTS, LIBRARY.as_os_str());
    let mut logged = Logged::spawn(&mut command);
    logged.host.assert_lives();
    logged.host.close_input();
    assert!(matches!(logged.host.wait(), WaitStatus::Exited(_, 0)));
    assert_eq!(logged.log(), "");
}
