//! Lifelines: pipes and sockets of which a test holds one end, and a host the other.

use super::{LIBRARY, without_library};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::pipe2;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Both ends, close-on-exec: the anchor's, whose closing is its death, and the host's.
pub type Ends = (OwnedFd, OwnedFd);

/// The host has the end to read from.
pub fn pipe() -> Ends {
    let (read, write) = pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    (write, read)
}

/// The host has the end to write to.
pub fn pipe_to_write() -> Ends {
    let (anchors, hosts) = pipe();
    (hosts, anchors)
}

pub fn local(kind: SockType) -> Ends {
    socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).unwrap()
}

pub fn network() -> Ends {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0.into(), host.into())
}

/// Closes the anchor's end, and waits until nobody has it. RACE: 1. another thread forks  2. the end is closed here  3. a
/// host looks: it hangs up when that child executes its program.
pub fn hang_up((anchors, hosts): Ends) -> OwnedFd {
    drop(anchors);
    let ends = PollFlags::from_bits_retain(libc::POLLRDHUP);
    let mut entry = [PollFd::new(hosts.as_fd(), ends)];
    let hung_up = poll(&mut entry, PollTimeout::try_from(super::CEILING).unwrap()).unwrap();
    assert_eq!(hung_up, 1, "somebody has the anchor's end open");
    hosts
}

/// Has the command inherit a descriptor under the number that it has here.
pub fn hand_down<'a>(command: &'a mut Command, end: &OwnedFd) -> &'a mut Command {
    let number = end.as_raw_fd();
    // SAFETY: one system call, nothing that allocates.
    unsafe { command.pre_exec(move || clear(number)) }
}

fn clear(number: RawFd) -> std::io::Result<()> {
    // SAFETY: the number is of this process, and only borrowed.
    let end = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    fcntl(end, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}

/// A command that has the library and the descriptor, and no other anchor.
pub fn held<'a>(command: &'a mut Command, end: &OwnedFd) -> &'a mut Command {
    hand_down(without_library(command), end)
        .env(super::INJECTS, LIBRARY.as_os_str())
        .env("ANCHOR_FD", end.as_raw_fd().to_string())
}

/// The value as a first host pins it.
pub fn pinned(end: &OwnedFd) -> String {
    let stat = nix::sys::stat::fstat(end).unwrap();
    format!("{}:{}:{}", end.as_raw_fd(), stat.st_dev, stat.st_ino)
}
