//! The guest suite: programs that nobody here wrote, each run as its users run it, with the library and without.
//! The programs are data (`tests/suite/*.toml`); here is what is done with each:
//!
//! 1. `run`: to its end, twice. Standard output, standard error and exit status are the same.
//! 2. `stay`: until it says `ready`, twice. Every process of the one tree has the descriptors, environment, signals,
//!    ids, limits and directories of its twin in the other. Then the anchor is killed: of the one tree nothing is left,
//!    of the other nothing is gone.
//!
//! `LIBANCHOR_WRITE=1` writes the table of results to docs/hosts.md (`scripts/hosts` does that).

mod support;

use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use once_cell::sync::Lazy;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use support::*;

#[derive(Deserialize)]
struct Table {
    /// What the table of results calls this group.
    title: String,
    case: Vec<Case>,
}

/// One program. Scripts are for `sh`, with `$T`, a folder of its own that is also the working directory, and `$PORT`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What is run, for a reader.
    name: String,
    /// What must be there, as `scripts/test` knows it.
    #[serde(default)]
    needs: Vec<String>,
    /// Prints the program's version.
    version: Option<String>,
    /// Run as this user; else as the one who runs the tests.
    user: Option<String>,
    /// Files of `$T`.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Run before, without the library, as the user who runs the tests.
    setup: Option<String>,
    run: Option<String>,
    stay: Option<String>,
    /// Run after all is over, without the library; its output is compared with `expect`.
    after: Option<String>,
    #[serde(default)]
    expect: String,
    /// The anchor is the parent of what is run, and not a stranger.
    #[serde(default)]
    anchor_is_parent: bool,
    /// Further variables.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Preloaded before the library.
    before: Option<String>,
    /// The library does not reach it: it stays when its anchor dies.
    #[serde(default)]
    unaffected: bool,
    /// Its processes are not compared one by one, and why.
    not_compared: Option<String>,
    /// Each of these texts is in the log.
    #[serde(default)]
    log: Vec<String>,
    /// How often both is done; once if it is not said.
    repeat: Option<u32>,
    /// What a reader of the table should know.
    #[serde(default)]
    note: String,
}

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
struct Side<'a> {
    case: &'a Case,
    folder: tempfile::TempDir,
    port: u16,
    anchor: Option<Owned>,
}

