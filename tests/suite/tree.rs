//! What each of a tree's processes looks like from outside.

use crate::side::Side;
use crate::support::tree::Tree;
use std::path::PathBuf;

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
        let number = fd.file_name();
        let number = if side.case.any_numbers {
            "".into()
        } else {
            number.to_string_lossy()
        };
        open.push(format!("fd {number} {}", side.plain(to)));
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

/// The same of every process of a tree.
pub fn all_facts(tree: &Tree, side: &Side) -> Vec<String> {
    let mut all: Vec<String> = tree
        .processes()
        .into_iter()
        .filter_map(|pid| facts(pid, side))
        .collect();
    all.sort();
    all
}

/// What one tree has and the other has not.
pub fn difference(got: &[String], wanted: &[String]) -> String {
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
