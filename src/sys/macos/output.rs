//! Lines that are written to places of the host: whole, in one write, and never waiting for anybody.
//!
//! GUEST: a write can be answered by a signal, and there it goes to the whole process: the host would die of a line
//! of ours. So nothing is written to a pipe without a reader, and the open file is told not to raise SIGPIPE in case that
//! the reader leaves just then; nor is anything written beyond RLIMIT_FSIZE, which raises SIGXFSZ.

use super::call::check;
use crate::sys::Errno;
use core::ffi::CStr;
use core::mem::MaybeUninit;

/// Writes a line to descriptor 2, if it takes one now.
pub fn to_stderr(line: &[u8]) {
    write_now(libc::STDERR_FILENO, line);
}

/// The same from the watcher: there is one table of descriptors.
pub fn to_hosts_stderr(line: &[u8]) {
    to_stderr(line);
}

/// Appends a line to a file, which is made if it is not there.
///
/// GUEST: O_NONBLOCK, because a FIFO without a reader would hold the host for ever at open. `/dev/stderr` and the like
/// are not opened anew there, but are the host's own open file, so all that holds for that one holds here.
pub fn to_file(path: &CStr, line: &[u8]) -> Result<(), Errno> {
    let flags =
        libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NOCTTY | libc::O_NONBLOCK;
    // SAFETY: a NUL-terminated path.
    let fd = check(unsafe { libc::open(path.as_ptr(), flags, 0o666) })?;
    write_now(fd, line);
    // SAFETY: the number is ours: opened above, closed once.
    let _ = unsafe { libc::close(fd) };
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

/// One write, if it would neither wait nor be answered by a signal.
///
/// RACE: the open file is shared with whoever has inherited it, all hosts of a tree among them, and they may write at
/// one moment. 1. the last reader leaves after our look  2. we forbid the signal  3. another of us, done, allows it
/// 4. we write, and SIGPIPE ends the host. Left open: it needs all four within two system calls.
fn write_now(fd: i32, line: &[u8]) {
    if line.is_empty() || !writable(fd) || !fits(fd, line.len()) {
        return;
    }
    // SAFETY: reads a flag of an open file, fcntl(2).
    let before = unsafe { libc::fcntl(fd, libc::F_GETNOSIGPIPE) };
    if before != 0 && before != 1 {
        return;
    }
    forbid_sigpipe(fd, 1);
    // SAFETY: the line.
    let _ = unsafe { libc::write(fd, line.as_ptr().cast(), line.len()) };
    forbid_sigpipe(fd, before);
}

/// fcntl(2), F_SETNOSIGPIPE: EPIPE without SIGPIPE, for everybody who has this open file.
fn forbid_sigpipe(fd: i32, forbid: i32) {
    // SAFETY: sets a flag of an open file.
    let _ = unsafe { libc::fcntl(fd, libc::F_SETNOSIGPIPE, forbid) };
}

/// Whether the file stays within what the host may write, RLIMIT_FSIZE.
fn fits(fd: i32, length: usize) -> bool {
    let (mut limit, mut file) = (
        MaybeUninit::<libc::rlimit>::zeroed(),
        MaybeUninit::<libc::stat>::zeroed(),
    );
    // SAFETY: room for one answer.
    let limited = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, limit.as_mut_ptr()) } == 0;
    // SAFETY: of numbers only, for which zero is a value.
    let most = unsafe { limit.assume_init() }.rlim_cur;
    if !limited || most == libc::RLIM_INFINITY {
        return true;
    }
    // SAFETY: room for one answer.
    if unsafe { libc::fstat(fd, file.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: of numbers only, for which zero is a value.
    let file = unsafe { file.assume_init() };
    let size = u64::try_from(file.st_size).unwrap_or(u64::MAX);
    let after = size.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    file.st_mode & libc::S_IFMT != libc::S_IFREG || after <= most
}

/// Whether a write would not have to wait, and has a reader: poll(2). A terminal may not be known to it (POLLNVAL), and
/// has no such end.
fn writable(fd: i32) -> bool {
    let mut entry = libc::pollfd {
        fd,
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one whole entry, a time-out of zero.
    let ready = unsafe { libc::poll(&raw mut entry, 1, 0) };
    let ended = libc::POLLHUP | libc::POLLERR;
    if ready == 1 && entry.revents & libc::POLLNVAL != 0 {
        // SAFETY: reads nothing of ours.
        return unsafe { libc::isatty(fd) } == 1;
    }
    ready == 1 && entry.revents & ended == 0 && entry.revents & libc::POLLOUT != 0
}
