//! What the tests stand on: the library that ships, trees of real processes, and how their end is seen.
//!
//! A positive waits for an event, with one generous ceiling; nothing sleeps for correctness. A negative is an
//! exchange: the host is `cat`, and its echo proves that it lives.

#![allow(dead_code)] // every test file uses its share

#[cfg(target_os = "linux")]
pub mod births;
#[cfg(target_os = "linux")]
pub mod elf;
#[cfg(target_os = "linux")]
pub mod filter;
#[cfg(target_os = "linux")]
pub mod lifeline;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub mod packages;
#[cfg(target_os = "linux")]
pub mod python;
#[cfg(target_os = "linux")]
pub mod stop;
#[cfg(target_os = "linux")]
pub mod terminal;
#[cfg(target_os = "linux")]
pub mod tree;
#[cfg(target_os = "linux")]
pub use linux::*;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus};
use nix::unistd::Pid;
use once_cell::sync::Lazy;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long anything is waited for. Only a test that fails ever sees it.
pub const CEILING: Duration = Duration::from_secs(60);

/// The project's folder, whichever package the test is of.
pub fn root() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders
        .find(|folder| folder.join("scripts/anchor-run").exists())
        .unwrap()
}

/// The release library, built once: what is tested is the file that ships. Where nothing can be built,
/// `LIBANCHOR_LIBRARY` is that file.
pub static LIBRARY: Lazy<PathBuf> = Lazy::new(|| {
    // A host that loses its parent becomes our child, so that its end can be seen whoever made it.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let file = std::env::var_os("LIBANCHOR_LIBRARY");
    file.map_or_else(
        || built(&target(), &[]),
        |file| Path::new(&file).canonicalize().unwrap(),
    )
});

/// The same sources with places to stop at, `src/stops.rs`. In a folder of its own: this is not what ships.
pub static LIBRARY_WITH_STOPS: Lazy<PathBuf> =
    Lazy::new(|| built(&target().join("stops"), &["--features", "stops"]));

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn built(target: &Path, arguments: &[&str]) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--quiet",
            "--lib",
            "--package",
            "libanchor",
            "--target-dir",
        ])
        .arg(target)
        .args(arguments)
        .current_dir(root())
        .status()
        .unwrap();
    assert!(built.success(), "the library could not be built");
    target.join("release").join(FILE).canonicalize().unwrap()
}

/// The library's file, and the variable that has a program load it.
const FILE: &str = if cfg!(target_os = "macos") {
    "libanchor.dylib"
} else {
    "libanchor.so"
};
pub const INJECTS: &str = if cfg!(target_os = "macos") {
    "DYLD_INSERT_LIBRARIES"
} else {
    "LD_PRELOAD"
};

/// Puts the library and an anchor into a command's environment.
pub fn anchored(command: &mut Command, anchor: impl ToString) -> &mut Command {
    without_library(command);
    command
        .env(INJECTS, LIBRARY.as_os_str())
        .env("ANCHOR_PID", anchor.to_string())
}

/// Removes every trace of the library from a command's environment: the control's.
pub fn without_library(command: &mut Command) -> &mut Command {
    Lazy::force(&LIBRARY);
    for variable in anchor_contract::VARIABLES {
        command.env_remove(variable.name);
    }
    command.env_remove(INJECTS)
}

/// A child that is killed when the test is over, however it is over.
pub struct Owned(pub Child);

impl Owned {
    pub fn pid(&self) -> i32 {
        self.0.id() as i32
    }

    pub fn kill(&mut self) {
        kill(Pid::from_raw(self.pid()), Signal::SIGKILL).unwrap();
    }

    pub fn kill_and_reap(&mut self) {
        self.kill();
        self.0.wait().unwrap();
    }

