//! What a process was started with, and what is in its memory.
//!
//! The blocks of its start are read from its memory, proc_pid_environ(5): what it has put there since is not seen, nor
//! what it has written over (setproctitle(3bsd)) or moved (PR_SET_MM); and whatever belongs to others, set-id programs
//! included, only root sees.

use super::process_table;
use crate::processes::Entry;
use std::fs;
use std::path::{Path, PathBuf};

/// The environment, an entry and a NUL after the other. `None` where it cannot be read, or is empty.
pub fn environment(pid: i32) -> Option<Vec<u8>> {
    read(pid, "environ")
}

/// Its arguments, its own name first. None where they cannot be read, or it has no memory any more.
pub fn arguments(pid: i32) -> Vec<Vec<u8>> {
    let mut whole = read(pid, "cmdline").unwrap_or_default();
    // A title that was written over them has NULs up to where they ended.
    while whole.last() == Some(&0) {
        whole.pop();
    }
    if whole.is_empty() {
        return Vec::new();
    }
    whole.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

/// The file that it runs.
pub fn program(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Whether it runs the file that this process runs, whatever that is called by now.
pub fn runs_ours(pid: i32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = |path: &str| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    file(&format!("/proc/{pid}/exe")).is_some_and(|it| Some(it) == file("/proc/self/exe"))
}

/// Whether the library is in its memory.
pub fn has_library(pid: i32) -> bool {
    maps_library(&read(pid, "maps").unwrap_or_default())
}

/// Whether the `maps` of a process have the library in them, installed or unpacked by whatever version.
pub fn maps_library(maps: &[u8]) -> bool {
    let mut lines = maps.split(|byte| *byte == b'\n');
    lines.any(|line| {
        let name = line.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        line.contains(&b'/') && name.starts_with(b"libanchor")
    })
}

/// Why its loader puts no library into it that the environment names, where that can be seen.
pub fn takes_no_library(pid: i32) -> Option<&'static str> {
    if auxiliary(pid, libc::AT_SECURE).is_some_and(|secure| secure != 0) {
        Some("set-id")
    } else {
        (auxiliary(pid, libc::AT_BASE) == Some(0)).then_some("static")
    }
}

/// What the kernel told a program at its start, getauxval(3): where its loader is (a static program has none), and
/// whether the loader must not listen to the environment.
fn auxiliary(pid: i32, kind: libc::c_ulong) -> Option<usize> {
    let whole = read(pid, "auxv")?;
    let mut words = whole
        .chunks_exact(size_of::<usize>())
        .filter_map(|word| Some(usize::from_ne_bytes(word.try_into().ok()?)));
    loop {
        let (key, value) = (words.next()?, words.next()?);
        if libc::c_ulong::try_from(key).ok()? == kind {
            return Some(value);
        }
    }
}

/// A file of a process that is about its memory. `None` where it cannot be read, or is empty.
fn read(pid: i32, file: &str) -> Option<Vec<u8>> {
    let in_folder = |folder: &Path| fs::read(folder.join(file)).ok().filter(|text| !text.is_empty());
    let folder = PathBuf::from(format!("/proc/{pid}"));
    // KERNEL: a main thread that has ended, pthread_exit(3), has given its memory back; the others still show it.
    in_folder(&folder).or_else(|| {
        process_table::entry(pid).filter(Entry::is_zombie)?;
        let tasks = fs::read_dir(folder.join("task")).ok()?;
        tasks.flatten().find_map(|task| in_folder(&task.path()))
    })
}
