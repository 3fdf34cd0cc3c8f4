//! What the tests of supervision stand on: real trees, and the end of a pipe that only they hold. After the root's
//! tests/support, with what these tests need.
//!
//! The guard lets go of the caller's descriptors, so the end of the output is the death of everybody else.

#![allow(dead_code)] // every test file uses its share

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use once_cell::sync::Lazy;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long anything is waited for. Only a test that fails ever sees it.
pub const CEILING: Duration = Duration::from_secs(60);

/// The program under test.
pub const ANCHORED: &str = env!("CARGO_BIN_EXE_anchored");

/// How often a kill is tried. 100 for a release (README).
pub fn rounds() -> usize {
    let said = std::env::var("LIBANCHOR_ROUNDS").ok();
    said.and_then(|rounds| rounds.parse().ok()).unwrap_or(10)
}

/// tests/programs/acts.c, which no library reaches.
pub static STATIC: Lazy<PathBuf> = Lazy::new(|| compiled("static", &["-static"]));
/// The same, which the library reaches.
pub static DYNAMIC: Lazy<PathBuf> = Lazy::new(|| compiled("dynamic", &[]));

fn compiled(name: &str, arguments: &[&str]) -> PathBuf {
    let path = folder().join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/acts.c");
    let done = Command::new("cc")
        .args(["-O1", "-Wall", "-Wno-unused-result", "-o"])
        .args([&path, &source])
        .args(arguments)
        .status();
    assert!(done.unwrap().success(), "acts.c does not compile");
    path
}

/// A folder of this test file's own.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// `anchored` with the library beside it, as an installation has it.
pub static INSTALLED: Lazy<PathBuf> = Lazy::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--lib", "--package", "libanchor"])
        .current_dir(root)
        .status();
    assert!(built.unwrap().success(), "the library could not be built");
    let folder = folder().join("installed");
    fs::create_dir_all(&folder).unwrap();
    let library = target.join("release/libanchor.so");
    copied(library, folder.join("libanchor.so"));
    let program = folder.join("anchored");
    copied(ANCHORED, &program);
    program
});

/// A command without any trace of the library or its settings.
pub fn plain(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    for variable in anchor_contract::VARIABLES {
        command.env_remove(variable.name);
    }
    command.env_remove(anchor_spawn::PRELOAD);
    command
}

/// `anchored --supervise`, with `options` and a command.
pub fn supervised(options: &[&str], command: &[&str]) -> Command {
    let mut anchored = plain(ANCHORED);
    anchored.arg("--supervise").args(options).arg("--").args(command);
    anchored
}

/// A child that is killed when the test is over, however it is over.
pub struct Owned(pub Child);

impl Owned {
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    pub fn kill_and_reap(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An anchor that is nobody's parent: `test -> sleep (anchor)`.
pub fn anchor() -> Owned {
    Owned(
        plain("sleep")
            .arg("1000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    )
}

/// Reads as far as there is something within the ceiling: a test that fails is to say so and not to hang.
pub struct Timed<R>(pub R);

impl<R: Read + AsFd> Read for Timed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut entry = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut entry, PollTimeout::try_from(CEILING).unwrap())? {
            0 => Err(std::io::ErrorKind::TimedOut.into()),
            _ => self.0.read(buffer),
        }
    }
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
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
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
