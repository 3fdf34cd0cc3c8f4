//! docs/choosing.md has the verdicts that `--check` gives.

use super::support::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_table_of_programs_is_what_check_says() {
    let page = std::fs::read_to_string(root().join("docs/choosing.md")).unwrap();
    let folder = Folder::new();
    folder.script("tool.py", "/usr/bin/python3");
    folder.script("start.sh", "/bin/sh");
    folder.compiled("static", "cc", &["-static"]);
    folder.file("foreign", 0o755, elf(64, 243, "/lib/ld-linux.so.1"));
    folder.copy("/bin/true", "daemon");
    let raised = folder.copy("/bin/true", "raised");
    if is_root() {
        std::os::unix::fs::chown(&raised, Some(65534), None).unwrap();
    }
    std::fs::set_permissions(&raised, PermissionsExt::from_mode(0o4755)).unwrap();

    let mut verdicts = std::collections::BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [program, expected, command, _] = cells[..] else {
            continue;
        };
        if !["injected", "supervised", "left alone"].contains(&expected) {
            continue;
        }
        let words: Vec<&str> = command.trim_matches('`').split(' ').collect();
        // Whoever owns the file gains nothing by its bit.
        if words == ["./raised"] && !is_root() {
            left_out("a set-user-ID program of another user's: wants root");
            continue;
        }
        let output = said(
            anchored()
                .arg("--check")
                .args(&words)
                .current_dir(folder.path("")),
        );
        let verdict = line(&output.1, "verdict");
        assert_eq!(verdict.split(':').next(), Some(expected), "{program}: {output:?}");
        verdicts.insert(expected);
    }
    assert_eq!(verdicts.len(), 3, "{verdicts:?}");
}
