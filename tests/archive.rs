//! The archive that users get: made by `scripts/archive`, unpacked where nothing else of the project is.

#![cfg(target_os = "linux")]

mod support;

use std::fs::read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::*;

fn archive(out: &Path, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/archive");
    let mut command = Command::new(script);
    without_library(&mut command)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .arg("--out")
        .arg(out)
        .args(arguments);
    command.output().unwrap()
}

fn succeeds(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{output:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_archive_is_complete_and_works_without_a_toolchain() {
    let folder = tempfile::tempdir().unwrap();
    let packed = PathBuf::from(succeeds(archive(folder.path(), &[])).trim_end());

    let elsewhere = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&packed).current_dir(elsewhere.path());
    succeeds(tar.output().unwrap());
    let name = packed.file_name().unwrap().to_str().unwrap();
    let tree = elsewhere.path().join(name.strip_suffix(".tar.gz").unwrap());
    assert_eq!(
        read(tree.join("lib/libanchor.so")).unwrap(),
        read(&*LIBRARY).unwrap()
    );
    for file in [
        "README.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "docs/hosts.md",
        "docs/benchmarks/death.svg",
    ] {
        assert!(tree.join(file).is_file(), "{file}");
    }

    let mut version = Command::new(tree.join("bin/anchored"));
    let said = succeeds(version.arg("--version").output().unwrap());
    assert_eq!(said, concat!("anchored ", env!("CARGO_PKG_VERSION"), "\n"));
    let mut launcher = Command::new(tree.join("bin/anchored"));
    let environment = succeeds(without_library(launcher.arg("env")).output().unwrap());
    let library = tree.join("lib/libanchor.so").canonicalize().unwrap();
    assert!(environment.contains(&format!("LD_PRELOAD={}\n", library.display())));

    // Whoever calls cargo fails.
    let tools = elsewhere.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    std::fs::write(tools.join("cargo"), "#!/bin/sh\nexit 99\n").unwrap();
    std::fs::set_permissions(tools.join("cargo"), PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let run = |script: &str, arguments: &[&str]| {
        let mut command = Command::new(tree.join("scripts").join(script));
        without_library(&mut command).env("PATH", &path).args(arguments);
        succeeds(command.output().unwrap())
    };
    assert!(run("demo", &[]).ends_with("== ok\n"));
    assert_eq!(
        run("anchor-run", &["sh", "-c", "echo $LD_PRELOAD"]),
        format!(
            "{}\n",
            tree.join("lib/libanchor.so").canonicalize().unwrap().display()
        )
    );
    let report = run("harness", &["--within", "60", "--", "sleep", "1000"]);
    assert!(report.ends_with("protected: no process was left\n"), "{report}");
}

// A panic's message names its source file; in whose home that was while it was compiled is nobody's business, and would
// be another file in each home.
#[test]
fn nothing_in_it_tells_where_it_was_built() {
    let folder = tempfile::tempdir().unwrap();
    let packed = succeeds(archive(folder.path(), &[]));
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(packed.trim_end()).current_dir(folder.path());
    succeeds(tar.output().unwrap());
    let cargo = std::env::var("CARGO_HOME").unwrap_or_else(|_| std::env::var("HOME").unwrap() + "/.cargo");
    let name = packed.trim_end().strip_suffix(".tar.gz").unwrap();
    for file in ["bin/anchored", "lib/libanchor.so"] {
        let bytes = read(Path::new(name).join(file)).unwrap();
        for path in [cargo.as_str(), env!("CARGO_MANIFEST_DIR")] {
            let found = bytes
                .windows(path.len())
                .position(|window| window == path.as_bytes());
            let said = found.map(|at| String::from_utf8_lossy(&bytes[at..at + 100]));
            assert_eq!(said, None, "{file}");
        }
    }
}

// Packing adds nothing of the moment or the machine. (What is packed: tests/release.rs.)
#[test]
fn the_same_sources_give_the_same_archive() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let made = folders.each_ref().map(|folder| {
        let made = PathBuf::from(succeeds(archive(folder.path(), &[])).trim_end());
        read(made).unwrap()
    });
    assert!(made[0] == made[1]);
}

#[test]
fn what_cannot_be_packed_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&["x86_64-pc-windows-msvc"][..], "no library for this target"),
        (
            &["no-such-linux-target"],
            "rustup target add no-such-linux-target",
        ),
        (&["--nope"], "--nope: unknown option"),
        (&["--out"], "--out: want a folder"),
    ] {
        let output = archive(folder.path(), arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            (said.starts_with("archive: ") || said.starts_with("build: "))
                && said.contains(words)
                && said.lines().count() == 1,
            "{said}"
        );
    }
}
