//! No tax: what hosts do often, with the library, without it, and with a watcher made by pthread_create(3).
//!
//! Within one round the three run one after the other, in an order that changes from round to round, and a ratio is
//! of one round: what else the machine does weighs on all three. Times are printed (`scripts/measure` shows them) and
//! not judged, because no test may fail on a noisy machine; whether every host has its watcher is.

#![cfg(target_os = "linux")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::*;

/// Of the whole run; `cargo test` does one round of a small share.
const ROUNDS: &str = "LIBANCHOR_ROUNDS";
const SHARE: usize = 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Contender {
    Without,
    Libanchor,
    Pthread,
}
use Contender::{Libanchor, Pthread, Without};

/// Every order once in six rounds: each runs as often before as after each other.
const ORDERS: [[Contender; 3]; 6] = [
    [Without, Libanchor, Pthread],
    [Pthread, Libanchor, Without],
    [Libanchor, Pthread, Without],
    [Without, Pthread, Libanchor],
    [Pthread, Without, Libanchor],
    [Libanchor, Without, Pthread],
];

impl Contender {
    fn threads(self) -> u64 {
        if self == Without { 1 } else { 2 }
    }
}

/// What a host does, and how often in a sample of about a fifth of a second.
struct Workload {
    name: &'static str,
    times: usize,
    act: Act,
}

enum Act {
    /// A program of `tests/programs/tax`, which says itself what it took.
    Loop(PathBuf, &'static [&'static str]),
    /// Its children are programs too.
    Exec(PathBuf, PathBuf),
    Python,
    Make(tempfile::TempDir),
}

/// What the contenders share.
struct Bench {
    anchor: Owned,
    pthread_watcher: PathBuf,
}

impl Bench {
    fn command(&self, contender: Contender, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        match contender {
            Without => without_library(&mut command),
            Libanchor => anchored(&mut command, self.anchor.pid()),
            Pthread => without_library(&mut command)
                .env("LD_PRELOAD", &self.pthread_watcher)
                .env("ANCHOR_PID", self.anchor.pid().to_string()),
        };
        // A make above us would have this one ask it for leave.
        command.env_remove("MAKEFLAGS");
        command
    }

    /// What `times` of a workload took.
    fn sample(&self, workload: &Workload, times: usize, contender: Contender) -> Duration {
        let count = times.to_string();
        match &workload.act {
            Act::Loop(program, arguments) => {
                let mut command = self.command(contender, program);
                own_time(command.arg(count).args(*arguments), contender)
            }
            Act::Exec(program, child) => {
                let mut command = self.command(contender, program);
                own_time(command.arg(count).arg(child), contender)
            }
            Act::Python => {
                let start = Instant::now();
                for _ in 0..times {
                    said(self.command(contender, PYTHON).args(["-c", "pass"]));
                }
                start.elapsed()
            }
            Act::Make(folder) => {
                for number in 0..times {
                    // New sources are newer than what was made of older ones.
                    let text = format!("int f{number}(int x) {{ return x + {number}; }}\n");
                    std::fs::write(folder.path().join(format!("{number}.c")), text).unwrap();
                }
                let start = Instant::now();
                said(self.make(contender, folder.path()).args(["-B", "-j2", "all"]));
                start.elapsed()
            }
        }
    }

    /// The hosts that do not count their threads while they are timed, asked once.
    fn assert_threads(&self, workload: &Workload, contender: Contender) {
        let said = match &workload.act {
            Act::Loop(..) | Act::Exec(..) => return,
            Act::Python => {
                let count = "import os; print(len(os.listdir('/proc/self/task')))";
                said(self.command(contender, PYTHON).args(["-c", count]))
            }
            Act::Make(folder) => said(self.make(contender, folder.path()).arg("threads")),
        };
        assert_counts(said.split_whitespace(), contender);
    }

    fn make(&self, contender: Contender, folder: &Path) -> Command {
        let mut command = self.command(contender, "make");
        command.arg("-f").arg(source("Makefile")).arg("-C").arg(folder);
        command.arg("--no-print-directory");
        command
    }
}

const PYTHON: &str = "/usr/bin/python3";

/// Runs a host to its end, which must be a good one, and returns its output.
fn said(command: &mut Command) -> String {
    let mut host = Owned(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    wait_for_exit(host.pid());
    let status = host.0.wait().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    std::io::read_to_string(host.0.stdout.take().unwrap()).unwrap()
}

/// Runs a program whose output is numbers: of threads, and last the nanoseconds that its loop took.
fn own_time(command: &mut Command, contender: Contender) -> Duration {
    let said = said(command);
    let (counts, nanoseconds) = said.trim_end().rsplit_once(' ').unwrap();
    assert_counts(counts.split_whitespace(), contender);
    Duration::from_nanos(nanoseconds.parse().unwrap())
}

fn assert_counts<'s>(counts: impl Iterator<Item = &'s str>, contender: Contender) {
    let counts: Vec<u64> = counts.map(|count| count.parse().unwrap()).collect();
    assert!(!counts.is_empty(), "no host has counted its threads");
    assert!(
        counts.iter().all(|count| *count == contender.threads()),
        "threads of the hosts: {counts:?}, not {}",
        contender.threads()
    );
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs/tax")
        .join(name)
}

