//! What a user sees: it works from the first start on.

use crate::installed::*;
use crate::support::*;
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::unistd::pipe2;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

// test -> sleep (anchor)
//      -> anchored, which becomes cat (host)
//      -> cat (control)
#[test]
fn a_command_is_injected_and_ends_with_its_anchor() {
    let me = Somebody::me();
    let untouched = || [me.listing("empty"), me.listing("tmp"), me.listing("bin")];
    let before = untouched();
    let mut anchor = sibling();
    let pid = anchor.pid().to_string();
    let mut control = Echo::spawn(without_library(&mut Command::new("cat")));
    let mut host = Echo::spawn(me.anchored().args(["--pid", &pid, "cat"])).armed();

    let file = me.copy_in(&me.cache());
    let maps = fs::read_to_string(format!("/proc/{}/maps", host.owned.pid())).unwrap();
    assert!(maps.contains(file.to_str().unwrap()), "{maps}");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(me.cache()), 0o700);
    assert_eq!(mode(me.path("home/.cache")), 0o700);
    let sum = Command::new("sha256sum").arg(&file).output().unwrap();
    let name = format!("libanchor-{}.so", &said(&sum)[..32]);
    assert_eq!(file.file_name().unwrap().to_str(), Some(&*name));
    assert_eq!(untouched(), before, "nothing but the home is written to");

    // The copy is known for what it is.
    let listed = said(
        &me.anchored()
            .args(["--list", "--json", "--pid", &pid])
            .output()
            .unwrap(),
    );
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let own = host.owned.pid();
    let row = listed.as_array().unwrap().iter().find(|row| row["pid"] == own);
    assert_eq!(row.unwrap()["armed"], "thread", "{listed}");

    control.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    control.assert_lives();
}

// test -> sh, fifty times -> each waits, and then becomes anchored, which becomes grep (host)
#[test]
fn first_starts_at_once_all_work() {
    let me = Somebody::me();
    let script = "read -r _; exec \"$0\" --supervise=never grep -o '/libanchor-.*' /proc/self/maps";
    for beginning in ["nothing is there", "something else is there"] {
        if beginning.starts_with("some") {
            let file = me.copy_in(&me.cache());
            fs::remove_file(&file).unwrap();
            fs::write(&file, "something else").unwrap();
        }
        let (gate, opens) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let starts: Vec<_> = (0..50)
            .map(|_| {
                let mut command = Command::new("sh");
                let command = command.arg("-c").arg(script).arg(me.program());
                without_library(command)
                    .env_remove("XDG_CACHE_HOME")
                    .env("HOME", me.path("home"))
                    .stdin(Stdio::from(gate.try_clone().unwrap()))
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        drop(opens);
        let outputs: Vec<_> = starts
            .into_iter()
            .map(|start| said(&start.wait_with_output().unwrap()))
            .collect();
        let file = me.copy_in(&me.cache());
        let name = file.file_name().unwrap().to_str().unwrap();
        for output in outputs {
            assert!(output.contains(name), "{beginning}: {output}");
        }
    }
}

#[test]
fn a_start_with_the_copy_there_writes_nothing() {
    let me = Somebody::me();
    let start = || {
        said(
            &me.anchored()
                .args(["--supervise=never", "true"])
                .output()
                .unwrap(),
        )
    };
    start();
    let before = me.listing("home");
    start();
    assert_eq!(me.listing("home"), before);
}

#[test]
fn an_installed_library_goes_first() {
    let me = Somebody::me();
    let installed = me.path("bin/libanchor.so");
    copied(&*LIBRARY, &installed);
    let before = me.listing("home");
    let output = said(&me.anchored().arg("env").output().unwrap());
    let expected = format!("LD_PRELOAD={}\n", installed.display());
    assert!(output.contains(&expected), "{output}");
    assert_eq!(me.listing("home"), before);
}

#[test]
fn whoever_asks_is_told_of_the_copy() {
    let me = Somebody::me();
    let checked = said(&me.anchored().args(["--check", "true"]).output().unwrap());
    let file = me.copy_in(&me.cache());
    let file = file.to_str().unwrap();
    let wanted = |line: &&str| line.starts_with("library") && line.contains(file);
    let line = checked.lines().find(wanted).unwrap();
    assert!(line.ends_with("fits, unpacked from anchored itself"), "{line}");
    let json = me
        .anchored()
        .args(["--check", "--json", "true"])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&said(&json)).unwrap();
    assert_eq!(json["library"]["file"], file);
    assert_eq!(json["library"]["embedded"], true);

    // As a first start too: what is printed is there.
    fs::remove_file(file).unwrap();
    let printed = said(&me.anchored().arg("--print-env").output().unwrap());
    assert!(
        printed.contains(&format!("export LD_PRELOAD='{file}'\n")),
        "{printed}"
    );
    let inode = fs::metadata(me.copy_in(&me.cache())).unwrap().ino();
    let probed = said(
        &me.anchored()
            .args(["--check", "--probe", "sleep", "1000"])
            .output()
            .unwrap(),
    );
    assert!(probed.contains("every process was armed"), "{probed}");
    assert_eq!(fs::metadata(file).unwrap().ino(), inode);
}

// Of a tree that any version has anchored.
#[test]
fn release_takes_every_copy_away_and_unpacks_none() {
    let me = Somebody::me();
    let before = me.listing("home");
    let hash = "0123456789abcdef".repeat(2);
    let preload = format!("/no.so:/elsewhere/libanchor-{hash}.so");
    let output = me
        .anchored()
        .args(["--release", "env"])
        .env("LD_PRELOAD", preload)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let left = text(&output.stdout);
    assert!(
        left.contains("\nLD_PRELOAD=/no.so\n") || left.starts_with("LD_PRELOAD=/no.so\n"),
        "{left}"
    );
    assert_eq!(me.listing("home"), before);
}
