//! Exclusions, options, and the two forms of what is said.

use super::support::*;
use serde_json::Value;
use std::process::Command;

#[test]
fn excluded_programs_are_left_alone() {
    let why = "left alone: a Chromium zygote, which must be single-threaded";
    let out = assert_verdict(&["/bin/true", "--type=zygote"], LEFT_ALONE, why);
    assert_eq!(
        line(&out, "exclusions"),
        "a Chromium zygote, which must be single-threaded"
    );
    // On macOS alone.
    let folder = Folder::new();
    assert_verdict(&[&folder.copy("/bin/true", "postgres")], INJECTED, "injected");
}

#[test]
fn skipped_programs_are_left_alone() {
    let folder = Folder::new();
    let why = "left alone: ANCHOR_SKIP names it";
    let script = folder.script("my-script-with-a-long-name", "/bin/true");
    for (skip, command) in [
        ("true", "/bin/true"),
        ("no:tr*", "true"),
        ("/bin/*", "/bin/true"),
        ("my-script-with-", &script), // as `ps` shows it
        ("true", &script),
    ] {
        assert_verdict(&["--skip", skip, command], LEFT_ALONE, why);
        let inherited = said(anchored().args(["--check", command]).env("ANCHOR_SKIP", skip));
        assert_eq!((inherited.0, line(&inherited.1, "verdict")), (LEFT_ALONE, why));
    }
    assert_verdict(&["--skip", "false", "/bin/true"], INJECTED, "injected");
    // The line goes before what is inherited.
    let (status, ..) = said(
        anchored()
            .args(["--check", "--skip", "false", "true"])
            .env("ANCHOR_SKIP", "true"),
    );
    assert_eq!(status, INJECTED);
    let (status, out, _) = said(anchored().args(["--check", "true"]).env("ANCHOR_DISABLE", "1"));
    assert_eq!(
        (status, line(&out, "verdict")),
        (LEFT_ALONE, "left alone: ANCHOR_DISABLE is 1")
    );
}

#[test]
fn the_options_of_supervision_are_followed() {
    let folder = Folder::new();
    let program = folder.compiled("static", "cc", &["-static"]);
    assert_verdict(&["--supervise", "true"], SUPERVISED, "supervised: --supervise");
    assert_verdict(&["--supervise=never", "true"], INJECTED, "injected");
    let message =
        format!("{program}: cannot be injected: it is static: no loader, no preloading; --supervise=never");
    assert_refused(&["--supervise=never", &program], 125, &message);
}

#[test]
fn an_anchor_that_is_not_there_is_refused() {
    assert_refused(
        &["--pid", "4194304", "true"],
        125,
        "--pid: 4194304: no such process",
    );
}

#[test]
fn without_its_library_anchored_supervises() {
    let folder = Folder::new();
    let alone = folder.copy(INSTALLED.join("anchored").to_str().unwrap(), "anchored");
    let (status, out, _) = said(
        Command::new(alone)
            .args(["--check", "true"])
            .env_remove("LD_PRELOAD"),
    );
    assert_eq!(status, SUPERVISED);
    assert!(
        line(&out, "verdict").starts_with("supervised: libanchor.so: not found in "),
        "{out}"
    );
}

#[test]
fn a_library_that_nobody_can_load_is_not_injected() {
    let folder = Folder::new();
    let alone = folder.copy(INSTALLED.join("anchored").to_str().unwrap(), "anchored");
    let library = folder.file("libanchor.so", 0o644, "no library at all");
    let verdict = |command: &mut Command| {
        let (status, out, err) = said(command);
        assert_eq!(status, SUPERVISED, "{out}{err}");
        line(&out, "verdict").to_owned()
    };
    let check = ["--check", "true"];
    let why = format!("supervised: the library {library} is no library");
    assert_eq!(verdict(Command::new(&alone).args(check)), why);
    if !is_root() {
        return left_out("a file system is mounted by root");
    }
    // The library in a folder of its own, as it is installed, on a file system from which nothing is executed.
    std::fs::remove_file(library).unwrap();
    for name in ["bin", "lib"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    std::fs::rename(alone, folder.path("bin/anchored")).unwrap();
    let (own, lib) = (INSTALLED.join("libanchor.so"), folder.path("lib"));
    let script = "mount -t tmpfs -o noexec none \"$1\" && cp \"$2\" \"$1\" && exec \"$3\" --check true";
    let mut command = Command::new("unshare");
    command.args([
        "-m",
        "sh",
        "-c",
        script,
        "sh",
        &lib,
        own.to_str().unwrap(),
        &folder.path("bin/anchored"),
    ]);
    let why =
        format!("supervised: the library {lib}/libanchor.so is on a file system that is mounted noexec");
    assert_eq!(verdict(&mut command), why);
}

#[test]
fn a_line_is_one_line_whatever_a_file_is_called() {
    let folder = Folder::new();
    let program = folder.copy("/bin/true", "a\nverdict     left alone\x1b[0m");
    let out = assert_verdict(&[&program], INJECTED, "injected");
    assert_eq!(out.lines().count(), 6, "{out}");
}

#[test]
fn json_has_keys_that_stay() {
    let folder = Folder::new();
    let script = folder.script("script", "/bin/sh -e");
    let (status, value) = json(&[&script, "one"]);
    assert_eq!(status, SUPERVISED);
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        keys(&value),
        "anchor anchor_fd command excluded exit_status library probe program scripts verdict why"
    );
    assert_eq!(
        keys(&value["program"]),
        "bits file format libc link loader machine privileged"
    );
    assert_eq!(keys(&value["library"]), "bits embedded file fits machine why");
    assert_eq!(keys(&value["scripts"][0]), "argument by file interpreter");
    assert_eq!(value["command"], serde_json::json!([script, "one"]));
    assert_eq!(value["scripts"][0]["argument"], "-e");
    assert_eq!(value["program"]["libc"], "glibc");
    assert_eq!(value["verdict"], "supervised");
    let (status, value) = json(&["--skip", "true", "true"]);
    assert_eq!((status, value["exit_status"].as_i64()), (LEFT_ALONE, Some(4)));
    assert_eq!(
        (&value["verdict"], &value["why"]),
        (&"left alone".into(), &"ANCHOR_SKIP names it".into())
    );
}
