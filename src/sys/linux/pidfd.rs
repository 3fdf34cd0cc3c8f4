//! The best rung: a handle that pins a process, and an event when it is dead. pidfd_open(2), Linux 5.3.

use super::bell::{self, Bell, Woken};
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
    /// The watcher is to stand down. Before that the process was alive.
    Dismissed,
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
        bell::is_readable(self.0)
    }

    /// Sleeps until the process is dead or the bell is rung. No time-out, so no wake-up before.
    pub fn wait_for_exit(self, bell: &mut Bell) -> Waited {
        match bell.wait(Some(self.0), None) {
            Woken::Event => Waited::Exited,
            Woken::Rung => Waited::Dismissed,
            // The descriptor is not what it was, or there is no waiting. Never a death.
            Woken::Time | Woken::Refused => Waited::Lost,
        }
    }
}
