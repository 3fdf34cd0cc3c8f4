//! The page of examples is whole.

use crate::support::root;
use std::fs;

#[test]
fn each_example_has_a_page_a_command_a_test_and_a_row() {
    let index = fs::read_to_string(root().join("examples/README.md")).unwrap();
    let tests: String = ["apps", "machines", "tools"]
        .map(|file| fs::read_to_string(root().join(format!("anchored/tests/examples/{file}.rs"))).unwrap())
        .concat();
    let mut folders = Vec::new();
    for entry in fs::read_dir(root().join("examples")).unwrap().flatten() {
        if entry.path().is_dir() {
            folders.push(entry.file_name().into_string().unwrap());
        }
    }
    folders.sort();
    for name in &folders {
        let folder = root().join("examples").join(name);
        let page = fs::read_to_string(folder.join("README.md")).unwrap();
        let command = format!("examples/{name}/run");
        assert!(page.contains(&command), "{name}: its page does not say {command}");
        assert!(folder.join("run").is_file(), "{name}: no run");
        assert!(
            tests.contains(&format!("Example::new(\"{name}\"")),
            "{name}: no test"
        );
    }
    let mut rows: Vec<_> = index
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| [")?.split_once(']')?.0.to_owned()))
        .collect();
    rows.sort();
    assert_eq!(rows, folders, "the table of examples/README.md");
}
