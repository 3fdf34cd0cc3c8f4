//! Lines that are written to places of the host: whole, in one write, and never waiting for anybody.
//!
//! GUEST: a write can be answered by a signal, and there it goes to the whole process: the host would die of a line
//! of ours. So the open file is told not to (SIGPIPE), or nothing is written (SIGXFSZ).

use super::call::check;
use crate::sys::Errno;
use core::ffi::CStr;
use core::mem::MaybeUninit;

/// Writes a line to descriptor 2, if it takes one now.
///
/// RACE: the open file is shared with whoever has inherited it. 1. we forbid the signal  2. another writes to the same
///   pipe, which has lost its reader, and is told by EPIPE alone  3. we allow it again. Left open: step 2 is told too.
pub fn to_stderr(line: &[u8]) {
    if !writable(libc::STDERR_FILENO) {
        return;
    }
    // SAFETY: reads a flag of an open file.
    let before = unsafe { libc::fcntl(libc::STDERR_FILENO, libc::F_GETNOSIGPIPE) };
    forbid_sigpipe(libc::STDERR_FILENO, 1);
    write(libc::STDERR_FILENO, line);
    if before == 0 {
        forbid_sigpipe(libc::STDERR_FILENO, 0);
    }
}

/// The same from the watcher: there is one table of descriptors.
pub fn to_hosts_stderr(line: &[u8]) {
    to_stderr(line);
}

/// Appends a line to a file, which is made if it is not there.
///
/// GUEST: O_NONBLOCK, because a FIFO without a reader would hold the host for ever at open, and a full one at write.
pub fn to_file(path: &CStr, line: &[u8]) -> Result<(), Errno> {
    let flags =
        libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NOCTTY | libc::O_NONBLOCK;
    // SAFETY: a NUL-terminated path.
    let fd = check(unsafe { libc::open(path.as_ptr(), flags, 0o666) })?;
    forbid_sigpipe(fd, 1);
    write(fd, line);
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

/// fcntl(2), F_SETNOSIGPIPE: EPIPE without SIGPIPE, for everybody who has this open file.
fn forbid_sigpipe(fd: i32, forbid: i32) {
    // SAFETY: sets a flag of an open file.
    let _ = unsafe { libc::fcntl(fd, libc::F_SETNOSIGPIPE, forbid) };
}

/// One write, unless the file would become longer than the host may make one, RLIMIT_FSIZE.
fn write(fd: i32, line: &[u8]) {
    if !line.is_empty() && fits(fd, line.len()) {
        // SAFETY: the line.
        let _ = unsafe { libc::write(fd, line.as_ptr().cast(), line.len()) };
    }
}

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

/// Whether a write would not have to wait: select(2), because poll(2) does not know every terminal.
fn writable(fd: i32) -> bool {
    let mut set = MaybeUninit::<libc::fd_set>::zeroed();
    let mut at_once = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    let (none, set) = (core::ptr::null_mut(), set.as_mut_ptr());
    // SAFETY: a set of bits, all zero, which has room for the number 2.
    unsafe { libc::FD_SET(fd, set) };
    // SAFETY: one set with room for the descriptor, a time-out of zero.
    unsafe { libc::select(fd.saturating_add(1), none, set, none, &raw mut at_once) == 1 }
}
