//! `ANCHOR_FD`: what hangs up, what does not, and what is no lifeline at all.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use nix::sys::socket::{Shutdown, SockType, shutdown};
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Command;
use support::lifeline::*;
use support::*;

type Kind = (&'static str, fn() -> Ends);

const KINDS: [Kind; 5] = [
    ("a pipe to read from", pipe),
    ("a pipe to write to", pipe_to_write),
    ("a stream", || local(SockType::Stream)),
    ("packets", || local(SockType::SeqPacket)),
    ("TCP", network),
];

/// `test (holds the other end: the anchor) -> cat (host)`
fn host(end: &OwnedFd) -> Echo {
    Echo::spawn(held(&mut Command::new("cat"), end)).armed()
}

#[test]
fn dies_when_the_other_end_is_gone() {
    for (kind, ends) in KINDS {
        let (anchors, hosts) = ends();
        let mut echo = host(&hosts);
        // Whoever else has a copy of the host's end does not matter: the test has.
        echo.assert_lives();
        drop(anchors);
        assert_signalled(echo.owned.pid(), Signal::SIGTERM);
        println!("{kind}: dead");
    }
}

// The control: without the variable the hang-up is nothing to it.
#[test]
fn lives_without_the_variable() {
    for (_, ends) in KINDS {
        let (anchors, hosts) = ends();
        let mut command = Command::new("cat");
        let mut echo = Echo::spawn(held(&mut command, &hosts).env_remove("ANCHOR_FD"));
        echo.assert_lives();
        drop(anchors);
        echo.assert_lives();
        assert_eq!(watcher(echo.owned.pid()), None);
    }
}

// A FIFO has a name, by which somebody opens each end.
#[test]
fn a_fifo_is_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let both = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let read: OwnedFd = std::fs::File::open(&path).unwrap().into();
    let write = std::fs::File::options().write(true).open(&path).unwrap();
    drop(both);
    let echo = host(&read);
    drop(write);
    assert_signalled(echo.owned.pid(), Signal::SIGTERM);
}

// The anchor's end is gone before there is a host: it is asked before its main.
#[test]
fn a_host_of_a_dead_anchor_does_not_begin() {
    for (kind, ends) in KINDS {
        let hosts = hang_up(ends());
        let mut command = Command::new("echo");
        let mut echo = Echo::spawn(held(command.arg("began"), &hosts));
        assert_eq!(echo.line(), "", "{kind}");
        assert_signalled(echo.owned.pid(), Signal::SIGTERM);
    }
}

// Either's death: of the process while the other end is held, of the other end while the process lives.
#[test]
fn either_fires() {
    for by_process in [true, false] {
        let (anchors, hosts) = pipe();
        let mut anchor = sibling();
        let mut command = Command::new("cat");
        held(&mut command, &hosts).env("ANCHOR_PID", anchor.pid().to_string());
        let mut echo = Echo::spawn(&mut command).armed();
        echo.assert_lives();
        let anchors = if by_process {
            anchor.kill();
            Some(anchors)
        } else {
            drop(anchors);
            None
        };
        assert_signalled(echo.owned.pid(), Signal::SIGTERM);
        drop(anchors);
    }
}

// What the other side sends belongs to the host, read or not, and wakes nobody.
#[test]
fn data_is_left_alone_and_wakes_nobody() {
    for (_, ends) in [KINDS[0], KINDS[2], KINDS[4]] {
        let (anchors, hosts) = ends();
        let mut anchors = std::fs::File::from(anchors);
        let mut echo = host(&hosts);
        let task = watcher(echo.owned.pid()).unwrap();
        let switches = || {
            let status = std::fs::read_to_string(task.join("status")).unwrap();
            let lines = status.lines().filter(|line| line.contains("ctxt_switches"));
            lines.map(|line| line.to_owned()).collect::<Vec<_>>()
        };
        let before = switches();
        for _ in 0..100 {
            anchors.write_all(b"for the host").unwrap();
            echo.assert_lives();
        }
        assert_eq!(switches(), before);
        wait_until("all of it", || unread(&hosts) == 1200);
        drop(anchors);
        assert_signalled(echo.owned.pid(), Signal::SIGTERM);
    }
}

