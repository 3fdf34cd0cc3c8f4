//! Neighbours who mean harm: what a user without rights tries with the library and its files gains nothing.

#![cfg(target_os = "linux")]

mod support;

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
