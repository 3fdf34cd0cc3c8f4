//! What `/proc` tells of us and of namespaces: proc(5). Every function has an answer for a system without it.

use super::arch::weak_symbol;
use super::call::{Errno, call};
use super::file::File;
use super::{pidfd, process};
use anchor_contract::{Line, Pid, decimal};
use core::ffi::CStr;

/// The initial time namespace's inode, `PROC_TIME_INIT_INO` in the kernel's include/linux/proc_ns.h.
const INITIAL_TIME_NAMESPACE: u64 = 0xEFFF_FFFA;

/// The beginning of a path such as `/proc/12/stat`.
fn folder(pid: Pid) -> Line {
    let mut path = Line::new();
    path.text("/proc/").number(pid.number());
    path
}

/// Opens what such a path has become.
fn open(path: &mut Line) -> Result<File, Errno> {
    path.byte(0);
    File::open(CStr::from_bytes_until_nul(path.as_bytes()).map_err(|_| Errno(libc::EINVAL))?)
}

/// Opens `/proc/PID/stat`.
pub fn open_stat(pid: Pid) -> Result<File, Errno> {
    open(folder(pid).text("/stat"))
}

/// The inode of the PID namespace in which our numbers count, namespaces(7). `handles`: whether pidfds may be asked
/// for. `None` without `/proc` before Linux 6.11.
///
/// ORDER: the own folder of `/proc` last. It is made for a new process when somebody first looks into it, and torn down
/// again when the process ends, which together take longer than all the rest of arming.
pub fn own_pid_namespace(handles: bool) -> Option<u64> {
    let by_handle = handles.then(pidfd::own_pid_namespace).flatten();
    by_handle.or_else(|| inode(c"/proc/self/ns/pid"))
}

/// The inode of the PID namespace in which children will be; another one than ours after `unshare(CLONE_NEWPID)`.
pub fn childrens_pid_namespace() -> Option<u64> {
    inode(c"/proc/self/ns/pid_for_children")
}

/// Whether a start time read here may be held against one that was read elsewhere.
///
/// Not where `/proc` belongs to another PID namespace (a number means another process there), and not in a time
/// namespace of our own: field 22 is shifted by its offset, time_namespaces(7). Asked only where two times differ
/// or one is about to be passed on, so that the common way does not pay for it.
pub fn start_times_compare() -> bool {
    let same_time = inode(c"/proc/self/ns/time").is_none_or(|inode| inode == INITIAL_TIME_NAMESPACE);
    same_time && is_ours()
}

/// Whether numbers mean the same in `/proc` as to us: `/proc/self` names the reader by its number in the namespace of
/// the mount.
pub fn is_ours() -> bool {
    let mut buffer = [0_u8; 24];
    let target = link(c"/proc/self", &mut buffer);
    target.and_then(decimal) == u64::try_from(process::own_pid()).ok()
}

/// Where a symbolic link leads.
fn link<'a>(path: &CStr, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    // SAFETY: a NUL-terminated path; the kernel writes at most the buffer's length.
    let length = unsafe {
        call!(
            SYS_readlinkat,
            libc::AT_FDCWD,
            path.as_ptr(),
            buffer.as_mut_ptr(),
            buffer.len()
        )
    };
    buffer.get(..length.ok()?)
}

/// How much of a command line is looked at where it must be read, and of a path, in bytes.
const BYTES_READ: usize = 4096;

/// Calls `each` for every argument of the own command line, the program's name first.
///
/// Read off the stack, where the kernel has put them: glibc's loader says where that begins. Opening a file in the own
/// folder of `/proc` would be dear, because that folder would be made for it. Elsewhere proc_pid_cmdline(5), and what
/// does not end within 4096 bytes is left out.
pub fn for_each_argument(each: &mut dyn FnMut(&[u8])) {
    let stack_end = weak_symbol!("__libc_stack_end");
    if stack_end == 0 {
        return for_each_argument_in_proc(each);
    }
    let variable: *const *const usize = core::ptr::with_exposed_provenance(stack_end);
    // SAFETY: the address of glibc's variable, which its loader has filled in first of all.
    let start = unsafe { variable.read() };
    // SAFETY: where the kernel has put the number of arguments, System V ABI for x86-64, 3.4.1.
    let count = unsafe { start.read() };
    for index in 1..=count {
        // SAFETY: the arguments' addresses follow their number.
        let place = unsafe { start.add(index) };
        // SAFETY: as above.
        let address = unsafe { place.read() };
        if address == 0 {
            break;
        }
        // SAFETY: a NUL-terminated text of the host's, and its main has not begun.
        each(unsafe { CStr::from_ptr(core::ptr::with_exposed_provenance(address)) }.to_bytes());
    }
}

#[inline(never)]
fn for_each_argument_in_proc(each: &mut dyn FnMut(&[u8])) {
    let mut buffer = [0; BYTES_READ];
    let Ok(file) = File::open(c"/proc/self/cmdline") else {
        return;
    };
    let whole = file.read_at(&mut buffer, 0).unwrap_or_default();
    let end = whole.iter().rposition(|byte| *byte == 0).unwrap_or(0);
    let whole = whole.get(..end).unwrap_or_default();
    whole.split(|byte| *byte == 0).for_each(each);
}

