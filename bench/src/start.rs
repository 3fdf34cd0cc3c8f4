//! Cost to start: an exec of a small program, bare and with whatever may stand before it or be loaded into it.

use crate::fail;
use crate::kernel::{self, Processors};
use crate::programs::{PYTHON, Programs, found};
use crate::spawn::Program;
use crate::stats::Series;
use anchor_spawn::Anchor;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub const BARE: &str = "bare";
pub const EMPTY: &str = "an empty library";
pub const UNSET: &str = "libanchor, ANCHOR_PID unset";
pub const SET: &str = "libanchor";
pub const PARENT: &str = "libanchor, the anchor is the parent";
pub const PINS: &str = "libanchor, ANCHOR_PID alone";
pub const STD: &str = "a std watcher";
pub const STD_UNSET: &str = "a std watcher, ANCHOR_PID unset";
pub const FAKETIME: &str = "libfaketime";
pub const EATMYDATA: &str = "eatmydata";
pub const TINY: &str = "a tiny program";

/// What stands before the program, and what is in its environment besides.
struct Contender {
    name: &'static str,
    prefix: Vec<String>,
    preload: Option<PathBuf>,
    variables: Vec<(&'static str, String)>,
    /// Of Python and Node too, and not of the tiny program alone.
    of_all: bool,
}

impl Contender {
    /// A program that starts a program is so much slower that less of it says as much.
    fn every(&self) -> usize {
        if self.prefix.is_empty() { 1 } else { 5 }
    }
}

/// A process to be anchored to, which is nobody's parent. It ends with its input, and so with the benchmark.
pub struct Bystander(Child);

impl Bystander {
    pub fn start() -> Result<Self, String> {
        let mut command = Command::new("cat");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        child.map(Self).map_err(|why| format!("cat: {why}"))
    }

