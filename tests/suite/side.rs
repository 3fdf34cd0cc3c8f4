//! One run of a case: a folder, a port, and perhaps an anchor.

use crate::Case;
use crate::support::tree::{Tree, top};
use crate::support::*;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, setsockopt, socket, sockopt,
};
use once_cell::sync::Lazy;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The library where every user can read it.
static READABLE: Lazy<(tempfile::TempDir, PathBuf)> = Lazy::new(|| {
    let folder = tempfile::Builder::new()
        .prefix("libanchor-suite-")
        .tempdir()
        .unwrap();
    open_to_all(folder.path());
    let path = folder.path().join("libanchor.so");
    std::fs::copy(&*LIBRARY, &path).unwrap();
    open_to_all(&path);
    (folder, path)
});

fn open_to_all(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// One of the two: a folder, a port, and perhaps an anchor.
pub struct Side<'a> {
    pub case: &'a Case,
    folder: tempfile::TempDir,
    port: u16,
    _reservation: OwnedFd,
    pub anchor: Option<Owned>,
}

impl<'a> Side<'a> {
    pub fn new(case: &'a Case, anchor: Option<Owned>) -> Self {
        let folder = tempfile::Builder::new().prefix("libanchor-").tempdir().unwrap();
        open_to_all(folder.path());
        for (name, text) in &case.files {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            open_to_all(&path);
        }
        std::fs::write(folder.path().join("log"), "").unwrap();
        std::fs::set_permissions(folder.path().join("log"), std::fs::Permissions::from_mode(0o666)).unwrap();
        let (port, reservation) = reserved_port();
        let side = Self {
            case,
            folder,
            port,
            _reservation: reservation,
            anchor,
        };
        if let Some(user) = &case.user {
            let id = user_id(user);
            std::os::unix::fs::chown(side.folder.path(), Some(id.0), Some(id.1)).unwrap();
        }
        if let Some(setup) = &case.setup {
            let output = side
                .common(Command::new("sh").args(["-ec", setup]))
                .output()
                .unwrap();
            assert!(output.status.success(), "{}: setup: {output:?}", case.name);
        }
        side
    }

    pub fn common<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        without_library(command)
            .current_dir(self.folder.path())
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.folder.path())
            .env("T", self.folder.path())
            .env("PORT", self.port.to_string())
    }

    /// The words of a command that runs `script` as the right user, as a host if this side has an anchor.
    fn words(&self, script: &str) -> Vec<String> {
        let case = self.case;
        let mut words = Vec::new();
        if let Some(user) = &case.user {
            let (user, group) = user_id(user);
            words.extend(
                [
                    "setpriv",
                    "--reuid",
                    &user.to_string(),
                    "--regid",
                    &group.to_string(),
                    "--clear-groups",
                ]
                .map(str::to_owned),
            );
        }
        words.push("env".into());
        words.extend(case.env.iter().map(|(name, value)| format!("{name}={value}")));
        let theirs = case.before.as_ref().map(|path| {
            let output = Command::new("sh")
                .args(["-c", &format!("echo {path}")])
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        });
        match (&self.anchor, theirs) {
            (Some(anchor), theirs) => {
                let ours = READABLE.1.display();
                words.push(format!(
                    "LD_PRELOAD={}",
                    theirs.map_or(ours.to_string(), |path| format!("{path}:{ours}"))
                ));
                words.push(format!("ANCHOR_LOG={}", self.folder.path().join("log").display()));
                if !case.anchor_is_parent {
                    words.push(format!("ANCHOR_PID={}", anchor.pid()));
                }
            }
            (None, Some(path)) => words.push(format!("LD_PRELOAD={path}")),
            (None, None) => {}
        }
        words.extend(["sh", "-c", script].map(str::to_owned));
        words
    }

    /// Replaces what is this side's alone.
    pub fn plain(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "$T")
            .replace(&self.port.to_string(), "$PORT")
    }

    pub fn file(&self, name: &str) -> String {
        self.plain(&String::from_utf8_lossy(
            &std::fs::read(self.folder.path().join(name)).unwrap_or_default(),
        ))
    }

    pub fn run(&self, script: &str) -> String {
        // Its output goes to files: what daemonises and keeps a pipe open would hold the test.
        let to = |name| std::fs::File::create(self.folder.path().join(name)).unwrap();
        let mut command = Command::new("timeout");
        command
            .args(["--foreground", "-k", "5", "120"])
            .args(self.words(script));
        let status = self
            .common(&mut command)
            .stdin(Stdio::null())
            .stdout(to("out"))
            .stderr(to("err"))
            .status();
        format!(
            "{:?}\n{}\n-- stderr\n{}",
            status.unwrap(),
            self.file("out"),
            self.file("err")
        )
    }

    pub fn stay(&self, script: &str) -> Tree {
        let mut words = Vec::new();
        if self.case.anchor_is_parent {
            let parent = "export ANCHOR_PID=$$; \"$@\" & wait $!";
            words.extend(["sh", "-c", parent, "sh"].map(str::to_owned));
        }
        words.extend(self.words(script));
        let mut command = top(words);
        self.common(&mut command);
        for name in ["out", "err"] {
            std::fs::write(self.folder.path().join(name), "").unwrap();
        }
        let tree = Tree(command.spawn().unwrap());
        wait_until("somebody below the top", || !tree.processes().is_empty());
        wait_until(&format!("{}: ready", self.case.name), || {
            let out = self.file("out");
            let ready = || self.file("out").lines().any(|line| line.trim_end() == "ready");
            let over = tree.processes().is_empty() && !ready();
            assert!(
                !over,
                "{}: ended at once: {out}{}",
                self.case.name,
                self.file("err")
            );
            ready()
        });
        tree
    }
}

/// A port that nobody else is given while the descriptor is open. KERNEL: who sets SO_REUSEADDR too, as servers do, binds to
/// it all the same, since nobody listens; whoever asks for any port, or connects from any, gets another. socket(7)
fn reserved_port() -> (u16, OwnedFd) {
    let held = socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
    .unwrap();
    setsockopt(&held, sockopt::ReuseAddr, &true).unwrap();
    bind(held.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
    let port = getsockname::<SockaddrIn>(held.as_raw_fd()).unwrap().port();
    (port, held)
}

fn user_id(name: &str) -> (u32, u32) {
    let user = nix::unistd::User::from_name(name)
        .unwrap()
        .unwrap_or_else(|| panic!("no user {name}"));
    (user.uid.as_raw(), user.gid.as_raw())
}
