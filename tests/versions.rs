//! One version everywhere: whoever raises it in Cargo.toml and forgets a place is told which. The manifests are looked for,
//! so that a new one is held to it too.

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{create_dir_all, read_dir, read_to_string, write};
use std::path::{Path, PathBuf};
use support::root;
use toml::{Table, Value as Toml};

/// What is compared: (file and place, version, the version that it ought to be).
type Place = (String, Option<String>, String);

/// What has a version that never ships: it must not look like one that does.
const NEVER_SHIPPED: &str = "0.0.0";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let built = [
        ".git",
        "artifacts",
        "corpus",
        "dist",
        "node_modules",
        "target",
        "venv",
    ];
    for entry in read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !built.contains(&name.as_str()) {
            files(&entry.path(), found);
        } else if kind.is_file()
            && (name.ends_with(".md")
                || [
                    "Cargo.toml",
                    "Cargo.lock",
                    "package.json",
                    "package-lock.json",
                    "pyproject.toml",
                ]
                .contains(&name.as_str()))
        {
            found.push(entry.path());
        }
    }
}

fn version_of(value: Option<&Toml>) -> Option<String> {
    value.and_then(Toml::as_str).map(str::to_owned)
}

/// Every place below a folder that has a version of ours.
fn places(top: &Path) -> Vec<Place> {
    let toml = |path: &Path| read_to_string(path).unwrap().parse::<Table>().unwrap();
    let workspace = toml(&top.join("Cargo.toml"));
    let version = version_of(workspace["workspace"]["package"].get("version")).unwrap();
    let mut found = Vec::new();
    files(top, &mut found);
    found.sort();
    let mut places = Vec::new();
    let mut shipped = BTreeSet::new();
    let mut locks = Vec::new();
    for path in &found {
        let file = path.strip_prefix(top).unwrap().display().to_string();
        let mut add = |what: &str, is: Option<String>, ought: &str| {
            places.push((format!("{file}: {what}"), is, ought.to_owned()));
        };
        match path.file_name().unwrap().to_str().unwrap() {
            "Cargo.toml" => {
                let manifest = toml(path);
                for (name, dependency) in manifest
                    .get("dependencies")
                    .and_then(Toml::as_table)
                    .into_iter()
                    .flatten()
                {
                    if dependency.get("path").is_some() && dependency.get("version").is_some() {
                        add(name, version_of(dependency.get("version")), &version);
                    }
                }
                let Some(package) = manifest.get("package") else {
                    continue;
                };
                if package
                    .get("version")
                    .and_then(|version| version.get("workspace"))
                    .is_some()
                {
                    shipped.insert(package["name"].as_str().unwrap().to_owned());
                    add("package.version", Some(version.clone()), &version);
                } else {
                    add(
                        "package.version",
                        version_of(package.get("version")),
                        NEVER_SHIPPED,
                    );
                }
                let deb = package.get("metadata").and_then(|metadata| metadata.get("deb"));
                let depends = deb.and_then(|deb| deb.get("depends")).and_then(Toml::as_str);
                if depends.is_some_and(|depends| depends.contains("libanchor")) {
                    let inside = depends.unwrap().split("libanchor (= ").nth(1);
                    let is = inside.and_then(|rest| Some(rest.split_once(')')?.0.to_owned()));
                    add("deb.depends", is, &format!("{version}-1"));
                }
            }
            "Cargo.lock" => locks.push((file, toml(path))),
            "pyproject.toml" => add(
                "project.version",
                version_of(toml(path)["project"].get("version")),
                &version,
            ),
            "package.json" | "package-lock.json" => {
                let json: Value = serde_json::from_str(&read_to_string(path).unwrap()).unwrap();
                // npm publishes nothing that is private.
                if json["private"] == true || json["packages"][""]["private"] == true {
                    continue;
                }
                let text = |value: &Value| value.as_str().map(str::to_owned);
                add("version", text(&json["version"]), &version);
                if json.get("packages").is_some() {
                    add(
                        "packages.version",
                        text(&json["packages"][""]["version"]),
                        &version,
                    );
                }
            }
            "CHANGELOG.md" => {
                let text = read_to_string(path).unwrap();
                let heading = text.lines().find_map(|line| line.strip_prefix("## "));
                let first = heading.and_then(|heading| heading.split(' ').next());
                let unreleased = (first == Some("Unreleased")).then(|| version.clone());
                add(
                    "the first heading",
                    unreleased.or(first.map(str::to_owned)),
                    &version,
                );
            }
            _ => {
                for named in named_in(&read_to_string(path).unwrap()) {
                    add("a file's name", Some(named), &version);
                }
            }
        }
    }
    for (file, lock) in locks {
        let ours = lock["package"].as_array().unwrap().iter();
        for package in ours.filter(|package| package.get("source").is_none()) {
            let name = package["name"].as_str().unwrap();
            let ought = if shipped.contains(name) {
                &version
            } else {
                NEVER_SHIPPED
            };
            places.push((
                format!("{file}: {name}"),
                version_of(package.get("version")),
                ought.to_owned(),
            ));
        }
    }
    places
}

