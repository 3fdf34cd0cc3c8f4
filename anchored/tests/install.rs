//! `scripts/install`: what it puts where, and that the launcher there finds the library there.

#![cfg(target_os = "linux")]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, Output};
use support::*;

fn install(destination: &Path, prefix: &str, words: &[&str]) -> Output {
    installing(destination, prefix, words).output().unwrap()
}

fn installing(destination: &Path, prefix: &str, words: &[&str]) -> Command {
    let mut command = Command::new(root().join("scripts/install"));
    without_library(command.args(words))
        .env("DESTDIR", destination)
        .env("PREFIX", prefix)
        .env_remove("LIBDIR")
        .env_remove("LIBRARY32");
    command
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_is_installed_works_and_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    for (prefix, library) in [
        ("/usr/local", "/usr/local/lib/libanchor.so".to_owned()),
        (
            "/usr",
            format!("/usr/lib/{}-linux-gnu/libanchor.so", std::env::consts::ARCH),
        ),
    ] {
        let destination = folder.path().join(prefix.replace('/', "_"));
        let output = install(&destination, prefix, &[]);
        assert!(output.status.success(), "{output:?}");
        let within = |path: &str| destination.join(path.trim_start_matches('/'));
        let shared = |path: &str| within(&format!("{prefix}/share/{path}"));
        let mut launcher = Command::new(within(&format!("{prefix}/bin/anchored")));
        let output = without_library(launcher.arg("env")).output().unwrap();
        let wanted = format!(
            "LD_PRELOAD={}\n",
            within(&library).canonicalize().unwrap().display()
        );
        assert!(
            String::from_utf8(output.stdout).unwrap().contains(&wanted),
            "{wanted}"
        );

        assert!(text(&shared("man/man1/anchored.1")).contains(".TH anchored 1"));
        assert!(text(&shared("zsh/site-functions/_anchored")).starts_with("#compdef anchored"));
        assert!(text(&shared("fish/vendor_completions.d/anchored.fish")).contains("complete -c anchored"));
        let bash = shared("bash-completion/completions/anchored");
        let checked = Command::new("bash").arg("-n").arg(&bash).status().unwrap();
        assert!(checked.success());

        // The launcher carries no copy: it would be unpacked into this home.
        let home = tempfile::tempdir().unwrap();
        std::fs::remove_file(within(&library)).unwrap();
        let mut alone = Command::new(within(&format!("{prefix}/bin/anchored")));
        without_library(alone.args(["--supervise=never", "true"]))
            .env_remove("XDG_CACHE_HOME")
            .env("HOME", home.path());
        assert_eq!(alone.output().unwrap().status.code(), Some(125));

        assert!(install(&destination, prefix, &["--uninstall"]).status.success());
        let left = Command::new("find")
            .arg(&destination)
            .args(["-type", "f"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(left.stdout).unwrap(), "");
    }
}

// Its file is not looked at: whether a program takes it is seen where there are such programs (tests/deb/i386.rs).
#[cfg(target_arch = "x86_64")]
#[test]
fn the_library_for_32_bit_programs_is_put_beside_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("library");
    std::fs::write(&library, "for 32-bit programs").unwrap();
    let with = |prefix: &str, library: &Path| {
        let mut command = installing(folder.path(), prefix, &[]);
        command.env("LIBRARY32", library).output().unwrap()
    };
    assert!(with("/usr", &library).status.success());
    let installed = folder.path().join("usr/lib/i386-linux-gnu/libanchor.so");
    assert_eq!(text(&installed), "for 32-bit programs");
    // What is told to a program is for both; to one that is released, of neither.
    let mut launcher = Command::new(folder.path().join("usr/bin/anchored"));
    let output = without_library(launcher.arg("env")).output().unwrap();
    let usr = folder.path().join("usr").canonicalize().unwrap();
    let wanted = format!("LD_PRELOAD={}/$LIB/libanchor.so\n", usr.display());
    assert!(
        String::from_utf8(output.stdout).unwrap().contains(&wanted),
        "{wanted}"
    );
    let mut launcher = Command::new(folder.path().join("usr/bin/anchored"));
    let words = ["sh", "-c", "exec \"$0\" --release env"];
    let program = launcher.get_program().to_owned();
    let output = without_library(launcher.args(words).arg(program))
        .output()
        .unwrap();
    let released = String::from_utf8(output.stdout).unwrap();
    assert!(
        released.contains("ANCHOR_PID=\n") && !released.contains("LD_PRELOAD"),
        "{released}"
    );
    assert!(install(folder.path(), "/usr", &["--uninstall"]).status.success());
    assert!(!installed.exists());

    let nowhere = folder.path().join("nowhere");
    for (output, said) in [
        (
            with("/usr/local", &library),
            "install: LIBRARY32: wanted beside a library in /usr/local/lib/x86_64-linux-gnu, ",
        ),
        (with("/usr", &nowhere), "install: LIBRARY32: "),
    ] {
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(
            message.starts_with(said) && message.lines().count() == 1,
            "{message}"
        );
    }
}

#[test]
fn bad_places_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (prefix, words, status, said) in [
        (
            "here",
            &[][..],
            1,
            "install: PREFIX: here: want an absolute path\n",
        ),
        (
            "/usr/my files",
            &[],
            1,
            "install: /usr/my files/lib: a library in a path with a blank or a colon",
        ),
        ("/usr", &["--all"], 2, "install: --all: unknown option"),
    ] {
        let output = install(folder.path(), prefix, words);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{message}");
        assert!(message.starts_with(said), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
