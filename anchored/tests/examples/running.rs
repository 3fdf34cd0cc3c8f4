//! One run of an example: a folder, and the tree below its `run`.
//!
//! `run` says who the anchor is (`anchor PID`), which ports are held (`port NUMBER`), whom the death does not concern
//! (`stays PID`), and `ready`.

use crate::support::tree::{Tree, top};
use crate::support::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An example, and what its test must know of it beyond what it says.
pub struct Example {
    /// Its folder.
    pub name: &'static str,
    /// What must be there, as `scripts/test` knows it.
    pub needs: &'static [&'static str],
    /// Programs of PyPI.
    pub packages: &'static [&'static str],
    /// The anchor's command line, where its tree cannot say its number: it has another one there.
    pub anchor: Option<&'static str>,
    /// Whether the anchor's death says nothing about a process of this command line.
    pub apart: fn(&str) -> bool,
    /// Whether a process of this command line stays, where nothing ends it: others come and go.
    pub steady: fn(&str) -> bool,
}

impl Example {
    pub const fn new(name: &'static str, needs: &'static [&'static str]) -> Self {
        Self {
            name,
            needs,
            packages: &[],
            anchor: None,
            apart: |_| false,
            steady: |_| true,
        }
    }

    pub fn folder(&self) -> PathBuf {
        root().join("examples").join(self.name)
    }

    /// Where it is built, once for all runs.
    pub fn build() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples")
    }

    /// Puts a command of the example into the environment that it is run in.
    fn environment<'c>(&self, command: &'c mut Command, installed: &Path) -> &'c mut Command {
        let mut path = installed.display().to_string();
        if !self.packages.is_empty() {
            let packages = python::environment("examples-packages", self.packages);
            path.push_str(&format!(":{}/bin", packages.display()));
        }
        path.push_str(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command
            .env_clear()
            .env("PATH", path)
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("EXAMPLES_BUILD", Self::build())
            .env("LIBANCHOR", installed.join("libanchor.so"))
    }

    /// Runs its `build.sh`.
    pub fn built(&self, arguments: &[&Path]) {
        if self.needs.iter().all(|need| have(need)) {
            let mut build = Command::new(self.folder().join("build.sh"));
            let installed = INSTALLED.parent().unwrap();
            let build = self.environment(build.args(arguments), installed);
            for (name, value) in std::env::vars_os() {
                // Where cargo, npm and pip have what they have fetched.
                let kept = [
                    "HOME",
                    "CARGO_HOME",
                    "CARGO_TARGET_DIR",
                    "RUSTUP_HOME",
                    "RUSTUP_TOOLCHAIN",
                ];
                if kept.iter().any(|kept| name == *kept) {
                    build.env(name, value);
                }
            }
            python::succeeds(build);
        }
    }
}

pub struct Running<'a> {
    // Dropped before the folder in which it runs.
    tree: Tree,
    example: &'a Example,
    pub folder: tempfile::TempDir,
    anchor: OnceCell<i32>,
    /// Who is above the anchor, and who stays.
    bystanders: BTreeSet<i32>,
    /// All others, at the moment when all was ready.
    hosts: BTreeSet<i32>,
}

