//! Programs that nobody here wrote, run as their users run them; each with its control.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::process::Command;
use support::*;

/// Runs a program that echoes, with the library and without; kills the anchor; one dies, the other lives.
fn dies_and_its_control_lives(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) {
    let mut anchor = sibling();
    let mut host = Echo::spawn(anchored(Command::new(&program).args(arguments), anchor.pid())).armed();
    let mut control = Echo::spawn(without_library(Command::new(&program).args(arguments)));
    host.assert_lives();
    control.assert_lives();
    anchor.kill_and_reap();
    host.wait_for_end();
    control.assert_lives();
}

#[test]
fn sh() {
    dies_and_its_control_lives("sh", &["-c", "while read -r line; do echo \"$line\"; done"]);
}

// The shell has children of its own: both ends of the pipe are hosts.
#[test]
fn bash_with_a_pipeline() {
    dies_and_its_control_lives(
        "bash",
        &[
            "-c",
            "trap 'echo never >&2' USR1; cat | while read -r line; do echo \"$line\"; done",
        ],
    );
}

#[test]
fn perl() {
    dies_and_its_control_lives("perl", &["-e", "$| = 1; print while <STDIN>"]);
}

#[test]
fn node() {
    if have("node") {
        dies_and_its_control_lives("node", &["-e", "process.stdin.pipe(process.stdout)"]);
    }
}

/// A threaded server, asked over its socket, beside its echo.
const SERVER: &str = "import http.server, sys, threading\n\
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n\
    threading.Thread(target=server.serve_forever, daemon=True).start()\n\
    for line in sys.stdin: print(server.server_port if line == 'port\\n' else line.strip(), flush=True)\n";

#[test]
fn a_threaded_python_server() {
    dies_and_its_control_lives("/usr/bin/python3", &["-c", SERVER]);
    let mut anchor = sibling();
    let mut host = Echo::spawn(anchored(
        Command::new("/usr/bin/python3").args(["-c", SERVER]),
        anchor.pid(),
    ))
    .armed();
    host.send("port");
    let address = format!("127.0.0.1:{}", host.line());
    std::net::TcpStream::connect(&address).unwrap();
    anchor.kill_and_reap();
    host.wait_for_end();
    host.wait();
    assert!(
        std::net::TcpStream::connect(&address).is_err(),
        "the port is still held"
    );
}

/// The case this exists for. PyInstaller's one-file programs are two processes: the bootloader, which unpacks,
/// starts itself again as a child and waits, and the child, which is the program. Whoever kills the one that he
/// started keeps the other.
///
/// test -> sh (anchor) -> sidecar (bootloader) -> sidecar (the Python program)
#[test]
fn a_pyinstaller_one_file_program() {
    if ["venv", "libpython", "readelf"]
        .iter()
        .any(|program| !have(program))
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = build_sidecar(folder.path());
    for with_library in [true, false] {
        let variables = if with_library {
            "ANCHOR_PID=$$ LD_PRELOAD=$LIBRARY"
        } else {
            ""
        };
        let script = format!("exec 3<&0 </dev/null; {variables} \"$PROGRAM\" <&3 & wait");
        let mut command = Command::new("sh");
        without_library(command.args(["-c", &script]))
            .env("LIBRARY", LIBRARY.as_os_str())
            .env("PROGRAM", &program);
        let mut tree = Echo::spawn(&mut command);
        let line = tree.line();
        let numbers: Vec<i32> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [python, bootloader] = numbers[..] else {
            panic!("{line:?}")
        };
        assert_ne!(bootloader, tree.owned.pid(), "there is a bootloader in between");
        if with_library {
            wait_until_armed(python);
            wait_until_armed(bootloader);
        }
        tree.assert_lives();
        tree.owned.kill_and_reap();
        if with_library {
            tree.wait_for_end();
            wait_until("both are gone", || {
                [python, bootloader].iter().all(|pid| is_gone(*pid))
            });
        } else {
            tree.assert_lives();
            kill(Pid::from_raw(python), Signal::SIGKILL).unwrap();
            kill(Pid::from_raw(bootloader), Signal::SIGKILL).unwrap();
        }
    }
}

/// Dead; a zombie that waits for us counts.
fn is_gone(pid: i32) -> bool {
    matches!(state(Path::new(&format!("/proc/{pid}"))), None | Some('Z' | 'X'))
}

/// Builds the program with the PyInstaller of PyPI.
fn build_sidecar(folder: &Path) -> std::path::PathBuf {
    let source = "import os, sys\nprint(os.getpid(), os.getppid(), flush=True)\n\
        for line in sys.stdin: print(line, end='', flush=True)\n";
    std::fs::write(folder.join("sidecar.py"), source).unwrap();
    let environment = python::environment("pyinstaller", &["pyinstaller"]);
    let mut build = Command::new(environment.join("bin/pyinstaller"));
    build.args(["--onefile", "--log-level", "ERROR", "sidecar.py"]);
    python::succeeds(build.current_dir(folder));
    folder.join("dist/sidecar")
}
