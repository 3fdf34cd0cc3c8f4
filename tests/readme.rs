//! The README is true: its table of variables is the contract's.

use anchor_contract::{MEANINGS, VARIABLES};

#[test]
fn the_table_of_variables_is_the_contracts() {
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