    pub fn variables(&self) -> Result<Vec<(&'static str, String)>, String> {
        variables(self.0.id())
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn variables(anchor: u32) -> Result<Vec<(&'static str, String)>, String> {
    let process = Anchor::of(anchor).map_err(|why| why.to_string())?.process();
    Ok(vec![
        ("ANCHOR_PID", anchor.to_string()),
        ("ANCHOR_ID", process.id.to_string()),
    ])
}

/// In Debian's and Ubuntu's folders of libraries.
fn library(name: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let own = format!("{}-linux-gnu", std::env::consts::ARCH);
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.ends_with(&own)).collect();
    folders.extend(["/usr/libexec/coreutils", "/usr/lib/coreutils"].map(PathBuf::from));
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn contenders(programs: &Programs, bystander: &Bystander) -> Result<(Vec<Contender>, Vec<String>), String> {
    let plain = |name, words: &str| Contender {
        name,
        prefix: words.split_whitespace().map(str::to_owned).collect(),
        preload: None,
        variables: Vec::new(),
        of_all: false,
    };
    let preload = |name, path: &Path, variables: Vec<(&'static str, String)>| Contender {
        preload: Some(path.to_owned()),
        variables,
        ..plain(name, "")
    };
    let of_all = |contender| Contender {
        of_all: true,
        ..contender
    };
    let anchor = bystander.variables()?;
    let alone = anchor[..1].to_vec();
    let parent = variables(std::process::id())?;
    let launcher = programs.anchored.display();
    let mut all = vec![
        of_all(plain(BARE, "")),
        of_all(preload(EMPTY, &programs.empty, Vec::new())),
        of_all(preload(UNSET, &programs.library, Vec::new())),
        of_all(preload(SET, &programs.library, anchor.clone())),
        preload(PARENT, &programs.library, parent),
        preload(PINS, &programs.library, alone.clone()),
        preload(STD_UNSET, &programs.std_watcher, Vec::new()),
        of_all(preload(STD, &programs.std_watcher, anchor.clone())),
        preload(
            "a C watcher with pthread_create",
            &programs.pthread_watcher,
            alone,
        ),
        plain("setpriv --pdeathsig", "setpriv --pdeathsig TERM"),
        plain("anchored", &format!("{launcher} --supervise=never --")),
        plain("anchored --supervise", &format!("{launcher} --supervise --")),
        plain(EATMYDATA, "eatmydata"),
        plain("stdbuf -oL", "stdbuf -oL"),
        plain("tini -p", "tini -s -g -p SIGTERM --"),
        plain("dumb-init", "dumb-init --"),
        plain("catatonit", "catatonit --"),
        plain("bwrap", "bwrap --dev-bind / / --die-with-parent --"),
    ];
    let peers = [
        ("libeatmydata alone", "libeatmydata.so", vec![]),
        (
            FAKETIME,
            "faketime/libfaketime.so.1",
            vec![("FAKETIME", "+0".to_owned())],
        ),
        (
            "libstdbuf alone",
            "libstdbuf.so",
            vec![("_STDBUF_O", "L".to_owned())],
        ),
    ];
    let mut missing = Vec::new();
    for (name, file, variables) in peers {
        match library(file) {
            Some(path) => all.push(preload(name, &path, variables)),
            None => missing.push(name.to_owned()),
        }
    }
    all.retain(|one| {
        let there = one
            .prefix
            .first()
            .is_none_or(|word| Path::new(word).is_file() || found(word).is_some());
        if !there {
            missing.push(one.name.to_owned());
        }
        there
    });
    Ok((all, missing))
}

fn environment(contender: &Contender) -> Vec<(String, String)> {
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".into());
    let mut all = vec![("PATH".to_owned(), path), ("LC_ALL".to_owned(), "C".to_owned())];
    all.extend(
        contender
            .preload
            .iter()
            .map(|path| ("LD_PRELOAD".to_owned(), path.display().to_string())),
    );
    all.extend(
        contender
            .variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    all
}

/// What is measured is what is called so: the loader takes the library, says nothing, and who arms has a thread more.
fn check(contender: &Contender, programs: &Programs) -> Result<(), String> {
    let run = |argument: Option<&str>, variable: Option<&str>| {
        let mut command = Command::new(
            contender
                .prefix
                .first()
                .map_or(programs.tiny.as_os_str(), |word| word.as_ref()),
        );
        command.args(contender.prefix.iter().skip(1));
        command
            .args((!contender.prefix.is_empty()).then_some(&programs.tiny))
            .args(argument);
        command
            .env_clear()
            .envs(environment(contender))
            .envs(variable.map(|name| (name, "1")));
        command
            .output()
            .map_err(|why| format!("{}: {why}", contender.name))
    };
    let plain = run(None, None)?;
    if !plain.status.success() || !plain.stderr.is_empty() {
        return fail(format!(
            "{}: {}, {}",
            contender.name,
            plain.status,
            String::from_utf8_lossy(&plain.stderr)
        ));
    }
    if let Some(path) = &contender.preload {
        let loaded = run(None, Some("LD_TRACE_LOADED_OBJECTS"))?;
        if !String::from_utf8_lossy(&loaded.stdout).contains(&path.display().to_string()) {
            return fail(format!("{}: {} is not loaded", contender.name, path.display()));
        }
        let threads = if contender.variables.iter().any(|(name, _)| *name == "ANCHOR_PID") {
            2
        } else {
            1
        };
        let counted = run(Some("threads"), None)?.status.code();
        if counted != Some(threads) {
            return fail(format!(
                "{}: {counted:?} threads and not {threads}",
                contender.name
            ));
        }
    }
    Ok(())
}

/// By program, the contenders' times; and who is not on this machine.
type Start = (BTreeMap<String, Vec<Series>>, Vec<String>);

/// `rounds` are the tiny program's; the others have the shares that their length allows.
pub fn time(
    programs: &Programs,
    processors: Processors,
    rounds: (usize, usize),
    random: &mut fastrand::Rng,
) -> Result<Start, String> {
    let bystander = Bystander::start()?;
    let (contenders, mut missing) = contenders(programs, &bystander)?;
    let mut all = BTreeMap::new();
    let tiny = programs.tiny.display().to_string();
    let mut runs = vec![
        (TINY, vec![tiny], 1),
        (
            "python3 -c pass",
            [PYTHON, "-c", "pass"].map(str::to_owned).to_vec(),
            5,
        ),
    ];
    match found("node") {
        Some(node) => runs.push((
            "node -e 0",
            vec![node.display().to_string(), "-e".into(), "0".into()],
            20,
        )),
        None => missing.push("node".into()),
    }
    for contender in &contenders {
        check(contender, programs)?;
    }
    // Who starts and waits is never at work at the same time as who is started: both on one processor.
    kernel::pin(&[processors.measured])?;
    for (name, words, share) in runs {
        let mut entries = Vec::new();
        for contender in contenders.iter().filter(|one| share == 1 || one.of_all) {
            let mut line = contender.prefix.clone();
            if let Some(first) = line.first_mut() {
                *first = found(first).map_or_else(|| first.clone(), |path| path.display().to_string());
            }
            line.extend(words.clone());
            entries.push((
                Program::new(&line, &environment(contender))?,
                Series::new(contender.name, contender.every()),
            ));
        }
        let (warm_up, rounds) = rounds;
        for round in 0..warm_up + (rounds / share).max(5) {
            random.shuffle(&mut entries);
            for (program, series) in &mut entries {
                if !round
                    .checked_sub(warm_up)
                    .unwrap_or(round)
                    .is_multiple_of(series.every)
                {
                    continue;
                }
                let took = program.time()?;
                if round >= warm_up {
                    series.push(took);
                }
            }
        }
        entries.sort_by_key(|(_, series)| contenders.iter().position(|one| one.name == series.name));
        all.insert(
            name.to_owned(),
            entries.into_iter().map(|(_, series)| series).collect(),
        );
    }
    kernel::pin(&[processors.own])?;
    Ok((all, missing))
}
