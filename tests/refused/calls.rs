//! Every system call that the library makes, and the filter that refuses some of them. What is not here it does not
//! make: the filter ends whoever makes it from the library's code.

use crate::support::filter::{ALLOW, ANY_BIT, END, EQUAL, LOAD};
use libc::*;

/// Calls that are told apart: by number, and where one number stands for several by an argument.
pub struct Call {
    /// As the page names it.
    pub name: &'static str,
    pub number: i64,
    only: Only,
    /// What the library wants of it.
    pub purpose: &'static str,
}

/// Which of the calls with this number.
enum Only {
    All,
    /// Those with this argument, whose low half is this.
    With(u8, u32),
    /// Those with an argument that has none of these bits.
    Without(u8, u32),
    /// Those with an argument that has one of them.
    WithBit(u8, u32),
}
use Only::{All, With, WithBit, Without};

macro_rules! calls {
    ($($number:ident $name:literal $only:expr, $purpose:literal;)*) => {
        pub const CALLS: &[Call] = &[$(Call { name: $name, number: $number, only: $only, purpose: $purpose }),*];
    };
}

const NS_GET_NSTYPE: u32 = 0xb703;
const PIDFD_GET_PID_NAMESPACE: u32 = 0xff05;
const WRITES: u32 = O_WRONLY as u32;

calls! {
    SYS_getpid "getpid" All, "whose number is this";
    SYS_gettid "gettid" All, "whose lock, whose death signal";
    SYS_getppid "getppid" All, "is the anchor the parent";
    SYS_geteuid "geteuid" All, "what a change of ids has changed";
    SYS_getegid "getegid" All, "what a change of ids has changed";
    SYS_rt_sigprocmask "rt_sigprocmask" All, "no signal while we work";
    SYS_rt_sigpending "rt_sigpending" All, "has the kernel asked";
    SYS_prctl "prctl PR_GET_SECCOMP" With(0, PR_GET_SECCOMP as u32), "is there a filter";
    SYS_prctl "prctl PR_GET_NAME" With(0, PR_GET_NAME as u32), "ANCHOR_SKIP";
    SYS_prctl "prctl PR_SET_NAME" With(0, PR_SET_NAME as u32), "the watcher's name";
    SYS_prctl "prctl PR_GET_PDEATHSIG" With(0, PR_GET_PDEATHSIG as u32), "is there a death signal";
    SYS_prctl "prctl PR_SET_PDEATHSIG" With(0, PR_SET_PDEATHSIG as u32), "the death signal";
    SYS_prctl "prctl PR_GET_DUMPABLE" With(0, PR_GET_DUMPABLE as u32), "was the death signal lost";
    SYS_pidfd_open "pidfd_open" All, "the handle";
    SYS_pidfd_getfd "pidfd_getfd" All, "the host's descriptor 2";
    SYS_ioctl "ioctl PIDFD_GET_PID_NAMESPACE" With(1, PIDFD_GET_PID_NAMESPACE), "which PID namespace";
    SYS_ioctl "ioctl NS_GET_NSTYPE" With(1, NS_GET_NSTYPE), "which kind setns(2) is given";
    SYS_fstat "fstat" All, "the handle's inode; which file a descriptor is";
    SYS_fcntl "fcntl" All, "is it one end of a pipe alone";
    SYS_getsockopt "getsockopt" All, "what kind of socket it is";
    SYS_getpeername "getpeername" All, "is it connected";
    SYS_fstatfs "fstatfs" All, "does the inode mean something";
    SYS_newfstatat "newfstatat" All, "which PID namespace, from /proc";
    SYS_readlinkat "readlinkat" All, "whose /proc is this; which program";
    SYS_openat "openat, to read" Without(2, WRITES), "/proc";
    SYS_openat "openat, to write" WithBit(2, WRITES), "the log";
    SYS_pread64 "pread64" All, "/proc";
    SYS_close "close" All, "handles, files, the host's copies";
    SYS_getcwd "getcwd" All, "a relative log";
    SYS_pwritev2 "pwritev2" All, "a line of the log";
    SYS_write "write" All, "the same, second choice";
    SYS_rt_sigtimedwait "rt_sigtimedwait" All, "the SIGPIPE of a log";
    SYS_mmap "mmap" All, "the log's name, the environment's pins";
    SYS_clone "clone" All, "the watcher";
    SYS_close_range "close_range, unsharing" With(2, 2), "an empty table";
    SYS_close_range "close_range, emptying" With(2, 0), "emptying a copied one, or but for a descriptor";
    SYS_unshare "unshare CLONE_FILES" With(0, CLONE_FILES as u32), "a table, second choice";
    SYS_unshare "unshare CLONE_FS" With(0, CLONE_FS as u32), "directories";
    SYS_chdir "chdir" All, "to hold no mount";
    SYS_capset "capset" All, "no capabilities";
    SYS_signalfd4 "signalfd4" All, "the bell";
    SYS_ppoll "ppoll of two" With(1, 2), "the wait";
    SYS_ppoll "ppoll of three" With(1, 3), "the wait, with ANCHOR_FD";
    SYS_ppoll "ppoll of one" With(1, 1), "a look at a handle, a descriptor, a log";
    SYS_ppoll "ppoll of none" With(1, 0), "a sleep, second choice";
    SYS_clock_nanosleep "clock_nanosleep" All, "a sleep";
    SYS_clock_gettime "clock_gettime" All, "the grace's end";
    SYS_times "times" All, "the same, second choice";
    SYS_sched_yield "sched_yield" All, "standing down";
    SYS_futex "futex" All, "standing down";
    SYS_tgkill "tgkill, the bell" With(2, SIGSTKFLT as u32), "standing down";
    SYS_tgkill "tgkill, nothing" With(2, 0), "is the thread gone";
    SYS_tgkill "tgkill, the host" All, "asking, killing, second choice";
    SYS_tkill "tkill" All, "the bell, second choice";
    SYS_exit "exit" All, "the watcher's end";
    SYS_kill "kill, nothing" With(1, 0), "is the number somebody's";
    SYS_kill "kill, a signal" WithBit(1, 0x7f), "asking, killing";
    SYS_timer_create "timer_create" All, "a grace without a thread";
    SYS_timer_settime "timer_settime" All, "a grace without a thread";
    SYS_exit_group "exit_group" All, "125; where killing has no effect";
}

