//! Hosts whose `/proc` tells them something else: it hides the anchor, counts otherwise, or is of another PID namespace.
//! What cannot be seen is not dead. (What is named like a field of `/proc/PID/stat` is in every test with `births`.)

#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use support::births::Births;
use support::*;

/// A host that lives with its anchor, and ends with it.
fn lives_and_dies(births: &mut Births, set: &[&str]) {
    births.shipped("sibling 0 -", set);
    assert!(births.main().is_some(), "{set:?}");
    assert!(births.lives(), "{set:?}");
    births.done("kill");
    births.done("reap");
    assert!(births.ends(), "{set:?}");
    births.done("clear");
}

// births -> births (anchor, of another user: not in the host's /proc)
//        -> newborn (host, without the right to see it)
#[test]
fn an_anchor_that_proc_hides_is_watched() {
    if !nix::unistd::geteuid().is_root() {
        return left_out("hidepid: processes of two users want root");
    }
    for hidden in ["hidepid=1", "hidepid=2", "hidepid=4"] {
        let mut births = Births::beyond(&[], &format!("mount -o remount,{hidden} /proc"));
        for filter in ["", "without-pidfd"] {
            births.nobodys_anchor();
            lives_and_dies(&mut births, &["powerless", "ANCHOR_POLL=5ms", filter]);
            let id = format!("ANCHOR_ID={}", births.nobodys_anchor().id);
            lives_and_dies(&mut births, &["powerless", "ANCHOR_POLL=5ms", filter, &id]);
        }
        if !kernel_is_at_least(6, 9) {
            left_out("a stranger that /proc hides: wants Linux 6.9");
            continue;
        }
        // Its number is given away, unseen, once the host is armed: the mark of its pidfd tells.
        births.nobodys_anchor();
        births.shipped("sibling 0 -", &["powerless"]);
        assert!(births.main().is_some());
        for order in ["kill", "reap", "stranger told"] {
            births.done(order);
        }
        assert!(births.ends());
    }
}

// births (in a time namespace) -> births (anchor)
//                              -> newborn (host, given the anchor's start as it is told outside)
#[test]
fn a_start_told_in_another_time_namespace_is_no_death() {
    const SECONDS: u64 = 1000;
    let shift = ["--time", "--boottime", &SECONDS.to_string()];
    let mut births = Births::beyond(&shift, "true");
    let ticks = SECONDS
        * nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
            .unwrap()
            .unwrap() as u64;
    for filter in ["", "without-pidfd"] {
        let anchor = births.anchor();
        let (namespace, start) = anchor.id.split_once(':').unwrap();
        let outside = start.parse::<u64>().unwrap() - ticks;
        let id = format!("ANCHOR_ID={namespace}:{outside}");
        lives_and_dies(&mut births, &["ANCHOR_POLL=5ms", filter, &id]);
        births.anchor();
        lives_and_dies(&mut births, &["ANCHOR_POLL=5ms", filter]);
    }
}

// A /proc of another PID namespace, in which the host by chance has the number that it has in its own: so that `/proc/self`
// does not give it away. The anchor's number is another process there.
// test -> unshare -> sh (PID 1 outside) -> unshare -> sh (PID 1 inside: the anchor)
//                                                  -> cat (host, 5000 outside and inside)
#[test]
fn a_foreign_proc_that_knows_the_host_by_the_same_number_is_no_death() {
    let inside = r#"
        read -r stat </proc/self/stat
        set -- $stat
        start=${22}
        namespace=$(stat -Lc %i /proc/self/ns/pid)
        echo 4999 >/proc/sys/kernel/ns_last_pid
        echo ready >&3
        read -r go <&4
        ANCHOR_PID=1 ANCHOR_ID=$namespace:$start LD_PRELOAD=$LIBRARY cat <&5 &
        echo "$!" >&2
        grep NSpid /proc/5000/status >&2
        wait"#;
    let outside = r#"
        exec 5<&0
        fifo=$(mktemp -u) && mkfifo "$fifo.3" "$fifo.4" && exec 3<>"$fifo.3" 4<>"$fifo.4" && rm "$fifo.3" "$fifo.4"
        sleep 0.1 # so that the two first processes have different starts
        unshare --pid --fork --kill-child sh -c "$INSIDE" &
        read -r ready <&3
        echo 4999 >/proc/sys/kernel/ns_last_pid
        echo go >&4
        wait"#;
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args([
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-c",
        outside,
    ]);
    without_library(&mut command)
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("INSIDE", inside);
    let (mut host, mut said) = Echo::spawn_with_errors(&mut command);
    assert_eq!(said.number(), 5000);
    let numbers = said.line();
    assert_eq!(
        numbers.split_whitespace().collect::<Vec<_>>(),
        ["NSpid:", "5000", "5000"]
    );
    host.assert_lives();
    host.assert_lives();
}
