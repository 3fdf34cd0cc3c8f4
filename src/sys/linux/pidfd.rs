//! The best rung: a handle that pins a process, and an event when it is dead. pidfd_open(2), Linux 5.3.

use super::call::{Errno, call};
use anchor_contract::Pid;

/// Why there is no handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoHandle {
    /// No process has this number (ESRCH). Nothing else means that it is gone.
    NoSuchProcess,
    /// The number is a thread's, not a process's (EINVAL; ENOENT since Linux 6.9).
    NotAProcess,
    /// The kernel offers none: too old, a filter, no descriptor to be had.
    Unavailable,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The process is dead, reaped or not.
    Exited,
    /// Its number belongs to another process by now.
    Recycled,
    /// Nothing more can be learned this way, and that says nothing about the process.
    Lost,
}

/// A pidfd: it pins the process, so that its number cannot come to mean another one. Linux 5.3.
#[derive(Clone, Copy, Debug)]
pub struct Handle(i32);

impl Handle {
    /// pidfd_open(2), close-on-exec by itself.
    pub fn open(pid: Pid) -> Result<Self, NoHandle> {
        // SAFETY: makes a new descriptor, touches no memory.
        match unsafe { call!(SYS_pidfd_open, pid.raw(), 0) } {
            Ok(fd) => i32::try_from(fd).map(Self).map_err(|_| NoHandle::Unavailable),
            Err(Errno(libc::ESRCH)) => Err(NoHandle::NoSuchProcess),
            Err(Errno(libc::EINVAL | libc::ENOENT)) => Err(NoHandle::NotAProcess),
            Err(_) => Err(NoHandle::Unavailable),
        }
    }

    /// The descriptor's number.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Gives the descriptor back.
    pub fn close(self) {
        // SAFETY: the number is ours: opened above, closed once.
        let _ = unsafe { call!(SYS_close, self.0) };
    }

    /// Whether the process is dead by now.
    pub fn exited(self) -> bool {
        poll_exit(self.0, Some(&AT_ONCE)) == Ok(true)
    }

    /// Sleeps until the process is dead. No time-out, so no wake-up while it lives.
    pub fn wait_for_exit(self) -> Waited {
        loop {
            match poll_exit(self.0, None) {
                Ok(true) => return Waited::Exited,
                // Stopped and continued, or traced: ppoll(2) is interrupted without a signal for us.
                Err(Errno(libc::EINTR)) => {}
                // POLLNVAL or an error: the descriptor is not what it was. Never a death.
                Ok(false) | Err(_) => return Waited::Lost,
            }
        }
    }
}

const AT_ONCE: libc::timespec = libc::timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// ppoll(2) on a pidfd: readable means that the process has terminated, pidfd_open(2).
fn poll_exit(fd: i32, timeout: Option<&libc::timespec>) -> Result<bool, Errno> {
    let mut entry = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let timeout = timeout.map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: one whole entry, a whole time or none, no signal set.
    let ready = unsafe { call!(SYS_ppoll, core::ptr::from_mut(&mut entry), 1, timeout, 0_usize, 0) }?;
    Ok(ready > 0 && entry.revents & libc::POLLIN != 0)
}