fn unread(end: &OwnedFd) -> i32 {
    let mut count = 0;
    // SAFETY: room for the one number that FIONREAD writes.
    let done = unsafe { libc::ioctl(end.as_raw_fd(), libc::FIONREAD, &mut count) };
    assert_eq!(done, 0);
    count
}

// Node's `.end()`: the anchor says no more, and lives.
#[test]
fn a_half_that_is_shut_down_is_no_death() {
    let (anchors, hosts) = local(SockType::Stream);
    let mut echo = host(&hosts);
    shutdown(anchors.as_raw_fd(), Shutdown::Write).unwrap();
    for _ in 0..10 {
        echo.assert_lives();
    }
    wait_until_armed(echo.owned.pid());
    drop(anchors);
    assert_signalled(echo.owned.pid(), Signal::SIGTERM);
}

// A host that closes all that it does not know, as daemons do: the watcher has a copy.
#[test]
fn a_host_that_closes_everything_is_still_held() {
    let (anchors, hosts) = pipe();
    let closes = program("closes", &[]);
    let mut echo = Echo::spawn(held(&mut Command::new(closes), &hosts));
    for _ in 0..10 {
        echo.assert_lives();
    }
    let folder = format!("/proc/{}", echo.owned.pid());
    let inode = nix::sys::stat::fstat(&hosts).unwrap().st_ino;
    let held = held_by(folder.as_ref());
    assert!(
        !held.contains(&format!("pipe:[{inode}]")),
        "it has closed it: {held:?}"
    );
    drop(anchors);
    assert_signalled(echo.owned.pid(), Signal::SIGTERM);
}

// The watcher holds the one end, its bell, and nothing else of the host's.
#[test]
fn the_watcher_holds_that_end_alone() {
    let (_anchors, hosts) = pipe();
    let echo = host(&hosts);
    let held = held_by(&watcher(echo.owned.pid()).unwrap());
    let inode = nix::sys::stat::fstat(&hosts).unwrap().st_ino;
    assert_eq!(
        held,
        ["anon_inode:[signalfd]".to_owned(), format!("pipe:[{inode}]")]
    );
}

#[test]
fn what_is_no_lifeline_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let (_terminal, side) = terminal::terminal();
    let file = |path: &str| OwnedFd::from(std::fs::File::open(path).unwrap());
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let both = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&fifo)
        .unwrap();
    let unconnected = |family| nix::sys::socket::socket(family, SockType::Stream, SockFlag::empty(), None);
    use nix::sys::socket::{
        AddressFamily::{Inet, Unix},
        SockFlag,
    };
    let ends: Vec<(&str, OwnedFd, &str)> = vec![
        ("a regular file", file("/etc/passwd"), "it is neither"),
        ("a folder", file("/"), "it is neither"),
        ("a device", file("/dev/null"), "it is neither"),
        ("a terminal", side, "it is neither"),
        ("an eventfd", eventfd(), "it is neither"),
        ("a FIFO's both ends", both.into(), "it is not one end alone"),
        (
            "UDP",
            UdpSocket::bind("127.0.0.1:0").unwrap().into(),
            "a socket of this kind never hangs up",
        ),
        (
            "datagrams",
            UnixDatagram::pair().unwrap().0.into(),
            "a socket of this kind never hangs up",
        ),
        (
            "a listener",
            TcpListener::bind("127.0.0.1:0").unwrap().into(),
            "it is not connected",
        ),
        (
            "a local one",
            UnixListener::bind(folder.path().join("l")).unwrap().into(),
            "it is not connected",
        ),
        ("nobody's", unconnected(Inet).unwrap(), "it is not connected"),
        (
            "nobody's, local",
            unconnected(Unix).unwrap(),
            "it is not connected",
        ),
    ];
    let anchor = sibling();
    for (what, end, why) in &ends {
        let accepts = "want the number of an open pipe or of a connected stream socket, as in 3";
        let line = |then: &str| format!("]: ANCHOR_FD: {}: {accepts}; {why}; {then}\n", end.as_raw_fd());
        for (process, then) in [(false, "the program runs unanchored"), (true, "ignored")] {
            let mut command = Command::new("echo");
            held(command.arg("ran"), end);
            if process {
                command.env("ANCHOR_PID", anchor.pid().to_string());
            }
            let output = command.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(
                said.ends_with(&line(then)) && said.lines().count() == 1,
                "{what}: {said}"
            );
            assert_eq!(output.stdout, b"ran\n", "{what}");
        }
        let mut command = Command::new("echo");
        let output = held(command.arg("ran"), end)
            .env("ANCHOR_STRICT", "1")
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), &*output.stdout),
            (Some(125), &b""[..]),
            "{what}"
        );
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.ends_with(&line("not run, because ANCHOR_STRICT=1")),
            "{what}: {said}"
        );
    }
}

