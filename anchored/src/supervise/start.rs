//! Starting the command, and making the guard a guest of nobody: it keeps nothing that was the caller's.

use super::held::Before;
use super::system::bond;
use nix::unistd::setsid;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Starts it as a child that does not outlive this process. Its number, or why it does not run.
pub fn start(mut command: Command, before: Before) -> io::Result<i32> {
    let guard = nix::unistd::getpid();
    let ready = move || {
        bond::end_with_guard()?;
        // RACE: 1. the guard forks this child  2. the guard is killed  3. the child binds itself to its parent's life,
        //   which is over: it would run unguarded. Looked at after 3, the parent is another.
        if nix::unistd::getppid() != guard {
            // SAFETY: ends this child, which has nothing to clean up.
            unsafe { libc::_exit(125) };
        }
        // ORDER: last. `Command` has emptied the mask by now, and the caller's may be another.
        Ok(before.restore()?)
    };
    // SAFETY: system calls only, nothing that allocates or locks.
    unsafe { command.pre_exec(ready) };
    let child = command.spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

/// Leaves the caller's session, folder and descriptors, but for `kept`.
///
/// GUEST: whoever reads the command's output waits for the last writer; a terminal's ^C is the command's and not the
/// guard's; a file system that is to be unmounted must not be busy with it.
///
/// ORDER: after the command was started, which inherits all of these.
pub fn leave_the_caller(kept: &[i32]) {
    let _ = setsid();
    bond::name_guard();
    let _ = std::env::set_current_dir("/");
    if let Ok(null) = fs::File::options().read(true).write(true).open("/dev/null") {
        let null = null.into_raw_fd();
        for standard in 0..3 {
            // SAFETY: the standard descriptors are owned by nobody.
            unsafe { libc::dup2(null, standard) };
        }
    }
    let Ok(folder) = fs::read_dir(bond::DESCRIPTORS) else {
        return;
    };
    let open = folder
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Collected first: the folder has a descriptor too, which is closed by then.
    for fd in open.collect::<Vec<i32>>() {
        if fd > 2 && !kept.contains(&fd) {
            // SAFETY: inherited, and owned by nothing in this process.
            unsafe { libc::close(fd) };
        }
    }
}

/// The number of a descriptor, to be kept.
pub fn number(of: &impl std::os::fd::AsFd) -> i32 {
    of.as_fd().as_raw_fd()
}
