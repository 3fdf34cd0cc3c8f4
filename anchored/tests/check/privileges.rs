//! Programs whose loader distrusts the environment, compared with what the kernel tells it.

use super::support::*;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A program that says whether its loader was told to distrust the environment: `AT_SECURE`, getauxval(3).
fn telling(folder: &Folder) -> String {
    let source = folder.file(
        "telling.c",
        0o644,
        "#include <sys/auxv.h>\n#include <stdio.h>\nint main(void) { printf(\"%lu\", getauxval(AT_SECURE)); return 0; }\n",
    );
    let path = folder.path("telling");
    run(Command::new("cc").args(["-o", &path, &source]));
    path
}

/// What is said to nobody of this program, without and with `no_new_privs`; and that the kernel says the same.
fn verdicts(folder: &Folder, program: &str) -> [String; 2] {
    let own = std::process::id().to_string();
    let anchored = folder.path("anchored");
    [&[][..], &["--no-new-privs"]].map(|privileges| {
        let as_nobody = |words: &[&str]| {
            let ids = ["--reuid=65534", "--regid=65534", "--clear-groups"];
            said(Command::new("setpriv").args(privileges).args(ids).args(words))
        };
        let (status, out, err) = as_nobody(&[&anchored, "--check", "--pid", &own, program]);
        assert_eq!(err, "");
        let secure = as_nobody(&[program]).1;
        assert_eq!(
            secure,
            if status == INJECTED { "0" } else { "1" },
            "{privileges:?} {out}"
        );
        line(&out, "verdict").to_owned()
    })
}

fn installed_for_nobody(folder: &Folder) {
    for name in ["anchored", "libanchor.so"] {
        folder.copy(INSTALLED.join(name).to_str().unwrap(), name);
    }
}

fn permit(path: &str, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn set_id_programs_are_supervised_where_that_changes_something() {
    if !is_root() {
        return left_out("set-id programs are made by root");
    }
    let folder = Folder::new();
    installed_for_nobody(&folder);
    let (program, script) = (telling(&folder), folder.path("script"));
    let injected = "injected".to_owned();
    for (mode, kind) in [(0o4755, "set-user-id"), (0o2755, "set-group-id")] {
        chown(&program, Some(0), Some(0)).unwrap();
        permit(&program, mode);
        // Root's own are nothing new to root.
        assert_verdict(&[&program], INJECTED, "injected");
        let why = format!("supervised: it is {kind}, and its loader then preloads nothing");
        assert_eq!(verdicts(&folder, &program), [why, injected.clone()]);
        // A script has no such bit, its interpreter has.
        folder.script("script", &program);
        let why =
            format!("supervised: its interpreter {program} is {kind}, and its loader then preloads nothing");
        assert_eq!(verdicts(&folder, &script), [why, injected.clone()]);
        permit(&program, 0o755);
        permit(&script, mode);
        assert_eq!(verdicts(&folder, &script), [injected.clone(), injected.clone()]);
        // Nobody's own is nothing new to nobody.
        chown(&program, Some(65534), Some(65534)).unwrap();
        permit(&program, mode);
        assert_eq!(verdicts(&folder, &program), [injected.clone(), injected.clone()]);
    }
    // Without the group's right to execute the bit means something else.
    chown(&program, Some(0), Some(0)).unwrap();
    permit(&program, 0o2705);
    assert_eq!(verdicts(&folder, &program), [injected.clone(), injected]);
}

#[test]
fn a_program_with_file_capabilities_is_supervised() {
    if !is_root() {
        return left_out("file capabilities are given by root");
    }
    let folder = Folder::new();
    installed_for_nobody(&folder);
    let program = telling(&folder);
    let supervised =
        "supervised: it is given capabilities by its file, and its loader then preloads nothing".to_owned();
    let without = ["injected".to_owned(), "injected".to_owned()];
    assert_eq!(verdicts(&folder, &program), without);
    for (capabilities, expected) in [
        // `no_new_privs` takes what they give, and the distrust stays.
        (
            "cap_net_bind_service=ep",
            [supervised.clone(), supervised.clone()],
        ),
        ("cap_net_bind_service=p", [supervised.clone(), supervised]),
        ("cap_net_bind_service=i", without),
    ] {
        run(Command::new("setcap").args([capabilities, &program]));
        assert_verdict(&[&program], INJECTED, "injected");
        assert_eq!(verdicts(&folder, &program), expected, "{capabilities}");
    }
}

#[test]
fn a_program_that_cannot_be_read_is_supervised() {
    if !is_root() {
        return left_out("a file that another may not read is made by root");
    }
    let folder = Folder::new();
    let program = folder.copy("/bin/true", "hidden");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o711)).unwrap();
    installed_for_nobody(&folder);
    let mut command = Command::new(folder.path("anchored"));
    let (status, out, _) = said(command.args(["--check", &program]).uid(65534).gid(65534));
    let why = "supervised: it cannot be read, so what it is is not known";
    assert_eq!((status, line(&out, "verdict")), (SUPERVISED, why));
}