/// The file that this process runs, proc_pid_exe(5). `false` where that cannot be seen.
#[inline(never)]
pub fn with_own_path(f: impl FnOnce(&[u8]) -> bool) -> bool {
    link(c"/proc/self/exe", &mut [0; BYTES_READ]).is_some_and(f)
}

/// The name of the calling thread, PR_GET_NAME(2const): at load that of the file that was executed, a script's too,
/// cut after 15 bytes.
pub fn with_own_name(f: impl FnOnce(&[u8]) -> bool) -> bool {
    let mut name = [0_u8; 16];
    // SAFETY: room for the 16 bytes that are written, the NUL included.
    let got = unsafe { call!(SYS_prctl, libc::PR_GET_NAME, name.as_mut_ptr()) };
    got.is_ok() && CStr::from_bytes_until_nul(&name).map(CStr::to_bytes).is_ok_and(f)
}

/// The inode behind a path; no descriptor is needed to know it.
fn inode(path: &CStr) -> Option<u64> {
    let mut answer = core::mem::MaybeUninit::<libc::stat>::uninit();
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
    // SAFETY: filled in by the call that has just succeeded; on 64-bit machines libc's layout is the kernel's.
    Some(unsafe { answer.assume_init() }.st_ino)
}

/// How many bytes of a list of children are looked through. Ten thousand siblings that all start at once must not
/// read each other's numbers for ever; whoever is not found goes without the parent death signal.
const CHILDREN_READ: usize = 65_536;

/// Whether `child` was made by the main thread of `parent`: the file lists the children of that thread alone,
/// proc_tid_children(5). Needs CONFIG_PROC_CHILDREN; without it the answer is no.
pub fn made_by_main_thread(parent: Pid, child: i32) -> bool {
    let mut path = folder(parent);
    path.text("/task/").number(parent.number()).text("/children");
    open(&mut path).is_ok_and(|file| lists(&file, child).unwrap_or(false))
}

/// Whether a file of numbers has `wanted` among them.
fn lists(file: &File, wanted: i32) -> Result<bool, Errno> {
    let (mut found, mut offset) = (false, 0_usize);
    let mut entry = 0_u64;
    let mut buffer = [0; 512];
    while !found && offset < CHILDREN_READ {
        let chunk = file.read_at(&mut buffer, offset)?;
        if chunk.is_empty() {
            break;
        }
        for byte in chunk {
            match byte.checked_sub(b'0').filter(|digit| *digit <= 9) {
                // A number may be cut by the end of a chunk: it goes on in the next.
                Some(digit) => entry = entry.wrapping_mul(10).wrapping_add(u64::from(digit)),
                None => {
                    found |= Some(entry) == u64::try_from(wanted).ok();
                    entry = 0;
                }
            }
        }
        offset = offset.saturating_add(chunk.len());
    }
    Ok(found)
}

/// Whether the host's main thread has other user or group ids than the calling thread, which has kept those of the
/// moment when it was made. `None` where it cannot be seen.
pub fn main_thread_changed_ids() -> Option<bool> {
    let (mut host, mut own) = ([0; 1024], [0; 1024]);
    let host = File::open(c"/proc/self/status")
        .ok()?
        .read_at(&mut host, 0)
        .map(ids)
        .ok()??;
    let own = File::open(c"/proc/thread-self/status")
        .ok()?
        .read_at(&mut own, 0)
        .map(ids)
        .ok()??;
    Some(host != own)
}

/// The `Uid:` and `Gid:` lines of a status file, proc_pid_status(5). They stand next to each other.
fn ids(status: &[u8]) -> Option<&[u8]> {
    let start = status.windows(5).position(|bytes| bytes == b"\nUid:")?;
    let rest = status.get(start.checked_add(1)?..)?;
    let second_line = rest
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .nth(1)?
        .0;
    rest.get(..second_line)
}

/// How many descriptors the calling thread's table has room for: none is numbered above it.
pub fn descriptor_table_size() -> Option<u64> {
    let mut buffer = [0; 1024];
    let status = File::open(c"/proc/thread-self/status")
        .ok()?
        .read_at(&mut buffer, 0)
        .ok()?;
    let start = status.windows(8).position(|bytes| bytes == b"\nFDSize:")?;
    let value = status
        .get(start.checked_add(9)?..)?
        .split(|byte| *byte == b'\n')
        .next()?;
    decimal(value)
}

#[cfg(test)]
mod tests {
    use super::{descriptor_table_size, ids, made_by_main_thread};
    use anchor_contract::Pid;

    #[test]
    fn user_and_group_ids_are_found_together() {
        let status = b"Name:\tsh\nTracerPid:\t0\nUid:\t1\t1\t1\t1\nGid:\t2\t2\t2\t2\nFDSize:\t64\n";
        assert_eq!(ids(status), Some(&b"Uid:\t1\t1\t1\t1\nGid:\t2\t2\t2\t2"[..]));
        assert_eq!(ids(b"Name:\tsh\n"), None);
    }

    #[test]
    fn nobody_is_its_own_child() {
        let own = std::process::id() as i32;
        assert!(!made_by_main_thread(Pid::from_raw(own).unwrap(), own));
    }

    #[test]
    fn the_descriptor_table_has_a_size() {
        assert!(descriptor_table_size().unwrap() >= 64);
    }
}
