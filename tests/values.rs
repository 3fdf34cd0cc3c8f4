//! Every bad value of every variable: one clear line, and the program runs; under `ANCHOR_STRICT=1` it does not.

#![cfg(target_os = "linux")]

mod support;

use anchor_contract::VARIABLES;
use std::process::{Command, Output};
use support::*;

/// Bad values, and what the line says of them.
const BAD: [(&str, &[&str]); 12] = [
    (
        "ANCHOR_PID",
        &["abc", "-5", "0", "99999999999", "1.5", " 1", "0x10", "12 "],
    ),
    ("ANCHOR_ID", &["abc", "1", "1:", ":1", "1:2:", "1:2:3:4", "-1:2"]),
    ("ANCHOR_FD", &["abc", "-1", "3:", "3:1", "1023", "2147483648"]),
    (
        "ANCHOR_SIGNAL",
        &["NOPE", "0", "65", "STOP", "SIGTSTP", "32", "-15"],
    ),
    ("ANCHOR_GRACE", &["soon", "10", "-1s", "1.5s", "86401s", "NEVER"]),
    ("ANCHOR_PDEATHSIG", &["yes", "AUTO", "1"]),
    ("ANCHOR_SCOPE", &["all", "Tree", "self:", "self:x:1"]),
    ("ANCHOR_SKIP", &["[", "sh:[a-z", "[!]"]),
    ("ANCHOR_LOG", &["/nonexistent/log", "/", "/proc/nonexistent"]),
    ("ANCHOR_STRICT", &["yes", "2", "true"]),
    ("ANCHOR_DISABLE", &["yes", "2", "true"]),
    ("ANCHOR_POLL", &["0", "never", "fast", "0ms"]),
];

fn run(anchor: i32, settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new("echo");
    anchored(command.arg("ran"), anchor).envs(settings.iter().copied());
    command.output().unwrap()
}

#[test]
fn the_table_of_bad_values_knows_every_variable() {
    assert_eq!(BAD.map(|(name, _)| name), {
        let mut names = VARIABLES.map(|variable| variable.name);
        names.sort_by_key(|name| BAD.iter().position(|(bad, _)| bad == name));
        names
    });
}

#[test]
fn a_bad_value_is_one_line_and_the_program_runs() {
    let anchor = sibling();
    for (name, values) in BAD {
        let accepts = VARIABLES
            .iter()
            .find(|variable| variable.name == name)
            .unwrap()
            .accepts;
        for value in values {
            let output = run(anchor.pid(), &[(name, value)]);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(said.lines().count(), 1, "{name}={value}: {said:?}");
            assert!(said.starts_with("libanchor["), "{said}");
            assert!(
                said.contains(&format!("]: {name}: {value}: want {accepts}; ")),
                "{said}"
            );
            assert_eq!(output.stdout, b"ran\n", "{name}={value}");
            assert!(output.status.success(), "{name}={value}: {:?}", output.status);
        }
    }
}

#[test]
fn a_bad_value_stops_a_strict_host() {
    let anchor = sibling();
    for (name, values) in BAD.iter().filter(|(name, _)| *name != "ANCHOR_STRICT") {
        for value in *values {
            let output = run(anchor.pid(), &[(name, value), ("ANCHOR_STRICT", "1")]);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(said.lines().count(), 1, "{name}={value}: {said:?}");
            assert!(said.contains(&format!("]: {name}: {value}: want ")), "{said}");
            assert_eq!(output.stdout, b"", "{name}={value}");
            assert_eq!(output.status.code(), Some(125), "{name}={value}");
        }
    }
}

#[test]
fn a_good_value_is_no_line() {
    let anchor = sibling();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    for (name, value) in [
        ("ANCHOR_SIGNAL", "15"),
        ("ANCHOR_SIGNAL", "SIGINT"),
        ("ANCHOR_GRACE", "500ms"),
        ("ANCHOR_GRACE", "never"),
        ("ANCHOR_PDEATHSIG", "always"),
        ("ANCHOR_SCOPE", "self"),
        ("ANCHOR_LOG", log.to_str().unwrap()),
        ("ANCHOR_STRICT", "1"),
        ("ANCHOR_DISABLE", "0"),
        ("ANCHOR_POLL", "1s"),
        ("ANCHOR_ID", ""),
        ("ANCHOR_GRACE", ""),
    ] {
        let output = run(anchor.pid(), &[(name, value)]);
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{name}={value}");
        assert_eq!(output.stdout, b"ran\n", "{name}={value}");
    }
}

#[test]
fn without_an_anchor_nothing_is_said_of_any_value() {
    for pid in [None, Some("")] {
        let mut command = Command::new("echo");
        anchored(command.arg("ran"), "")
            .env_remove("ANCHOR_PID")
            .env("ANCHOR_GRACE", "soon")
            .env("ANCHOR_STRICT", "1");
        pid.map(|pid| command.env("ANCHOR_PID", pid));
        let output = command.output().unwrap();
        assert_eq!(
            (output.stdout.as_slice(), output.stderr.as_slice()),
            (&b"ran\n"[..], &b""[..])
        );
    }
}

#[test]
fn the_off_switch_comes_before_every_other_value() {
    let output = run(
        1,
        &[
            ("ANCHOR_DISABLE", "1"),
            ("ANCHOR_PID", "abc"),
            ("ANCHOR_STRICT", "1"),
        ],
    );
    assert_eq!(
        (output.stdout.as_slice(), output.stderr.as_slice()),
        (&b"ran\n"[..], &b""[..])
    );
}

#[test]
fn a_value_with_newlines_stays_one_line() {
    let output = run(1, &[("ANCHOR_GRACE", "a\nb\u{1b}[31m"), ("ANCHOR_PID", "x")]);
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 2);
}