    pub fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// The number of the signal that it ends by.
    #[cfg(target_os = "linux")]
    pub fn ended_by(&mut self) -> i32 {
        wait_for_exit(self.pid());
        let status = self.0.wait().unwrap();
        std::os::unix::process::ExitStatusExt::signal(&status).expect("ended otherwise")
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An anchor that is nobody's parent: `test -> sleep (anchor)`.
pub fn sibling() -> Owned {
    Owned(
        without_library(Command::new("sleep").arg("1000"))
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

/// A host that echoes: its answers prove that it lives, the end of its output that it is dead (it alone holds the
/// write end; a watcher that kept it open would be caught here).
pub struct Echo {
    pub owned: Owned,
    input: Option<ChildStdin>,
    output: BufReader<Timed<ChildStdout>>,
}

impl Echo {
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(Timed(child.stdout.take().unwrap()));
        Self {
            owned: Owned(child),
            input,
            output,
        }
    }

    /// As [`Echo::spawn`], with descriptor 2 for whatever the test wants to be told.
    pub fn spawn_with_errors(command: &mut Command) -> (Self, Lines) {
        let mut echo = Self::spawn(command.stderr(Stdio::piped()));
        let errors = echo.owned.0.stderr.take().unwrap();
        (echo, Lines(BufReader::new(Timed(errors))))
    }

    pub fn close_input(&mut self) {
        self.input = None;
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Whether a line, or the end, is there to be read.
    pub fn has_something(&mut self) -> bool {
        if !self.output.buffer().is_empty() {
            return true;
        }
        let mut entry = [PollFd::new(self.output.get_ref().0.as_fd(), PollFlags::POLLIN)];
        poll(&mut entry, PollTimeout::ZERO).unwrap() > 0
    }

    pub fn send(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{text}").unwrap();
        input.flush().unwrap();
    }

    /// The exchange that proves life.
    pub fn assert_lives(&mut self) {
        self.send("are you there");
        assert_eq!(self.line(), "are you there");
    }

    /// Waits for the end of the output.
    pub fn wait_for_end(&mut self) {
        let mut rest = String::new();
        while self.output.read_line(&mut rest).unwrap() > 0 {}
    }

    /// Waits until the host is armed: its watcher has its name and nothing to do.
    #[cfg(target_os = "linux")]
    pub fn armed(mut self) -> Self {
        self.assert_lives();
        wait_until_armed(self.owned.pid());
        self
    }

    pub fn wait(&mut self) -> WaitStatus {
        wait(self.owned.pid())
    }
}

/// What a tree says beside its echo.
pub struct Lines(BufReader<Timed<std::process::ChildStderr>>);

impl Lines {
    /// All that is still to come.
    pub fn rest(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }

    pub fn number(&mut self) -> i32 {
        self.numbers()[0]
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    pub fn numbers(&mut self) -> Vec<i32> {
        self.line()
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect()
    }
}

/// Waits for a child of the test's to end. On Linux, any process of the tree: it becomes ours when its parent is gone.
///
/// RACE: 1. it is reaped here  2. its number is given to another process  3. its [`Owned`], which does not know of 1., ends
/// that one. So it stays a zombie, which keeps the number.
pub fn wait(pid: i32) -> WaitStatus {
    #[cfg(target_os = "linux")]
    wait_for_exit(pid);
    let deadline = Instant::now() + CEILING;
    loop {
        match status_of(Pid::from_raw(pid)) {
            // Not ours yet: its parent is still on its way out.
            Err(Errno::ECHILD) if Instant::now() < deadline => std::thread::yield_now(),
            Ok(WaitStatus::StillAlive) if Instant::now() < deadline => nap(),
            ended => return ended.unwrap(),
        }
    }
}

#[cfg(target_os = "linux")]
fn status_of(child: Pid) -> nix::Result<WaitStatus> {
    use nix::sys::wait::{Id, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(child), flags)
}

/// There nix has no waitid(2).
#[cfg(not(target_os = "linux"))]
fn status_of(child: Pid) -> nix::Result<WaitStatus> {
    nix::sys::wait::waitpid(child, Some(WaitPidFlag::WNOHANG))
}

/// Asserts that `pid` was ended by a signal.
pub fn assert_signalled(pid: i32, signal: Signal) {
    match wait(pid) {
        WaitStatus::Signaled(_, by, _) => assert_eq!(by, signal),
        other => panic!("{pid} ended otherwise: {other:?}"),
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

/// As [`wait_until`], for who says himself what was waited for in vain: whether it came.
pub fn comes_about(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + CEILING;
    while Instant::now() < deadline {
        if condition() {
            return true;
        }
        nap();
    }
    condition()
}

#[allow(clippy::disallowed_methods)] // the one place that sleeps, between two looks
pub fn nap() {
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

/// Whether a program that the tests need is there. Only `scripts/test --no-install` may leave one out, and says so.
pub fn have(program: &str) -> bool {
    let without = std::env::var("LIBANCHOR_TEST_WITHOUT").unwrap_or_default();
    if without.split(' ').any(|missing| missing == program) {
        left_out(&format!("{program} is missing"));
        return false;
    }
    true
}

/// A program of `tests/programs`, compiled once.
pub fn program(name: &str, arguments: &[&str]) -> PathBuf {
    compiled("cc", name, name, arguments)
}

/// The same by another compiler, as a file of another name.
pub fn compiled(compiler: &str, name: &str, file: &str, arguments: &[&str]) -> PathBuf {
    static COMPILED: Lazy<Mutex<BTreeSet<String>>> = Lazy::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap();
    // One folder a test file: cargo runs them one after the other, but other tools need not.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    let path = folder.join(file);
    if compiled.insert(file.to_owned()) {
        std::fs::create_dir_all(&folder).unwrap();
        let source = root().join(format!("tests/programs/{name}.c"));
        let done = Command::new(compiler)
            .args(["-O1", "-Wall", "-Wno-unused-result", "-o"])
            .args([&path, &source])
            .args(arguments)
            .status();
        assert!(done.unwrap().success(), "{name}.c does not compile");
    }
    path
}

/// A script that can be executed, made as [`copied`] makes programs.
pub fn written(text: &str, to: impl AsRef<Path>) {
    let source = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(source.path(), text).unwrap();
    std::fs::set_permissions(source.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    copied(source.path(), to);
}

/// A copy of a program, made by another process. RACE: 1. this one has the copy open for writing  2. another thread
/// forks, and its child has it open too  3. the copy is closed here and executed: "Text file busy". So not here.
pub fn copied(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let done = Command::new("cp").arg(from.as_ref()).arg(to.as_ref()).status();
    assert!(done.unwrap().success());
}
