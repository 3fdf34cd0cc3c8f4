//! The host as a process: its numbers and its end.

use super::call::call;

/// The calling process's number in its own PID namespace.
pub fn own_pid() -> i32 {
    // SAFETY: no arguments, cannot fail.
    let pid = unsafe { call!(SYS_getpid) };
    pid.ok().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0)
}

/// Ends the calling process at once, whatever its threads do. No exit handler runs.
pub fn exit_host(status: i32) -> ! {
    loop {
        // SAFETY: does not return, exit_group(2).
        let _ = unsafe { call!(SYS_exit_group, status) };
    }
}

/// Writes the working directory into `buffer` and says how long it is. `None` if it does not fit or cannot be known.
pub fn working_directory(buffer: &mut [u8]) -> Option<usize> {
    // SAFETY: the kernel writes at most the buffer's length, its NUL included, getcwd(2).
    let length = unsafe { call!(SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) }.ok()?;
    // KERNEL: an unreachable directory is given as "(unreachable)/...".
    length.checked_sub(1).filter(|_| buffer.starts_with(b"/"))
}

/// The filter that the calling thread's system calls go through: its seccomp mode, PR_GET_SECCOMP(2const): 0 for none, 2 for filters. Strict mode does not answer.
pub fn call_filter() -> usize {
    // SAFETY: no arguments.
    unsafe { call!(SYS_prctl, libc::PR_GET_SECCOMP) }.unwrap_or(0)
}
