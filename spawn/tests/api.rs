//! The parent's side on real programs.

#![cfg(target_os = "linux")]

#[path = "../../tests/support/mod.rs"]
mod support;

use anchor_spawn::{Anchor, Error, Library, PRELOAD, Preload};
use nix::sys::signal::Signal;
use std::process::Command;
use support::*;

fn preload() -> Preload {
    Preload::Library(Library::at(&*LIBRARY).unwrap())
}

// test -> sleep (anchor)
//      -> cat (host), cat (control)
#[test]
fn a_command_ends_with_the_anchor_it_was_given() {
    let mut anchor = sibling();
    let given = Anchor::of(anchor.pid() as u32).unwrap();
    let (mut command, mut without) = (Command::new("cat"), Command::new("cat"));
    without_library(&mut command);
    let mut control = Echo::spawn(given.apply_with(without_library(&mut without), &Preload::Nothing));
    let mut host = Echo::spawn(given.apply_with(&mut command, &preload())).armed();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    control.assert_lives();
}

// test (anchor) -> cat (host)
#[test]
fn this_process_is_an_anchor() {
    let mut command = Command::new("env");
    without_library(&mut command).env(PRELOAD, "");
    let mut anchor = Anchor::current().unwrap();
    anchor
        .signal("INT")
        .unwrap()
        .grace("1s")
        .unwrap()
        .strict("1")
        .unwrap();
    let output = anchor.apply_with(&mut command, &preload()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let own = std::process::id();
    for line in [
        format!("ANCHOR_PID={own}"),
        format!("ANCHOR_ID={}", full_identity(own as i32)),
        "ANCHOR_SIGNAL=INT".into(),
        "ANCHOR_GRACE=1s".into(),
        format!("{PRELOAD}={}", LIBRARY.display()),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let mut gone = sibling();
    let pid = gone.pid() as u32;
    gone.kill_and_reap();
    assert!(matches!(Anchor::of(pid), Err(Error::NoSuchProcess(number)) if number == pid));
    let mut anchor = Anchor::current().unwrap();
    let error = anchor.grace("soon").unwrap_err();
    assert_eq!(
        error.to_string(),
        "ANCHOR_GRACE: soon: want a time such as 10s or 500ms (at most 86400s), 0, or never"
    );
    // Nothing is installed beside a test.
    let error = Library::find().unwrap_err().to_string();
    assert!(error.starts_with("libanchor.so: not found in /"), "{error}");
}
