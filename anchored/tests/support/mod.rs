//! What the tests of supervision stand on: real trees, and the end of a pipe that only they hold. After the root's
//! tests/support, with what these tests need.
//!
//! The guard lets go of the caller's descriptors, so the end of the output is the death of everybody else.

#![allow(dead_code)] // every test file uses its share

#[path = "../../../tests/support/mod.rs"]
mod common;
pub use common::*;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use once_cell::sync::Lazy;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// The program under test.
pub const ANCHORED: &str = env!("CARGO_BIN_EXE_anchored");

/// How often a kill is tried. 100 for a release (README).
pub fn rounds() -> usize {
    let said = std::env::var("LIBANCHOR_ROUNDS").ok();
    said.and_then(|rounds| rounds.parse().ok()).unwrap_or(10)
}

/// tests/programs/acts.c, which no library reaches.
pub static STATIC: Lazy<PathBuf> = Lazy::new(|| compiled("cc", "acts", "static", &["-static"]));
/// The same, which the library reaches.
pub static DYNAMIC: Lazy<PathBuf> = Lazy::new(|| compiled("cc", "acts", "dynamic", &[]));

/// A folder of this test file's own.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// `anchored` with the library beside it, as an installation has it.
pub static INSTALLED: Lazy<PathBuf> = Lazy::new(|| {
    let folder = folder().join("installed");
    fs::create_dir_all(&folder).unwrap();
    copied(&*LIBRARY, folder.join("libanchor.so"));
    let program = folder.join("anchored");
    copied(ANCHORED, &program);
    program
});

/// A command without any trace of the library or its settings.
pub fn plain(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    without_library(&mut command);
    command
}

/// `anchored --supervise`, with `options` and a command.
pub fn supervised(options: &[&str], command: &[&str]) -> Command {
    let mut anchored = plain(ANCHORED);
    anchored.arg("--supervise").args(options).arg("--").args(command);
    anchored
}

/// A tree with its front, what it is told and what it says.
pub struct Tree {
    pub front: Owned,
    pub input: Option<ChildStdin>,
    output: BufReader<Timed<ChildStdout>>,
}

impl Tree {
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(Timed(child.stdout.take().unwrap()));
        Self {
            front: Owned(child),
            input,
            output,
        }
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The number in a `ready` line, which must be next.
    pub fn ready(&mut self) -> i32 {
        let line = self.line();
        let number = line.strip_prefix("ready ").and_then(|number| number.parse().ok());
        number.unwrap_or_else(|| panic!("not ready: {line:?}"))
    }

    pub fn send(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{text}").unwrap();
        input.flush().unwrap();
    }

    /// The exchange that proves life, where the command is cat.
    pub fn assert_lives(&mut self) {
        self.send("are you there");
        assert_eq!(self.line(), "are you there");
    }

    /// Waits until nobody holds the output any more, and returns what was still said.
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        rest
    }

    pub fn signal(&self, number: i32) {
        signal(self.front.pid(), number);
    }

    pub fn guard(&self) -> i32 {
        guard_of(self.front.pid())
    }

    /// How the front ends.
    pub fn ends(&mut self) -> ExitStatus {
        ends(&mut self.front)
    }

    pub fn code(&mut self) -> i32 {
        let status = self.ends();
        assert_eq!(status.signal(), None, "{status:?}");
        status.code().unwrap()
    }
}

pub fn ends(owned: &mut Owned) -> ExitStatus {
    let mut status = None;
    wait_until("a process ends", || {
        status = owned.0.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// The guard below a front: by its name, which is its own when it has left the caller.
pub fn guard_of(front: i32) -> i32 {
    let mut guard = None;
    wait_until("there is a guard", || {
        let named = |pid: &i32| name(*pid).as_deref() == Some("anchor-guard");
        guard = children(front).into_iter().find(named);
        guard.is_some()
    });
    guard.unwrap()
}

/// By number: real-time signals have no other name.
pub fn signal(pid: i32, number: i32) {
    // SAFETY: numbers only.
    let sent = unsafe { libc::kill(pid, number) };
    assert_eq!(sent, 0, "signal {number} to {pid}");
}

pub fn kill_now(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

pub fn name(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

pub fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

/// The letter of proc_pid_stat(5). `None` where nobody has the number.
pub fn state(pid: i32) -> Option<char> {
    common::state(Path::new(&format!("/proc/{pid}")))
}

/// Whether it is gone, or dead and only not reaped.
pub fn is_gone(pid: i32) -> bool {
    matches!(state(pid), None | Some('Z' | 'X'))
}

pub fn status_field(pid: i32, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.unwrap().trim_start_matches(':').trim().to_owned()
}
