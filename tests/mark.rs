//! The third number of `ANCHOR_ID`, the inode of the anchor's pidfd: alone it says who the anchor is.

#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use support::*;

/// What comes of a host whose `ANCHOR_ID` is not quite the anchor's.
#[derive(Debug)]
enum Comes {
    Armed,
    Fires,
    Inert,
}

#[test]
fn a_mark_is_believed_before_the_rest() {
    if !kernel_is_at_least(6, 9) {
        return left_out("an anchor that is known by its pidfd's inode: wants Linux 6.9");
    }
    for (namespace, start, mark, comes) in [
        (0, 0, 0, Comes::Armed),
        (0, 1, 0, Comes::Armed),
        (1, 0, 0, Comes::Armed),
        (1, 1, 0, Comes::Armed),
        (0, 0, 1, Comes::Fires),
        (0, 1, 1, Comes::Fires),
        (1, 0, 1, Comes::Inert),
    ] {
        let what = format!("{namespace} {start} {mark}: {comes:?}");
        let mut anchor = sibling();
        let id = full_identity(anchor.pid());
        let numbers = id.split(':').zip([namespace, start, mark]);
        let told: Vec<String> = numbers
            .map(|(number, off)| (number.parse::<u64>().unwrap() + off).to_string())
            .collect();
        let mut command = Command::new("cat");
        let mut host = Echo::spawn(anchored(&mut command, anchor.pid()).env("ANCHOR_ID", told.join(":")));
        match comes {
            Comes::Armed => {
                host.assert_lives();
                wait_until_armed(host.owned.pid());
                anchor.kill_and_reap();
                host.wait_for_end();
            }
            Comes::Fires => host.wait_for_end(),
            Comes::Inert => {
                host.assert_lives();
                assert_eq!(watcher(host.owned.pid()), None, "{what}");
                anchor.kill_and_reap();
                host.assert_lives();
            }
        }
    }
}

// Who knows the mark needs no /proc: neither one of its own, nor to see the anchor there.
// test -> sleep (anchor)
//      -> unshare -> cat (host, whose /proc is empty)
#[test]
fn a_host_with_a_mark_needs_no_proc() {
    if !kernel_is_at_least(6, 9) {
        return left_out("an anchor that is known by its pidfd's inode: wants Linux 6.9");
    }
    for off in [0, 1] {
        let mut anchor = sibling();
        let id = full_identity(anchor.pid());
        let (rest, mark) = id.rsplit_once(':').unwrap();
        let told = format!("{rest}:{}", mark.parse::<u64>().unwrap() + off);
        let mut command = Command::new("unshare");
        if !nix::unistd::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let script = "mount -t tmpfs none /proc && \
            exec env LD_PRELOAD=\"$LIBRARY\" ANCHOR_PID=\"$0\" ANCHOR_ID=\"$1\" cat";
        command.args(["--mount", "sh", "-c", script, &anchor.pid().to_string(), &told]);
        let mut host = Echo::spawn(without_library(&mut command).env("LIBRARY", LIBRARY.as_os_str()));
        if off == 0 {
            host.assert_lives();
            wait_until_armed(host.owned.pid());
            anchor.kill_and_reap();
        }
        // With another's mark it is over at once.
        host.wait_for_end();
        drop(anchor);
    }
}
