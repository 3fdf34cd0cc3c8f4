//! An installed `anchored`, what it says, and files of every kind.

#[path = "../../../tests/support/mod.rs"]
mod common;
pub use common::*;

use once_cell::sync::Lazy;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub const INJECTED: i32 = 0;
pub const SUPERVISED: i32 = 3;
pub const LEFT_ALONE: i32 = 4;
pub const NOT_ARMED: i32 = 5;

/// A folder with the release library beside a copy of `anchored`: an installation.
pub static INSTALLED: Lazy<PathBuf> = Lazy::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    std::fs::create_dir_all(&folder).unwrap();
    for (from, name) in [
        (LIBRARY.clone(), "libanchor.so"),
        (env!("CARGO_BIN_EXE_anchored").into(), "anchored"),
    ] {
        // Not over a file that another run of the tests may be executing.
        let (new, place) = (
            folder.join(format!("{name}.{}", std::process::id())),
            folder.join(name),
        );
        copied(from, &new);
        std::fs::rename(new, place).unwrap();
    }
    folder
});

pub fn anchored() -> Command {
    let mut command = Command::new(INSTALLED.join("anchored"));
    without_library(&mut command);
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What `anchored --check` said, with its status.
pub fn checked(words: &[&str]) -> (i32, String, String) {
    said(anchored().arg("--check").args(words))
}

pub fn said(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    (status.code().unwrap(), text(&stdout), text(&stderr))
}

/// The line of this name.
pub fn line<'a>(text: &'a str, name: &str) -> &'a str {
    let of_it = |line: &'a str| line.strip_prefix(&format!("{name:<11} "));
    text.lines()
        .find_map(of_it)
        .unwrap_or_else(|| panic!("no {name} in {text}"))
}

pub fn assert_verdict(words: &[&str], status: i32, verdict: &str) -> String {
    let (code, out, err) = checked(words);
    assert_eq!(
        (code, line(&out, "verdict")),
        (status, verdict),
        "{words:?}: {out}{err}"
    );
    assert_eq!(err, "");
    out
}

pub fn assert_refused(words: &[&str], status: i32, message: &str) {
    let expected = (status, String::new(), format!("anchored: {message}\n"));
    assert_eq!(checked(words), expected, "{words:?}");
}

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("anchored-check.")
            .tempdir()
            .unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn file(&self, name: &str, mode: u32, bytes: impl AsRef<[u8]>) -> String {
        let (draft, path) = (self.path(&format!("{name}.draft")), self.path(name));
        std::fs::write(&draft, bytes).unwrap();
        copied(&draft, &path);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        path
    }

    pub fn script(&self, name: &str, interpreter: &str) -> String {
        self.file(name, 0o755, format!("#!{interpreter}\n"))
    }

    pub fn copy(&self, of: &str, name: &str) -> String {
        self.file(name, 0o755, std::fs::read(of).unwrap())
    }

    pub fn compiled(&self, name: &str, compiler: &str, arguments: &[&str]) -> String {
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

pub fn run(command: &mut Command) {
    let done = command.status().unwrap();
    assert!(done.success(), "{command:?}");
}

/// An ELF file of nothing but a header and one segment, which names the loader.
pub fn elf(bits: u8, machine: u16, loader: &str) -> Vec<u8> {
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

pub fn own_machine() -> u16 {
    if cfg!(target_arch = "x86_64") { 62 } else { 183 }
}

pub fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

/// The same as JSON.
pub fn json(words: &[&str]) -> (i32, Value) {
    let (status, out, err) = checked(&[&["--json"], words].concat());
    let value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    (status, value)
}
