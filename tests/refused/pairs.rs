//! Two calls refused at once.

use crate::calls::rows;
use crate::cell::Outcome;
use crate::host::Wrong;
use crate::singles::{LIVES, run_row};
use crate::{all, page};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const ERRNOS: [(&str, i32); 2] = [("ENOSYS", libc::ENOSYS), ("EPERM", libc::EPERM)];

/// Where the library does most.
const PAIRED: [usize; 4] = [0, 1, 3, 5];

/// How many are chosen where not all are run.
const CHOSEN: usize = 200;

struct Pair {
    life: usize,
    errno: usize,
    rows: (usize, usize),
}

/// Every pair of rows that refuse nothing twice.
fn every() -> Vec<Pair> {
    let (rows, mut pairs) = (rows(), Vec::new());
    for life in PAIRED {
        for errno in 0..ERRNOS.len() {
            for second in 0..rows.len() {
                let apart = |first: &usize| !rows[*first].1.iter().any(|call| rows[second].1.contains(call));
                pairs.extend((0..second).filter(apart).map(|first| Pair {
                    life,
                    errno,
                    rows: (first, second),
                }));
            }
        }
    }
    pairs
}

/// Some of them, the same for the same seed: splitmix64.
fn some(mut pairs: Vec<Pair>, mut seed: u64) -> Vec<Pair> {
    for place in 0..CHOSEN {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let left = u64::try_from(pairs.len() - place).unwrap();
        let chosen = usize::try_from((mixed ^ (mixed >> 31)) % left).unwrap();
        pairs.swap(place, place + chosen);
    }
    pairs.truncate(CHOSEN);
    pairs
}

#[test]
fn no_two_refused_calls_hurt_a_host() {
    let whole = std::env::var_os("LIBANCHOR_PAIRS").is_some_and(|pairs| pairs == "all");
    let seed = std::env::var("LIBANCHOR_SEED").map_or(1, |seed| seed.parse().unwrap());
    let pairs = if whole { every() } else { some(every(), seed) };
    let rows = rows();
    let results = all(&pairs, |pair| {
        let both = [&rows[pair.rows.0].1[..], &rows[pair.rows.1].1].concat();
        run_row(pair.life, &both, ERRNOS[pair.errno].1)
    });
    // What each does alone, once.
    let mut alone: Vec<_> = pairs
        .iter()
        .flat_map(|pair| [pair.rows.0, pair.rows.1].map(|row| (pair.life, pair.errno, row)))
        .collect();
    alone.sort_unstable();
    alone.dedup();
    let singles = all(&alone, |(life, errno, row)| {
        run_row(*life, &rows[*row].1, ERRNOS[*errno].1)
    });
    let singles: BTreeMap<_, _> = alone.into_iter().zip(singles).collect();

    let (mut wrong, mut worse) = (String::new(), BTreeSet::new());
    for (pair, result) in pairs.iter().zip(results) {
        let (first, second) = pair.rows;
        let names = format!("{} and {}", rows[first].0, rows[second].0);
        let (title, errno) = (LIVES[pair.life].title, ERRNOS[pair.errno].0);
        let singles = [first, second].map(|row| &singles[&(pair.life, pair.errno, row)]);
        match result {
            Err(what) => writeln!(wrong, "{title}: {names}, {errno}, seed {seed}: {what}").unwrap(),
            Ok(outcome) if is_worse(&outcome, singles) => {
                worse.insert((pair.life, outcome.name(), names));
            }
            Ok(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let lines = shown(&worse);
    if whole {
        let head = format!("{} cells. Worse than each of the two alone:\n", pairs.len());
        return page::shows("pairs", &format!("{head}{lines}"));
    }
    if !page::holds_here() {
        return;
    }
    let page = page::part("pairs");
    for (_, name, names) in &worse {
        let known = page
            .lines()
            .any(|line| line.contains(name) && line.contains(names));
        assert!(
            known,
            "not in docs/rungs.md (scripts/rungs --pairs --write): {names}: {name}"
        );
    }
}

/// A lower rung than both alone lead to, or something that is missing with neither.
fn is_worse(outcome: &Outcome, singles: [&Result<Outcome, Wrong>; 2]) -> bool {
    let singles = singles.map(|single| single.as_ref().unwrap());
    let lower = singles.iter().all(|single| single.rung < outcome.rung);
    let lacks = |lack: &&String| !singles.iter().any(|single| single.lacks.contains(lack));
    lower || outcome.lacks.iter().any(|lack| lacks(&lack))
}

fn shown(worse: &BTreeSet<(usize, String, String)>) -> String {
    let (mut text, mut last) = (String::new(), usize::MAX);
    let mut groups: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (life, outcome, names) in worse {
        groups.entry((*life, outcome)).or_default().push(names);
    }
    for ((life, outcome), names) in groups {
        if life != last {
            writeln!(
                text,
                "\n### {}\n\n| outcome | refused together |\n|---|---|",
                LIVES[life].title
            )
            .unwrap();
            last = life;
        }
        writeln!(text, "| {outcome} | {} |", names.join("; ")).unwrap();
    }
    text
}
