//! The host as a process: its numbers and its end.

use super::arch;
use super::call::{Errno, call};
use core::sync::atomic::{AtomicUsize, Ordering};

/// The calling process's number in its own PID namespace; 0 where it cannot be known.
pub fn own_pid() -> i32 {
    // SAFETY: no arguments, fails only for a filter.
    let pid = unsafe { call!(SYS_getpid) };
    pid.or_else(|_| own_thread())
        .ok()
        .and_then(|pid| i32::try_from(pid).ok())
        .unwrap_or(0)
}

/// The calling thread's number, gettid(2): the process's own in its main thread, and elsewhere one that kill(2) takes
/// for it.
pub fn own_thread() -> Result<usize, Errno> {
    // SAFETY: as above.
    unsafe { call!(SYS_gettid) }
}

/// Ends the calling process at once, whatever its threads do. No exit handler runs.
pub fn exit_host(status: i32) -> ! {
    // SAFETY: returns only where a filter refuses it, exit_group(2).
    let _ = unsafe { call!(SYS_exit_group, status) };
    // That nobody can refuse. The signal is blocked, so no handler of the host's runs for it.
    arch::fault()
}

/// Writes the working directory into `buffer` and says how long it is. `None` if it does not fit or cannot be known.
pub fn working_directory(buffer: &mut [u8]) -> Option<usize> {
    // SAFETY: the kernel writes at most the buffer's length, its NUL included, getcwd(2).
    let length = unsafe { call!(SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) }.ok()?;
    // KERNEL: an unreachable directory is given as "(unreachable)/...".
    length.checked_sub(1).filter(|_| buffer.starts_with(b"/"))
}

/// The seccomp mode of the calling thread, PR_GET_SECCOMP(2const): 0 for none, 2 for filters. Strict mode does not answer.
pub fn call_filter() -> usize {
    // SAFETY: no arguments.
    unsafe { call!(SYS_prctl, libc::PR_GET_SECCOMP) }.unwrap_or(0)
}

/// What it was at load.
static AT_LOAD: AtomicUsize = AtomicUsize::new(0);

/// At load: what filter there is by now is no choice of the host's.
pub fn note_filter() {
    AT_LOAD.store(call_filter(), Ordering::Release);
}

/// Whether the host has set up a filter for itself. One call; not noticed below a filter that was there at load.
pub fn has_own_filter() -> bool {
    call_filter() != AT_LOAD.load(Ordering::Acquire)
}
