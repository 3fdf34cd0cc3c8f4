//! Lines that are written to places of the host: whole, in one write, and never waiting for anybody.

use super::call::{Errno, call};
use super::file::close;
use super::{process, signals};
use core::ffi::CStr;

/// Writes a line to the calling thread's descriptor 2, if it takes one now. All signals are blocked.
pub fn to_stderr(line: &[u8]) {
    write_now(libc::STDERR_FILENO, line);
}

/// Writes a line to the host's descriptor 2 from a thread with another table.
///
/// The host's own open file is borrowed, so that its offset moves on as it would with a write of the host's.
pub fn to_hosts_stderr(line: &[u8]) {
    let path = c"/proc/self/fd/2";
    if let Some(fd) = hosts_descriptor(libc::STDERR_FILENO).or_else(|| open_to_append(path).ok()) {
        write_now(fd, line);
        close(fd);
    }
}

/// Appends a line to a file, which is made if it is not there.
pub fn to_file(path: &CStr, line: &[u8]) -> Result<(), Errno> {
    let fd = open_to_append(path)?;
    write_now(fd, line);
    close(fd);
    Ok(())
}

/// Turns the lack of a descriptor, which says nothing about a file, into a success.
pub fn excuse_no_descriptor(error: Errno) -> Result<(), Errno> {
    if matches!(error.0, libc::EMFILE | libc::ENFILE | libc::ENOMEM) {
        Ok(())
    } else {
        Err(error)
    }
}

/// GUEST: O_NONBLOCK, because a FIFO without a reader would hold the host for ever at open.
fn open_to_append(path: &CStr) -> Result<i32, Errno> {
    let flags =
        libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NOCTTY | libc::O_NONBLOCK;
    // SAFETY: a NUL-terminated path.
    let fd = unsafe { call!(SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0o666) }?;
    i32::try_from(fd).map_err(|_| Errno(libc::EBADF))
}

/// A copy of one of the host's descriptors: pidfd_getfd(2), Linux 5.6, allowed within one process.
fn hosts_descriptor(fd: i32) -> Option<i32> {
    // SAFETY: makes a new descriptor in this thread's table.
    let host = unsafe { call!(SYS_pidfd_open, process::own_pid(), 0) }.ok()?;
    // SAFETY: as above.
    let copy = unsafe { call!(SYS_pidfd_getfd, host, fd, 0) };
    close(i32::try_from(host).ok()?);
    copy.ok().and_then(|copy| i32::try_from(copy).ok())
}

/// One write, only if it need not wait: a full pipe that nobody reads must not keep a host from being ended.
fn write_now(fd: i32, line: &[u8]) {
    // GUEST: a pipe without a reader would have SIGPIPE sent, which nothing keeps from the host then.
    if !signals::can_be_blocked() && !writable(fd) {
        return;
    }
    let part = libc::iovec {
        iov_base: line.as_ptr().cast_mut().cast(),
        iov_len: line.len(),
    };
    let part = core::ptr::from_ref(&part);
    // SAFETY: one part, which is the line. An offset of -1 means the file's own, pwritev2(2).
    let written = unsafe { call!(SYS_pwritev2, fd, part, 1, -1_isize, -1_isize, libc::RWF_NOWAIT) };
    let written = match written {
        Ok(_) | Err(Errno(libc::EPIPE | libc::EFBIG)) => written,
        // Not everything can be written without waiting on request (terminals, many file systems, old kernels);
        // what is writable now is asked for instead. Only another writer in between could still make us wait.
        Err(_) if writable(fd) => {
            // SAFETY: the line.
            unsafe { call!(SYS_write, fd, line.as_ptr(), line.len()) }
        }
        Err(_) => written,
    };
    if matches!(written, Err(Errno(libc::EPIPE | libc::EFBIG))) {
        signals::discard_of_write();
    }
}

fn writable(fd: i32) -> bool {
    let mut entry = libc::pollfd {
        fd,
        events: libc::POLLOUT,
        revents: 0,
    };
    let at_once = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let place = core::ptr::from_mut(&mut entry);
    // SAFETY: one whole entry, a time-out of zero, no signal set.
    let ready = unsafe { call!(SYS_ppoll, place, 1, core::ptr::from_ref(&at_once), 0_usize, 0) };
    ready == Ok(1) && entry.revents & (libc::POLLOUT | libc::POLLERR) == libc::POLLOUT
}
