//! Every failure has a rung below it: no pidfd, no descriptor, no thread.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use std::process::Command;
use support::filter::{refuse, refuse_threads};
use support::*;

fn logged(command: &mut Command, text: &str, log: &std::path::Path) -> Echo {
    let mut host = Echo::spawn(command.env("ANCHOR_LOG", log));
    host.assert_lives();
    wait_until(text, || {
        std::fs::read_to_string(log).is_ok_and(|log| log.contains(text))
    });
    host
}

// A kernel before 5.3, and seccomp profiles that answer EPERM to what they do not know.
#[test]
fn polls_where_there_is_no_pidfd() {
    for errno in [libc::ENOSYS, libc::EPERM, libc::EMFILE] {
        let folder = tempfile::tempdir().unwrap();
        let mut anchor = sibling();
        let mut command = Command::new("cat");
        refuse(anchored(&mut command, anchor.pid()), libc::SYS_pidfd_open, errno).env("ANCHOR_POLL", "10ms");
        let mut host = logged(
            &mut command,
            "thread that polls /proc every 10ms",
            &folder.path().join("log"),
        );
        host.assert_lives();
        // A zombie is dead to the fallback too.
        anchor.kill();
        host.wait_for_end();
        assert_signalled(host.owned.pid(), Signal::SIGTERM);
    }
}

// Neither may a wait that the kernel refuses be taken for a death.
#[test]
fn a_refused_wait_falls_back_to_polling() {
    let mut anchor = sibling();
    let mut command = Command::new("cat");
    refuse(anchored(&mut command, anchor.pid()), libc::SYS_ppoll, libc::EPERM).env("ANCHOR_POLL", "10ms");
    let mut host = Echo::spawn(&mut command).armed();
    host.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// Linux before 5.9 has no close_range(2): the host's pipes must be closed one by one all the same.
#[test]
fn closes_one_by_one_without_close_range() {
    let mut anchor = sibling();
    let mut command = Command::new("cat");
    refuse(
        anchored(&mut command, anchor.pid()),
        libc::SYS_close_range,
        libc::ENOSYS,
    );
    let mut host = Echo::spawn(&mut command).armed();
    let task = watcher(host.owned.pid()).unwrap();
    wait_until("nothing of the host's is left", || held_by(&task) == WATCHERS_OWN);
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
}

// A host with no descriptor to spare: the watcher opens its handle in its own table.
#[test]
fn needs_no_descriptor_of_the_hosts() {
    let mut anchor = sibling();
    let source = tempfile::tempdir().unwrap();
    let (c, program) = (source.path().join("echo.c"), source.path().join("echo"));
    std::fs::write(&c, "#include <unistd.h>\nint main(void) { char b[100]; long n; while ((n = read(0, b, 100)) > 0) write(1, b, n); return 0; }\n").unwrap();
    // Static linking is not it; the loader needs descriptors too. So the limit is set by a library of our own after
    // the loader is done and before ours: constructors of libraries that come later in the list run earlier.
    let (limit_c, limit) = (source.path().join("limit.c"), source.path().join("limit.so"));
    std::fs::write(&limit_c, "#include <sys/resource.h>\n__attribute__((constructor)) static void f(void) { struct rlimit l = {3, 3}; setrlimit(RLIMIT_NOFILE, &l); }\n").unwrap();
    let cc = |arguments: &[&std::ffi::OsStr]| {
        assert!(Command::new("cc").args(arguments).status().unwrap().success())
    };
    cc(&["-o".as_ref(), program.as_ref(), c.as_ref()]);
    cc(&[
        "-shared".as_ref(),
        "-fPIC".as_ref(),
        "-o".as_ref(),
        limit.as_ref(),
        limit_c.as_ref(),
    ]);
    for order in ["first", "last"] {
        let mut command = Command::new(&program);
        let (ours, theirs) = (LIBRARY.display(), limit.display());
        let preload = if order == "first" {
            format!("{ours}:{theirs}")
        } else {
            format!("{theirs}:{ours}")
        };
        anchored(&mut command, anchor.pid()).env("LD_PRELOAD", preload);
        let mut host = Echo::spawn(&mut command).armed();
        anchor.kill_and_reap();
        host.wait_for_end();
        assert_signalled(host.owned.pid(), Signal::SIGTERM);
        anchor = sibling();
    }
}

/// test -> sh (anchor) -> cat (host, of a user that may have no thread more)
#[test]
fn keeps_pdeathsig_where_there_is_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let script = "export ANCHOR_PID=$$ LD_PRELOAD=$LIBRARY; exec 3<&0; cat <&3 & wait";
    let mut command = Command::new("sh");
    without_library(&mut command)
        .env("LIBRARY", LIBRARY.as_os_str())
        .args(["-c", script]);
    refuse_threads(&mut command);
    let mut tree = logged(
        &mut command,
        "no thread could be made, PDEATHSIG SIGTERM alone, no grace",
        &log,
    );
    tree.owned.kill_and_reap();
    tree.wait_for_end();
}

#[test]
fn a_strict_host_without_any_rung_does_not_run() {
    let anchor = sibling();
    let mut command = Command::new("echo");
    anchored(command.arg("ran"), anchor.pid()).env("ANCHOR_STRICT", "1");
    refuse_threads(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "it cannot be armed: anchor {}: no thread could be made\n",
        anchor.pid()
    );
    assert!(said.ends_with(&expected), "{said}");
    assert_eq!(said.lines().count(), 1);
    assert_eq!(
        (output.stdout.as_slice(), output.status.code()),
        (&b""[..], Some(125))
    );
}

// The fallback looks at /proc by number; in the /proc of another namespace that number is another process.
// test -> sleep (a zombie)
//      -> unshare --pid (keeps the old /proc) -> sh (PID 1) -> sleep (anchor, with the zombie's number here)
//                                                           -> cat (host)
#[test]
fn polling_takes_no_foreign_proc_for_its_own() {
    if !std::path::Path::new("/proc/sys/kernel/ns_last_pid").exists() {
        left_out(
            "polling in another PID namespace: nobody may choose a process number (CONFIG_CHECKPOINT_RESTORE)",
        );
        return;
    }
    let mut zombie = sibling();
    zombie.kill();
    let script = "exec 3<&0; echo $(($ZOMBIE - 1)) >/proc/sys/kernel/ns_last_pid; sleep 1000 <&- >&- & echo $!; \
        ANCHOR_PID=$! ANCHOR_POLL=5ms LD_PRELOAD=$LIBRARY cat <&3 & exec sleep 1000 >&-";
    let mut command = Command::new("unshare");
    without_library(command.args(["--pid", "--fork", "--kill-child", "sh", "-c", script]));
    command
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("ZOMBIE", zombie.pid().to_string());
    let mut host = Echo::spawn(refuse(&mut command, libc::SYS_pidfd_open, libc::ENOSYS));
    assert_eq!(host.line(), zombie.pid().to_string());
    host.assert_lives();
    host.assert_lives();
}
