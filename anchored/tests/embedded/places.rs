//! A place in which others could put something else is refused, in one line, and the command is supervised.

use crate::installed::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;

/// That the copy gets nowhere, and why; that nothing is left of the attempt; and that the command runs all the same.
fn refused(stranger: &Somebody, change: impl Fn(&mut Command) -> &mut Command, why: &str) {
    let before = stranger.listing("");
    let mut never = stranger.anchored();
    change(never.args(["--supervise=never", "true"]));
    let output = never.output().unwrap();
    let line = text(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{why}: {output:?}");
    assert!(line.contains("; the copy in anchored: "), "{why}: {line}");
    assert!(line.contains(why), "{why}: {line}");
    assert_eq!(line.lines().count(), 1, "{why}: {line}");
    let mut auto = stranger.anchored();
    change(auto.args(["sh", "-c", "echo $LD_PRELOAD; exit 7"]));
    let output = auto.output().unwrap();
    assert_eq!(
        (
            output.status.code(),
            &*text(&output.stdout),
            &*text(&output.stderr)
        ),
        (Some(7), "\n", ""),
        "{why}"
    );
    assert_eq!(stranger.listing(""), before, "{why}");
}

fn as_it_is(command: &mut Command) -> &mut Command {
    command
}

#[test]
fn a_folder_that_others_reach_is_refused() {
    let Some(stranger) = Somebody::stranger() else {
        return;
    };
    let home = stranger.path("home");
    let (cache, folder) = (
        stranger.own("home/.cache", 0o700),
        stranger.own("home/.cache/libanchor", 0o700),
    );
    let mode = |path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let owner = |path, id: u32| chown(path, Some(id), None).unwrap();
    for bits in [0o770, 0o707, 0o1777] {
        mode(&folder, bits);
        refused(&stranger, as_it_is, "/.cache/libanchor: others can write to it");
    }
    mode(&folder, 0o700);
    for bits in [0o770, 0o702] {
        mode(&cache, bits);
        refused(&stranger, as_it_is, "/.cache: others can write to it");
    }
    mode(&cache, 0o700);
    mode(&home, 0o777);
    refused(&stranger, as_it_is, "/home: others can write to it");
    mode(&home, 0o755);
    // Root may own what is above, and not the folder itself.
    for id in [OTHER, 0] {
        owner(&folder, id);
        refused(
            &stranger,
            as_it_is,
            &format!("/libanchor: belongs to user {id}, not to user {STRANGER}"),
        );
    }
    owner(&folder, STRANGER);
    owner(&home, OTHER);
    refused(
        &stranger,
        as_it_is,
        &format!("/home: belongs to user {OTHER}, not"),
    );
    owner(&home, STRANGER);
    fs::rename(&folder, stranger.path("home/elsewhere")).unwrap();
    symlink(stranger.path("home/elsewhere"), &folder).unwrap();
    refused(&stranger, as_it_is, "/.cache/libanchor: Not a directory");
    fs::remove_file(&folder).unwrap();
    mode(&cache, 0o500);
    refused(&stranger, as_it_is, "/.cache/libanchor: Permission denied");
    mode(&cache, 0o700);
    // The control.
    said(
        &stranger
            .anchored()
            .args(["--supervise=never", "true"])
            .output()
            .unwrap(),
    );
    stranger.copy_in(&folder);
}

#[test]
fn a_place_that_cannot_be_is_refused() {
    let Some(stranger) = Somebody::stranger() else {
        return;
    };
    let (blank, colon) = (stranger.own("a b", 0o755), stranger.own("a:b", 0o755));
    for home in [blank, colon] {
        let why = "/.cache/libanchor: a path with a blank or a colon cannot be preloaded";
        refused(&stranger, |command| command.env("HOME", &home), why);
    }
    let nowhere = stranger.path("home/no/where");
    let not_there = format!("{}: No such file", stranger.path("home/no").display());
    refused(&stranger, |command| command.env("HOME", &nowhere), &not_there);
    for home in ["", "."] {
        refused(
            &stranger,
            |command| command.env("HOME", home),
            "nobody says where the home is",
        );
    }
    stranger.own("home/.cache", 0o700);
    stranger.own("home/.cache/libanchor", 0o700);
    refused(&stranger, limited, "File too large");
}

/// It may write a thousand bytes to a file, and no more.
fn limited(command: &mut Command) -> &mut Command {
    use nix::sys::resource::{Resource, setrlimit};
    use std::os::unix::process::CommandExt;
    let set = || Ok(setrlimit(Resource::RLIMIT_FSIZE, 1000, 1000)?);
    // SAFETY: one system call.
    unsafe { command.pre_exec(set) }
}

#[test]
fn a_cache_folder_that_is_set_goes_first_and_links_are_followed() {
    let Some(stranger) = Somebody::stranger() else {
        return;
    };
    let linked = stranger.own("home/linked", 0o755);
    symlink(&linked, stranger.path("home/link")).unwrap();
    let set = stranger.path("home/set");
    for (value, folder) in [
        (set.clone(), set),
        (stranger.path("home/link"), linked),
        // Meant from a working directory: it is not looked at.
        ("set".into(), stranger.path("home/.cache")),
        (stranger.path("no/where"), stranger.path("home/.cache")),
    ] {
        let mut command = stranger.anchored();
        let output = said(&command.env("XDG_CACHE_HOME", &value).arg("env").output().unwrap());
        let file = stranger.copy_in(&folder.join("libanchor"));
        assert!(
            output.contains(&format!("LD_PRELOAD={}\n", file.display())),
            "{output}"
        );
        fs::remove_dir_all(folder.join("libanchor")).unwrap();
    }
}
