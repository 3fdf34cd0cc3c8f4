//! What the packages for other languages have in common: scripts that pack, and files that only look like libraries.

use super::{root, without_library};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `scripts/NAME --out OUT LIBRARY...`
pub fn pack(name: &str, out: &Path, libraries: &[&Path]) -> Output {
    let mut command = Command::new(root().join("scripts").join(name));
    without_library(&mut command)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .arg("--out")
        .arg(out)
        .args(libraries);
    command.output().unwrap()
}

/// A tool that `scripts/npm --tools` or `scripts/wheel --tools` has installed.
pub fn tools(path: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("tools").join(path)
}

/// What a command says that must succeed.
pub fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}\n{errors}");
    said
}

/// The one line that a command says which must fail.
pub fn refused(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// The beginning of a library for each platform that is not this one, as the platform's linker writes it: enough for
/// whoever asks for which platform it is.
pub fn others_libraries(folder: &Path) -> Vec<PathBuf> {
    let elf = |machine: [u8; 2]| [&b"\x7fELF\x02\x01\x01"[..], &[0; 9], &[3, 0], &machine, &[0; 44]].concat();
    let mach = |cpu: [u8; 4]| [&[0xcf, 0xfa, 0xed, 0xfe][..], &cpu, &[0; 56]].concat();
    let mut files = vec![
        ("x64.dylib", mach([7, 0, 0, 1])),
        ("arm64.dylib", mach([12, 0, 0, 1])),
    ];
    if cfg!(target_arch = "x86_64") {
        files.push(("arm64.so", elf([0xb7, 0])));
    } else {
        files.push(("x64.so", elf([0x3e, 0])));
    }
    let written = files.into_iter().map(|(name, bytes)| {
        let file = folder.join(name);
        std::fs::write(&file, bytes).unwrap();
        file
    });
    written.collect()
}

/// Values for each option of the packages, as the contract's variables take them or not. No more is accepted, and no
/// less, in any language.
pub fn values() -> Vec<(&'static str, &'static str, bool)> {
    use anchor_contract::{Grace, Pdeathsig, Poll, Scope, Setting, Signal, Skip};
    let of = |option, taken: fn(&[u8]) -> bool, values: &'static str| {
        let each = values.split(' ').filter(|value| !value.is_empty());
        each.map(move |value| (option, value, taken(value.as_bytes())))
            .collect::<Vec<_>>()
    };
    let signals = "TERM SIGTERM term sigInt HUP QUIT KILL USR1 USR2 WINCH ALRM ABRT PIPE IO CHLD CONT URG ILL TRAP BUS \
         FPE SEGV SYS XCPU XFSZ VTALRM PROF STOP TSTP TTIN TTOU POLL PWR STKFLT SIG SIGSIGTERM TERM2 0 1 015 19 20 21 \
         22 31 32 33 34 64 65 -1 1.0 +15 99999999999999999999";
    let times = "0 00 1 10 0s 0ms 1s 500ms 10s 86400s 86401s 86400000ms 86400001ms 1.5s -1s +1s 10m s ms never NEVER soon \
         99999999999999999999s";
    let globs =
        "a a:b *-daemon [a-z]x [a [] []] []a] [!] [!a] [!]] [!]a] ] a[ a:[b [a:b] : a::b [[] /usr/*/[!x]?";
    let mut all = of("signal", |value| Signal::parse(value).is_some(), signals);
    all.extend(of("grace", |value| Grace::parse(value).is_some(), times));
    all.extend(of("poll", |value| Poll::parse(value).is_some(), times));
    all.extend(of("skip", |value| Skip::parse(value).is_some(), globs));
    all.extend(of(
        "pdeathsig",
        |value| Pdeathsig::parse(value).is_some(),
        "auto always never Auto 1",
    ));
    all.extend(of(
        "scope",
        |value| Scope::parse(value).is_some(),
        "tree self Tree 0",
    ));
    assert!(all.iter().filter(|(.., taken)| *taken).count() > 50);
    all
}
