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

// docs/hosts.md lists the programs that are left alone, as the library's table has them.
#[test]
fn the_page_names_every_exclusion() {
    let read =
        |name: &str| std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (table, page) = (read("src/exclusions.rs"), read("docs/hosts.md"));
    let signs = |kind: &str| -> Vec<String> {
        let after = format!("Sign::{kind}(b\"");
        let quoted = |rest: &str| rest.split('"').next().unwrap().to_owned();
        table.split(&after).skip(1).map(quoted).collect()
    };
    let (arguments, names) = (signs("Argument"), signs("Name"));
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
