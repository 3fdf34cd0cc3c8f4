//! How a test looks at processes where there is `/proc`.

use super::{CEILING, wait_until};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Waits until a process is dead, reaped or not.
pub fn wait_for_exit(pid: i32) {
    // SAFETY: makes a new descriptor, which is owned from here on.
    let Ok(handle @ 0..) = i32::try_from(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }) else {
        return;
    };
    // SAFETY: as above.
    let handle = unsafe { OwnedFd::from_raw_fd(handle) };
    let mut entry = [PollFd::new(handle.as_fd(), PollFlags::POLLIN)];
    let ended = poll(&mut entry, PollTimeout::try_from(CEILING).unwrap()).unwrap();
    assert_eq!(ended, 1, "waited too long for {pid} to end");
}

/// Whether the kernel is this one or a later one.
pub fn kernel_is_at_least(major: u32, minor: u32) -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split(['.', '-'])
        .map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (major, minor)
}

/// The watcher's thread of a process, if it has one.
pub fn watcher(pid: i32) -> Option<PathBuf> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    tasks
        .flatten()
        .map(|task| task.path())
        .find(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "anchor\n"))
}

/// What the descriptors of a process or thread are of, sorted.
pub fn held_by(folder: &Path) -> Vec<String> {
    let folder = std::fs::read_dir(folder.join("fd")).unwrap();
    let mut held: Vec<_> = folder
        .filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok())
        .map(|to| to.to_string_lossy().into_owned())
        .collect();
    held.sort();
    held
}

/// All that a watcher holds: its anchor, and the bell that tells it to stand down.
pub const WATCHERS_OWN: [&str; 2] = ["anon_inode:[pidfd]", "anon_inode:[signalfd]"];

/// Waits until a process has a watcher that sleeps: in ppoll(2), or between two looks in clock_nanosleep(2).
pub fn wait_until_armed(pid: i32) {
    // What they are called in a 32-bit program of an x86-64 machine, too; the watcher makes none of the calls that have
    // these numbers in others.
    const OF_I386: [libc::c_long; 2] = [309, 267];
    let waits = [libc::SYS_ppoll, libc::SYS_clock_nanosleep, OF_I386[0], OF_I386[1]];
    let waits = waits.map(|number| format!("{number} "));
    wait_until("a watcher that waits", || {
        let Some(task) = watcher(pid) else { return false };
        let call = std::fs::read_to_string(task.join("syscall")).unwrap_or_default();
        state(&task) == Some('S') && waits.iter().any(|number| call.starts_with(number))
    });
}

/// The state letter of a task or process folder in `/proc`.
pub fn state(folder: &Path) -> Option<char> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// `namespace:start:mark` of a process, as `ANCHOR_ID` has it; without the mark before Linux 6.9.
pub fn full_identity(pid: i32) -> String {
    let id = identity(pid);
    if !kernel_is_at_least(6, 9) {
        return id;
    }
    // SAFETY: makes a new descriptor, pidfd_open(2).
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: new, and nobody else's.
    let handle = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    format!("{id}:{}", nix::sys::stat::fstat(handle).unwrap().st_ino)
}

/// `namespace:start` of a process, which is an `ANCHOR_ID` too.
pub fn identity(pid: i32) -> String {
    use std::os::unix::fs::MetadataExt;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let start = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(19)
        .unwrap()
        .to_owned();
    format!(
        "{}:{start}",
        std::fs::metadata("/proc/self/ns/pid").unwrap().ino()
    )
}
