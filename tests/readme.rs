//! The README is true: its table of variables is the contract's.

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

// Whoever reads that a promise is held by a test, or a figure made by a script, must find it.
#[test]
fn what_the_pages_name_is_there() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    for page in [
        "README.md",
        "SECURITY.md",
        "docs/design.md",
        "docs/reliability.md",
        "docs/rungs.md",
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
                "src/",
                "docs/",
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
