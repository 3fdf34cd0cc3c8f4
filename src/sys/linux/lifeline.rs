//! An end of a pipe or socket whose other end the anchor holds: what may be one, by what it is known again, and what its
//! hang-up is. Nothing is ever read from it: the host may share it.

use super::call::{Errno, call};
use super::{bell, file};
use crate::sys::{Once, Unfit};
use anchor_contract::{AnchorFd, FileId};

/// Why the watcher has none although the host has.
pub const NO_COPY: &str = "no copy of it could be had";

/// The process's one: an end that was looked at.
static FOUND: Once<Lifeline> = Once::new();

struct Lifeline {
    /// Its number in the host's table, and in the watcher's.
    fd: i32,
    file: FileId,
    kind: Kind,
}

/// By what poll(2) tells a hang-up. Data wakes nobody: it is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// KERNEL: an end to read from says POLLHUP, one to write to says POLLERR, pipe(7).
    Pipe,
    /// KERNEL: POLLHUP alone. An end that the other side has only shut down for writing (Node's `.end()`) says POLLRDHUP,
    /// and nobody has died of that. POLLERR comes with data that was not read, beside POLLHUP.
    Local,
    /// KERNEL: a peer that is dead has sent a FIN, which is POLLRDHUP, or a RST, which is POLLHUP. POLLERR alone is a
    /// message in the error queue, recv(2).
    Network,
}

const UNKNOWN: Unfit = Unfit {
    why: "the kernel does not say what it is",
    mistake: false,
};

/// What an end says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Nothing.
    Nothing,
    /// That the other end is gone.
    HungUp,
    /// Something that nobody waits for and that does not go away: it has to be looked at now and then instead.
    Noise,
}

/// Finds the end that is meant in the calling thread's table. Once, at load. As it is passed on: with its file.
#[inline(never)] // GUEST: whoever has none does not touch its stack
pub fn find(told: AnchorFd) -> Result<Option<AnchorFd>, Unfit> {
    let fd = told.raw();
    let (file, kind) = match file::identity(fd) {
        Err(Errno(libc::EBADF)) => {
            return Err(Unfit {
                why: "it is closed",
                mistake: told.file.is_none(),
            });
        }
        Err(_) => return Err(UNKNOWN),
        Ok(found) => found,
    };
    if told.file.is_some_and(|meant| meant != file) {
        return Err(Unfit {
            why: "another file has its number",
            mistake: false,
        });
    }
    let kind = match kind {
        libc::S_IFIFO => Kind::Pipe,
        libc::S_IFSOCK => socket(fd, told.file.is_some())?,
        _ => return Err(Unfit::mistaken("it is neither")),
    };
    if kind == Kind::Pipe {
        // SAFETY: numbers only.
        let flags = unsafe { call!(SYS_fcntl, fd, libc::F_GETFL) }.unwrap_or(0);
        let has = |flag: i32| usize::try_from(flag).is_ok_and(|flag| flags & flag != 0);
        // A FIFO that is its own other end, or is not open at all.
        if has(libc::O_RDWR | libc::O_PATH) {
            return Err(Unfit::mistaken("it is not one end alone"));
        }
    }
    FOUND.set(Lifeline { fd, file, kind });
    Ok(AnchorFd::new(fd, Some(file)))
}

/// The number under which the host had it.
pub fn number() -> Option<i32> {
    FOUND.get().map(|found| found.fd)
}

/// Whether the calling thread's table has it, under the same number.
pub fn is_here() -> bool {
    let same = |found: &Lifeline| file::identity(found.fd).is_ok_and(|(file, _)| file == found.file);
    FOUND.get().is_some_and(same)
}

/// What ppoll(2) is to wait for.
pub fn entry() -> libc::pollfd {
    let network = |found: &Lifeline| found.kind == Kind::Network;
    libc::pollfd {
        fd: number().unwrap_or(-1),
        events: if FOUND.get().is_some_and(network) {
            libc::POLLRDHUP
        } else {
            0
        },
        revents: 0,
    }
}

/// What that has answered. POLLNVAL is no hang-up.
pub fn read(answer: libc::pollfd) -> Says {
    let hang_up = match FOUND.get().map(|found| found.kind) {
        None => 0,
        Some(Kind::Pipe) => libc::POLLHUP | libc::POLLERR,
        Some(Kind::Local) => libc::POLLHUP,
        Some(Kind::Network) => libc::POLLHUP | libc::POLLRDHUP,
    };
    match answer.revents {
        0 => Says::Nothing,
        revents if revents & libc::POLLNVAL == 0 && revents & hang_up != 0 => Says::HungUp,
        _ => Says::Noise,
    }
}

/// Whether the other end is gone by now; not, where the kernel does not say.
pub fn has_hung_up() -> bool {
    let mut entries = [entry()];
    let polled = bell::poll(&mut entries, Some(0));
    let [entry] = entries;
    polled.is_ok() && read(entry) == Says::HungUp
}

/// What a socket says when its peer is dead. `pinned`: whether somebody has looked at it before.
fn socket(fd: i32, pinned: bool) -> Result<Kind, Unfit> {
    let option = |option| of_socket(fd, option).ok_or(UNKNOWN);
    let (family, kind) = (option(libc::SO_DOMAIN)?, option(libc::SO_TYPE)?);
    let local = family == libc::AF_UNIX;
    if kind != libc::SOCK_STREAM && !(local && kind == libc::SOCK_SEQPACKET) {
        return Err(Unfit::mistaken("a socket of this kind never hangs up"));
    }
    let (mut address, mut length) = ([0_u64; 16], 128_u32);
    let (place, length) = (address.as_mut_ptr(), core::ptr::from_mut(&mut length));
    // SAFETY: room for an address of the length that is given, getpeername(2).
    match unsafe { call!(SYS_getpeername, fd, place, length) } {
        // KERNEL: an end that was never connected says POLLHUP at once, one that listens never. One whose connection was
        // reset cannot be told from the former; but who has pinned it has seen it connected.
        Err(Errno(libc::ENOTCONN)) if !pinned => return Err(Unfit::mistaken("it is not connected")),
        Ok(_) | Err(Errno(libc::ENOTCONN)) => {}
        Err(_) => return Err(UNKNOWN),
    }
    Ok(if local { Kind::Local } else { Kind::Network })
}

/// A socket's own property that is a number, socket(7).
#[inline(never)] // the library is small because this is not repeated at every use
fn of_socket(fd: i32, option: i32) -> Option<i32> {
    let (mut value, mut length) = (0_i32, 4_u32);
    let (place, length) = (core::ptr::from_mut(&mut value), core::ptr::from_mut(&mut length));
    // SAFETY: room for one number, of the length that is given.
    unsafe { call!(SYS_getsockopt, fd, libc::SOL_SOCKET, option, place, length) }.ok()?;
    Some(value)
}
