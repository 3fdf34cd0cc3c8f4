//! What `/proc` tells of processes: proc(5). Every function has an answer for a system without it.

use super::call::Errno;
use super::file::File;
use crate::sys::until_nul;
use anchor_contract::{Children, Line, NsPid, Pid, decimal, status_value};

/// The beginning of a path such as `/proc/12/stat`.
fn folder(pid: Pid) -> Line {
    let mut path = Line::new();
    path.text("/proc/").number(pid.number());
    path
}

/// Opens what such a path has become.
fn open(path: &mut Line) -> Result<File, Errno> {
    path.byte(0);
    File::open(until_nul(path.as_bytes()).ok_or(Errno(libc::EINVAL))?)
}

/// Opens `/proc/PID/stat`.
pub fn open_stat(pid: Pid) -> Result<File, Errno> {
    open(folder(pid).text("/stat"))
}

/// How many bytes of a list of children are looked through: of the first thousand, more or less. Whoever is not found goes
/// without the parent death signal, and has its watcher.
///
/// KERNEL: each read counts through the list from its beginning (fs/proc/array.c: `get_children_pid`), so that ten
/// thousand siblings which looked through all of it took five times as long to start as without looking.
const CHILDREN_READ: usize = 8192;

/// Whether `child` was made by the main thread of `parent`: the file lists the children of that thread alone,
/// proc_tid_children(5). Needs CONFIG_PROC_CHILDREN; without it the answer is no.
pub fn made_by_main_thread(parent: Pid, child: i32) -> bool {
    let mut path = folder(parent);
    path.text("/task/").number(parent.number()).text("/children");
    open(&mut path).is_ok_and(|file| lists(&file, child).unwrap_or(false))
}

/// Whether such a file has `wanted` in it.
fn lists(file: &File, wanted: i32) -> Result<bool, Errno> {
    let mut children = Children::looking_for(u64::from(wanted.unsigned_abs()));
    let (mut found, mut offset) = (false, 0_usize);
    let mut buffer = [0; 2048];
    while !found && offset < CHILDREN_READ {
        let piece = file.read_at(&mut buffer, offset)?;
        if piece.is_empty() {
            break;
        }
        found = children.found_in(piece);
        offset = offset.saturating_add(piece.len());
    }
    Ok(found)
}

/// Whether the host's main thread has other user or group ids than the calling thread, which has kept those of the
/// moment when it was made. `None` where it cannot be seen.
pub fn main_thread_changed_ids() -> Option<bool> {
    // They begin within the first 300 bytes: before them stand a name of at most 60 and seven numbers.
    let (mut host, mut own) = ([0; 512], [0; 512]);
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

/// The values of the `Uid:` and `Gid:` lines of a status file.
fn ids(status: &[u8]) -> Option<(&[u8], &[u8])> {
    Some((status_value(status, "Uid")?, status_value(status, "Gid")?))
}

/// How many descriptors the calling thread's table has room for: none is numbered above it.
pub fn descriptor_table_size() -> Option<u64> {
    let mut buffer = [0; 1024];
    let status = File::open(c"/proc/thread-self/status")
        .ok()?
        .read_at(&mut buffer, 0)
        .ok()?;
    status_value(status, "FDSize").and_then(decimal)
}

/// In how many PID namespaces the calling process has a number, from the one that the mount is of down to its own:
/// `NSpid`, proc_pid_status(5), Linux 4.1.
pub fn namespaces_from_mount() -> Option<usize> {
    let file = File::open(c"/proc/self/status").ok()?;
    let (mut offset, mut buffer) = (0_usize, [0; 512]);
    // Behind a list of groups that may be long, so no buffer holds the file.
    let mut line = NsPid::default();
    loop {
        let chunk = file.read_at(&mut buffer, offset).ok()?;
        if chunk.is_empty() {
            return None;
        }
        for byte in chunk {
            if let Some(count) = line.next(*byte) {
                return Some(count);
            }
        }
        offset = offset.saturating_add(chunk.len());
    }
}

#[cfg(test)]
mod tests {
    use super::{File, descriptor_table_size, ids, lists, made_by_main_thread, namespaces_from_mount};
    use anchor_contract::Pid;

    #[test]
    fn user_and_group_ids_are_found_together() {
        let status = b"Name:\tsh\nTracerPid:\t0\nUid:\t1\t1\t1\t1\nGid:\t2\t2\t2\t2\nFDSize:\t64\n";
        assert_eq!(ids(status), Some((&b"1\t1\t1\t1"[..], &b"2\t2\t2\t2"[..])));
        assert_eq!(ids(b"Name:\tsh\n"), None);
    }

    #[test]
    fn nobody_is_its_own_child() {
        let own = std::process::id() as i32;
        assert!(!made_by_main_thread(Pid::from_raw(own).unwrap(), own));
    }

    // Ten thousand siblings that looked through ten thousand numbers each took five times as long to start.
    #[test]
    fn the_end_of_a_long_list_is_not_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("children");
        let numbers: String = (10_000..20_000).map(|number| format!("{number} ")).collect();
        std::fs::write(&path, numbers).unwrap();
        let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let file = File::open(&path).unwrap();
        let found = |number| lists(&file, number);
        assert_eq!(
            [10_000, 10_999, 19_999, 9_999].map(found),
            [Ok(true), Ok(true), Ok(false), Ok(false)]
        );
    }

    #[test]
    fn the_tests_count_in_the_namespace_of_their_proc() {
        assert_eq!(namespaces_from_mount(), Some(1));
    }

    #[test]
    fn the_descriptor_table_has_a_size() {
        assert!(descriptor_table_size().unwrap() >= 64);
    }
}
