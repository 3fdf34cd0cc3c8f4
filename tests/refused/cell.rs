//! One cell: a host lives through its anchor's death while its library is refused something, and what came of it.

use crate::bystander::bystander_lives;
use crate::calls::Refusals;
use crate::host::{HURRIED, Host, Kin, PATIENT, UNASKED, Wrong};
use crate::watcher::{Waits, is_quiet, listens};
use std::fmt::Write;

/// What a host goes through before its anchor dies.
pub struct Life {
    pub title: &'static str,
    pub kin: Kin,
    /// What it does once it is armed, see tests/programs/refused.c.
    pub does: &'static [char],
    pub variables: &'static [(&'static str, &'static str)],
}

/// How a host is watched, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rung {
    Event,
    /// Nothing but a descriptor's hang-up.
    HangUp,
    Looks,
    Probes,
    /// No thread: the kernel asks.
    Kernel,
    Inert,
    /// There is none any more.
    Fired,
    /// It does not run, because it could not be armed.
    Refused,
}

/// What came of a cell. Less is better.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Outcome {
    pub rung: Rung,
    /// What is less than it should be, each in a word.
    pub lacks: Vec<String>,
    /// Whether the kernel asks too.
    pub kernel: bool,
    /// Why it is inert.
    pub why: String,
}

impl Outcome {
    /// As the page shows it.
    pub fn name(&self) -> String {
        let mut name = String::from(match self.rung {
            Rung::Event => "pidfd",
            Rung::HangUp => "hang-up",
            Rung::Looks => "proc",
            Rung::Probes => "number",
            Rung::Kernel => "kernel",
            Rung::Inert => "inert",
            Rung::Fired => "fired",
            Rung::Refused => "exit 125",
        });
        if self.kernel && self.rung < Rung::Kernel {
            name.push('+');
        }
        if !self.why.is_empty() {
            let why = self.why.strip_suffix(" could be made").unwrap_or(&self.why);
            write!(name, ": {why}").unwrap();
        }
        for lack in &self.lacks {
            write!(name, ", {lack}").unwrap();
        }
        name
    }
}

/// Runs a cell. A busy machine may not have got round to the host's handler within a short grace: who was not asked has a
/// long one then.
pub fn run(life: &Life, refusals: &Refusals) -> Result<Outcome, Wrong> {
    let hurried = run_hurried(life, refusals)?;
    if hurried.lacks.iter().any(|lack| lack == UNASKED) {
        beside_a_bystander(|| live(life, refusals, PATIENT))
    } else {
        Ok(hurried)
    }
}

/// The same, for whom nobody can ask.
pub fn run_hurried(life: &Life, refusals: &Refusals) -> Result<Outcome, Wrong> {
    beside_a_bystander(|| live(life, refusals, HURRIED))
}

fn beside_a_bystander(live: impl FnOnce() -> Result<Outcome, Wrong>) -> Result<Outcome, Wrong> {
    let outcome = live();
    if bystander_lives() {
        outcome
    } else {
        Err("a bystander was ended".into())
    }
}

fn live(life: &Life, refusals: &Refusals, grace: &str) -> Result<Outcome, Wrong> {
    let mut host = Host::start(life.kin, Some(refusals), grace, life.variables);
    if life.kin == Kin::Dead {
        return born_too_late(&mut host);
    }
    let mut lacks = Vec::new();
    let begun = host.answer('+');
    if begun.is_err() && host.does_not_run() {
        lacks.extend(host.refusal());
        return Ok(Outcome {
            rung: Rung::Refused,
            lacks,
            kernel: false,
            why: String::new(),
        });
    }
    let (_, mut signal) = begun?;
    let mut waits = host.settled()?;
    for letter in life.does {
        let (result, left) = host.does(*letter)?;
        if result != 0 {
            lacks.push("the host's call fails".to_owned());
        }
        signal = left;
        waits = host.settled()?;
    }
    let (said, alone) = host.errors()?;
    if !alone {
        lacks.push("holds the host's descriptors".to_owned());
    }
    let mut hears = false;
    if waits.is_some() {
        let task = host.watcher().ok_or("the watcher left")?;
        is_quiet(&task)?;
        // Where it shares the host's descriptors it has ends of the host's too.
        hears = matches!(life.kin, Kin::Pipe | Kin::Socket) && listens(&task);
        if life.kin == Kin::Pipe {
            let nothing = (!hears).then(|| Err("waits for nothing".to_owned()));
            waits = nothing.unwrap_or(Ok(Some(Waits::HangUp)))?;
        }
        if life.kin == Kin::Socket && !hears {
            lacks.push("deaf".to_owned());
        }
    }
    host.does('e')?;
    let kernel = signal == libc::SIGTERM;
    let rung = match waits {
        Some(Waits::Event) => Rung::Event,
        Some(Waits::HangUp) => Rung::HangUp,
        Some(Waits::Looks) => Rung::Looks,
        Some(Waits::Probes) => Rung::Probes,
        None if kernel => Rung::Kernel,
        None => Rung::Inert,
    };
    let logged = host.logged(&said);
    if !said.is_empty() && logged.is_empty() && !said.contains("ANCHOR_LOG: ") {
        return Err(format!("said on descriptor 2: {said}"));
    }
    let why = host.why_inert(&said).unwrap_or_default();
    if logged.is_empty() {
        lacks.push("unlogged".to_owned());
    } else if (rung == Rung::Inert) == why.is_empty() {
        return Err(format!("{rung:?}, and says: {logged:?}"));
    }
    if hears {
        host.hang_up();
    } else {
        host.kill_anchor();
    }
    match rung {
        Rung::Inert => drop(host.does('e').map_err(|wrong| format!("inert, and {wrong}"))?),
        Rung::Kernel => host.is_asked()?,
        _ => lacks.extend(host.end(false)?),
    }
    Ok(Outcome {
        rung,
        lacks,
        kernel,
        why,
    })
}

/// A host of a dead anchor. Where that cannot be known it goes on.
fn born_too_late(host: &mut Host) -> Result<Outcome, Wrong> {
    let fired = Outcome {
        rung: Rung::Fired,
        lacks: Vec::new(),
        kernel: false,
        why: String::new(),
    };
    while !host.is_over()? {
        if let Some(why) = host.why_inert("") {
            host.answer('+')?;
            host.does('e')?;
            let rung = Rung::Inert;
            return Ok(Outcome { rung, why, ..fired });
        }
    }
    let lacks = host.end(false)?;
    Ok(Outcome { lacks, ..fired })
}
