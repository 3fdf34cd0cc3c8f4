//! What the tests of `--list` and `--sweep` stand on: anchors, hosts of many kinds, and what `anchored` says of them.
//!
//! Every test has anchors of its own and limits what it does by `--pid`: the processes of other tests are not its.

#![allow(dead_code)] // every test file uses its share

#[path = "../../../tests/support/mod.rs"]
mod common;
pub use common::*;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use once_cell::sync::Lazy;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The program under test.
pub const ANCHORED: &str = env!("CARGO_BIN_EXE_anchored");

/// `waits`, with a dynamic loader and without.
pub static DYNAMIC: Lazy<PathBuf> = Lazy::new(|| compiled("cc", "waits", "waits", &["-pthread"]));
pub static STATIC: Lazy<PathBuf> =
    Lazy::new(|| compiled("cc", "waits", "waits-static", &["-pthread", "-static"]));

/// An anchor that is nobody's parent: `test -> sleep (anchor)`.
pub struct Anchor {
    pub owned: Owned,
    /// `ANCHOR_ID`, which outlives it.
    pub id: String,
}

impl Anchor {
    pub fn new() -> Self {
        let owned = Owned(bare("sleep").arg("1000").spawn().unwrap());
        let id = identity(owned.pid());
        Self { owned, id }
    }

    pub fn pid(&self) -> i32 {
        self.owned.pid()
    }

    /// Gives a program this anchor's variables, and no library.
    pub fn cookie(&self, program: &Path) -> Command {
        let mut command = bare(program);
        command
            .env("ANCHOR_PID", self.pid().to_string())
            .env("ANCHOR_ID", &self.id)
            .env("ANCHOR_GRACE", "60s");
        command
    }

    /// The library too.
    pub fn injected(&self, program: &Path) -> Command {
        let mut command = self.cookie(program);
        command.env("LD_PRELOAD", LIBRARY.as_os_str());
        command
    }

    /// The identity of a process that had the number before, or would have it later.
    pub fn other_start(&self) -> String {
        let (namespace, start) = self.id.split_once(':').unwrap();
        format!("{namespace}:{}", start.parse::<u64>().unwrap() + 1)
    }

    /// The same process as it would be called in another PID namespace.
    pub fn other_namespace(&self) -> String {
        format!("1{}", self.id)
    }
}

/// A process that is older than an anchor, and is then told of it: as one that was told of whoever had the number before.
pub struct Older(Child);

impl Older {
    pub fn new() -> Self {
        let mut command = bare("sh");
        command.args(["-c", "IFS= read -r line; eval \"$line\""]);
        Self(
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// An anchor that is younger, by a tick of the clock at least.
    pub fn anchor(&self) -> Anchor {
        let own = identity(i32::try_from(self.0.id()).unwrap());
        let start = |id: &str| id.split_once(':').unwrap().1.parse::<u64>().unwrap();
        loop {
            let anchor = Anchor::new();
            if start(&anchor.id) > start(&own) {
                return anchor;
            }
        }
    }

    /// Becomes the command.
    pub fn start(mut self, command: &Command) -> Host {
        let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap());
        let mut line = "exec env".to_owned();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                line += &format!(" {}={}", name.to_str().unwrap(), quoted(value));
            }
        }
        line += &format!(" {}", quoted(command.get_program()));
        for word in command.get_args() {
            line += &format!(" {}", quoted(word));
        }
        let (mut input, output) = (self.0.stdin.take().unwrap(), self.0.stdout.take().unwrap());
        writeln!(input, "{line}").unwrap();
        Host::of(self.0, input, output)
    }
}

/// A command without any trace of the library.
pub fn bare(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    without_library(&mut command).stdin(Stdio::null());
    command
}

/// A program of ours that is ready and echoes: its answers prove that it lives.
pub struct Host {
    pub owned: Owned,
    input: ChildStdin,
    output: BufReader<Timed<ChildStdout>>,
}

impl Host {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self::of(child, input, output)
    }

    fn of(child: Child, input: ChildStdin, output: ChildStdout) -> Self {
        let mut host = Self {
            owned: Owned(child),
            input,
            output: BufReader::new(Timed(output)),
        };
        assert_eq!(host.line(), "ready");
        host
    }

    /// As [`Host::start`], with all that it starts: gone when the test is over.
    pub fn start_group(command: &mut Command) -> (Self, Group) {
        let host = Self::start(command.process_group(0));
        let group = Group(Pid::from_raw(host.pid()));
        (host, group)
    }

    pub fn armed(self) -> Self {
        wait_until_armed(self.pid());
        self
    }

    pub fn pid(&self) -> i32 {
        self.owned.pid()
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn rest(mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        rest
    }

    pub fn assert_lives(&mut self) {
        self.input.write_all(b"are you there\n").unwrap();
        assert_eq!(self.line(), "are you there");
    }

    /// Stops it, every thread of it.
    pub fn stop(&self) {
        self.owned.send(Signal::SIGSTOP);
        wait_until("a stopped process", || {
            state(Path::new(&format!("/proc/{}", self.pid()))) == Some('T')
        });
    }
}

/// A process group that is killed when the test is over.
pub struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

/// What `anchored` said: on stdout, on stderr, and its status.
pub struct Said {
    pub out: String,
    pub err: String,
    pub status: i32,
}

pub fn run(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().expect("anchored was ended by a signal"),
    }
}

/// `anchored --list` or `--sweep`, for the hosts of one anchor.
pub fn anchored(mode: &str, anchor: i32) -> Command {
    let mut command = bare(ANCHORED);
    command.args([mode, "--pid", &anchor.to_string()]);
    command
}

/// `--list --json`, by number.
pub fn listed(anchor: i32) -> BTreeMap<i32, serde_json::Value> {
    let said = run(anchored("--list", anchor).arg("--json"));
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&said.out).unwrap();
    let number = |row: &serde_json::Value| i32::try_from(row["pid"].as_i64().unwrap()).unwrap();
    rows.into_iter().map(|row| (number(&row), row)).collect()
}

/// `alive, thread` or `gone, not armed: static`; `-` where a process is not listed.
pub fn seen(rows: &BTreeMap<i32, serde_json::Value>, pid: i32) -> String {
    let Some(row) = rows.get(&pid) else {
        return "-".to_owned();
    };
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let why = row["why"]
        .as_str()
        .map_or_else(String::new, |why| format!(": {why}"));
    format!("{}, {}{why}", text("anchor_state"), text("armed"))
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