/// What is refused together: a call, and where one number stands for several also all of them. By name.
pub fn rows() -> Vec<(&'static str, Vec<usize>)> {
    let mut rows = Vec::new();
    for (place, call) in CALLS.iter().enumerate() {
        let same: Vec<usize> = (0..CALLS.len())
            .filter(|other| CALLS[*other].number == call.number)
            .collect();
        if same.len() > 1 && same[0] == place {
            let end = call.name.find([' ', ',']).unwrap();
            rows.push((&call.name[..end], same));
        }
        rows.push((call.name, vec![place]));
    }
    rows
}

/// What becomes of calls, by their place in the table: an action, seccomp(2).
pub type Refusals = [(usize, u32)];

pub fn errno(number: i32) -> u32 {
    SECCOMP_RET_ERRNO | number as u32
}

/// The filter as the host reads it, behind its own beginning, which has loaded the call's number.
pub fn filter(refusals: &Refusals) -> String {
    let mut lines = Vec::new();
    for (place, call) in CALLS.iter().enumerate() {
        let action = refusals.iter().find(|(refused, _)| *refused == place);
        let action = action.map_or(SECCOMP_RET_ALLOW, |(_, action)| *action);
        // Where the test fails, past the answer to the next call: which loads the number anew.
        let (load, tests): (u8, &[_]) = match call.only {
            All => (0, &[]),
            With(argument, value) => (argument, &[(EQUAL, 0, 1, value)]),
            WithBit(argument, bits) => (argument, &[(ANY_BIT, 0, 1, bits)]),
            Without(argument, bits) => (argument, &[(ANY_BIT, 1, 0, bits)]),
        };
        let length = if tests.is_empty() { 1 } else { 3 };
        lines.push((LOAD, 0, 0, 0));
        lines.push((EQUAL, 0, length, call.number as u32));
        if !tests.is_empty() {
            lines.push((LOAD, 0, 0, 16 + 8 * u32::from(load)));
        }
        lines.extend(tests);
        lines.push((END, 0, 0, action));
    }
    lines.push((END, 0, 0, SECCOMP_RET_KILL_PROCESS));
    text(&lines)
}

/// A filter for one number; all others go through.
pub fn filter_of_number(number: i64, action: u32) -> String {
    text(&[(EQUAL, 0, 1, number as u32), (END, 0, 0, action), ALLOW])
}

fn text(lines: &[(u16, u8, u8, u32)]) -> String {
    lines
        .iter()
        .map(|(code, jt, jf, k)| format!("{code} {jt} {jf} {k};"))
        .collect()
}
