//! The guest suite: programs that nobody here wrote, each run as its users run it, with the library and without.
//! The programs are data (`tests/suite/*.toml`); here is what is done with each:
//!
//! 1. `run`: to its end, twice. Standard output, standard error and exit status are the same.
//! 2. `stay`: until it says `ready`, twice. Every process of the one tree has the descriptors, environment, signals,
//!    ids, limits and directories of its twin in the other. Then the anchor is killed: of the one tree nothing is left,
//!    of the other nothing is gone.
//!
//! `LIBANCHOR_WRITE=1` writes the table of results to docs/hosts.md (`scripts/hosts` does that).

#![cfg(target_os = "linux")]

mod page;
mod side;
#[path = "../support/mod.rs"]
mod support;
mod tree;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use side::Side;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use support::*;
use tree::{all_facts, difference};

/// A group of programs: one file.
#[derive(Deserialize)]
pub struct Table {
    /// What the table of results calls this group.
    pub title: String,
    /// Its programs.
    pub case: Vec<Case>,
}

/// One program. Scripts are for `sh`, with `$T`, a folder of its own that is also the working directory, and `$PORT`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is run, for a reader.
    pub name: String,
    /// What must be there, as `scripts/test` knows it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The machine whose instructions it speaks; any, if it is not said.
    pub machine: Option<String>,
    /// Prints the program's version.
    pub version: Option<String>,
    /// Run as this user; else as the one who runs the tests.
    pub user: Option<String>,
    /// Files of `$T`.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Run before, without the library, as the user who runs the tests.
    pub setup: Option<String>,
    /// Runs to its end.
    pub run: Option<String>,
    /// Says `ready`, and stays.
    pub stay: Option<String>,
    /// Run after all is over, without the library; its output is compared with `expect`.
    pub after: Option<String>,
    /// See `after`.
    #[serde(default)]
    pub expect: String,
    /// The anchor is the parent of what is run, and not a stranger.
    #[serde(default)]
    pub anchor_is_parent: bool,
    /// Further variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Preloaded before the library.
    pub before: Option<String>,
    /// The library does not reach it: it stays when its anchor dies.
    #[serde(default)]
    pub unaffected: bool,
    /// Its processes are not compared one by one, and why.
    pub not_compared: Option<String>,
    /// Its descriptors are compared without their numbers: threads of its own open and close them in any order.
    #[serde(default)]
    any_numbers: bool,
    /// Each of these texts is in the log.
    #[serde(default)]
    pub log: Vec<String>,
    /// How often both is done; once if it is not said.
    pub repeat: Option<u32>,
    /// What a reader of the table should know.
    #[serde(default)]
    pub note: String,
}

