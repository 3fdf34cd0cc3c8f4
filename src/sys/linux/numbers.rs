//! What a process's number says: among whose numbers it counts, and since when it has been this process's.

use super::call::call;
use super::program::link;
use super::{pidfd, process};
use super::{proc, proc_stat};
use anchor_contract::{Pid, decimal};
use core::ffi::CStr;

/// The initial time namespace's inode, `PROC_TIME_INIT_INO` in the kernel's include/linux/proc_ns.h.
const INITIAL_TIME_NAMESPACE: u64 = 0xEFFF_FFFA;

/// The inode of the PID namespace in which our numbers count, namespaces(7). `handles`: whether pidfds may be asked
/// for. `None` without `/proc` before Linux 6.11.
///
/// ORDER: the own folder of `/proc` last. It is made for a new process when somebody first looks into it, and torn down
/// again when the process ends, which together take longer than all the rest of arming.
pub fn namespace(handles: bool) -> Option<u64> {
    let by_handle = handles.then(pidfd::own_pid_namespace).flatten();
    by_handle.or_else(|| inode(c"/proc/self/ns/pid"))
}

/// The inode of the PID namespace in which children will be; another one than ours after `unshare(CLONE_NEWPID)`.
pub fn childrens_namespace() -> Option<u64> {
    inode(c"/proc/self/ns/pid_for_children")
}

/// Whether a start time read here may be held against one that was read elsewhere.
///
/// Not where `/proc` belongs to another PID namespace (a number means another process there), and not in a time
/// namespace of our own: field 22 is shifted by its offset, time_namespaces(7). Asked only where two times differ
/// or one is about to be passed on, so that the common way does not pay for it.
pub fn starts_compare() -> bool {
    let same_time = inode(c"/proc/self/ns/time").is_none_or(|inode| inode == INITIAL_TIME_NAMESPACE);
    same_time && is_ours()
}

/// Whether numbers mean the same in `/proc` as to us: `/proc/self` names the reader by its number in the namespace of
/// the mount. That may be our own number by chance; so we are asked after in more than one namespace too.
pub fn is_ours() -> bool {
    let mut buffer = [0_u8; 24];
    let target = link(c"/proc/self", &mut buffer);
    target.and_then(decimal) == u64::try_from(process::own_pid()).ok()
        && proc::namespaces_from_mount().is_none_or(|count| count == 1)
}

/// When process `pid` started, in clock ticks since boot, if that can be seen.
pub fn start_of(pid: Pid) -> Option<u64> {
    proc_stat::stat(pid).map(|stat| stat.start)
}

/// When this process started.
pub fn own_start() -> Option<u64> {
    proc_stat::own_stat().map(|stat| stat.start)
}

/// The inode behind a path; no descriptor is needed to know it.
fn inode(path: &CStr) -> Option<u64> {
    let mut answer = core::mem::MaybeUninit::<libc::stat64>::uninit();
    // SAFETY: a NUL-terminated path and room for one answer, newfstatat: stat(2).
    unsafe {
        call!(
            SYS_newfstatat,
            libc::AT_FDCWD,
            path.as_ptr(),
            answer.as_mut_ptr(),
            0
        )
    }
    .ok()?;
    // SAFETY: filled in by the call that has just succeeded; libc's layout is the kernel's.
    Some(unsafe { answer.assume_init() }.st_ino)
}
