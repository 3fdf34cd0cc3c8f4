//! Homes on file systems that will not do, and root with another user's home: in a mount namespace of its own.

use crate::installed::*;
use crate::support::left_out;
use std::fs;
use std::os::unix::fs::chown;
use std::process::{Command, Output};

/// `anchored` with the words, as a user or as root, in a mount namespace in which the script has been run.
fn with_mounts(somebody: &Somebody, id: u32, script: &str, words: &[&str]) -> Output {
    let inner = somebody.anchored();
    let whole = format!("set -eu; {script}; exec setpriv --reuid={id} --regid={id} --clear-groups -- \"$@\"");
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", &whole, "sh"])
        .arg(inner.get_program())
        .args(words)
        .current_dir(somebody.path("empty"));
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.output().unwrap()
}

#[test]
fn a_file_system_that_will_not_do_is_a_reason() {
    let Some(stranger) = Somebody::stranger() else {
        return;
    };
    for (options, why) in [
        ("noexec", Some("/home: on a file system that is mounted noexec")),
        ("ro", Some("/home/.cache: Read-only file system")),
        ("size=4k", Some(".so: No space left on device")),
        ("size=1m", None),
    ] {
        let script = format!("mount -t tmpfs -o {options},uid={STRANGER},mode=700 tmpfs \"$HOME\"");
        let run = |words: &[&str]| with_mounts(&stranger, STRANGER, &script, words);
        let never = run(&["--supervise=never", "true"]);
        match why {
            Some(why) => {
                assert_eq!(never.status.code(), Some(125), "{options}: {never:?}");
                let line = text(&never.stderr);
                assert!(
                    line.contains("; the copy in anchored: /") && line.contains(why),
                    "{line}"
                );
                assert_eq!(line.lines().count(), 1, "{line}");
            }
            None => drop(said(&never)),
        }
        let auto = run(&["sh", "-c", "find \"$HOME\" -type f; exit 7"]);
        let found = text(&auto.stdout);
        assert_eq!(
            (auto.status.code(), &*text(&auto.stderr)),
            (Some(7), ""),
            "{options}"
        );
        assert_eq!(
            found.lines().count(),
            usize::from(why.is_none()),
            "{options}: {found}"
        );
    }
}

// sudo(8) may keep HOME.
#[test]
fn root_leaves_another_users_home_alone() {
    if !nix::unistd::geteuid().is_root() {
        return left_out("root with another user's home: needs root");
    }
    let me = Somebody::me();
    chown(me.path("home"), Some(OTHER), None).unwrap();
    let roots = me.own("root", 0o700);
    fs::write(
        me.path("passwd"),
        format!("root:x:0:0::{}:/bin/sh\n", roots.display()),
    )
    .unwrap();
    let before = me.listing("home");
    let script = format!("mount --bind '{}' /etc/passwd", me.path("passwd").display());
    let output = said(&with_mounts(&me, 0, &script, &["env"]));
    let file = me.copy_in(&roots.join(".cache/libanchor"));
    assert!(
        output.contains(&format!("LD_PRELOAD={}\n", file.display())),
        "{output}"
    );
    assert_eq!(me.listing("home"), before);
}
