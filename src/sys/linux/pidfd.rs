//! The best rung: a handle that pins a process, and an event when it is dead. pidfd_open(2), Linux 5.3.

use super::bell::{self, Bell};
use super::call::{Errno, call};
use super::file::{self, close};
use super::process;
use crate::sys::{NoHandle, Waited, Woken};
use anchor_contract::Pid;
use core::mem::MaybeUninit;

/// What a handle is.
pub const NAME: &str = "pidfd";

/// The inode of the PID namespace that the calling process is in, as the kernel tells without `/proc`:
/// PIDFD_GET_PID_NAMESPACE, ioctl_pidfd(2), Linux 6.11.
pub fn own_pid_namespace() -> Option<u64> {
    const PIDFD_GET_PID_NAMESPACE: usize = 0xff05;
    let own = Handle::open(Pid::from_raw(process::own_pid())?).ok()?;
    // SAFETY: makes a new descriptor, touches no memory.
    let namespace = unsafe { call!(SYS_ioctl, own.0, PIDFD_GET_PID_NAMESPACE) };
    own.close();
    let namespace = Handle(namespace.ok().and_then(|fd| i32::try_from(fd).ok())?);
    let inode = inode_of(namespace.0);
    namespace.close();
    inode
}

fn inode_of(fd: i32) -> Option<u64> {
    file::identity(fd).ok().map(|(file, _)| file.inode)
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

    /// What tells this process from every other since the machine was started: the inode of its pidfd. `None` before
    /// Linux 6.9, where all pidfds share one.
    pub fn unique_mark(self) -> Option<u64> {
        /// `PID_FS_MAGIC`, the kernel's include/uapi/linux/magic.h.
        const PID_FS: u64 = 0x5049_4446;
        let mut answer = MaybeUninit::<libc::statfs>::zeroed();
        // SAFETY: room for one answer, fstatfs(2); libc's layout is the kernel's.
        unsafe { call!(SYS_fstatfs, self.0, answer.as_mut_ptr()) }.ok()?;
        // SAFETY: numbers only, zero is one of them.
        let kind = unsafe { answer.assume_init() }.f_type;
        self.mark().filter(|_| u64::try_from(kind) == Ok(PID_FS))
    }

    /// The same where it is known that there is one.
    pub fn mark(self) -> Option<u64> {
        inode_of(self.0)
    }

    /// What a watcher gets of a handle that the host's thread has opened: nothing. It opens one in its own table, and the
    /// host never sees this one.
    pub fn hand_over(self) -> Option<Self> {
        self.close();
        None
    }

    /// Gives the descriptor back.
    pub fn close(self) {
        close(self.0);
    }

    /// Whether the process is dead by now.
    pub fn exited(self) -> bool {
        bell::is_readable(self.0)
    }

    /// Sleeps until the process is dead or the bell is rung. No time-out, so no wake-up before.
    pub fn wait_for_exit(self, bell: &mut Bell) -> Waited {
        match bell.wait(Some(self.0), None) {
            Woken::Event => Waited::Exited,
            Woken::HungUp => Waited::HungUp,
            Woken::Rung => Waited::Dismissed,
            // The descriptor is not what it was, or there is no waiting. Never a death.
            Woken::Time | Woken::Refused => Waited::Lost,
        }
    }
}
