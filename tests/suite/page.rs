//! The results, as rows of a table, and docs/hosts.md, which shows them.

use crate::support::*;
use crate::{Case, TABLES, Table};
use once_cell::sync::Lazy;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;

/// The page that shows the results.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hosts.md");
const BEGIN: &str = "<!-- results: scripts/hosts writes them -->\n";
const END: &str = "<!-- end of results -->\n";

/// The finished tables by file.
static FINISHED: Lazy<Mutex<BTreeMap<&'static str, String>>> = Lazy::new(Mutex::default);

/// A table of rows, as text.
pub fn shown(title: &str, rows: &[String]) -> String {
    let head = "| program | version | user | with the library as without | when the anchor dies | |\n|---|---|---|---|---|---|";
    format!("### {title}\n\n{head}\n{}\n", rows.join("\n"))
}

/// Writes the page once every table is there.
pub fn write(file: &'static str, table: String) {
    let mut finished = FINISHED.lock().unwrap();
    finished.insert(file, table);
    if finished.len() == TABLES.len() {
        let all: Vec<&str> = TABLES.iter().map(|(file, _)| finished[file].as_str()).collect();
        let page = std::fs::read_to_string(PAGE).unwrap();
        let (before, rest) = page.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        std::fs::write(PAGE, format!("{before}{BEGIN}\n{}\n{END}{after}", all.join("\n"))).unwrap();
    }
}

/// The page has a row for each program, and says of it what was found.
#[test]
fn the_page_shows_every_program() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    for (file, text) in TABLES {
        let table: Table = toml::from_str(text).unwrap();
        for case in &table.case {
            // All but the version, which is that of whoever wrote the page.
            let row = row(case, "\0");
            let (start, end) = row.split_once('\0').unwrap();
            let found = page
                .lines()
                .any(|line| line.starts_with(start) && line.ends_with(end));
            assert!(
                found,
                "{file}: {}: not in docs/hosts.md; scripts/hosts writes it",
                case.name
            );
        }
    }
}

/// The version of what a case runs.
pub fn version(case: &Case) -> String {
    let Some(script) = &case.version else {
        return "-".into();
    };
    let output = without_library(Command::new("sh").args(["-c", script]))
        .output()
        .unwrap();
    let all = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&all)
        .lines()
        .next()
        .unwrap_or("-")
        .trim()
        .replace('\t', " ")
}

/// A case's row.
pub fn row(case: &Case, version: &str) -> String {
    let user = case.user.as_deref().unwrap_or("root");
    let end = match (&case.stay, case.unaffected) {
        (None, _) => "ended by itself",
        (Some(_), true) => "stays: not reached",
        (Some(_), false) => "gone",
    };
    format!(
        "| {} | {version} | {user} | same | {end} | {} |",
        case.name, case.note
    )
}
