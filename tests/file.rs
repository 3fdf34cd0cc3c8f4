//! The file that ships: what it needs, what it offers, how large it is. Every loader must take it.

mod support;

use std::collections::BTreeSet;
use std::process::Command;
use support::*;

fn readelf(option: &str) -> String {
    let output = Command::new("readelf")
        .args([option, "-W"])
        .arg(LIBRARY.as_os_str())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn needs_no_other_file() {
    let dynamic = readelf("-d");
    assert!(!dynamic.contains("NEEDED"), "{dynamic}");
    assert!(
        dynamic.contains("NODELETE"),
        "a watcher's code must not be unmapped: {dynamic}"
    );
}

#[test]
fn has_no_thread_local_storage() {
    assert!(!readelf("-l").contains(" TLS "));
}

/// What the host's C library or loader is asked for; each may be missing.
const IMPORTS: [&str; 7] = [
    "__errno_location",
    "__libc_stack_end",
    "__register_atfork",
    "_dl_debug_addr",
    "_r_debug",
    "environ",
    "pthread_atfork",
];

/// The calls that a watcher stands down for.
const EXPORTS: [&str; 13] = [
    "initgroups",
    "prctl",
    "setegid",
    "seteuid",
    "setgid",
    "setgroups",
    "setns",
    "setregid",
    "setresgid",
    "setresuid",
    "setreuid",
    "setuid",
    "unshare",
];

/// Every symbol of the file. A path that panics would show up here as an import (see `src/lib.rs`).
#[test]
fn imports_and_exports_what_is_on_the_lists_and_no_more() {
    let table = readelf("--dyn-syms");
    let mut symbols = BTreeSet::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [number, _, _, _, bind, visibility, index, name] = fields[..] {
            if number != "0:" && number.ends_with(':') && index != "Ndx" {
                assert_eq!(visibility, "DEFAULT", "{line}");
                symbols.insert((bind.to_owned(), index == "UND", name.to_owned()));
            }
        }
    }
    let golden = |names: &[&str], bind: &str, imported| -> Vec<_> {
        names
            .iter()
            .map(|name| (bind.to_owned(), imported, (*name).to_owned()))
            .collect()
    };
    let mut expected = BTreeSet::from_iter(golden(&IMPORTS, "WEAK", true));
    expected.extend(golden(&EXPORTS, "GLOBAL", false));
    assert_eq!(symbols, expected, "{table}");
    assert!(!table.contains('@'), "a symbol has a version: {table}");
}

#[test]
fn is_smaller_than_48_kib() {
    let size = std::fs::metadata(&*LIBRARY).unwrap().len();
    assert!(size < 48 * 1024, "{size} bytes");
}

// One file, two C libraries.
#[test]
fn runs_in_a_musl_program() {
    if !have("musl-gcc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("echo.c"), folder.path().join("echo"));
    std::fs::write(
        &source,
        "#include <stdio.h>\nint main(void) { char line[100]; setvbuf(stdout, 0, _IOLBF, 0);\n\
         while (fgets(line, 100, stdin)) fputs(line, stdout); return 0; }\n",
    )
    .unwrap();
    assert!(
        Command::new("musl-gcc")
            .arg("-o")
            .args([&program, &source])
            .status()
            .unwrap()
            .success()
    );
    let mut anchor = sibling();
    let mut host = Echo::spawn(anchored(&mut Command::new(&program), anchor.pid())).armed();
    let mut control = Echo::spawn(without_library(&mut Command::new(&program)));
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), nix::sys::signal::Signal::SIGTERM);
    control.assert_lives();
}
