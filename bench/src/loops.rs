//! Cost to live: what hosts do often, in a host without a watcher, with libanchor's and with others.

use crate::kernel::{self, Processors};
use crate::programs::Programs;
use crate::results::Loop;
use crate::start::bystander::Bystander;
use crate::start::{BARE, SET, STD};
use crate::stats::Series;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const PTHREAD: &str = "a C watcher with pthread_create";

struct Workload<'p> {
    name: &'static str,
    times: usize,
    program: &'p Path,
    arguments: Vec<String>,
}

/// Each loop's time by contender. The whole machine is theirs: make and its children are several.
pub fn time(
    programs: &Programs,
    processors: Processors,
    share: usize,
    rounds: (usize, usize),
    random: &mut fastrand::Rng,
) -> Result<Vec<Loop>, String> {
    let bystander = Bystander::start()?;
    let workload = |name, times, program, arguments: &[&str]| Workload {
        name,
        times: times / share,
        program,
        arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
    };
    let tiny = programs.tiny.display().to_string();
    let workloads = [
        workload("getc and putc", 10_000_000, programs.stdio.as_path(), &[]),
        workload("copy of a shared_ptr", 15_000_000, &programs.shared_ptr, &[]),
        workload(
            "malloc and free, 16 to 256 bytes",
            5_000_000,
            &programs.malloc,
            &["16", "256"],
        ),
        workload(
            "malloc and free, 1100 to 2000 bytes",
            2_500_000,
            &programs.malloc,
            &["1100", "2000"],
        ),
        workload("fork, _exit, waitpid", 500, &programs.children, &[]),
        workload("fork, exec, waitpid", 150, &programs.children, &[&tiny]),
    ];
    let contenders: [(&str, Option<&Path>); 4] = [
        (BARE, None),
        (SET, Some(&programs.library)),
        (STD, Some(&programs.std_watcher)),
        (PTHREAD, Some(&programs.pthread_watcher)),
    ];
    let folder = tempfile::tempdir().map_err(|why| why.to_string())?;
    let command = |program: &Path, library: Option<&Path>| -> Result<Command, String> {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command.env_clear().env("PATH", path).env("LC_ALL", "C");
        if let Some(library) = library {
            command.env("LD_PRELOAD", library).envs(bystander.variables()?);
        }
        Ok(command)
    };
    let mut all: Vec<Loop> = workloads
        .iter()
        .map(|one| one.name)
        .chain([MAKE])
        .map(empty_loop)
        .collect();
    let (warm_up, rounds) = rounds;
    for round in 0..warm_up + rounds {
        for (place, row) in all.iter_mut().enumerate() {
            let mut order: Vec<usize> = (0..contenders.len()).collect();
            random.shuffle(&mut order);
            for chosen in order {
                let (name, library) = contenders[chosen];
                let took = match workloads.get(place) {
                    Some(work) => {
                        kernel::pin(&[processors.measured])?;
                        let mut command = command(work.program, library)?;
                        own_time(
                            command.arg(work.times.to_string()).args(&work.arguments),
                            1 + usize::from(library.is_some()),
                        )? / work.times as f64
                    }
                    None => {
                        kernel::pin(&[processors.own, processors.measured])?;
                        let files = 60 / share;
                        compile(
                            command(Path::new("make"), library)?,
                            programs,
                            folder.path(),
                            files,
                        )? / files as f64
                    }
                };
                if round >= warm_up {
                    // Of nanoseconds, a series has hundredths.
                    series(row, name).push(Some(took));
                }
            }
        }
    }
    kernel::pin(&[processors.own])?;
    Ok(all)
}

const MAKE: &str = "make -j2, one of 60 compilations";

fn empty_loop(name: &str) -> Loop {
    let series = [BARE, SET, STD, PTHREAD].map(|contender| Series::new(contender, 1));
    Loop {
        name: name.into(),
        series: series.into(),
    }
}

fn series<'l>(row: &'l mut Loop, name: &str) -> &'l mut Series {
    let place = row.series.iter().position(|one| one.name == name);
    &mut row.series[place.unwrap_or(0)]
}

fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|why| format!("{command:?}: {why}"))?;
    if !output.status.success() {
        return Err(format!(
            "{command:?}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    String::from_utf8(output.stdout).map_err(|why| why.to_string())
}

/// Nanoseconds, as the program says last; before it, how many threads each host had, which is looked at.
fn own_time(command: &mut Command, threads: usize) -> Result<f64, String> {
    let text = said(command)?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers.split_last() {
        Some((time, counts)) if !counts.is_empty() && counts.iter().all(|count| *count == threads as f64) => {
            Ok(*time)
        }
        _ => Err(format!(
            "{command:?}: {}: want {threads} threads and a time",
            text.trim()
        )),
    }
}

/// Nanoseconds for so many C files, two at a time.
fn compile(mut command: Command, programs: &Programs, folder: &Path, files: usize) -> Result<f64, String> {
    for number in 0..files {
        let text = format!("int f{number}(int x) {{ return x + {number}; }}\n");
        std::fs::write(folder.join(format!("{number}.c")), text).map_err(|why| why.to_string())?;
    }
    command.arg("-f").arg(&programs.makefile).arg("-C").arg(folder);
    let begun = Instant::now();
    said(command.args(["--no-print-directory", "-B", "-j2", "all"]))?;
    Ok(begun.elapsed().as_secs_f64() * 1e9)
}
