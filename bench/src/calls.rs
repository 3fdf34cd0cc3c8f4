//! The system calls at load: strace(1) of a program that does nothing, with the library and with an empty one in its
//! place, until everything has come to rest.

use crate::kernel::{self, CEILING, rest};
use crate::programs::Programs;
use crate::results::Call;
use crate::start::bystander::{Bystander, identity_of};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub const LOADER: &str = "an empty library, over none";
pub const UNSET: &str = "`ANCHOR_PID` unset, over an empty library";
pub const SET: &str = "an anchor that is no relation, over an empty library";
pub const PARENT: &str = "the anchor is the parent, over an empty library";
pub const LIVES: [&str; 4] = [LOADER, UNSET, SET, PARENT];

/// Why each is made: `NAME = REASON`, one a line.
const REASONS: &str = include_str!("../calls.txt");

pub fn reason(call: &str) -> Option<&'static str> {
    let mut all = REASONS.lines().filter_map(|line| line.split_once(" = "));
    all.find(|(name, _)| *name == call).map(|(_, reason)| reason)
}

/// Calls by name: by the host's own thread and by another.
type Counts = BTreeMap<String, (i64, i64)>;

pub fn list(programs: &Programs, folder: &Path) -> Result<Vec<Call>, String> {
    let bystander = Bystander::start()?;
    let anchor: Vec<(String, String)> = bystander
        .variables()?
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let trace = Trace {
        still: &programs.still,
        file: folder.join("strace"),
    };
    let none = trace.run(None, &[], false)?;
    let empty = trace.run(Some(&programs.empty), &[], false)?;
    let lives = [
        (LOADER, &none, empty.clone()),
        (UNSET, &empty, trace.run(Some(&programs.library), &[], false)?),
        (SET, &empty, trace.run(Some(&programs.library), &anchor, false)?),
        (PARENT, &empty, trace.run(Some(&programs.library), &[], true)?),
    ];
    let mut all = Vec::new();
    for (life, over, mut counts) in lives {
        for (name, (by_host, by_watcher)) in over {
            let more = counts.entry(name.clone()).or_default();
            more.0 -= by_host;
            more.1 -= by_watcher;
        }
        counts.retain(|_, more| *more != (0, 0));
        all.extend(counts.into_iter().map(|(name, (by_host, by_watcher))| Call {
            life: life.into(),
            name,
            by_host,
            by_watcher,
        }));
    }
    Ok(all)
}

struct Trace<'p> {
    still: &'p Path,
    file: std::path::PathBuf,
}

impl Trace<'_> {
    /// `parent`: the anchor is strace itself, which forks the program. It is a shell before, that is told who it is.
    fn run(
        &self,
        library: Option<&Path>,
        variables: &[(String, String)],
        parent: bool,
    ) -> Result<Counts, String> {
        let script = "read -r id; file=$1 program=$2 library=$3 parent=$4; shift 4; \
            [ \"$parent\" = no ] || set -- -E ANCHOR_PID=$$ -E ANCHOR_ID=\"$id\"; \
            [ -z \"$library\" ] || set -- -E LD_PRELOAD=\"$library\" \"$@\"; \
            exec strace -f -qq -o \"$file\" \"$@\" \"$program\"";
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "strace"])
            .arg(&self.file)
            .arg(self.still);
        command
            .arg(library.unwrap_or(Path::new("")))
            .arg(if parent { "yes" } else { "no" });
        for (name, value) in variables {
            command.arg("-E").arg(format!("{name}={value}"));
        }
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let mut strace = command
            .env_clear()
            .env("PATH", path)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|why| format!("strace: {why}"))?;
        let number = strace.id().cast_signed();
        let id = identity_of(strace.id())?;
        let mut input = strace.stdin.take().ok_or("strace: no pipe")?;
        writeln!(input, "{id}").map_err(|why| format!("strace: {why}"))?;
        let watched = parent || !variables.is_empty();
        let rested = rests(number, watched);
        drop(input);
        let status = strace.wait().map_err(|why| format!("strace: {why}"))?;
        if !status.success() {
            return Err(format!("strace: {status}"));
        }
        rested?;
        let text = std::fs::read_to_string(&self.file).map_err(|why| why.to_string())?;
        Ok(count(&text))
    }
}

/// Waits until the program reads its input, and its watcher waits.
fn rests(strace: i32, watched: bool) -> Result<(), String> {
    let mut want = vec![format!("{} ", libc::SYS_read)];
    want.extend(watched.then(|| format!("{} ", libc::SYS_ppoll)));
    let deadline = Instant::now() + CEILING;
    while Instant::now() < deadline {
        let tasks: Vec<_> = kernel::children(strace)
            .into_iter()
            .flat_map(kernel::tasks)
            .collect();
        let waits = |task: &std::path::PathBuf, call: &str| {
            let at = std::fs::read_to_string(task.join("syscall")).unwrap_or_default();
            let stat = std::fs::read_to_string(task.join("stat")).unwrap_or_default();
            at.starts_with(call) && stat.contains(") S ")
        };
        let still = tasks.first().is_some_and(|task| {
            std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "still")
        });
        if still && tasks.len() == want.len() && tasks.iter().zip(&want).all(|(task, call)| waits(task, call))
        {
            return Ok(());
        }
        rest(Duration::from_millis(1));
    }
    Err("strace: the program does not come to rest".into())
}

/// Each line is `PID CALL(...`; what is resumed was begun, and counted, before.
fn count(text: &str) -> Counts {
    let mut all = Counts::new();
    let mut host = None;
    for line in text.lines() {
        let Some((pid, rest)) = line.split_once(' ') else {
            continue;
        };
        let host = *host.get_or_insert(pid);
        let Some((name, _)) = rest.trim_start().split_once('(') else {
            continue;
        };
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let counts = all.entry(name.to_owned()).or_default();
            if pid == host { counts.0 += 1 } else { counts.1 += 1 }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_strace() {
        let text = "7 execve(\"a\", [\"b\"]) = 0\n7 clone(child_stack=0) = 8\n8 ppoll( <unfinished ...>\n\
            7 read(0, \"\", 1) = 0\n7 exit_group(0) = ?\n8 <... ppoll resumed>) = ?\n8 +++ exited with 0 +++\n\
            7 --- SIGTERM {si_signo=SIGTERM} ---\n";
        let counts = count(text);
        assert_eq!(counts["ppoll"], (0, 1));
        assert_eq!(counts["read"], (1, 0));
        assert_eq!(counts.len(), 5);
    }

    #[test]
    fn every_reason_is_one_line_and_says_something() {
        for line in REASONS.lines() {
            let (name, reason) = line.split_once(" = ").expect(line);
            assert!(!name.contains(' ') && reason.len() > 10, "{line}");
        }
    }
}