/// The versions in names such as `libanchor-1.2.3.tgz`, `anchored_1.2.3-1_amd64.deb`, `libanchor==1.2.3`, and after the names themselves.
fn named_in(text: &str) -> Vec<String> {
    let starts = ["libanchor", "anchored", "anchor-spawn"];
    let each = starts.iter().flat_map(|start| text.split(start).skip(1));
    each.filter_map(|rest| {
        let rest = rest.trim_start_matches(['-', '_', '@', '=', ' ', 'v']);
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let version = rest[..end].trim_end_matches('.');
        (version.split('.').count() == 3).then(|| version.to_owned())
    })
    .collect()
}

fn wrong(top: &Path) -> Vec<String> {
    let wrong = places(top)
        .into_iter()
        .filter(|(_, is, ought)| is.as_ref() != Some(ought));
    wrong
        .map(|(place, is, ought)| {
            format!(
                "{place}: {}, and ought to be {ought}",
                is.unwrap_or("none".to_owned())
            )
        })
        .collect()
}

#[test]
fn one_version_stands_everywhere() {
    assert_eq!(wrong(root()), Vec::<String>::new());
    // It is spelled alike by cargo, npm, PyPI and Debian, which a pre-release is not.
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        version.split('.').all(|part| part.parse::<u32>().is_ok()),
        "{version}"
    );
}

/// A copy of what is looked at, with one file that is different.
fn changed(file: &str, change: impl Fn(&str) -> String) -> Vec<String> {
    let copy = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    files(root(), &mut found);
    for path in found {
        let name = path.strip_prefix(root()).unwrap();
        let text = read_to_string(&path).unwrap();
        let new = if name == Path::new(file) {
            change(&text)
        } else {
            text.clone()
        };
        assert_eq!(name == Path::new(file), new != text, "{file}: nothing to change");
        create_dir_all(copy.path().join(name).parent().unwrap()).unwrap();
        write(copy.path().join(name), new).unwrap();
    }
    wrong(copy.path())
}

// The test's own test: none of these can be forgotten.
#[test]
fn a_place_that_was_forgotten_is_named() {
    let version = env!("CARGO_PKG_VERSION");
    let quoted = format!("\"{version}\"");
    for file in [
        "Cargo.lock",
        "fuzz/Cargo.lock",
        "bench/Cargo.lock",
        "packages/npm/package.json",
        "packages/npm/package-lock.json",
        "packages/python/pyproject.toml",
    ] {
        // The first is one of ours: lock files are sorted.
        let said = changed(file, |text| text.replacen(&quoted, "\"9.9.9\"", 1));
        assert!(
            said.len() == 1 && said[0].contains(file) && said[0].contains("9.9.9"),
            "{file}: {said:?}"
        );
    }
    for file in ["packages/npm/package.json", "packages/python/pyproject.toml"] {
        let line = |line: &&str| !line.contains(&quoted);
        let said = changed(file, |text| {
            text.lines().filter(line).collect::<Vec<_>>().join("\n")
        });
        assert!(
            said.len() == 1 && said[0].contains("version: none"),
            "{file}: {said:?}"
        );
    }
    let all = changed("Cargo.toml", |text| text.replacen(&quoted, "\"9.9.9\"", 1));
    assert!(all.len() >= 10, "{all:?}");
    for (file, old, new) in [
        (
            "spawn/Cargo.toml",
            "version.workspace = true",
            "version = \"9.9.9\"",
        ),
        ("fuzz/Cargo.toml", "version = \"0.0.0\"", "version = \"9.9.9\""),
        ("spawn/Cargo.toml", "version.workspace = true\n", ""),
        ("anchored/Cargo.toml", "libanchor (= ", "libanchor (= 9"),
        ("anchored/Cargo.toml", "libanchor (= ", "libanchor (>= "),
        ("CHANGELOG.md", "## ", "## 9.9.9\n\n## "),
        ("README.md", "\n", "\nhave `libanchor-9.9.9.tgz`\n"),
        ("SECURITY.md", "\n", "\nsince libanchor v9.9.9\n"),
    ] {
        let said = changed(file, |text| text.replacen(old, new, 1));
        assert!(
            !said.is_empty()
                && said
                    .iter()
                    .all(|line| line.contains(file) || line.contains("Cargo.lock")),
            "{file}: {said:?}"
        );
        assert!(said.iter().any(|line| line.contains(file)), "{file}: {said:?}");
    }
}
