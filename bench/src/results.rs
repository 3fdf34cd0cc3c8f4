//! All that was measured, as JSON has it: the page and the pictures are made from this and from nothing else.

use crate::stats::Series;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    pub machine: Machine,
    pub reach: Vec<Reach>,
    /// SIGKILL of the anchor to the host reaped.
    pub reaped: Vec<Series>,
    /// SIGKILL of the anchor to its port refusing connections.
    pub refused: Vec<Series>,
    /// By program: from its exec to its end.
    pub start: BTreeMap<String, Vec<Series>>,
    /// Who was to start and is not on this machine.
    pub missing: Vec<String>,
    pub loops: Vec<Loop>,
    pub living: Vec<Living>,
    pub growth: Vec<Herd>,
    pub calls: Vec<Call>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    pub command: String,
    pub date: String,
    pub processor: String,
    pub processors: usize,
    pub memory_gib: f64,
    pub kernel: String,
    pub system: String,
    /// Of the machine's other work when it began: runnable tasks on average.
    pub load: f64,
    pub warm_up: usize,
    pub seconds: u64,
    /// What was measured, and which version of it.
    pub versions: BTreeMap<String, String>,
}

/// Whether a host ends with its anchor, contender by contender.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reach {
    pub contender: String,
    pub command: String,
    /// Each try in each situation.
    pub tries: BTreeMap<String, Vec<Outcome>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ended,
    Stayed,
    /// It could not be started, and this is what was said.
    Failed(String),
}

/// A hot loop in hosts: what one turn takes, by contender.
#[derive(Debug, Serialize, Deserialize)]
pub struct Loop {
    pub name: String,
    pub series: Vec<Series>,
}

/// What one host and all that keeps it company hold and do while nothing happens.
#[derive(Debug, Serialize, Deserialize)]
pub struct Living {
    pub contender: String,
    /// What its figures are to be compared with.
    pub control: String,
    pub private_kib: u64,
    pub processes: usize,
    pub threads: usize,
    pub wakeups_per_minute: f64,
    pub microseconds_per_minute: f64,
}

/// Many hosts of one anchor. The times are of each try, in milliseconds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Herd {
    pub way: String,
    pub hosts: usize,
    pub start_ms: Vec<f64>,
    pub end_ms: Vec<f64>,
    pub private_kib: u64,
    pub kernel_kib: f64,
}

/// A system call that a host makes with the library and would not without.
#[derive(Debug, Serialize, Deserialize)]
pub struct Call {
    /// Of which host, and over which.
    pub life: String,
    pub name: String,
    pub by_host: i64,
    pub by_watcher: i64,
}

impl Results {
    pub fn read(path: &std::path::Path) -> Result<Self, String> {
        let said =
            |why: &dyn std::fmt::Display| format!("{}: {why}: want results of scripts/bench", path.display());
        let text = std::fs::read_to_string(path).map_err(|why| said(&why))?;
        serde_json::from_str(&text).map_err(|why| said(&why))
    }
}

/// The series of that name.
pub fn named<'s>(all: &'s [Series], name: &str) -> Option<&'s Series> {
    all.iter().find(|series| series.name == name)
}
