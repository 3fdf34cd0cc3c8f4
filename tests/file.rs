//! The file that ships: what it needs, what it offers, how large it is. Every loader must take it.

#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use support::*;

#[test]
fn asks_nothing_of_a_loader() {
    elf::assert_asks_nothing_of_a_loader(&LIBRARY);
}

#[test]
fn imports_and_exports_what_is_on_the_lists_and_no_more() {
    elf::assert_imports_and_exports_what_is_on_the_lists(&LIBRARY);
}

#[test]
fn is_smaller_than_56_kib() {
    let size = std::fs::metadata(&*LIBRARY).unwrap().len();
    assert!(size < 56 * 1024, "{size} bytes");
}

// One file, two C libraries.
#[test]
fn runs_in_a_musl_program() {
    if !have("musl-gcc") {
        return;
    }
    let program = compiled("musl-gcc", "echo", "echo", &[]);
    let mut anchor = sibling();
    let mut host = Echo::spawn(anchored(&mut Command::new(&program), anchor.pid())).armed();
    let mut control = Echo::spawn(without_library(&mut Command::new(&program)));
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), nix::sys::signal::Signal::SIGTERM);
    control.assert_lives();
}

// The library of tests/stops.rs can be held up by a variable; this one cannot.
#[test]
fn has_no_places_to_stop_at() {
    let variable = b"LIBANCHOR_STOPS";
    let has = |file: &std::path::Path| {
        let file = std::fs::read(file).unwrap();
        file.windows(variable.len()).any(|part| part == variable)
    };
    assert!(has(&LIBRARY_WITH_STOPS));
    assert!(!has(&LIBRARY));
}
