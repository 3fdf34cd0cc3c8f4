//! A thousand deaths: every one must be by SIGTERM. What they take beside the kernel's own guard is scripts/bench's.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use std::process::{Command, Stdio};
use support::*;

const TRIES: usize = 1000;

// test -> sleep (anchor)
//      -> sleep (host)
#[test]
fn a_thousand_deaths_by_sigterm() {
    for _ in 0..TRIES {
        let mut anchor = sibling();
        let mut command = Command::new("sleep");
        let host = Owned(
            anchored(command.arg("1000"), anchor.pid())
                .stdin(Stdio::null())
                .spawn()
                .unwrap(),
        );
        wait_until_armed(host.pid());
        anchor.kill();
        assert_signalled(host.pid(), Signal::SIGTERM); // 143 to a shell
    }
}
