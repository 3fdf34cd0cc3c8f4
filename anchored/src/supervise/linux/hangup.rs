//! A lifeline: a copy of a descriptor whose hang-up is the anchor's death. Nothing is read from it. What counts as one is
//! what counts for the library (`src/sys/linux/lifeline.rs`).

use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::{AddressFamily, SockaddrLike, SockaddrStorage, getsockname};
use nix::sys::stat::{SFlag, fstat};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The copy.
pub struct Hangup {
    end: OwnedFd,
    /// What poll(2) says when the other end is gone.
    signs: i16,
    /// Whether it says something else all the time: then it is looked at now and then.
    noisy: bool,
}

impl Hangup {
    /// A copy of the descriptor of this number, close-on-exec.
    pub fn of(number: i32) -> io::Result<Self> {
        // SAFETY: borrowed for this one call; a number that is not open is an error.
        let there = unsafe { BorrowedFd::borrow_raw(number) };
        let copy = fcntl(there, FcntlArg::F_DUPFD_CLOEXEC(3))?;
        // SAFETY: made above, and owned from here on.
        let end = unsafe { OwnedFd::from_raw_fd(copy) };
        let kind = SFlag::from_bits_truncate(fstat(&end)?.st_mode) & SFlag::S_IFMT;
        let local = || {
            let address = getsockname::<SockaddrStorage>(end.as_raw_fd());
            address.is_ok_and(|address| address.family() == Some(AddressFamily::Unix))
        };
        let signs = match kind {
            SFlag::S_IFIFO => libc::POLLHUP | libc::POLLERR,
            _ if local() => libc::POLLHUP,
            _ => libc::POLLHUP | libc::POLLRDHUP,
        };
        Ok(Self {
            end,
            signs,
            noisy: false,
        })
    }

    /// Its number here.
    pub fn number(&self) -> i32 {
        self.end.as_raw_fd()
    }

    /// What a wait is for; `None` where waiting for it would be no waiting.
    pub fn entry(&self) -> Option<PollFd<'_>> {
        let events = PollFlags::from_bits_retain(self.signs & libc::POLLRDHUP);
        (!self.noisy).then(|| PollFd::new(self.end.as_fd(), events))
    }

    /// Whether the other end is gone.
    pub fn has_come(&mut self) -> bool {
        let mut entry = libc::pollfd {
            fd: self.end.as_raw_fd(),
            events: self.signs & libc::POLLRDHUP,
            revents: 0,
        };
        // SAFETY: one whole entry, no time-out.
        let polled = unsafe { libc::poll(&raw mut entry, 1, 0) };
        let come = polled == 1 && entry.revents & self.signs != 0;
        self.noisy = polled == 1 && !come;
        come
    }

    /// Whether it has to be looked at now and then.
    pub fn is_noisy(&self) -> bool {
        self.noisy
    }
}
