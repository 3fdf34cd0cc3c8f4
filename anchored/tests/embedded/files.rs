//! What stands in the copy's place is used only if it is the copy, and never written to.

use crate::installed::*;
use crate::support::*;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

/// The library, a file of theirs.
fn right(file: &Path) {
    copied(&*LIBRARY, file);
    chown(file, Some(STRANGER), None).unwrap();
}

/// Puts something in the copy's place.
type Put = fn(&Path);

#[test]
fn what_is_not_the_copy_is_replaced() {
    let Some(stranger) = Somebody::stranger() else {
        return;
    };
    // Within the ceiling: to open a FIFO may take for ever.
    let start = || {
        let mut command = stranger.anchored();
        let mut start = Owned(command.args(["--supervise=never", "true"]).spawn().unwrap());
        wait_until("a start", || start.0.try_wait().unwrap().is_some());
        assert!(start.0.wait().unwrap().success());
    };
    start();
    let file = stranger.copy_in(&stranger.cache());
    let victim = stranger.path("victim");
    right(&victim);
    symlink(&victim, stranger.path("link")).unwrap();
    let cases: [(&str, Put); 7] = [
        ("nothing", |_| {}),
        ("as many other bytes", |file| {
            right(file);
            let other: Vec<u8> = fs::read(file).unwrap().iter().map(|byte| !byte).collect();
            fs::write(file, other).unwrap();
        }),
        ("the library, and more", |file| {
            right(file);
            let whole = [fs::read(file).unwrap(), b"more".to_vec()].concat();
            fs::write(file, whole).unwrap();
        }),
        ("another user's", |file| {
            right(file);
            chown(file, Some(OTHER), None).unwrap();
        }),
        ("writable", |file| {
            right(file);
            fs::set_permissions(file, Permissions::from_mode(0o602)).unwrap();
        }),
        ("a FIFO", |file| {
            mkfifo(file, Mode::S_IRWXU).unwrap();
            chown(file, Some(STRANGER), None).unwrap();
        }),
        ("a link", |file| {
            let link = file.ancestors().nth(4).unwrap().join("link");
            fs::rename(link, file).unwrap();
        }),
    ];
    for (what, put) in cases {
        fs::remove_file(&file).unwrap();
        put(&file);
        let before = fs::symlink_metadata(&file).map(|found| found.ino()).ok();
        start();
        assert_eq!(stranger.copy_in(&stranger.cache()), file, "{what}");
        let after = fs::symlink_metadata(&file).unwrap();
        assert_eq!(after.uid(), STRANGER, "{what}");
        assert_ne!(Some(after.ino()), before, "{what}");
    }
    assert_eq!(fs::read(&victim).unwrap(), fs::read(&*LIBRARY).unwrap());
}