impl<'a> Side<'a> {
    fn new(case: &'a Case, anchor: Option<Owned>) -> Self {
        let folder = tempfile::Builder::new().prefix("libanchor-").tempdir().unwrap();
        open_to_all(folder.path());
        for (name, text) in &case.files {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            open_to_all(&path);
        }
        std::fs::write(folder.path().join("log"), "").unwrap();
        std::fs::set_permissions(folder.path().join("log"), std::fs::Permissions::from_mode(0o666)).unwrap();
        // Free now, and not given to anybody else for a while.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let side = Self {
            case,
            folder,
            port,
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

    fn common<'c>(&self, command: &'c mut Command) -> &'c mut Command {
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
    fn plain(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "$T")
            .replace(&self.port.to_string(), "$PORT")
    }

    fn file(&self, name: &str) -> String {
        self.plain(&String::from_utf8_lossy(
            &std::fs::read(self.folder.path().join(name)).unwrap_or_default(),
        ))
    }

    fn run(&self, script: &str) -> String {
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

    fn stay(&self, script: &str) -> Tree {
        let mut command = Command::new("sh");
        // The top of the tree: no host, alive until the end, and the parent of whoever loses his.
        let top = "\"$@\" </dev/null >\"$T/out\" 2>\"$T/err\" & wait $!; read -r _";
        let parent = "export ANCHOR_PID=$$; \"$@\" & wait $!";
        command.args(["-c", top, "sh"]);
        if self.case.anchor_is_parent {
            command.args(["sh", "-c", parent, "sh"]);
        }
        command.args(self.words(script));
        self.common(&mut command).stdin(Stdio::piped());
        // SAFETY: one system call.
        unsafe { command.pre_exec(|| Ok(prctl::set_child_subreaper(true)?)) };
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

fn user_id(name: &str) -> (u32, u32) {
    let user = nix::unistd::User::from_name(name)
        .unwrap()
        .unwrap_or_else(|| panic!("no user {name}"));
    (user.uid.as_raw(), user.gid.as_raw())
}

/// A top process and everything below it.
struct Tree(Child);

impl Tree {
    /// The living processes below the top.
    fn processes(&self) -> BTreeSet<i32> {
        let mut parents = BTreeMap::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<i32>().ok())
            else {
                continue;
            };
            let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
                continue;
            };
            let mut fields = stat.rsplit_once(") ").unwrap().1.split(' ');
            let (state, parent) = (fields.next().unwrap(), fields.next().unwrap());
            if state != "Z" && state != "X" {
                parents.insert(pid, parent.parse::<i32>().unwrap());
            }
        }
        let mut found = BTreeSet::from([self.0.id() as i32]);
        loop {
            let more: Vec<i32> = parents
                .iter()
                .filter(|(pid, parent)| found.contains(parent) && !found.contains(pid))
                .map(|(pid, _)| *pid)
                .collect();
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        found.remove(&(self.0.id() as i32));
        found
    }

    /// The anchor where it is the parent of what is run.
    fn first(&self) -> i32 {
        *self.processes().first().unwrap()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // Whoever appears while the others are killed is found in the next round.
        wait_until("a tree is cleared away", || {
            let left = self.processes();
            left.iter()
                .for_each(|pid| kill(Pid::from_raw(*pid), Signal::SIGKILL).unwrap_or_default());
            left.is_empty()
        });
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a process can see of itself, or anybody of it, as lines; `None` if it has just ended.
fn facts(pid: i32, side: &Side) -> Option<String> {
    const STATUS: [&str; 18] = [
        "Name:",
        "Umask:",
        "Uid:",
        "Gid:",
        "FDSize:",
        "Groups:",
        "SigPnd:",
        "ShdPnd:",
        "SigBlk:",
        "SigIgn:",
        "SigCgt:",
        "CapInh:",
        "CapPrm:",
        "CapEff:",
        "CapBnd:",
        "CapAmb:",
        "NoNewPrivs:",
        "Seccomp:",
    ];
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let read = |name: &str| {
        std::fs::read(folder.join(name))
            .ok()
            .map(|bytes| side.plain(&String::from_utf8_lossy(&bytes)))
    };
    let status = read("status")?;
    let mut lines: Vec<String> = status
        .lines()
        .filter(|line| STATUS.iter().any(|name| line.starts_with(name)))
        .map(str::to_owned)
        .collect();
    for folder_name in ["cwd", "root"] {
        let to = std::fs::read_link(folder.join(folder_name)).ok()?;
        lines.push(format!("{folder_name} {}", side.plain(&to.display().to_string())));
    }
    let mut open = Vec::new();
    for fd in std::fs::read_dir(folder.join("fd")).ok()?.flatten() {
        let to = std::fs::read_link(fd.path()).ok()?.display().to_string();
        // A pipe's, a socket's or a terminal's number says nothing.
        let to = to.split(":[").next().unwrap_or_default();
        let to = if to.starts_with("/dev/pts/") {
            "/dev/pts"
        } else {
            to
        };
        open.push(format!("fd {} {}", fd.file_name().display(), side.plain(to)));
    }
    open.sort();
    let mut variables: Vec<String> = read("environ")?
        .split('\0')
        // Some programs write their status over it; a connection's ports are by chance.
        .filter(|entry| {
            let left_out = ["ANCHOR_", "LD_PRELOAD=", "SSH_CLIENT=", "SSH_CONNECTION="];
            entry.contains('=') && !left_out.iter().any(|name| entry.starts_with(name))
        })
        // LISTEN_PID, say.
        .map(|entry| format!("env {}", entry.replace(&format!("={pid}"), "=$$")))
        .collect();
    variables.sort();
    lines.extend(open);
    lines.extend(variables);
    lines.extend(read("limits")?.lines().map(str::to_owned));
    Some(lines.join("\n"))
}

fn all_facts(tree: &Tree, side: &Side) -> Vec<String> {
    let mut all: Vec<String> = tree
        .processes()
        .into_iter()
        .filter_map(|pid| facts(pid, side))
        .collect();
    all.sort();
    all
}

/// What became of a case, or in which way it failed.
fn outcome(case: &Case) -> Result<(), String> {
    let (with, without) = (Side::new(case, Some(sibling())), Side::new(case, None));
    let same = |what: &str, with: &str, without: &str| match with == without {
        true => Ok(()),
        false => Err(format!(
            "{what} differs\n-- with the library\n{with}\n-- without\n{without}"
        )),
    };
    if let Some(script) = &case.run {
        let (got, wanted) = (with.run(script), without.run(script));
        same("what it says", &got, &wanted)?;
        if !got.contains("unix_wait_status(0)") {
            return Err(format!("it fails with the library and without\n{got}"));
        }
    }
    let mut with = with;
    if let Some(script) = &case.stay {
        let (tree, control) = (with.stay(script), without.stay(script));
        if case.not_compared.is_none() {
            // What has said "ready" may still be on its way to where it rests.
            let (mut got, mut wanted) = (Vec::new(), Vec::new());
            let same = comes_about(|| {
                (got, wanted) = (all_facts(&tree, &with), all_facts(&control, &without));
                got == wanted
            });
            if !same {
                return Err(difference(&got, &wanted));
            }
        }
        let before = control.processes();
        if case.anchor_is_parent {
            kill(Pid::from_raw(tree.first()), Signal::SIGKILL).unwrap();
        } else {
            with.anchor.as_mut().unwrap().kill_and_reap();
        }
        if case.unaffected {
            let left = tree.processes();
            if left.len() != before.len() {
                return Err(format!("{} of {} processes are left", left.len(), before.len()));
            }
        } else {
            wait_until(&format!("{}: nothing is left", case.name), || {
                tree.processes().is_empty()
            });
        }
        let gone: Vec<_> = before.difference(&control.processes()).copied().collect();
        if !gone.is_empty() && case.not_compared.is_none() {
            return Err(format!("of the control, {gone:?} are gone"));
        }
    }
    let log = with.file("log");
    for text in &case.log {
        if !log.contains(text) {
            return Err(format!("{text:?} is not in the log\n{log}"));
        }
    }
    if let Some(script) = &case.after {
        let output = with
            .common(Command::new("sh").args(["-c", script]))
            .output()
            .unwrap();
        same(
            "what is found afterwards",
            String::from_utf8_lossy(&output.stdout).trim(),
            case.expect.trim(),
        )?;
    }
    Ok(())
}

fn difference(got: &[String], wanted: &[String]) -> String {
    let lines = |all: &[String]| -> Vec<String> {
        all.iter()
            .flat_map(|one| {
                let name = one.lines().next().unwrap_or_default().to_owned();
                one.lines()
                    .map(move |line| format!("{name}: {line}"))
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let (got, wanted) = (lines(got), lines(wanted));
    let mut left = wanted.clone();
    let more: Vec<_> = got
        .into_iter()
        .filter(|line| match left.iter().position(|other| other == line) {
            Some(place) => {
                left.remove(place);
                false
            }
            None => true,
        })
        .collect();
    format!(
        "its processes differ\n-- only with the library\n{}\n-- only without\n{}",
        more.join("\n"),
        left.join("\n")
    )
}

/// The finished rows, for docs/hosts.md.
static ROWS: Lazy<Mutex<BTreeMap<String, Vec<String>>>> = Lazy::new(Mutex::default);

fn version(case: &Case) -> String {
    let Some(script) = &case.version else {
        return "-".into();
    };
    let output = without_library(Command::new("sh").args(["-c", script]))
        .output()
        .unwrap();
    let all = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&all)
        .lines()
        .next()
        .unwrap_or("-")
        .trim()
        .to_owned()
}

fn row(case: &Case) -> String {
    let user = case.user.as_deref().unwrap_or("root");
    let end = match (&case.stay, case.unaffected) {
        (None, _) => "ended by itself",
        (Some(_), true) => "stays: not reached",
        (Some(_), false) => "gone",
    };
    format!(
        "| {} | {} | {user} | same | {end} | {} |",
        case.name,
        version(case),
        case.note
    )
}

fn table(text: &str) {
    let table: Table = toml::from_str(text).unwrap();
    let only = std::env::var("LIBANCHOR_CASE").ok();
    let (mut failed, mut rows) = (Vec::new(), Vec::new());
    for case in &table.case {
        if only
            .as_ref()
            .is_some_and(|only| !case.name.contains(only.as_str()))
        {
            continue;
        }
        if !case.needs.iter().all(|need| have(need)) {
            continue;
        }
        if !nix::unistd::geteuid().is_root() && case.user.is_some() {
            eprintln!(
                "!! LEFT OUT: {}: needs root, to be {}",
                case.name,
                case.user.as_deref().unwrap_or_default()
            );
            continue;
        }
        // At once, not with the other output: whoever waits sees for what.
        let _ = writeln!(std::io::stderr(), "{}", case.name);
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..case.repeat.unwrap_or(1)).try_for_each(|_| outcome(case))
        })) {
            Ok(Ok(())) => rows.push(row(case)),
            Ok(Err(why)) => failed.push(format!("== {}: {why}", case.name)),
            Err(panic) => {
                let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                failed.push(format!("== {}: {why}", case.name));
            }
        }
    }
    println!("{}\n{}", table.title, rows.join("\n"));
    ROWS.lock().unwrap().insert(table.title, rows);
    assert!(
        failed.is_empty(),
        "{} failed\n{}",
        failed.len(),
        failed.join("\n")
    );
}

macro_rules! tables {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            table(include_str!(concat!("suite/", stringify!($name), ".toml")));
        }
    )* };
}

tables! { languages servers sandboxes browsers tools edges }
