//! A kernel that answers less: seccomp(2) filters over a test's tree.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Puts a seccomp(2) filter over the command and all its descendants. An instruction is code, jumps, operand.
pub fn filter<const N: usize>(command: &mut Command, instructions: [(u16, u8, u8, u32); N]) -> &mut Command {
    let instructions = instructions.map(|(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k });
    let install = move || {
        let program = libc::sock_fprog {
            len: N as u16,
            filter: instructions.as_ptr().cast_mut(),
        };
        // SAFETY: numbers only.
        let first = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        // SAFETY: a whole program that outlives the call.
        let second = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) };
        let done = first == 0 && second == 0;
        done.then_some(()).ok_or_else(std::io::Error::last_os_error)
    };
    // SAFETY: two system calls, nothing that allocates.
    unsafe { command.pre_exec(install) }
}

/// Load a word of what is filtered, jump if equal, jump if at least, jump if a bit is set, end.
pub const LOAD: u16 = 0x20;
pub const EQUAL: u16 = 0x15;
pub const AT_LEAST: u16 = 0x35;
pub const ANY_BIT: u16 = 0x45;
pub const END: u16 = 0x06;
pub const ALLOW: (u16, u8, u8, u32) = (END, 0, 0, libc::SECCOMP_RET_ALLOW);

/// Makes one system call answer `errno`, by the number that it has on the machine of the tests. An emulator makes its
/// program's calls with the same numbers.
pub fn refuse(command: &mut Command, call: i64, errno: i32) -> &mut Command {
    let answer = (END, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32);
    filter(
        command,
        [(LOAD, 0, 0, 0), (EQUAL, 0, 1, call as u32), answer, ALLOW],
    )
}

/// EAGAIN to every clone(2) that makes a thread, as RLIMIT_NPROC and a full pids cgroup answer it.
pub fn refuse_threads(command: &mut Command) -> &mut Command {
    let answer = (END, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EAGAIN as u32);
    let is_clone = (EQUAL, 0, 3, libc::SYS_clone as u32);
    // The low half of the first argument: the flags.
    let flags = (LOAD, 0, 0, 16);
    let makes_a_thread = (ANY_BIT, 0, 1, libc::CLONE_THREAD as u32);
    filter(
        command,
        [(LOAD, 0, 0, 0), is_clone, flags, makes_a_thread, answer, ALLOW],
    )
}
