//! The parent death signal: PR_SET_PDEATHSIG(2const), and what can take it away again.

use super::call::call;
use super::{proc, process};
use anchor_contract::{Pid, Signal};

/// Whether the kernel has such a thing.
pub const OFFERED: bool = true;

/// The calling thread's parent death signal, 0 where it has none. `None` where the kernel does not say.
pub fn death_signal() -> Option<i32> {
    let mut signal: i32 = 0;
    let place = core::ptr::from_mut(&mut signal);
    // SAFETY: room for the one int that PR_GET_PDEATHSIG writes.
    unsafe { call!(SYS_prctl, libc::PR_GET_PDEATHSIG, place) }.ok()?;
    Some(signal)
}

/// Sets it; `None` clears it. Whether that succeeded.
pub fn set_death_signal(signal: Option<Signal>) -> bool {
    // SAFETY: numbers only.
    unsafe { call!(SYS_prctl, libc::PR_SET_PDEATHSIG, signal.map_or(0, Signal::raw)) }.is_ok()
}

/// The parent's number; 0 where it is in another PID namespace, getppid(2).
pub fn parent_pid() -> i32 {
    // SAFETY: no arguments, cannot fail.
    let pid = unsafe { call!(SYS_getppid) };
    pid.ok().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0)
}

/// Whether `anchor` is our parent and its main thread made us.
pub fn made_by_main_thread(anchor: Pid) -> bool {
    proc::made_by_main_thread(anchor, process::own_pid())
}

/// Whether the calling thread is the host's main thread: the value belongs to a thread and goes with it.
pub fn on_main_thread() -> bool {
    process::own_thread().ok() == usize::try_from(process::own_pid()).ok()
}

/// Whether the memory is as dumpable as a process starts out.
///
/// KERNEL: `commit_creds` (kernel/cred.c) clears the death signal exactly where it lowers this flag, so while it is
/// still 1 no change of credentials has cleared anything. Only `fs.suid_dumpable=1` hides that.
pub fn dumpable() -> bool {
    // SAFETY: numbers only.
    let dumpable = unsafe { call!(SYS_prctl, libc::PR_GET_DUMPABLE) };
    dumpable == Ok(1)
}

/// Whether the host's main thread has other ids than the calling thread, which has kept those of when it was made.
pub fn main_thread_changed_ids() -> bool {
    proc::main_thread_changed_ids().unwrap_or(false)
}

/// The calling thread's effective ids: a change of either clears the death signal.
pub fn effective_ids() -> (usize, usize) {
    // SAFETY: no arguments, cannot fail.
    let user = unsafe { call!(SYS_geteuid) };
    // SAFETY: as above.
    let group = unsafe { call!(SYS_getegid) };
    (user.unwrap_or(0), group.unwrap_or(0))
}
