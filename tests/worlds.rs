//! The basics in another world: other C libraries, other kernels. `scripts/worlds` makes the worlds, runs this file in
//! each of them, and draws the table; the first part of a test's name says what has to be there.
//!
//! - `LIBANCHOR_WORLD`: a root folder, in which hosts are started. Its `/mnt` has library, scripts, compiled programs.
//! - `LIBANCHOR_WORLD_LIBC`: the C library of the compiled programs, `gnu` or `musl`.
//! - `LIBANCHOR_WORLD_VERSION`, `LIBANCHOR_WORLD_KERNEL`: how the versions of those begin.
//! - `LIBANCHOR_WORLD_CALLS`: the number of the first system call that is too young for its kernel.

#![cfg(target_os = "linux")]

#[path = "worlds/deaths.rs"]
mod deaths;
#[path = "worlds/guests.rs"]
mod guests;
#[path = "worlds/launcher.rs"]
mod launcher;
mod support;
#[path = "worlds/userland.rs"]
mod userland;

use nix::sys::signal::Signal;
use once_cell::sync::Lazy;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::filter::{ALLOW, AT_LEAST, END, LOAD, filter};
use support::*;

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name}: not set: run scripts/worlds"))
}

static ROOT: Lazy<PathBuf> = Lazy::new(|| Path::new(&setting("LIBANCHOR_WORLD")).canonicalize().unwrap());
static LIBC: Lazy<String> = Lazy::new(|| setting("LIBANCHOR_WORLD_LIBC"));

/// The first system call that the world's kernel does not know, where that is made believe.
static UNKNOWN: Lazy<Option<u32>> = Lazy::new(|| setting("LIBANCHOR_WORLD_CALLS").parse().ok());

/// A program of `tests/programs`, as the world has it.
fn compiled_program(name: &str) -> String {
    format!("/mnt/{}/{name}", *LIBC)
}

/// A command in the world, without the library.
fn inside(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    without_library(command.args(&words[1..]))
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C");
    let root = CString::new(ROOT.as_os_str().as_bytes()).unwrap();
    let enter = move || {
        nix::unistd::chroot(root.as_c_str())?;
        Ok(nix::unistd::chdir(c"/")?)
    };
    // SAFETY: two system calls, nothing that allocates.
    unsafe { command.pre_exec(enter) };
    if let Some(first) = *UNKNOWN {
        let answer = (END, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
        filter(
            &mut command,
            [(LOAD, 0, 0, 0), (AT_LEAST, 0, 1, first), answer, ALLOW],
        );
    }
    command
}

/// Has a command of the world load the library, and whatever it starts.
fn with_library(command: &mut Command) -> &mut Command {
    command
        .env("LD_PRELOAD", "/mnt/libanchor.so")
        .env("ANCHOR_POLL", "10ms")
}

fn anchored_inside(command: &mut Command, anchor: i32) -> &mut Command {
    with_library(command).env("ANCHOR_PID", anchor.to_string())
}

/// A log that hosts in the world can write and this process can read.
struct Log(tempfile::TempDir);

impl Log {
    fn of(command: &mut Command) -> Self {
        let folder = tempfile::tempdir_in(ROOT.join("tmp")).unwrap();
        let name = folder.path().file_name().unwrap().to_str().unwrap();
        command.env("ANCHOR_LOG", format!("/tmp/{name}/log"));
        Self(folder)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.0.path().join("log")).unwrap_or_default()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

// test -> sleep (anchor)
//      -> host, control
fn ends_with_its_anchor(host: impl Fn() -> Command) {
    let mut anchor = sibling();
    let mut control = Echo::spawn(&mut host());
    let mut host = Echo::spawn(anchored_inside(&mut host(), anchor.pid())).armed();
    control.assert_lives();
    host.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    control.assert_lives();
}

/// Runs a command with an anchor and without the library: it says and returns the same. That it was armed is seen
/// from it having run at all.
fn answers_as_it_would(words: &[&str]) -> Output {
    let anchor = sibling();
    let without = inside(words).output().unwrap();
    let mut command = inside(words);
    anchored_inside(&mut command, anchor.pid()).env("ANCHOR_STRICT", "1");
    let with = command.output().unwrap();
    assert_eq!(text(&with.stdout), text(&without.stdout), "{words:?}");
    assert_eq!(text(&with.stderr), text(&without.stderr), "{words:?}");
    assert_eq!(with.status, without.status, "{words:?}");
    with
}

// Without which all the others would tell of this machine.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn the_world_is_what_it_is_called() {
    let loader = match LIBC.as_str() {
        "gnu" => "/lib/x86_64-linux-gnu/libc.so.6",
        _ => "/lib/ld-musl-x86_64.so.1",
    };
    let said = inside(&[loader]).output().unwrap();
    let said = text(&said.stdout) + &text(&said.stderr);
    let version = ["stable release version ", "Version "]
        .iter()
        .find_map(|before| said.split_once(before));
    let version = version.expect(&said).1;
    assert!(version.starts_with(&setting("LIBANCHOR_WORLD_VERSION")), "{said}");
    let kernel = text(&inside(&["/bin/uname", "-r"]).output().unwrap().stdout);
    assert!(kernel.starts_with(&setting("LIBANCHOR_WORLD_KERNEL")), "{kernel}");
    // What is compiled is for that C library, and loads what is in the world.
    let anchor = sibling();
    let mut host = inside(&[&compiled_program("echo")]);
    let host = Echo::spawn(anchored_inside(&mut host, anchor.pid())).armed();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", host.owned.pid())).unwrap();
    assert_eq!(maps.contains("linux-musl"), *LIBC == "musl", "{maps}");
    assert!(maps.contains("/mnt/libanchor.so"), "{maps}");
}
