//! The page is made from the results, and says plainly what does not hold.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn results() -> PathBuf {
    docs().join("benchmarks/results.json")
}

fn page(results: &Path, into: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anchor-bench"));
    command.arg("page").arg(results).arg("--into").arg(into);
    command.output().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref()).unwrap_or_else(|why| panic!("{}: {why}", path.as_ref().display()))
}

#[test]
fn the_page_and_its_pictures_are_those_of_the_results() {
    let folder = tempfile::tempdir().unwrap();
    page(&results(), folder.path());
    for file in [
        "benchmarks.md",
        "benchmarks/death.svg",
        "benchmarks/start.svg",
        "benchmarks/growth.svg",
    ] {
        let same = read(folder.path().join(file)) == read(docs().join(file));
        assert!(
            same,
            "docs/{file} is not what `scripts/bench --page docs/benchmarks/results.json` makes"
        );
    }
}

/// The lines of the page on what must hold.
fn verdicts(page: &str) -> Vec<&str> {
    let (_, rest) = page
        .split_once("\n## What must hold\n")
        .expect("the part on what must hold");
    let (part, _) = rest.split_once("\n## ").unwrap();
    part.lines().filter_map(|line| line.strip_prefix("- ")).collect()
}

#[test]
fn the_exit_status_is_what_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let output = page(&results(), folder.path());
    let said = String::from_utf8(output.stdout).unwrap();
    let page = read(docs().join("benchmarks.md"));
    let lines = verdicts(&page);
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
    assert_eq!(lines.len(), 8);
    for line in &lines {
        assert!(
            line.starts_with("holds: ") || line.starts_with("does not hold: "),
            "{line}"
        );
        // The limit is that of the value before it.
        let (value, limit) = line.rsplit_once(", at most ").unwrap();
        let value: f64 = value
            .rsplit_once(": ")
            .unwrap()
            .1
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let limit: f64 = limit.split(';').next().unwrap().parse().unwrap();
        // Both have two digits: what is equal may be on either side.
        assert!(
            value == limit || line.starts_with("holds") == (value < limit),
            "{line}"
        );
    }
    assert_eq!(
        output.status.success(),
        lines.iter().all(|line| line.starts_with("holds: "))
    );
}

/// The results with something else in them, and what is said of it.
fn of_changed(change: impl FnOnce(&mut Value)) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut all: Value = serde_json::from_str(&read(results())).unwrap();
    change(&mut all);
    let file = folder.path().join("changed.json");
    std::fs::write(&file, all.to_string()).unwrap();
    let output = page(&file, folder.path());
    (output, read(folder.path().join("benchmarks.md")))
}

fn series<'v>(all: &'v mut Value, name: &str) -> &'v mut Value {
    let all = all.as_array_mut().unwrap();
    all.iter_mut().find(|one| one["name"] == name).unwrap()
}

#[test]
fn what_costs_as_much_as_std_does_not_hold() {
    let (output, page) = of_changed(|all| {
        let tiny = &mut all["start"]["a tiny program"];
        series(tiny, "a std watcher")["name"] = "kept".into();
        series(tiny, "libanchor")["name"] = "a std watcher".into();
        series(tiny, "kept")["name"] = "libanchor".into();
    });
    assert_eq!(output.status.code(), Some(1));
    let lines = verdicts(&page);
    let line = lines
        .iter()
        .find(|line| line.contains("over what `a std watcher` adds"))
        .unwrap();
    assert!(line.starts_with("does not hold: "), "{line}");
}

#[test]
fn what_was_not_measured_does_not_hold() {
    let (output, page) =
        of_changed(|all| series(&mut all["reaped"], "PDEATHSIG alone")["name"] = "another".into());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(page.matches("not measured").count(), 2, "{page}");
}

#[test]
fn what_are_no_results_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.json");
    for text in ["", "{}", "[1]"] {
        std::fs::write(&file, text).unwrap();
        let output = page(&file, folder.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(2), 1),
            "{said}"
        );
        assert!(
            said.starts_with("bench: ") && said.contains("want results of scripts/bench"),
            "{said}"
        );
    }
}
