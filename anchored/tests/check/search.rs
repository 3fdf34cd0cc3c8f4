//! Where commands are, and what cannot be run.

use super::support::*;
use std::os::unix::fs::symlink;

#[test]
fn what_cannot_be_run_has_the_status_that_exec_gives() {
    let folder = Folder::new();
    let closed = folder.file("closed", 0o644, "");
    let missing = folder.path("missing");
    let beyond = format!("{closed}/x");
    for (command, status, why) in [
        (missing.as_str(), 127, "No such file or directory"),
        ("no-command-has-this-name", 127, "No such file or directory"),
        ("", 127, "No such file or directory"),
        (&closed, 126, "Permission denied"),
        ("/", 126, "Permission denied"),
        (&beyond, 126, "Not a directory"),
    ] {
        assert_refused(&[command], status, &format!("{command}: {why}"));
        let ran = said(anchored().arg(command));
        assert_eq!((ran.0, ran.2), (status, format!("anchored: {command}: {why}\n")));
    }
}

#[test]
fn a_name_is_searched_as_execvp_does() {
    let folder = Folder::new();
    for name in ["first", "second"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    let (first, second) = (folder.path("first"), folder.path("second"));
    let search = |path: &str, name: &str| {
        said(
            anchored()
                .args(["--check", name])
                .env("PATH", path)
                .current_dir(&first),
        )
    };
    // One that may not be executed is passed over, and told of if there is no other.
    folder.file("first/tool", 0o644, "");
    let path = format!("/nowhere:{first}:{second}");
    let (status, _, err) = search(&path, "tool");
    assert_eq!(
        (status, err.as_str()),
        (126, "anchored: tool: Permission denied\n")
    );
    symlink("/bin/true", folder.path("second/tool")).unwrap();
    let (status, out, _) = search(&path, "tool");
    assert_eq!(status, INJECTED);
    assert!(
        line(&out, "program").starts_with(&format!("{second}/tool: ELF ")),
        "{out}"
    );
    // So is one whose interpreter is missing.
    folder.script("first/tool2", "/nowhere/sh");
    let (status, _, err) = search(&path, "tool2");
    assert_eq!(
        (status, err.as_str()),
        (
            127,
            "anchored: tool2: its interpreter /nowhere/sh: No such file or directory\n"
        )
    );
    // An empty entry is the working directory.
    symlink("/bin/true", folder.path("first/tool3")).unwrap();
    for path in ["", ":/nowhere", "/nowhere:", "/nowhere::/nowhere"] {
        assert_eq!(search(path, "tool3").0, INJECTED, "{path:?}");
    }
    assert_eq!(search("/nowhere", "tool3").0, 127);
    assert_eq!(
        said(anchored().args(["--check", "true"]).env_remove("PATH")).0,
        INJECTED
    );
}
