//! A handle of a process, pidfd_open(2), Linux 5.3: what tells it from every other process.
#![allow(unsafe_code)]

use anchor_contract::Pid;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `PID_FS_MAGIC`, the kernel's include/uapi/linux/magic.h.
const PID_FS: u64 = 0x5049_4446;

/// A handle of a process, where the kernel gives one.
pub fn open(pid: Pid) -> Option<OwnedFd> {
    // SAFETY: makes a new descriptor, touches no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.raw(), 0) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: new, and nobody else's.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// [`anchor_contract::AnchorId::mark`]. `None` of a process that is dead by now, and before Linux 6.9, where all
/// handles share one inode.
pub fn mark_while_alive(pinned: &OwnedFd) -> Option<u64> {
    let mut system = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: room for one answer, fstatfs(2).
    if unsafe { libc::fstatfs(pinned.as_raw_fd(), system.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: numbers only, zero is one of them.
    let kind = unsafe { system.assume_init() }.f_type;
    let mut answer = MaybeUninit::<libc::stat64>::zeroed();
    // SAFETY: room for one answer, fstat(2).
    if unsafe { libc::fstat64(pinned.as_raw_fd(), answer.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: as above.
    let mark = unsafe { answer.assume_init() }.st_ino;
    let mut event = libc::pollfd {
        fd: pinned.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one whole entry, no time to wait.
    let dead = unsafe { libc::poll(&raw mut event, 1, 0) } != 0;
    (u64::try_from(kind) == Ok(PID_FS) && !dead).then_some(mark)
}
