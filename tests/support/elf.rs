//! What a built library says of itself: what it needs, what it imports, what it offers. The same on every machine.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// What readelf(1) says of a file.
pub fn readelf(option: &str, file: &Path) -> String {
    let output = Command::new("readelf")
        .args([option, "-W"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// No other file, no thread-local storage, and it stays where it is.
pub fn assert_asks_nothing_of_a_loader(file: &Path) {
    let dynamic = readelf("-d", file);
    assert!(!dynamic.contains("NEEDED"), "{dynamic}");
    assert!(
        dynamic.contains("NODELETE"),
        "a watcher's code must not be unmapped: {dynamic}"
    );
    let segments = readelf("-lW", file);
    assert!(!segments.contains(" TLS "), "{segments}");
    // What is relocated is made read-only, and nothing that can be written to is ever code.
    assert!(segments.contains(" GNU_RELRO "), "{segments}");
    assert!(!segments.contains(" RWE "), "{segments}");
}

/// What the host's C library or loader is asked for; each may be missing.
pub const IMPORTS: [&str; 7] = [
    "__errno_location",
    "__libc_stack_end",
    "__register_atfork",
    "_dl_debug_addr",
    "_r_debug",
    "environ",
    "pthread_atfork",
];

/// The calls that a watcher stands down for.
pub const EXPORTS: [&str; 13] = [
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
pub fn assert_imports_and_exports_what_is_on_the_lists(file: &Path) {
    let table = readelf("--dyn-syms", file);
    let mut symbols = BTreeSet::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [number, _, _, _, bind, visibility, index, name] = fields[..] {
            // What is local is seen by nobody: some linkers list sections.
            if number != "0:" && number.ends_with(':') && index != "Ndx" && bind != "LOCAL" {
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