fn eventfd() -> OwnedFd {
    use std::os::fd::FromRawFd;
    // SAFETY: makes a new descriptor.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    // SAFETY: it is owned from here on.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

// A message in the error queue is POLLERR, for ever, and no death. The watcher looks now and then instead of spinning.
#[test]
fn an_error_that_waits_is_no_death() {
    let (anchors, hosts) = network();
    let flags = libc::SOF_TIMESTAMPING_TX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    // SAFETY: one number of the length that is given.
    let set = unsafe {
        let place = (&raw const flags).cast();
        libc::setsockopt(
            hosts.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPING,
            place,
            4,
        )
    };
    assert_eq!(set, 0);
    let mut echo = host(&hosts);
    std::fs::File::from(hosts.try_clone().unwrap())
        .write_all(b"x")
        .unwrap();
    let mut entry = [nix::poll::PollFd::new(
        std::os::fd::AsFd::as_fd(&hosts),
        nix::poll::PollFlags::empty(),
    )];
    wait_until("an error that waits", || {
        nix::poll::poll(&mut entry, nix::poll::PollTimeout::ZERO).unwrap() == 1
    });
    for _ in 0..10 {
        echo.assert_lives();
    }
    let ticks = || {
        let stat = std::fs::read_to_string(watcher(echo.owned.pid()).unwrap().join("stat")).unwrap();
        let fields: Vec<u64> = stat
            .rsplit_once(") ")
            .unwrap()
            .1
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse().unwrap())
            .collect();
        fields[0] + fields[1]
    };
    wait_until_armed(echo.owned.pid());
    assert!(ticks() < 50, "{} ticks: it spins", ticks());
    drop(anchors);
    assert_signalled(echo.owned.pid(), Signal::SIGTERM);
}

// What the kernel refuses to say is no hang-up, and no mistake of anybody's: nothing is said, and the process is left.
#[test]
fn a_refused_call_is_no_death() {
    let calls = [
        libc::SYS_fstat,
        libc::SYS_getsockopt,
        libc::SYS_getpeername,
        libc::SYS_close_range,
        libc::SYS_unshare,
    ];
    for call in calls {
        let (anchors, hosts) = local(SockType::Stream);
        let mut anchor = sibling();
        let mut command = Command::new("cat");
        held(&mut command, &hosts).env("ANCHOR_PID", anchor.pid().to_string());
        let (mut echo, said) = Echo::spawn_with_errors(filter::refuse(&mut command, call, libc::EPERM));
        for _ in 0..10 {
            echo.assert_lives();
        }
        wait_until_armed(echo.owned.pid());
        echo.assert_lives();
        anchor.kill();
        assert_signalled(echo.owned.pid(), Signal::SIGTERM);
        assert_eq!(said.rest(), "", "{call}");
        drop(anchors);
    }
}
