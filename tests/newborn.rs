//! What a watcher has when it is born. Alone in its process: while another test here forks, its child has copies of all
//! descriptors until its exec, and is somebody who has the pipe open.

#![cfg(target_os = "linux")]

mod support;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use support::*;

// A pipe, or a lock, that the host gives back is free at once: the watcher never had a copy of it.
#[test]
fn a_newborn_watcher_holds_nothing() {
    let (path, anchor) = (program("let_go", &[]), sibling());
    for round in 0..100 {
        let (mut read, write) = std::io::pipe().unwrap();
        fcntl(&read, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let mut command = Command::new(&path);
        let number = write.as_raw_fd();
        let duplicate = move || {
            // SAFETY: two numbers.
            let got = unsafe { libc::dup2(number, 3) };
            (got == 3).then_some(()).ok_or_else(std::io::Error::last_os_error)
        };
        // SAFETY: one system call, nothing that allocates.
        unsafe { command.pre_exec(duplicate) };
        let mut host = Echo::spawn(anchored(&mut command, anchor.pid()));
        drop(write);
        assert_eq!(host.line(), "closed");
        let end = read.read(&mut [0]);
        assert_eq!(end.ok(), Some(0), "round {round}: somebody has the pipe open");
        host.close_input();
        host.wait();
    }
}