/// What became of a case, or in which way it failed.
fn outcome(case: &Case) -> Result<(), String> {
    let (mut with, without) = (Side::new(case, Some(sibling())), Side::new(case, None));
    let same = |what: &str, with: &str, without: &str| match with == without {
        true => Ok(()),
        false => Err(format!(
            "{what} differs\n-- with the library\n{with}\n-- without\n{without}"
        )),
    };
    if let Some(script) = &case.run {
        let (got, wanted) = (with.run(script), without.run(script));
        same("what it says", &got, &wanted)?;
        if !got.contains("unix_wait_status(0)") {
            return Err(format!("it fails with the library and without\n{got}"));
        }
    }
    if let Some(script) = &case.stay {
        let (tree, control) = (with.stay(script), without.stay(script));
        if case.not_compared.is_none() {
            // What has said "ready" may still be on its way to where it rests.
            let (mut got, mut wanted) = (Vec::new(), Vec::new());
            let same = comes_about(|| {
                (got, wanted) = (all_facts(&tree, &with), all_facts(&control, &without));
                got == wanted
            });
            if !same {
                return Err(difference(&got, &wanted));
            }
        }
        // A watcher need not have run when the host says "ready".
        comes_about(|| case.log.iter().all(|text| with.file("log").contains(text)));
        let before = control.processes();
        if case.unaffected {
            // Whoever is not reached has no watcher: this and no silence is what shows it.
            if let Some(pid) = tree.processes().into_iter().find(|pid| watcher(*pid).is_some()) {
                return Err(format!("process {pid} has a watcher"));
            }
        }
        if case.anchor_is_parent {
            kill(Pid::from_raw(tree.first()), Signal::SIGKILL).unwrap();
        } else {
            with.anchor.as_mut().unwrap().kill_and_reap();
        }
        if case.unaffected {
            let left = tree.processes();
            if left.len() != before.len() {
                return Err(format!("{} of {} processes are left", left.len(), before.len()));
            }
        } else {
            wait_until(&format!("{}: nothing is left", case.name), || {
                tree.processes().is_empty()
            });
        }
        if control.processes().is_empty() {
            return Err("nothing of the control is left".into());
        }
        let gone: Vec<_> = before.difference(&control.processes()).copied().collect();
        if !gone.is_empty() && case.not_compared.is_none() {
            return Err(format!("of the control, {gone:?} are gone"));
        }
    }
    let log = with.file("log");
    for text in &case.log {
        if !log.contains(text) {
            return Err(format!("{text:?} is not in the log\n{log}"));
        }
    }
    if let Some(script) = &case.after {
        let output = with
            .common(Command::new("timeout").args(["--foreground", "-k", "5", "120", "sh", "-c", script]))
            .output()
            .unwrap();
        same(
            "what is found afterwards",
            String::from_utf8_lossy(&output.stdout).trim(),
            case.expect.trim(),
        )?;
    }
    Ok(())
}

fn run_table(file: &'static str, text: &str) {
    let table: Table = toml::from_str(text).unwrap();
    let only = std::env::var("LIBANCHOR_CASE").ok();
    let (mut failed, mut rows) = (Vec::new(), Vec::new());
    for case in &table.case {
        if only
            .as_ref()
            .is_some_and(|only| !case.name.contains(only.as_str()))
        {
            continue;
        }
        if !case.needs.iter().all(|need| have(need)) {
            continue;
        }
        if case
            .machine
            .as_ref()
            .is_some_and(|machine| machine != std::env::consts::ARCH)
        {
            let _ = writeln!(std::io::stderr(), "{}: not of this machine", case.name);
            continue;
        }
        if !nix::unistd::geteuid().is_root() && case.user.is_some() {
            left_out(&format!("{}: needs root, to be another user", case.name));
            continue;
        }
        // At once, not with the other output: whoever waits sees for what.
        let _ = writeln!(std::io::stderr(), "{}", case.name);
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..case.repeat.unwrap_or(1)).try_for_each(|_| outcome(case))
        })) {
            Ok(Ok(())) => rows.push(page::row(case, &page::version(case))),
            Ok(Err(why)) => failed.push(format!("== {}: {why}", case.name)),
            Err(panic) => {
                let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                failed.push(format!("== {}: {why}", case.name));
            }
        }
    }
    let table = page::shown(&table.title, &rows);
    println!("{table}");
    if failed.is_empty() && std::env::var_os("LIBANCHOR_WRITE").is_some() {
        page::write(file, table);
    }
    assert!(
        failed.is_empty(),
        "{} failed\n{}",
        failed.len(),
        failed.join("\n")
    );
}

macro_rules! tables {
    ($($name:ident)*) => {
        /// The files of the suite, in the order of the page.
        const TABLES: &[(&str, &str)] = &[$((stringify!($name), include_str!(concat!(stringify!($name), ".toml")))),*];

        $(
            #[test]
            fn $name() {
                run_table(stringify!($name), include_str!(concat!(stringify!($name), ".toml")));
            }
        )*
    };
}

tables! { languages servers sandboxes browsers tools edges }
