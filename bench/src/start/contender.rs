//! Who takes part in cost to start: each as its manual recommends it.

use super::bystander::{Bystander, variables};
use super::{BARE, EATMYDATA, EMPTY, FAKETIME, PARENT, PINS, SET, STD, STD_UNSET, UNSET};
use crate::programs::{Programs, found};
use std::path::{Path, PathBuf};

/// What stands before the program, and what is in its environment besides.
pub struct Contender {
    pub name: &'static str,
    pub prefix: Vec<String>,
    pub preload: Option<PathBuf>,
    pub variables: Vec<(&'static str, String)>,
    /// Of Python and Node too, and not of the tiny program alone.
    pub of_all: bool,
}

impl Contender {
    /// A program that starts a program is so much slower that less of it says as much.
    pub fn every(&self) -> usize {
        if self.prefix.is_empty() { 1 } else { 5 }
    }
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

/// All of them, and who is not on this machine.
pub fn contenders(
    programs: &Programs,
    bystander: &Bystander,
) -> Result<(Vec<Contender>, Vec<String>), String> {
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

pub fn environment(contender: &Contender) -> Vec<(String, String)> {
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
