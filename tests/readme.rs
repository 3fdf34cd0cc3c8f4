//! The README is true: its table of variables is the contract's.

use anchor_contract::VARIABLES;

#[test]
fn the_table_of_variables_is_the_contracts() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| `ANCHOR_"))
        .collect();
    let expected = VARIABLES.map(|variable| {
        let default = if variable.default.is_empty() {
            "-"
        } else {
            variable.default
        };
        format!(
            "| `{}` | {} | {} | {default} |",
            variable.name, variable.meaning, variable.accepts
        )
    });
    assert_eq!(rows, expected);
}
