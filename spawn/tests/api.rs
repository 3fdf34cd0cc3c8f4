//! The parent's side on real programs.

#![cfg(target_os = "linux")]

#[path = "../../tests/support/mod.rs"]
mod support;

use anchor_spawn::{Anchor, Error, Library, Lifeline, PRELOAD, Preload};
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

// This process's pipe ends when it does, so here the anchor is another: `test -> sh (keeps the other end) -> cat (host)`.
// Programs that several threads start beside have none of the anchor's end.
#[test]
fn a_command_ends_when_the_lifeline_hangs_up() {
    let (anchors, hosts) = lifeline::pipe();
    let anchor = Anchor::by(Lifeline::new(hosts).unwrap());
    assert!(anchor.process().is_none());
    let start = || {
        let mut command = Command::new("cat");
        without_library(&mut command)
            .env("ANCHOR_PID", "1")
            .env("ANCHOR_ID", "1:1");
        Echo::spawn(anchor.apply_with(&mut command, &preload())).armed()
    };
    let mut hosts: Vec<Echo> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    hosts.iter_mut().for_each(Echo::assert_lives);
    drop(anchors);
    for host in &hosts {
        assert_signalled(host.owned.pid(), Signal::SIGTERM);
    }
}

// The control is the host itself, while this process lives: nobody hangs up, whoever else is started.
#[test]
fn this_process_keeps_its_end() {
    let mut anchor = Anchor::current().unwrap();
    let own = Lifeline::of_this_process().unwrap();
    assert_eq!(own.value(), Lifeline::of_this_process().unwrap().value());
    anchor.with(own.clone());
    let mut command = Command::new("cat");
    let mut host = Echo::spawn(anchor.apply_with(without_library(&mut command), &preload())).armed();
    let mut env = Command::new("env");
    let output = anchor
        .apply_with(without_library(&mut env), &Preload::Nothing)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (fd, pid) = (
        format!("ANCHOR_FD={}", own.value()),
        format!("ANCHOR_PID={}", std::process::id()),
    );
    assert!(
        text.lines().any(|line| line == fd) && text.lines().any(|line| line == pid),
        "{text}"
    );
    host.assert_lives();
    let held = held_by(format!("/proc/{}", host.owned.pid()).as_ref());
    let line = format!("pipe:[{}]", own.value().file.unwrap().inode);
    assert_eq!(
        held.iter().filter(|held| **held == line).count(),
        1,
        "one end alone: {held:?}"
    );
}

#[test]
fn what_cannot_hang_up_is_refused() {
    let refused = |end: std::os::fd::OwnedFd, why: &str| match Lifeline::new(end) {
        Err(Error::Lifeline(_, said)) => assert_eq!(said, why),
        other => panic!("{other:?}"),
    };
    refused(
        std::fs::File::open("/etc/passwd").unwrap().into(),
        "neither a pipe nor a socket",
    );
    let (one, _other) = std::os::unix::net::UnixDatagram::pair().unwrap();
    refused(one.into(), "a socket of this kind never hangs up");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    refused(listener.into(), "a socket that is not connected");
    assert!(matches!(Lifeline::at(1023), Err(Error::Lifeline(1023, why)) if why == "closed"));
    assert!(matches!(Lifeline::at(-1), Err(Error::Lifeline(-1, _))));
}