/// Compiles a file of `tests/programs/tax`.
fn compiled(compiler: &str, name: &str, arguments: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name).with_extension("");
    let done = Command::new(compiler)
        .args(["-O2", "-Wall", "-o"])
        .args([&path, &source(name)])
        .args(arguments)
        .status();
    assert!(done.unwrap().success(), "{name} does not compile");
    path
}

fn workloads() -> Vec<Workload> {
    let (stdio, malloc) = (compiled("cc", "stdio.c", &[]), compiled("cc", "malloc.c", &[]));
    let (children, tiny) = (compiled("cc", "children.c", &[]), compiled("cc", "tiny.c", &[]));
    let workload = |name, times, act| Workload { name, times, act };
    let mut workloads = vec![
        workload("getc and putc", 20_000_000, Act::Loop(stdio, &[])),
        workload(
            "malloc and free, 16 to 256 bytes",
            10_000_000,
            Act::Loop(malloc.clone(), &["16", "256"]),
        ),
        workload(
            "malloc and free, 1100 to 2000 bytes",
            5_000_000,
            Act::Loop(malloc, &["1100", "2000"]),
        ),
        workload("fork, _exit, waitpid", 1000, Act::Loop(children.clone(), &[])),
        workload("fork, exec, waitpid", 300, Act::Exec(children, tiny)),
    ];
    if have("g++") {
        let shared_ptr = compiled("g++", "shared_ptr.cpp", &[]);
        workloads.insert(
            1,
            workload("copy of a shared_ptr", 30_000_000, Act::Loop(shared_ptr, &[])),
        );
    }
    if have("python") {
        workloads.push(workload("python3 -c pass", 20, Act::Python));
    }
    if have("make") {
        let folder = tempfile::tempdir().unwrap();
        workloads.push(workload(
            "make -j2, one of 60 compilations",
            60,
            Act::Make(folder),
        ));
    }
    workloads
}

/// One row of the table: a round's three times, round by round.
#[derive(Default)]
struct Row([Vec<f64>; 3]);

impl Row {
    fn of(&self, contender: Contender) -> &[f64] {
        &self.0[contender as usize]
    }

    fn print(&self, workload: &Workload, times: usize) {
        let [_, each, _] = quartiles(self.of(Without).iter().map(|time| time / times as f64).collect());
        let ratios = |contender| {
            let pairs = self.of(contender).iter().zip(self.of(Without));
            let [low, median, high] = quartiles(pairs.map(|(with, without)| with / without).collect());
            format!("{median:.3} [{low:.3} {high:.3}]")
        };
        println!(
            "{:<36} {:>10}   {}   {}",
            workload.name,
            readable(each),
            ratios(Libanchor),
            ratios(Pthread)
        );
    }
}

fn quartiles(mut of: Vec<f64>) -> [f64; 3] {
    of.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| {
        // Between two of them where none is at the quarter.
        let place = (of.len() - 1) as f64 * f64::from(quarter) / 4.0;
        let (below, above) = (of[place.floor() as usize], of[place.ceil() as usize]);
        below + (above - below) * place.fract()
    })
}

fn readable(seconds: f64) -> String {
    match seconds {
        ..1e-6 => format!("{:.2} ns", seconds * 1e9),
        ..1e-3 => format!("{:.1} us", seconds * 1e6),
        _ => format!("{:.2} ms", seconds * 1e3),
    }
}

// test -> sleep (anchor)
//      -> a program (host) -> its children (hosts)
#[test]
fn hosts_with_and_without_a_watcher() {
    let (rounds, share) = match std::env::var(ROUNDS) {
        Ok(rounds) => (rounds.parse().unwrap_or(0), 1),
        Err(_) => (1, SHARE),
    };
    assert!(rounds > 0, "{ROUNDS}: want a number of rounds, at least 1");
    let bench = Bench {
        anchor: sibling(),
        pthread_watcher: compiled("cc", "pthread_watcher.c", &["-shared", "-fPIC", "-pthread"]),
    };
    let workloads = workloads();
    for (workload, contender) in workloads
        .iter()
        .flat_map(|workload| ORDERS[0].map(|each| (workload, each)))
    {
        bench.assert_threads(workload, contender);
    }
    let mut rows: Vec<Row> = workloads.iter().map(|_| Row::default()).collect();
    for round in 0..rounds {
        for (workload, row) in workloads.iter().zip(&mut rows) {
            for contender in ORDERS[round % ORDERS.len()] {
                let took = bench.sample(workload, workload.times / share, contender);
                row.0[contender as usize].push(took.as_secs_f64());
            }
        }
    }

    println!(
        "Time over the time without, of the same round: median of {rounds}, and the quartiles around it."
    );
    println!(
        "{:<36} {:>10}   {:<19}   a pthread instead",
        "", "without", "libanchor"
    );
    for (workload, row) in workloads.iter().zip(&rows) {
        row.print(workload, workload.times / share);
    }
}
