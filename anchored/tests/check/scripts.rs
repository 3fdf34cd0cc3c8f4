//! Scripts, and who interprets them.

use super::support::*;
use std::process::Command;

const OF_A_SHELL: &str = "supervised: it is a shell script, and what that starts may be static; injected too";

// Nobody need stand beside it if that was said; and other interpreters are programs themselves.
#[test]
fn scripts_of_others_are_injected() {
    let folder = Folder::new();
    let script = folder.script("script", "/usr/bin/env bash");
    assert_verdict(&[&script], SUPERVISED, OF_A_SHELL);
    assert_verdict(&["--supervise=never", &script], INJECTED, "injected");
    let python = folder.script("python", "/usr/bin/env python3");
    assert_verdict(&[&python], INJECTED, "injected");
}

#[test]
fn a_script_is_followed_to_its_interpreter() {
    let folder = Folder::new();
    let script = folder.script("script", " /bin/sh -e -u ");
    let out = assert_verdict(&[&script], SUPERVISED, OF_A_SHELL);
    assert_eq!(line(&out, "script"), format!("{script}: #!/bin/sh -e -u"));
    assert!(line(&out, "program").starts_with("/bin/sh: ELF "), "{out}");
}

#[test]
fn a_chain_of_scripts_is_followed_as_deep_as_the_kernel_goes() {
    let folder = Folder::new();
    let mut last = "/bin/true".to_owned();
    for depth in 1..=7 {
        last = folder.script(&depth.to_string(), &last);
        // Both ways are asked: what is said, and what exec does.
        let (status, out, err) = checked(&[&last]);
        let ran = said(anchored().arg(&last));
        if depth <= 5 {
            assert_eq!((status, ran.0), (INJECTED, 0), "{depth}: {out}{err}");
            assert_eq!(
                out.lines().filter(|line| line.starts_with("script ")).count(),
                depth
            );
        } else {
            assert_eq!((status, ran.0), (126, 126), "{depth}: {out}{err}");
            assert_eq!(
                err,
                format!("anchored: {last}: Too many levels of symbolic links\n")
            );
        }
    }
}

#[test]
fn a_script_with_a_static_interpreter_is_supervised() {
    let folder = Folder::new();
    let program = folder.compiled("static", "cc", &["-static"]);
    let script = folder.script("script", &program);
    let why = format!("supervised: its interpreter {program} is static: no loader, no preloading");
    assert_verdict(&[&script], SUPERVISED, &why);
}

#[test]
fn a_script_without_a_line_is_the_shells() {
    let folder = Folder::new();
    for (name, bytes) in [("plain", "exit 7\n"), ("empty", ""), ("blank", "#! \nexit 7\n")] {
        let script = folder.file(name, 0o755, bytes);
        let out = assert_verdict(&[&script], SUPERVISED, OF_A_SHELL);
        assert_eq!(
            line(&out, "script"),
            format!("{script}: a file without #!, run by /bin/sh")
        );
        let ran = said(anchored().arg(&script));
        assert_eq!(ran.0, if bytes.is_empty() { 0 } else { 7 });
    }
}

// Both ways are asked: what is said, and what the interpreter is given.
#[test]
fn a_line_that_nothing_ends_is_read_as_the_kernel_reads_it() {
    let folder = Folder::new();
    let echo = "#!/bin/echo";
    for (number, (line, argument)) in [
        (format!("{echo} a \n"), Some("a")),
        // A NUL ends the line as the end of the file does: then blanks are the argument's.
        (format!("{echo} a "), Some("a ")),
        (format!("{echo} a \0b\n"), Some("a ")),
        (format!("{echo} "), Some("")),
        (format!("{echo}\t \0\n"), Some("")),
        (format!("{echo}\0a\n"), None),
        (format!("{echo} \n"), None),
        (echo.to_owned(), None),
    ]
    .into_iter()
    .enumerate()
    {
        let script = folder.file(&number.to_string(), 0o755, &line);
        let given = argument.map_or_else(String::new, |argument| format!("{argument} "));
        let (_, out, err) = said(&mut Command::new(&script));
        assert_eq!(
            (out, err),
            (format!("{given}{script}\n"), String::new()),
            "{line:?}"
        );
        let (_, out, _) = checked(&["--json", &script]);
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["scripts"][0]["argument"].as_str(), argument, "{line:?}");
    }
    // No name at all is the working directory's, and that is no program.
    for line in ["#!", "#! ", "#!\0/bin/sh\n"] {
        let script = folder.file("nobody", 0o755, line);
        let error = Command::new(&script).output().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EACCES), "{line:?}");
        assert_eq!(checked(&[&script]).0, 126, "{line:?}");
    }
}

#[test]
fn a_missing_interpreter_is_said() {
    let folder = Folder::new();
    let script = folder.script("script", "/nowhere/sh");
    let message = format!("{script}: its interpreter /nowhere/sh: No such file or directory");
    assert_refused(&[&script], 127, &message);
    let windows = folder.file("windows", 0o755, "#!/bin/sh\r\n");
    assert_eq!(checked(&[&windows]).0, 127);
    let closed = folder.file("closed", 0o644, "");
    let script = folder.script("other", &closed);
    let message = format!("{script}: its interpreter {closed}: Permission denied");
    assert_refused(&[&script], 126, &message);
}
