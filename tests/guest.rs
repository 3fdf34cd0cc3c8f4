//! What a host notices of its guest: nothing.

#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use support::*;

/// What a program can see of itself, printed by itself, with and without the library.
const SELF: &str = "import os, sys, resource, signal\n\
    print(sorted(set(os.listdir('/proc/self/fd'))))\n\
    print(sorted((k, v) for k, v in os.environ.items() if not k.startswith('ANCHOR_') and k != 'LD_PRELOAD'))\n\
    print(os.getcwd(), os.umask(0), os.getpid() == os.getpgrp(), [resource.getrlimit(r) for r in range(16)])\n\
    print([signal.getsignal(s) for s in signal.valid_signals()], signal.pthread_sigmask(signal.SIG_BLOCK, []))\n\
    keep = ('Sig', 'Shd', 'Cap', 'Uid', 'Gid', 'Groups', 'NoNewPrivs', 'Seccomp', 'Umask', 'TracerPid')\n\
    print([line for line in open('/proc/self/status') if line.startswith(keep) and not line.startswith('SigQ')])";

#[test]
fn a_host_sees_itself_as_without_the_library() {
    let anchor = sibling();
    let run = |command: &mut Command| {
        let output = command.args(["-c", SELF]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stderr, b"");
        String::from_utf8(output.stdout).unwrap()
    };
    let with = run(anchored(&mut Command::new("/usr/bin/python3"), anchor.pid()));
    let without = run(without_library(&mut Command::new("/usr/bin/python3")));
    assert_eq!(with, without);
}

fn descriptors(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder.join("fd"))
        .unwrap()
        .map(|fd| fd.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_hosts_table_holds_nothing_of_ours_and_ours_nothing_of_the_hosts() {
    let anchor = sibling();
    let host = Echo::spawn(anchored(&mut Command::new("cat"), anchor.pid())).armed();
    let mut control = Echo::spawn(without_library(&mut Command::new("cat")));
    control.assert_lives();
    let folder = |echo: &Echo| format!("/proc/{}", echo.owned.pid());
    assert_eq!(
        descriptors(Path::new(&folder(&host))),
        descriptors(Path::new(&folder(&control)))
    );

    let task = watcher(host.owned.pid()).unwrap();
    wait_until("nothing of the host's is left", || held_by(&task) == WATCHERS_OWN);
    assert_eq!(std::fs::read_link(task.join("cwd")).unwrap(), Path::new("/"));
    let status = std::fs::read_to_string(task.join("status")).unwrap();
    let line = |name: &str| {
        status
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .split_once('\t')
            .unwrap()
            .1
    };
    assert_eq!(line("CapEff:"), "0000000000000000");
    assert_eq!(line("CapPrm:"), "0000000000000000");
    // All but SIGKILL and SIGSTOP, which cannot be blocked: it never takes one of the host's.
    assert_eq!(line("SigBlk:"), "fffffffffffbfeff");
}

// A host that was started with its input closed gets descriptor 0 for its first file, as it would without us.
#[test]
fn a_closed_descriptor_stays_free_for_the_host() {
    let anchor = sibling();
    let mut command = Command::new("sh");
    let script = "exec /usr/bin/python3 -c 'import os; print(os.open(\"/\", os.O_RDONLY))' <&-";
    anchored(command.args(["-c", script]), anchor.pid());
    assert_eq!(command.output().unwrap().stdout, b"0\n");
}

// A host that closes everything it did not open takes nothing from the watcher.
#[test]
fn closing_every_descriptor_disarms_nobody() {
    let mut anchor = sibling();
    let mut command = Command::new("/usr/bin/python3");
    let program =
        "import os, sys\nos.closerange(3, 65536)\nfor line in sys.stdin: print(line, end='', flush=True)";
    let mut host = Echo::spawn(anchored(command.args(["-c", program]), anchor.pid())).armed();
    host.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), nix::sys::signal::Signal::SIGTERM);
}

// test -> sleep (anchor)
//      -> counted (host), counted (control)
#[test]
fn a_number_in_the_place_of_an_argument_is_no_address() {
    let mut anchor = sibling();
    let counted = || {
        let mut command = Command::new(program("counted", &[]));
        command.args(["the loader's", "its own"]);
        command
    };
    let mut control = Echo::spawn(without_library(&mut counted()));
    let mut host = Echo::spawn(anchored(&mut counted(), anchor.pid())).armed();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), nix::sys::signal::Signal::SIGTERM);
    control.assert_lives();
}

// Sleeping costs nothing: over ten seconds the watcher is not switched to once.
#[test]
#[allow(clippy::disallowed_methods)] // the ten seconds are what is measured
fn the_watcher_does_not_wake_while_the_anchor_lives() {
    let anchor = sibling();
    let host = Echo::spawn(anchored(&mut Command::new("cat"), anchor.pid())).armed();
    let task = watcher(host.owned.pid()).unwrap();
    let switches = || {
        let status = std::fs::read_to_string(task.join("status")).unwrap();
        let count = |name| {
            status
                .lines()
                .find(|l| l.starts_with(name))
                .unwrap()
                .rsplit('\t')
                .next()
                .unwrap()
                .to_owned()
        };
        (
            count("voluntary_ctxt_switches"),
            count("nonvoluntary_ctxt_switches"),
        )
    };
    let before = switches();
    std::thread::sleep(std::time::Duration::from_secs(10));
    assert_eq!(switches(), before);
}
