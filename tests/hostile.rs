//! Neighbours who mean harm: what a user without rights tries with the library and its files gains nothing.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use support::*;

/// Whether the machine lets us try; only root can set the scene.
fn may() -> bool {
    let may = nix::unistd::geteuid().is_root();
    if !may {
        left_out("other users: want root");
    }
    may
}

/// A folder that every user can enter, with the library in it, and a program; as root they are root's.
fn scene() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("hostile.").tempdir().unwrap();
    open_to_all(folder.path());
    copied(&*LIBRARY, folder.path().join("libanchor.so"));
    copied("/usr/bin/env", folder.path().join("plain"));
    copied("/usr/bin/env", folder.path().join("raised"));
    let done = Command::new("chmod")
        .arg("4755")
        .arg(folder.path().join("raised"))
        .status();
    assert!(done.unwrap().success());
    folder
}

fn open_to_all(folder: &Path) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder, mode).unwrap();
}

/// An administrator has put the library into /etc/ld.so.preload, so it is loaded into set-uid programs too, and with the
/// variables of whoever starts them: the loader takes away its own alone, ld.so(8).
#[test]
fn a_set_uid_program_listens_to_no_variable() {
    if !may() {
        return;
    }
    let folder = scene();
    let anchor = sibling();
    // In a mount namespace of its own: no other program of this machine sees that file.
    let script = "
        mkdir over closed && chmod 700 closed && mkdir -m 777 open
        mount -t tmpfs tmpfs over && mkdir over/upper over/work
        mount -t overlay -o lowerdir=/etc,upperdir=over/upper,workdir=over/work overlay /etc
        echo \"$PWD/libanchor.so\" >/etc/ld.so.preload
        nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"; }
        export ANCHOR_PID=$1
        test \"$(nobody env ANCHOR_PID= ./raised id -u)\" = 0
        nobody env ANCHOR_LOG=$PWD/open/log ./plain true
        nobody env ANCHOR_LOG=$PWD/closed/log ./raised true
        nobody env ANCHOR_STRICT=1 ANCHOR_GRACE=soon ./raised echo it runs";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-euc", script, "sh", &anchor.pid().to_string()])
        .current_dir(&folder);
    let output = without_library(&mut command).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // The control: the library is in whatever they start, and makes the file at once.
    assert!(folder.path().join("open/log").exists(), "{said}");
    assert!(
        !folder.path().join("closed/log").exists(),
        "a file where only root may make one"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "it runs\n", "{said}");
}

/// A log that is not what it seems: the host runs, is silent, and ends with its anchor.
#[test]
fn a_log_that_somebody_has_prepared_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let made = |program: &str, words: &[&str], name: &str| {
        let done = Command::new(program).args(words).arg(at(name)).status();
        assert!(done.unwrap().success());
        at(name)
    };
    let deaf = made("mkfifo", &[], "a FIFO that nobody reads");
    let full = made("mkfifo", &[], "a FIFO that is full");
    let mut reader = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&full)
        .unwrap();
    while reader.write(&[0; 4096]).is_ok() {}
    let circle = made("ln", &["-s", "a circle"], "a circle");
    // A file that only root may write to, and a host that is nobody's.
    let others = at("another's");
    std::fs::write(&others, "").unwrap();
    let mut targets = vec![
        "/dev/full".into(),
        "/dev/null".into(),
        deaf,
        full,
        circle,
        folder.path().to_owned(),
    ];
    let scene = may().then(scene);
    targets.extend(scene.iter().map(|_| others.clone()));
    for target in targets {
        let mut anchor = sibling();
        let mut command = Command::new("cat");
        anchored(&mut command, anchor.pid())
            .env("ANCHOR_LOG", &target)
            .env("ANCHOR_PDEATHSIG", "never");
        if target == others {
            command
                .uid(65534)
                .env(INJECTS, scene.as_ref().unwrap().path().join("libanchor.so"));
        }
        let (mut host, said) = Echo::spawn_with_errors(&mut command);
        host.assert_lives();
        anchor.kill_and_reap();
        assert_signalled(host.owned.pid(), Signal::SIGTERM);
        let said = said.rest();
        // What cannot be written is said once; what takes nothing is no mistake.
        let bad = !["/dev/full", "/dev/null"]
            .map(Path::new)
            .contains(&target.as_path())
            && !target.ends_with("a FIFO that is full");
        let lines = said.lines().filter(|line| line.contains("ANCHOR_LOG: ")).count();
        assert_eq!(
            (lines, said.lines().count()),
            (usize::from(bad), usize::from(bad)),
            "{}: {said}",
            target.display()
        );
    }
    assert_eq!(std::fs::read_to_string(&others).unwrap(), "");
}
