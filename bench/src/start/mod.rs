//! Cost to start: an exec of a small program, bare and with whatever may stand before it or be loaded into it.

pub mod bystander;
mod check;
mod contender;

use crate::kernel::{self, Processors};
use crate::programs::{PYTHON, Programs, found};
use crate::spawn::Program;
use crate::stats::Series;
use bystander::Bystander;
use check::check;
use contender::{contenders, environment};
use std::collections::BTreeMap;

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
            10,
        ),
    ];
    match found("node") {
        Some(node) => runs.push((
            "node -e 0",
            vec![node.display().to_string(), "-e".into(), "0".into()],
            40,
        )),
        None => missing.push("node".into()),
    }
    let mut able = Vec::new();
    for contender in contenders {
        match check(&contender, programs) {
            Ok(()) => able.push(contender),
            // A sandbox, say, that this machine does not allow.
            Err(why) if !contender.prefix.is_empty() => missing.push(why),
            Err(why) => return Err(why),
        }
    }
    let contenders = able;
    // Who starts and waits is never at work at the same time as who is started: both on one processor.
    kernel::pin(&[processors.measured])?;
    for (name, words, share) in runs {
        let mut entries = Vec::new();
        for contender in contenders.iter().filter(|one| share == 1 || one.of_all) {
            let mut line = contender.prefix.clone();
            // Where a shell would find it: that look is not what is measured.
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
