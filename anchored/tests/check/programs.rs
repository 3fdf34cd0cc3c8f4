//! What is said of a program by its headers.

use super::support::*;
use std::process::Command;

#[test]
fn a_dynamic_program_is_injected() {
    let out = assert_verdict(&["/bin/true"], INJECTED, "injected");
    assert!(
        line(&out, "program").starts_with("/bin/true: ELF 64-bit "),
        "{out}"
    );
    assert!(line(&out, "program").contains(", dynamic, glibc (/lib"), "{out}");
    assert!(line(&out, "library").ends_with(", fits"), "{out}");
    assert_eq!(line(&out, "exclusions"), "none is meant");
    assert_eq!(line(&out, "command"), "/bin/true");
    let own = format!("process {}", std::process::id());
    assert_eq!(line(&out, "anchor"), own);
}

#[test]
fn a_musl_program_is_injected() {
    let folder = Folder::new();
    let program = folder.compiled("musl", "musl-gcc", &[]);
    let out = assert_verdict(&[&program], INJECTED, "injected");
    assert!(
        line(&out, "program").contains(", dynamic, musl (/lib/ld-musl-"),
        "{out}"
    );
}

#[test]
fn static_programs_are_supervised() {
    let folder = Folder::new();
    let why = "supervised: it is static: no loader, no preloading";
    for (name, argument) in [("static", "-static"), ("static-pie", "-static-pie")] {
        let program = folder.compiled(name, "cc", &[argument]);
        let out = assert_verdict(&[&program], SUPERVISED, why);
        assert!(line(&out, "program").ends_with(&format!(", {name}")), "{out}");
    }
}

#[test]
fn a_go_program_is_supervised() {
    let folder = Folder::new();
    let source = folder.file("main.go", 0o644, "package main\n\nfunc main() {}\n");
    let program = folder.path("go");
    run(Command::new("go").args(["build", "-o", &program, &source]).envs([
        ("CGO_ENABLED", "0"),
        ("GOFLAGS", "-buildvcs=false"),
        ("HOME", &folder.path("")),
    ]));
    let out = assert_verdict(
        &[&program],
        SUPERVISED,
        "supervised: it is static: no loader, no preloading",
    );
    assert!(line(&out, "program").ends_with(", static"), "{out}");
}

#[test]
fn programs_for_other_machines_are_supervised() {
    let folder = Folder::new();
    let own = if cfg!(target_arch = "x86_64") {
        "x86-64"
    } else {
        "AArch64"
    };
    for (bits, machine, name) in [
        (32, 3, "i386"),
        (32, own_machine(), own),
        (64, 243, "RISC-V"),
        (64, 9999, "machine 9999"),
    ] {
        let program = folder.file("other", 0o755, elf(bits, machine, "/lib/ld-linux.so.2"));
        let why = format!("supervised: it is {bits}-bit {name}, the library 64-bit {own}");
        let out = assert_verdict(&[&program], SUPERVISED, &why);
        assert!(line(&out, "library").ends_with(", does not fit"), "{out}");
    }
}

#[test]
fn a_program_with_an_unknown_loader_is_supervised() {
    let folder = Folder::new();
    let program = folder.file("odd", 0o755, elf(64, own_machine(), "/bin/true"));
    let why = "supervised: it has a loader that is not known to preload: /bin/true";
    let out = assert_verdict(&[&program], SUPERVISED, why);
    assert!(
        line(&out, "program").ends_with(", dynamic, another C library (/bin/true)"),
        "{out}"
    );
}

#[test]
fn a_missing_loader_is_said() {
    let folder = Folder::new();
    let program = folder.file("lost", 0o755, elf(64, own_machine(), "/nowhere/ld-linux.so.9"));
    let message = format!("{program}: its loader /nowhere/ld-linux.so.9: No such file or directory");
    assert_refused(&[&program], 127, &message);
}
