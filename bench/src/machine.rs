//! On what it was measured: machine, kernel, versions.

use crate::contender::Contender;
use crate::programs::{PYTHON, Programs};
use crate::results::Machine;
use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

pub fn look(root: &Path, programs: &Programs, contenders: &[Contender], command: String) -> Machine {
    let processors = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |text: &str, name: &str, separator: char| {
        let mut lines = text.lines().filter_map(|line| line.split_once(separator));
        lines
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().trim_matches('"').to_owned())
    };
    let memory = crate::kernel::fields("/proc/meminfo", &["MemTotal"]) as f64 / 1024.0 / 1024.0;
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let system = read_to_string("/etc/os-release").unwrap_or_default();
    // What a distributor or owner has added to the number says nothing.
    let kernel = kernel.split('-').next().unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let mut versions = BTreeMap::new();
    for contender in contenders.iter().filter(|one| !one.package.is_empty()) {
        versions.insert(contender.package.to_owned(), package(contender.package));
    }
    for name in ["coreutils", "eatmydata", "faketime", "libc6"] {
        versions.insert(name.to_owned(), package(name));
    }
    versions.insert(
        "libanchor".into(),
        format!("{}, {} bytes", commit(root), size(&programs.library)),
    );
    versions.insert(
        "std watcher".into(),
        format!("built with it, {} bytes", size(&programs.std_watcher)),
    );
    versions.insert("rustc".into(), said("rustc", &["--version"]));
    versions.insert("python3".into(), said(PYTHON, &["--version"]));
    versions.insert("node".into(), said("node", &["--version"]));
    Machine {
        command,
        date: said("date", &["-u", "+%Y-%m-%d"]),
        processor: value(&processors, "model name", ':').unwrap_or_else(|| std::env::consts::ARCH.into()),
        processors: std::thread::available_parallelism().map_or(0, |count| count.get()),
        memory_gib: (memory * 10.0).round() / 10.0,
        kernel: kernel.trim().to_owned(),
        system: value(&system, "PRETTY_NAME", '=').unwrap_or_default(),
        load: load
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0.0),
        warm_up: 0,
        seconds: 0,
        versions,
    }
}

const NOT_THERE: &str = "not there";

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success());
    output.map_or_else(
        || NOT_THERE.into(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn package(name: &str) -> String {
    let version = said("dpkg-query", &["-W", "-f", "${Version}", name]);
    if version.is_empty() {
        NOT_THERE.into()
    } else {
        version
    }
}

/// Of the sources, and whether they were changed since.
fn commit(root: &Path) -> String {
    let folder = root.display().to_string();
    let describe = [
        "-C",
        &folder,
        "describe",
        "--always",
        "--dirty=, changed",
        "--exclude=*",
    ];
    said("git", &describe)
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}
