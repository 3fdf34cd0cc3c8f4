//! The host as a process: its number and its end.

use super::call::check;

/// The calling process's number.
pub fn own_pid() -> i32 {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::getpid() }
}

/// Ends the calling process at once, whatever its threads do. No exit handler runs.
pub fn exit_host(status: i32) -> ! {
    // SAFETY: does not return, _exit(2).
    unsafe { libc::_exit(status) }
}

/// Writes the working directory into `buffer` and says how long it is. `None` if it cannot be known.
///
/// GUEST: not getcwd(3), which may allocate.
pub fn working_directory(buffer: &mut [u8]) -> Option<usize> {
    if buffer.len() < usize::try_from(libc::PATH_MAX).unwrap_or(usize::MAX) {
        return None;
    }
    // SAFETY: a NUL-terminated path.
    let here = check(unsafe { libc::open(c".".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) }).ok()?;
    // SAFETY: fcntl(2) with F_GETPATH writes at most PATH_MAX bytes, and there is room for as many.
    let got = check(unsafe { libc::fcntl(here, libc::F_GETPATH, buffer.as_mut_ptr()) });
    // SAFETY: the number is ours: opened above, closed once.
    let _ = unsafe { libc::close(here) };
    got.ok()?;
    buffer.iter().position(|byte| *byte == 0)
}

/// See [`has_own_filter`].
pub fn note_filter() {}

/// Whether the host has set up a filter for itself: a sandbox here lets pass or refuses, and never kills for a call.
pub fn has_own_filter() -> bool {
    false
}
