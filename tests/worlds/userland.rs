//! What Debian made for the world: shells, coreutils, perl, python3, and our own scripts in them.

use super::*;

const PYTHON_ECHO: &str =
    "import sys\nfor line in iter(sys.stdin.readline, ''): print(line, end='', flush=True)";
const SHELL_ECHO: &str = "while read -r line; do echo \"$line\"; done";

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn debians_programs_end_with_their_anchor() {
    let closes = format!("import os; os.closerange(3, 65536)\n{PYTHON_ECHO}");
    let threads =
        format!("import _thread, time\n_thread.start_new_thread(time.sleep, (1000,))\n{PYTHON_ECHO}");
    let programs: [&[&str]; 8] = [
        &["/bin/cat"],
        &["/bin/dash", "-c", SHELL_ECHO],
        &["/bin/bash", "-c", SHELL_ECHO],
        &["/usr/bin/perl", "-e", "$| = 1; print while <STDIN>"],
        &["/usr/bin/python3", "-c", PYTHON_ECHO],
        &["/usr/bin/python3", "-c", &closes],
        &["/usr/bin/python3", "-c", &threads],
        // By its loader: before 2.36 that writes over the arguments that are its own.
        &["/lib64/ld-linux-x86-64.so.2", "/bin/cat", "-"],
    ];
    for program in programs {
        ends_with_its_anchor(|| inside(program));
    }
}

// test -> sleep (anchor)
//      -> setpriv, then cat (host, of another user)
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn another_user_by_setpriv() {
    let words = [
        "/usr/bin/setpriv",
        "--reuid=1000",
        "--regid=1000",
        "--clear-groups",
        "/bin/cat",
    ];
    ends_with_its_anchor(|| inside(&words));
    let anchor = sibling();
    let host = Echo::spawn(anchored_inside(&mut inside(&words), anchor.pid())).armed();
    let task = watcher(host.owned.pid()).unwrap();
    let status = std::fs::read_to_string(task.join("status")).unwrap();
    assert!(status.contains("\nUid:\t1000\t1000\t1000\t1000\n"), "{status}");
    assert!(status.contains("\nGid:\t1000\t1000\t1000\t1000\n"), "{status}");
}

// A program that becomes another user by itself.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn another_user_by_python() {
    let program = format!("import os\nos.setgroups([]); os.setgid(1000); os.setuid(1000)\n{PYTHON_ECHO}");
    ends_with_its_anchor(|| inside(&["/usr/bin/python3", "-c", &program]));
}

// test -> sh (anchor) -> sh -> cat, cat, sh (forked without exec)
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_pipeline_ends_with_the_shell_above() {
    let tree = |library: &str| {
        let pipeline = format!("cat <&3 | cat | {{ {SHELL_ECHO}; }}; :");
        let script = format!(
            "exec 3<&0 </dev/null; export ANCHOR_PID=$$ LD_PRELOAD=$LIBRARY; sh -c '{}' & exec 3<&-; wait",
            pipeline
        );
        let mut command = inside(&["/bin/sh", "-c", &script]);
        command.env("LIBRARY", library).env("ANCHOR_POLL", "10ms");
        let mut tree = Echo::spawn(&mut command);
        tree.assert_lives();
        tree
    };
    let mut armed = tree("/mnt/libanchor.so");
    armed.owned.kill_and_reap();
    armed.wait_for_end();
    let mut control = tree("");
    control.owned.kill_and_reap();
    control.assert_lives();
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn output_and_exit_codes_are_what_they_are_without_the_library() {
    // Python 3.12 and later warn of a fork in a process with threads: docs/hosts.md.
    let python = "exec python3 -W ignore::DeprecationWarning -c 'import os, sys
if os.fork() == 0: os._exit(5)
print(os.wait()[1], sorted(os.listdir(\"/proc/self/fd\")))
sys.stderr.write(\"error\\n\"); sys.exit(4)'";
    let scripts = [
        ("echo out; echo error >&2; exit 3", Some(3)),
        ("seq 20 | sort -rn | head -3; (exit 9); echo $?; kill -9 $$", None),
        ("exec env -u NONE nice timeout 60 seq 3", Some(0)),
        ("exec ls /none", Some(2)),
        (
            "exec perl -e 'print \"$0\\n\"; system(\"false\"); exit $? >> 8'",
            Some(1),
        ),
        (
            "setpriv --reuid=1000 --regid=1000 --clear-groups id; echo $?",
            Some(0),
        ),
        ("unshare --net --ipc --uts id -u; echo $?", Some(0)),
        (python, Some(4)),
    ];
    for (script, code) in scripts {
        for shell in ["/bin/dash", "/bin/bash"] {
            let output = answers_as_it_would(&[shell, "-c", script]);
            assert_eq!(output.status.code(), code, "{script}: {output:?}");
        }
    }
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn our_scripts_run_there() {
    let mut anchor = sibling();
    let words = [
        "/bin/sh",
        "/mnt/anchor-run",
        "--pid",
        &anchor.pid().to_string(),
        "--",
        "/bin/cat",
    ];
    let mut host = Echo::spawn(&mut inside(&words)).armed();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);

    let words = [
        "/bin/sh",
        "/mnt/harness",
        "--json",
        "--within",
        "60",
        "--",
        "/bin/sh",
        "-c",
        "sleep 1000; :",
    ];
    let output = inside(&words).output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        said.starts_with("{\"protected\":true,\"left\":0,\"control_survived\":2,"),
        "{said}"
    );
}
