//! The README is true: its table of variables is the contract's. And so are the other pages: what they name is there.

use std::collections::BTreeSet;
use std::path::Path;

// It shows what is accepted on Linux.
#[cfg(target_os = "linux")]
#[test]
fn the_table_of_variables_is_the_contracts() {
    use anchor_contract::{MEANINGS, VARIABLES};
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| `ANCHOR_"))
        .collect();
    let expected: Vec<_> = VARIABLES
        .iter()
        .zip(MEANINGS)
        .map(|(variable, meaning)| {
            let default = if variable.default.is_empty() {
                "-"
            } else {
                variable.default
            };
            format!(
                "| `{}` | {} | {} | {default} |",
                variable.name, meaning, variable.accepts
            )
        })
        .collect();
    assert_eq!(rows, expected);
}

// docs/hosts.md lists the programs that are left alone, as the contract's table has them.
#[test]
fn the_page_names_every_exclusion() {
    use anchor_contract::{EXCLUSIONS, Sign};
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hosts.md")).unwrap();
    let (mut arguments, mut names) = (Vec::new(), Vec::new());
    for exclusion in &EXCLUSIONS {
        let (signs, sign) = match exclusion.sign {
            Sign::Argument(sign) => (&mut arguments, sign),
            Sign::Name(sign) => (&mut names, sign),
        };
        signs.push(std::str::from_utf8(sign).unwrap());
    }
    assert!(!arguments.is_empty() && !names.is_empty());
    let rows = |kind: &str| page.lines().filter(|line| line.contains(kind)).count();
    assert_eq!(rows("| the argument `"), arguments.len());
    assert_eq!(rows("| the name `"), names.len());
    for sign in arguments {
        assert!(page.contains(&format!("| the argument `{sign}` |")), "{sign}");
    }
    for sign in names {
        assert!(page.contains(&format!("| the name `{sign}` |")), "{sign}");
    }
}

// docs/why.md explains every reason that a line of the log can give.
#[test]
fn the_page_explains_every_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/why.md")).unwrap();
    let mut reasons = BTreeSet::new();
    for file in ["arm", "identity", "pdeathsig", "scope", "watch"]
        .map(|name| format!("src/{name}.rs"))
        .into_iter()
        .chain(["contract/src/exclusions.rs".to_owned()])
    {
        let text = std::fs::read_to_string(root.join(&file)).unwrap();
        for before in [
            "Dead(",
            "Beyond(",
            "DoesNot(",
            "Some(",
            "settings, ",
            "watch, ",
            "why: ",
            ": &str = ",
        ] {
            let quoted = text
                .split(before)
                .skip(1)
                .filter_map(|rest| rest.trim_start().strip_prefix('"'));
            reasons.extend(quoted.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
    assert!(reasons.len() > 25, "{reasons:?}");
    for reason in reasons {
        assert!(page.contains(&format!("`{reason}`")), "docs/why.md: {reason}");
    }
}

// Whoever reads that a promise is held by a test, or a figure made by a script, must find it.
#[test]
fn what_the_pages_name_is_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    for page in [
        "README.md",
        "SECURITY.md",
        "docs/design.md",
        "docs/reliability.md",
        "docs/rungs.md",
        "docs/benchmarks.md",
    ] {
        let text = std::fs::read_to_string(top.join(page)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let name = quoted.split(' ').next().unwrap();
            let folders = [
                "scripts/",
                "tests/",
                "anchored/",
                "contract/",
                "fuzz/",
                "bench/",
                "src/",
                "docs/",
                "packages/",
            ];
            // A pattern, or a file of one's own, is no name.
            if folders.iter().any(|folder| name.starts_with(folder)) && !name.contains(['*', '{']) {
                assert!(top.join(name).exists(), "{page}: {name}");
                found += 1;
            }
        }
    }
    assert!(found > 30, "{found}");
}

/// Every test's name, wherever it is.
fn names_of_tests(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names_of_tests(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            // What stands between the two: `#[ignore]`, a comment.
            for test in text.split("#[test]\n").skip(1) {
                let (_, rest) = test.split_once("fn ").unwrap();
                names.insert(rest.split(['(', '<']).next().unwrap().to_owned());
            }
        }
    }
}

// A table of what was found has a test in each row.
#[test]
fn every_bug_on_the_page_names_its_test() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    for folder in ["src", "tests", "contract", "anchored", "spawn"] {
        names_of_tests(&top.join(folder), &mut tests);
    }
    let page = std::fs::read_to_string(top.join("docs/reliability.md")).unwrap();
    let (mut within, mut named) = (false, BTreeSet::new());
    for line in page.lines() {
        let mut cells = line.rsplit(" | ");
        let last = cells.next().unwrap();
        if line.starts_with("| what happened | ") {
            assert_eq!(last, "test |");
            within = true;
        } else if !line.starts_with('|') {
            within = false;
        } else if within && !line.starts_with("|-") {
            let name = last.strip_prefix('`').and_then(|name| name.strip_suffix("` |"));
            let name = name.unwrap_or_else(|| panic!("{last}: want the name of a test: {line}"));
            assert!(tests.contains(name), "{name}: no such test");
            assert!(named.insert(name), "{name}: named twice");
        }
    }
    assert!(named.len() > 30, "{named:?}");
    // What is named in a sentence.
    let is_name = |word: &&str| {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !word.starts_with('_') && word.bytes().all(letters) && word.matches('_').count() > 3
    };
    for name in page.split('`').skip(1).step_by(2).filter(is_name) {
        assert!(tests.contains(name), "{name}: no such test");
    }
}
