//! `scripts/deb`: what is in the packages, and that they can be installed, used and removed again.

#![cfg(target_os = "linux")]

mod i386;
mod root;
#[path = "../../../tests/support/mod.rs"]
mod support;

use once_cell::sync::Lazy;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::*;
use tempfile::TempDir;

/// Two folders with the same packages, made one after the other.
static MADE: Lazy<[TempDir; 2]> = Lazy::new(|| {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for folder in &folders {
        let output = deb(&["--out", folder.path().to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
    }
    folders
});

fn deb(words: &[&str]) -> Output {
    let mut command = Command::new(root().join("scripts/deb"));
    without_library(command.args(words))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .env("DEBFULLNAME", "Some Body")
        .env("DEBEMAIL", "somebody@example.org");
    command.output().unwrap()
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn package(made: usize, name: &str) -> PathBuf {
    let files = std::fs::read_dir(MADE[made].path()).unwrap();
    let start = format!("{name}_");
    let mut found = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&start));
    let path = found.next().unwrap();
    assert_eq!(found.next(), None);
    path
}

fn field(name: &str, field: &str) -> String {
    let path = package(0, name);
    let value = said(
        Command::new("dpkg-deb")
            .arg("--field")
            .args([&path, Path::new(field)]),
    );
    value.trim().to_owned()
}

fn unpacked(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = package(0, name);
    said(
        Command::new("dpkg-deb")
            .arg("--extract")
            .args([&path, folder.path()]),
    );
    folder
}

fn library() -> String {
    format!("usr/lib/{}-linux-gnu/libanchor.so", std::env::consts::ARCH)
}

// What the packages need is what their files need: nothing, and what Debian's own tool finds out.
#[test]
fn they_depend_on_what_their_files_need() {
    if !have("cargo-deb") {
        return;
    }
    assert_eq!(field("libanchor", "Depends"), "");
    let version = field("libanchor", "Version");
    assert_eq!(version, concat!(env!("CARGO_PKG_VERSION"), "-1"));
    assert_eq!(
        field("anchored", "Maintainer"),
        "Some Body <somebody@example.org>"
    );

    let folder = unpacked("anchored");
    std::fs::create_dir(folder.path().join("debian")).unwrap();
    std::fs::write(folder.path().join("debian/control"), "").unwrap();
    let mut shlibdeps = Command::new("dpkg-shlibdeps");
    let needs = said(
        shlibdeps
            .args(["-O", "usr/bin/anchored"])
            .current_dir(folder.path()),
    );
    let needs = needs.trim().strip_prefix("shlibs:Depends=").unwrap();
    let name = |dependency: &str| dependency.split(' ').next().unwrap().to_owned();
    let mut needs: Vec<_> = needs.split(", ").map(name).collect();
    needs.push("libanchor".to_owned());
    needs.sort();
    let depends = field("anchored", "Depends");
    let mut depended: Vec<_> = depends.split(", ").map(name).collect();
    depended.sort();
    assert_eq!(depended, needs);
    assert!(depends.contains("libc6 (>= 2."), "{depends}");
    assert!(depends.contains(&format!("libanchor (= {version})")), "{depends}");
}

#[test]
fn they_hold_what_was_built() {
    if !have("cargo-deb") {
        return;
    }
    let folder = unpacked("libanchor");
    let packed = std::fs::read(folder.path().join(library())).unwrap();
    assert!(packed == std::fs::read(&*LIBRARY).unwrap());
    let sums = folder.path().join("sums");
    let listed = said(
        Command::new("dpkg-deb")
            .arg("--info")
            .args([&package(0, "libanchor"), Path::new("md5sums")]),
    );
    assert!(listed.contains(&library()), "{listed}");
    std::fs::write(&sums, listed).unwrap();
    said(
        Command::new("md5sum")
            .args(["--check", "--strict"])
            .arg(&sums)
            .current_dir(folder.path()),
    );
}

// Packing adds nothing of the moment or the machine. (That what is packed is the same is the compiler's to see to.)
#[test]
fn the_same_sources_give_the_same_packages() {
    if !have("cargo-deb") {
        return;
    }
    for name in ["libanchor", "anchored"] {
        let made = [0, 1].map(|which| std::fs::read(package(which, name)).unwrap());
        assert!(made[0] == made[1], "{name}");
    }
}

/// `sh (anchored's caller) -> sleep (anchor)`, `sh -> anchored, which becomes sleep (host)`, `sh -> sleep (nobody's)`.
const ACTS: &str = r#"
dpkg --purge libanchor anchored >/dev/null 2>&1 || true
! dpkg --no-triggers --install anchored_*.deb >/dev/null 2>refused || exit 1
grep 'depends on libanchor' refused
# An image of a container may leave out documents.
dpkg --install --path-include='*' libanchor_*.deb anchored_*.deb >installed
dpkg --verify libanchor anchored
echo "== verified"
anchored --check sleep
sleep 1000 & anchor=$!
sleep 1000 & control=$!
ANCHOR_LOG=/tmp/log anchored --pid $anchor sleep 1000 & host=$!
timeout 60 sh -c 'until grep -q "armed" /tmp/log; do sleep 0.01; done' 2>/dev/null
kill -9 $anchor
wait $host || echo "== ended: $?"
kill -0 $control
kill -9 $control
gzip -dc /usr/share/man/man1/anchored.1.gz | grep '^.TH'
bash -c '
    . /usr/share/bash-completion/completions/anchored
    COMP_WORDS=(anchored --che) COMP_CWORD=1
    _anchored anchored --che anchored
    echo "== completed: ${COMPREPLY[*]}"
'
echo changed >>/usr/share/doc/libanchor/README.md
dpkg --verify libanchor anchored || true
dpkg --remove anchored libanchor >removed
echo "== removed"
"#;

#[test]
fn they_are_installed_used_and_removed() {
    if !root::may_be_made() {
        return;
    }
    let said = root::inside(MADE[0].path(), ACTS);
    let mut rest = said.as_str();
    for wanted in [
        "depends on libanchor".to_owned(),
        "\n== verified\n".to_owned(),
        format!("/{}: 64-bit", library()),
        "verdict     injected".to_owned(),
        "\n== ended: 143\n".to_owned(),
        ".TH anchored 1".to_owned(),
        "\n== completed: --check\n".to_owned(),
        "README.md\n".to_owned(),
    ] {
        let Some((before, after)) = rest.split_once(&wanted) else {
            panic!("{wanted}: not in {rest} of {said}");
        };
        assert!(
            wanted != "\n== verified\n" || !before.contains('\n'),
            "not as packed: {said}"
        );
        rest = after;
    }
    assert_eq!(rest, "== removed\n");
}

#[test]
fn what_cannot_be_packed_is_one_line() {
    for (words, message) in [
        (&["--nope"][..], "--nope: unknown option"),
        (&["--out"], "--out: want a folder"),
    ] {
        let output = deb(words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with(&format!("deb: {message}")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
