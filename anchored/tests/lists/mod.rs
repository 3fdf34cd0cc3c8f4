//! What the tests of `--list` and `--sweep` stand on: anchors, hosts of many kinds, and what `anchored` says of them.
//!
//! Every test has anchors of its own and limits what it does by `--pid`: the processes of other tests are not its.

#![allow(dead_code)] // every test file uses its share

#[path = "../../../tests/support/linux.rs"]
mod linux;
pub use linux::*;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use once_cell::sync::Lazy;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything is waited for. Only a test that fails ever sees it.
pub const CEILING: Duration = Duration::from_secs(60);

/// The program under test.
pub const ANCHORED: &str = env!("CARGO_BIN_EXE_anchored");

/// The release library, built once: what is tested is the file that ships.
pub static LIBRARY: Lazy<PathBuf> = Lazy::new(|| {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--package", "libanchor"])
        .args([Path::new("--target-dir"), target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success(), "the library could not be built");
    target.join("release/libanchor.so").canonicalize().unwrap()
});

/// `waits`, with a dynamic loader and without.
pub static DYNAMIC: Lazy<PathBuf> = Lazy::new(|| compiled("waits", &[]));
pub static STATIC: Lazy<PathBuf> = Lazy::new(|| compiled("waits-static", &["-static"]));

fn compiled(file: &str, arguments: &[&str]) -> PathBuf {
    // One folder a test file: other tools run them at the same time.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(concat!("lists-", env!("CARGO_CRATE_NAME")));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(file);
    let done = Command::new("cc")
        .args(["-O1", "-Wall", "-pthread", "-o"])
        .arg(&path)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/waits.c"))
        .args(arguments)
        .status();
    assert!(done.unwrap().success(), "waits.c does not compile");
    path
}

/// A process that is killed when the test is over, however it is over.
pub struct Owned(pub Child);

impl Owned {
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    pub fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// Dead, and its number free.
    pub fn kill_and_reap(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// The number of the signal that it ends by.
    pub fn ended_by(&mut self) -> i32 {
        wait_for_exit(self.pid());
        self.0.wait().unwrap().signal().expect("ended otherwise")
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

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
    for variable in anchor_contract::VARIABLES {
        command.env_remove(variable.name);
    }
    command.env_remove("LD_PRELOAD").stdin(Stdio::null());
    command
}

/// A program of ours that is ready and echoes: its answers prove that it lives.
pub struct Host {
    pub owned: Owned,
    input: ChildStdin,
    output: BufReader<Timed>,
}

/// Reads as far as there is something within the ceiling.
struct Timed(ChildStdout);

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut entry = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut entry, PollTimeout::try_from(CEILING).unwrap())? {
            0 => Err(std::io::ErrorKind::TimedOut.into()),
            _ => self.0.read(buffer),
        }
    }
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

/// Waits for `condition`, which is asked again and again.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + CEILING;
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long: {what}");
        nap();
    }
}

#[allow(clippy::disallowed_methods)] // the one place that sleeps, between two looks
fn nap() {
    std::thread::sleep(Duration::from_millis(1));
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

/// Says that something was not tested, past cargo's capture of what a test says. In CI that is a failure.
pub fn left_out(what: &str) {
    let _ = writeln!(std::io::stderr(), "!! LEFT OUT: {what}");
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "left out under CI=true: {what}"
    );
}

/// A copy of a program, made by another process. RACE: 1. this one has the copy open for writing  2. another thread
/// forks, and its child has it open too  3. the copy is closed here and executed: "Text file busy". So not here.
pub fn copied(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let done = Command::new("cp").arg(from.as_ref()).arg(to.as_ref()).status();
    assert!(done.unwrap().success());
}
