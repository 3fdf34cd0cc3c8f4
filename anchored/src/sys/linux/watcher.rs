//! The library's watcher in a process, as it is seen from outside.

use super::memory;
use std::fs;
use std::path::PathBuf;

/// A watcher: its folder in `/proc`.
#[derive(Debug)]
pub struct Watcher(PathBuf);

impl Watcher {
    /// The watcher of process `pid`: a thread of that name which is not the main thread, in a process that has the
    /// library in its memory.
    pub fn of(pid: i32) -> Option<Self> {
        let main = pid.to_string();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        let mut others = tasks.flatten().filter(|task| *task.file_name() != *main);
        let watcher = others.find(is_named)?;
        memory::has_library(pid).then(|| Self(watcher.path()))
    }

    /// The process whose handle it holds: whoever it is, the watcher has compared its identity. `Some(None)`: it is dead
    /// and reaped.
    ///
    /// KERNEL: the file of a pidfd says `Pid:`, and -1 once nobody has the number, proc_pid_fdinfo(5).
    pub fn anchor(&self) -> Option<Option<i32>> {
        let files = fs::read_dir(self.0.join("fdinfo")).ok()?;
        let mut texts = files
            .flatten()
            .filter_map(|file| fs::read_to_string(file.path()).ok());
        let pid: i32 = texts.find_map(|text| {
            let mut values = text.lines().filter_map(|line| line.strip_prefix("Pid:"));
            values.next()?.trim().parse().ok()
        })?;
        match pid {
            -1 => Some(None),
            // Of another namespace.
            0 => None,
            pid => Some(Some(pid)),
        }
    }
}

/// Whether process `pid` has a thread with the watcher's name.
pub fn has_thread(pid: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    threads.is_ok_and(|threads| threads.flatten().any(|thread| is_named(&thread)))
}

fn is_named(thread: &fs::DirEntry) -> bool {
    fs::read(thread.path().join("comm")).is_ok_and(|name| name == b"anchor\n")
}
