//! `anchored --check`: what it says of each kind of program, in words and by exit status; and that what it says is so:
//! `--probe` runs it.
#![cfg(target_os = "linux")]

use once_cell::sync::Lazy;
use serde_json::Value;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const INJECTED: i32 = 0;
const SUPERVISED: i32 = 3;
const LEFT_ALONE: i32 = 4;
const NOT_ARMED: i32 = 5;

/// A folder with the release library beside a copy of `anchored`: an installation.
static INSTALLED: Lazy<PathBuf> = Lazy::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--lib", "--package", "libanchor"])
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(built.success(), "the library could not be built");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    std::fs::create_dir_all(&folder).unwrap();
    for (from, name) in [
        (target.join("release/libanchor.so"), "libanchor.so"),
        (env!("CARGO_BIN_EXE_anchored").into(), "anchored"),
    ] {
        // Not over a file that another run of the tests may be executing.
        let (new, place) = (
            folder.join(format!("{name}.{}", std::process::id())),
            folder.join(name),
        );
        std::fs::copy(from, &new).unwrap();
        std::fs::rename(new, place).unwrap();
    }
    folder
});

fn anchored() -> Command {
    let mut command = Command::new(INSTALLED.join("anchored"));
    for variable in anchor_contract::VARIABLES {
        command.env_remove(variable.name);
    }
    command.env_remove("LD_PRELOAD");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What `anchored --check` said, with its status.
fn checked(words: &[&str]) -> (i32, String, String) {
    said(anchored().arg("--check").args(words))
}

fn said(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    (status.code().unwrap(), text(&stdout), text(&stderr))
}

/// The line of this name.
fn line<'a>(text: &'a str, name: &str) -> &'a str {
    let of_it = |line: &'a str| line.strip_prefix(&format!("{name:<11} "));
    text.lines()
        .find_map(of_it)
        .unwrap_or_else(|| panic!("no {name} in {text}"))
}

fn assert_verdict(words: &[&str], status: i32, verdict: &str) -> String {
    let (code, out, err) = checked(words);
    assert_eq!(
        (code, line(&out, "verdict")),
        (status, verdict),
        "{words:?}: {out}{err}"
    );
    assert_eq!(err, "");
    out
}

fn assert_refused(words: &[&str], status: i32, message: &str) {
    let expected = (status, String::new(), format!("anchored: {message}\n"));
    assert_eq!(checked(words), expected, "{words:?}");
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("anchored-check.")
            .tempdir()
            .unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, mode: u32, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        path
    }

    fn script(&self, name: &str, interpreter: &str) -> String {
        self.file(name, 0o755, format!("#!{interpreter}\n"))
    }

    fn copy(&self, of: &str, name: &str) -> String {
        self.file(name, 0o755, std::fs::read(of).unwrap())
    }

    fn compiled(&self, name: &str, compiler: &str, arguments: &[&str]) -> String {
        let source = self.file(
            &format!("{name}.c"),
            0o644,
            "#include <unistd.h>\nint main(int argc, char **argv) { if (argc > 1) for (;;) pause(); return 0; }\n",
        );
        let path = self.path(name);
        run(Command::new(compiler)
            .args(["-o", &path, &source])
            .args(arguments));
        path
    }
}

fn run(command: &mut Command) {
    let done = command.status().unwrap();
    assert!(done.success(), "{command:?}");
}

