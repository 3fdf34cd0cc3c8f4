//! `anchored` as `cargo install` installs it, and users with a home each.

use crate::support::*;
use nix::unistd::User;
use once_cell::sync::Lazy;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The folder that `cargo install` has installed into. What it builds it builds where the tests have built the rest,
/// from what they have downloaded.
static INSTALLED: Lazy<PathBuf> = Lazy::new(|| {
    Lazy::force(&LIBRARY);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedded");
    let done = Command::new(env!("CARGO"))
        .args([
            "install",
            "--path",
            "anchored",
            "--quiet",
            "--locked",
            "--offline",
            "--root",
        ])
        .arg(&folder)
        .current_dir(root())
        .status();
    assert!(done.unwrap().success(), "cargo install failed");
    let programs = fs::read_dir(folder.join("bin")).unwrap();
    let names: Vec<_> = programs.map(|program| program.unwrap().file_name()).collect();
    assert_eq!(names, ["anchored"]);
    folder
});

/// Somebody with a home, and nothing installed but `anchored`.
pub struct Somebody {
    folder: TempDir,
    id: Option<u32>,
}

/// Nobody has these numbers: so nobody's home is known but by `HOME`.
pub const STRANGER: u32 = 54_321;
pub const OTHER: u32 = 54_322;

impl Somebody {
    /// Whoever runs the tests.
    pub fn me() -> Self {
        Self::with(None)
    }

    /// An ordinary user, whom the user database does not know. `None`: only root can make one.
    pub fn stranger() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            left_out("another user: needs root");
            return None;
        }
        let known = |id: u32| User::from_uid(id.into()).unwrap().is_some();
        assert!(!known(STRANGER) && !known(OTHER));
        Some(Self::with(Some(STRANGER)))
    }

    fn with(id: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let somebody = Self { folder, id };
        fs::create_dir(somebody.path("bin")).unwrap();
        copied(INSTALLED.join("bin/anchored"), somebody.program());
        for own in ["home", "empty", "tmp"] {
            somebody.own(own, 0o755);
        }
        somebody
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub fn program(&self) -> PathBuf {
        self.path("bin/anchored")
    }

    /// Makes a folder of theirs.
    pub fn own(&self, name: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        chown(&path, self.id, self.id).unwrap();
        path
    }

    /// `anchored`, in an empty folder, with a home and not much else.
    pub fn anchored(&self) -> Command {
        let mut command = Command::new(self.program());
        without_library(&mut command)
            .env_remove("XDG_CACHE_HOME")
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .current_dir(self.path("empty"));
        if let Some(id) = self.id {
            command.uid(id).gid(id);
        }
        command
    }

    /// Where the copy belongs.
    pub fn cache(&self) -> PathBuf {
        self.path("home/.cache/libanchor")
    }

    /// The one file in a folder, with the library's bytes in it.
    pub fn copy_in(&self, folder: &Path) -> PathBuf {
        let files: Vec<_> = fs::read_dir(folder).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
        let file = files[0].as_ref().unwrap().path();
        let found = fs::symlink_metadata(&file).unwrap();
        assert!(found.is_file());
        assert_eq!(found.permissions().mode() & 0o7777, 0o400);
        assert_eq!(fs::read(&file).unwrap(), fs::read(&*LIBRARY).unwrap());
        file
    }

    /// Everything below a folder, with what can be changed of it.
    pub fn listing(&self, folder: &str) -> String {
        let output = Command::new("find")
            .arg(self.path(folder))
            .args(["-printf", "%p %y %U %m %s %T@ %C@\n"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// That a run was well and said nothing on stderr; what it said on stdout.
pub fn said(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    text(&output.stdout)
}