impl<'a> Running<'a> {
    pub fn start(example: &'a Example, anchored: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("libanchor-").tempdir().unwrap();
        // For whoever becomes another user: nothing of it is to be closed.
        for (name, mode) in [("", 0o755), ("bin", 0o755), ("tmp", 0o1777), ("work", 0o755)] {
            let path = folder.path().join(name);
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let bin = folder.path().join("bin");
        for name in ["anchored", "libanchor.so"] {
            copied(INSTALLED.with_file_name(name), bin.join(name));
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut command = top([example.folder().join("run").display().to_string()]);
        example
            .environment(&mut command, &bin)
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path().join("tmp"))
            .current_dir(folder.path().join("work"));
        if !anchored {
            command.env("ANCHOR_DISABLE", "1");
        }
        Self {
            tree: Tree(command.spawn().unwrap()),
            example,
            folder,
            anchor: OnceCell::new(),
            bystanders: BTreeSet::new(),
            hosts: BTreeSet::new(),
        }
    }

    /// Waits until all of it runs, and looks who is who.
    pub fn ready(mut self) -> Self {
        wait_until(&format!("{} is ready", self.example.name), || {
            let ready = self.said("out").lines().any(|line| line == "ready");
            let over = !ready && self.said("out").len() + self.said("err").len() > 0;
            let over = over && self.tree.processes().is_empty();
            assert!(!over, "ended at once: {}{}", self.said("out"), self.said("err"));
            // Who says `ready` need not be who says who the anchor is.
            ready && (self.example.anchor.is_some() || !self.numbers("anchor").is_empty())
        });
        // Until `anchored --release` has become the program, it is a host of the tree.
        let is_released = |pid: i32| !command_line(pid).starts_with("anchored ");
        wait_until("who stays is released", || {
            self.numbers("stays").into_iter().all(is_released)
        });
        let mut above = parent(self.anchor());
        while above > 1 && above != self.tree.0.id() as i32 {
            self.bystanders.insert(above);
            above = parent(above);
        }
        self.bystanders.extend(self.numbers("stays"));
        for pid in self.tree.processes() {
            let steady = (self.example.steady)(&command_line(pid));
            if steady && !self.is_bystander(pid) && pid != self.anchor() {
                self.hosts.insert(pid);
            }
        }
        assert!(!self.hosts.is_empty(), "nobody is below the anchor");
        self
    }

    pub fn said(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join("work").join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The numbers that it has said of this kind.
    fn numbers(&self, kind: &str) -> Vec<i32> {
        let said = self.said("out");
        let numbers = said
            .lines()
            .filter_map(|line| line.strip_prefix(kind)?.trim().parse().ok());
        numbers.collect()
    }

    pub fn ports(&self) -> Vec<u16> {
        let numbers = self.numbers("port").into_iter();
        numbers.map(|number| u16::try_from(number).unwrap()).collect()
    }

    fn anchor(&self) -> i32 {
        *self.anchor.get_or_init(|| match self.example.anchor {
            None => self.numbers("anchor")[0],
            Some(wanted) => {
                let mut all = self.tree.processes().into_iter();
                all.find(|pid| command_line(*pid) == wanted)
                    .expect("there is an anchor")
            }
        })
    }

    fn is_bystander(&self, pid: i32) -> bool {
        self.bystanders.contains(&pid) || (self.example.apart)(&command_line(pid))
    }

    pub fn kill_anchor(&self) {
        kill(Pid::from_raw(self.anchor()), Signal::SIGKILL).unwrap();
        wait_for_exit(self.anchor());
    }

    /// Whether nobody is there any more who should not be, whenever he was born. RACE: a look at all processes misses one
    /// whose parent ends meanwhile; so those that are known are asked for one by one.
    pub fn is_gone(&self) -> bool {
        let known = self.hosts.iter().all(|pid| is_gone(*pid));
        known
            && self
                .tree
                .processes()
                .into_iter()
                .all(|pid| self.is_bystander(pid))
    }

    pub fn assert_who_stays_lives(&self) {
        for pid in self.numbers("stays") {
            assert!(!is_gone(pid), "{pid} was to stay: {}", self.said("err"));
        }
    }

    /// The control's: whoever was there when all was ready still is.
    pub fn assert_all_live(&self) {
        let there = self.tree.processes();
        assert!(!there.contains(&self.anchor()), "the control's anchor lives");
        for pid in &self.hosts {
            assert!(there.contains(pid), "of the control, {pid} is gone");
        }
        for port in self.ports() {
            assert!(answers(port), "of the control, port {port} is free");
        }
        self.assert_who_stays_lives();
    }
}

pub fn answers(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .replace('\0', " ")
        .trim_end()
        .to_owned()
}

fn parent(pid: i32) -> i32 {
    status_field(pid, "PPid").parse().unwrap()
}