/// An ELF file of nothing but a header and one segment, which names the loader.
fn elf(bits: u8, machine: u16, loader: &str) -> Vec<u8> {
    let loader = [loader.as_bytes(), b"\0"].concat();
    let (header, segment) = if bits == 64 { (64_u8, 56_u8) } else { (52, 32) };
    let mut file = b"\x7fELF".to_vec();
    file.extend([if bits == 64 { 2 } else { 1 }, 1, 1]);
    file.resize(16, 0);
    file.extend(2_u16.to_le_bytes());
    file.extend(machine.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    let word = |file: &mut Vec<u8>, value: usize| {
        let bytes = (value as u64).to_le_bytes();
        file.extend(&bytes[..usize::from(bits / 8)]);
    };
    word(&mut file, 0); // e_entry
    word(&mut file, header.into()); // e_phoff
    word(&mut file, 0); // e_shoff
    file.extend(0_u32.to_le_bytes());
    for half in [header, segment, 1, 0, 0, 0] {
        file.extend(u16::from(half).to_le_bytes());
    }
    let start = usize::from(header) + usize::from(segment);
    file.extend(3_u32.to_le_bytes()); // PT_INTERP
    if bits == 64 {
        file.extend(4_u32.to_le_bytes());
    }
    for value in [start, 0, 0, loader.len(), loader.len()] {
        word(&mut file, value);
    }
    if bits == 32 {
        file.extend(4_u32.to_le_bytes());
    }
    word(&mut file, 1);
    file.extend(loader);
    file
}

fn own_machine() -> u16 {
    if cfg!(target_arch = "x86_64") { 62 } else { 183 }
}

fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

// Programs.

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

// Scripts.

#[test]
fn a_script_is_followed_to_its_interpreter() {
    let folder = Folder::new();
    let script = folder.script("script", " /bin/sh -e -u ");
    let out = assert_verdict(&[&script], INJECTED, "injected");
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
        let out = assert_verdict(&[&script], INJECTED, "injected");
        assert_eq!(
            line(&out, "script"),
            format!("{script}: a file without #!, run by /bin/sh")
        );
        let ran = said(anchored().arg(&script));
        assert_eq!(ran.0, if bytes.is_empty() { 0 } else { 7 });
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

// Where commands are.

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

// Privileges.

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
        return eprintln!("!! LEFT OUT: set-id programs are made by root");
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
        return eprintln!("!! LEFT OUT: file capabilities are given by root");
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
        return eprintln!("!! LEFT OUT: a file that another may not read is made by root");
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

// Exclusions and options.

#[test]
fn excluded_programs_are_left_alone() {
    let why = "left alone: a Chromium zygote, which must be single-threaded";
    let out = assert_verdict(&["/bin/true", "--type=zygote"], LEFT_ALONE, why);
    assert_eq!(
        line(&out, "exclusions"),
        "a Chromium zygote, which must be single-threaded"
    );
    // On macOS alone.
    let folder = Folder::new();
    assert_verdict(&[&folder.copy("/bin/true", "postgres")], INJECTED, "injected");
}

#[test]
fn skipped_programs_are_left_alone() {
    let folder = Folder::new();
    let why = "left alone: ANCHOR_SKIP names it";
    let script = folder.script("my-script-with-a-long-name", "/bin/true");
    for (skip, command) in [
        ("true", "/bin/true"),
        ("no:tr*", "true"),
        ("/bin/*", "/bin/true"),
        ("my-script-with-", &script), // as `ps` shows it
        ("true", &script),
    ] {
        assert_verdict(&["--skip", skip, command], LEFT_ALONE, why);
        let inherited = said(anchored().args(["--check", command]).env("ANCHOR_SKIP", skip));
        assert_eq!((inherited.0, line(&inherited.1, "verdict")), (LEFT_ALONE, why));
    }
    assert_verdict(&["--skip", "false", "/bin/true"], INJECTED, "injected");
    // The line goes before what is inherited.
    let (status, ..) = said(
        anchored()
            .args(["--check", "--skip", "false", "true"])
            .env("ANCHOR_SKIP", "true"),
    );
    assert_eq!(status, INJECTED);
    let (status, out, _) = said(anchored().args(["--check", "true"]).env("ANCHOR_DISABLE", "1"));
    assert_eq!(
        (status, line(&out, "verdict")),
        (LEFT_ALONE, "left alone: ANCHOR_DISABLE is 1")
    );
}

#[test]
fn the_options_of_supervision_are_followed() {
    let folder = Folder::new();
    let program = folder.compiled("static", "cc", &["-static"]);
    assert_verdict(&["--supervise", "true"], SUPERVISED, "supervised: --supervise");
    assert_verdict(&["--supervise=never", "true"], INJECTED, "injected");
    let message =
        format!("{program}: cannot be injected: it is static: no loader, no preloading; --supervise=never");
    assert_refused(&["--supervise=never", &program], 125, &message);
}

#[test]
fn an_anchor_that_is_not_there_is_refused() {
    assert_refused(
        &["--pid", "4194304", "true"],
        125,
        "--pid: 4194304: no such process",
    );
}

#[test]
fn without_its_library_anchored_supervises() {
    let folder = Folder::new();
    let alone = folder.copy(INSTALLED.join("anchored").to_str().unwrap(), "anchored");
    let (status, out, _) = said(
        Command::new(alone)
            .args(["--check", "true"])
            .env_remove("LD_PRELOAD"),
    );
    assert_eq!(status, SUPERVISED);
    assert!(
        line(&out, "verdict").starts_with("supervised: libanchor.so: not found in "),
        "{out}"
    );
}

#[test]
fn a_library_that_nobody_can_load_is_not_injected() {
    let folder = Folder::new();
    let alone = folder.copy(INSTALLED.join("anchored").to_str().unwrap(), "anchored");
    let library = folder.file("libanchor.so", 0o644, "no library at all");
    let verdict = |command: &mut Command| {
        let (status, out, err) = said(command);
        assert_eq!(status, SUPERVISED, "{out}{err}");
        line(&out, "verdict").to_owned()
    };
    let check = ["--check", "true"];
    let why = format!("supervised: the library {library} is no library");
    assert_eq!(verdict(Command::new(&alone).args(check)), why);
    if !is_root() {
        return eprintln!("!! LEFT OUT: a file system is mounted by root");
    }
    // The library in a folder of its own, as it is installed, on a file system from which nothing is executed.
    std::fs::remove_file(library).unwrap();
    for name in ["bin", "lib"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    std::fs::rename(alone, folder.path("bin/anchored")).unwrap();
    let (own, lib) = (INSTALLED.join("libanchor.so"), folder.path("lib"));
    let script = "mount -t tmpfs -o noexec none \"$1\" && cp \"$2\" \"$1\" && exec \"$3\" --check true";
    let mut command = Command::new("unshare");
    command.args([
        "-m",
        "sh",
        "-c",
        script,
        "sh",
        &lib,
        own.to_str().unwrap(),
        &folder.path("bin/anchored"),
    ]);
    let why =
        format!("supervised: the library {lib}/libanchor.so is on a file system that is mounted noexec");
    assert_eq!(verdict(&mut command), why);
}

#[test]
fn a_line_is_one_line_whatever_a_file_is_called() {
    let folder = Folder::new();
    let program = folder.copy("/bin/true", "a\nverdict     left alone\x1b[0m");
    let out = assert_verdict(&[&program], INJECTED, "injected");
    assert_eq!(out.lines().count(), 6, "{out}");
}

// JSON.

fn json(words: &[&str]) -> (i32, Value) {
    let (status, out, err) = checked(&[&["--json"], words].concat());
    let value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    (status, value)
}

#[test]
fn json_has_keys_that_stay() {
    let folder = Folder::new();
    let script = folder.script("script", "/bin/sh -e");
    let (status, value) = json(&[&script, "one"]);
    assert_eq!(status, INJECTED);
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        keys(&value),
        "anchor command excluded exit_status library probe program scripts verdict why"
    );
    assert_eq!(
        keys(&value["program"]),
        "bits file format libc link loader machine privileged"
    );
    assert_eq!(keys(&value["library"]), "bits file fits machine why");
    assert_eq!(keys(&value["scripts"][0]), "argument by file interpreter");
    assert_eq!(value["command"], serde_json::json!([script, "one"]));
    assert_eq!(value["scripts"][0]["argument"], "-e");
    assert_eq!(value["program"]["libc"], "glibc");
    assert_eq!(value["verdict"], "injected");
    let (status, value) = json(&["--skip", "true", "true"]);
    assert_eq!((status, value["exit_status"].as_i64()), (LEFT_ALONE, Some(4)));
    assert_eq!(
        (&value["verdict"], &value["why"]),
        (&"left alone".into(), &"ANCHOR_SKIP names it".into())
    );
}

// The probe.

/// Those that lived when it was over as `state command`, sorted.
fn probed(words: &[&str]) -> (i32, Value, Vec<String>) {
    let (status, value) = json(&[&["--probe"], words].concat());
    let processes = value["probe"]["processes"].as_array().unwrap();
    let mut shown: Vec<String> = processes
        .iter()
        .filter(|process| process["ended"] == false)
        .map(|process| {
            format!(
                "{} {}",
                process["state"].as_str().unwrap(),
                process["command"].as_str().unwrap()
            )
        })
        .collect();
    shown.sort();
    for process in processes {
        let pid = process["pid"].as_i64().unwrap();
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{process} was left");
    }
    (status, value, shown)
}

#[test]
fn the_probe_sees_a_program_armed() {
    let (status, value, shown) = probed(&["sleep", "1000"]);
    assert_eq!(
        (status, shown),
        (INJECTED, vec!["armed sleep 1000".to_owned()]),
        "{value}"
    );
    let process = &value["probe"]["processes"][0];
    // As a child of the anchor, which it would be.
    let how = process["how"].as_str().unwrap();
    assert!(how.starts_with("thread with pidfd, PDEATHSIG SIGTERM"), "{value}");
    assert_eq!(
        (&process["thread"], &value["probe"]["armed"]),
        (&true.into(), &true.into())
    );
    // With another anchor it is none.
    let own = std::process::id().to_string();
    let (status, value, _) = probed(&["--pid", &own, "sleep", "1000"]);
    let how = value["probe"]["processes"][0]["how"].as_str().unwrap();
    assert_eq!(status, INJECTED);
    assert!(
        how.starts_with("thread with pidfd, no PDEATHSIG (not the anchor's child)"),
        "{value}"
    );
}

#[test]
fn the_probe_sees_a_whole_tree() {
    let (status, value, shown) = probed(&["sh", "-c", "sleep 1000 & (setsid sleep 1001 &) ; wait"]);
    let expected = [
        "armed sh -c sleep 1000 & (setsid sleep 1001 &) ; wait",
        "armed sleep 1000",
        "armed sleep 1001",
    ];
    assert_eq!(
        (status, shown),
        (INJECTED, expected.map(str::to_owned).to_vec()),
        "{value}"
    );
}

#[test]
fn the_probe_sees_what_is_not_armed() {
    let folder = Folder::new();
    let program = folder.compiled("static", "cc", &["-static"]);
    let (status, value, shown) = probed(&[&program, "stay"]);
    assert_eq!(
        (status, shown),
        (SUPERVISED, vec![format!("not armed {program} stay")]),
        "{value}"
    );
    assert_eq!(
        value["probe"]["processes"][0]["how"],
        "it is static: no loader, no preloading"
    );
    // Below one that is injected.
    let (status, value, shown) = probed(&["env", &program, "stay"]);
    assert_eq!(
        (status, shown),
        (NOT_ARMED, vec![format!("not armed {program} stay")]),
        "{value}"
    );
    let (status, value, shown) = probed(&["env", "-i", "/bin/sleep", "1000"]);
    assert_eq!(
        (status, shown),
        (NOT_ARMED, vec!["not armed /bin/sleep 1000".to_owned()]),
        "{value}"
    );
    assert_eq!(value["probe"]["processes"][0]["how"], "the library is not in it");
    let (status, value, shown) = probed(&["env", "ANCHOR_SKIP=sleep", "sleep", "1000"]);
    assert_eq!(
        (status, shown),
        (INJECTED, vec!["left alone sleep 1000".to_owned()]),
        "{value}"
    );
}

#[test]
fn the_probe_ends_with_the_command() {
    let (status, value, _) = probed(&["true"]);
    assert_eq!(
        (status, &value["probe"]["ended"]),
        (INJECTED, &true.into()),
        "{value}"
    );
    assert_ne!(value["probe"]["armed"], false, "{value}");
}

#[test]
fn the_probe_runs_a_command_as_exec_does() {
    let folder = Folder::new();
    let script = folder.file("plain", 0o755, "exec sleep 1000\n");
    let (status, value, shown) = probed(&[&script]);
    assert_eq!(
        (status, shown),
        (INJECTED, vec!["armed sleep 1000".to_owned()]),
        "{value}"
    );
    // Heard by nobody, with no signal blocked.
    let seen = folder.path("seen");
    let look = format!("read x; echo loud; grep SigBlk /proc/self/status > {seen}; exec sleep 1000");
    let (_, value, _) = probed(&["sh", "-c", &look]);
    assert_eq!(value["probe"]["armed"], true);
    assert_eq!(
        std::fs::read_to_string(seen).unwrap(),
        "SigBlk:\t0000000000000000\n"
    );
}

// test -> anchored -> stand-in -> sh -> sleep
#[test]
fn a_probe_that_is_interrupted_leaves_nothing() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let folder = Folder::new();
    let (ready, temporary) = (folder.path("ready"), folder.path("temporary"));
    std::fs::create_dir(&temporary).unwrap();
    // It changes all the time, so the probe goes on.
    let busy =
        format!("echo $$ > {ready}.tmp; mv {ready}.tmp {ready}; trap '' TERM; while :; do sleep 0.3; done");
    let child = anchored()
        .args(["--check", "--probe", "sh", "-c", &busy])
        .env("TMPDIR", &temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !Path::new(&ready).exists() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
    let shell: i32 = std::fs::read_to_string(&ready).unwrap().trim().parse().unwrap();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(text(&output.stderr), "anchored: --probe: ended by signal 2\n");
    assert!(!Path::new(&format!("/proc/{shell}")).exists());
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
}
