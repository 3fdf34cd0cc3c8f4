//! The file that ships: what it needs, what it offers, how large it is. Every loader must take it.

mod support;

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

/// Every symbol of the file: nothing is exported, and what is imported may be missing. A path that panics would show
/// up here as an import (see `src/lib.rs`).
#[test]
fn imports_three_weak_symbols_and_exports_none() {
    let table = readelf("--dyn-syms");
    let mut symbols: Vec<(String, String, String)> = Vec::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [number, _, _, _, bind, _, index, name] = fields[..] {
            if number != "0:" && number.ends_with(':') && index != "Ndx" {
                symbols.push((bind.to_owned(), index.to_owned(), name.to_owned()));
            }
        }
    }
    symbols.sort_by(|a, b| a.2.cmp(&b.2));
    let golden = ["__register_atfork", "environ", "pthread_atfork"];
    let golden: Vec<_> = golden
        .iter()
        .map(|name| ("WEAK".into(), "UND".into(), (*name).to_owned()))
        .collect();
    assert_eq!(symbols, golden, "{table}");
}

#[test]
fn is_smaller_than_32_kib() {
    let size = std::fs::metadata(&*LIBRARY).unwrap().len();
    assert!(size < 32 * 1024, "{size} bytes");
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
