//! The one safe way to signal a process: through a pidfd that was opened first and whose identity was compared second.

use super::process_table;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// What a machine must have that has no handle to give.
pub const WANTED: &str = "supervision wants a pidfd (Linux 5.3)";

/// A handle of a process that is known to be the one that was meant.
#[derive(Debug)]
pub struct Handle(OwnedFd);

impl Handle {
    /// Opens a pidfd, and only then compares the start time.
    ///
    /// RACE: compared first and opened afterwards, 1. the start time is the right one  2. the process dies and its number
    ///   is given to another  3. the pidfd is of that one, and is signalled. With the pidfd first, 2 can only come
    ///   before it, and then the start time differs.
    pub fn open(pid: i32, start: u64) -> Option<Self> {
        // SAFETY: makes a new descriptor, pidfd_open(2).
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
        // SAFETY: new, and nobody else's.
        let handle = Self(unsafe { OwnedFd::from_raw_fd(fd) });
        (process_table::entry(pid)?.start == start).then_some(handle)
    }

    /// Sends a signal, pidfd_send_signal(2). ESRCH where the process is dead by now.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        self.send(signal as i32)
    }

    /// As [`Handle::signal`], by number: the real-time ones have no name.
    pub fn send(&self, number: i32) -> Result<(), Errno> {
        let fd = self.0.as_raw_fd();
        // SAFETY: numbers only, no information.
        let sent = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                fd,
                number,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        Errno::result(sent).map(drop)
    }

    /// Whether the process is dead, reaped or not.
    pub fn is_dead(&self) -> bool {
        let mut entry = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut entry, PollTimeout::ZERO);
        entry[0]
            .revents()
            .is_some_and(|is| is.contains(PollFlags::POLLIN))
    }

    /// The descriptors without which it is none.
    pub fn kept(&self) -> Option<i32> {
        Some(self.0.as_raw_fd())
    }

    /// The descriptor: it becomes readable when the process is dead.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.0
    }
}

/// Waits until one of them is dead, at most so long.
pub fn wait_for_any<'a>(handles: impl Iterator<Item = &'a Handle>, at_most: Duration) {
    let mut entries: Vec<PollFd> = handles
        .map(|handle| PollFd::new(handle.0.as_fd(), PollFlags::POLLIN))
        .collect();
    // Rounded up, so that the time is over when the wait is.
    let wait = PollTimeout::try_from(at_most + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    let _ = poll(&mut entries, wait);
}
