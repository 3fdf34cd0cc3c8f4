//! Trees of processes, seen from outside: who belongs to one, and how it is cleared away.

use super::{wait_until, without_library};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The top of a tree: no host, alive until it is killed, and a parent who waits for whoever has lost his. A PID
/// namespace, say, does not end before all who were in it are waited for.
const TOP: &str = "
import os, subprocess, sys, time
subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=open('out', 'w'), stderr=open('err', 'w'))
while True:
    try: os.wait()
    except ChildProcessError: time.sleep(0.01)
";

/// The top process of a tree that runs `words` in the folder that the caller sets, with its output in files there.
pub fn top(words: impl IntoIterator<Item = String>) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    without_library(command.args(["-c", TOP]).args(words)).stdin(Stdio::null());
    // SAFETY: one system call.
    unsafe { command.pre_exec(|| Ok(prctl::set_child_subreaper(true)?)) };
    command
}

/// A top process and everything below it.
pub struct Tree(pub Child);

impl Tree {
    /// The living processes below the top.
    pub fn processes(&self) -> BTreeSet<i32> {
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
    pub fn first(&self) -> i32 {
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
            // A look misses whoever's parent ends meanwhile.
            left.is_empty() && self.processes().is_empty()
        });
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
