//! Cost to start.

use super::words::{interval, interval_of_time, table, time};
use crate::results::{Results, named};
use crate::start::{BARE, EMPTY, SET, TINY};
use crate::stats::{Series, added, ratio, ratio_of_added};

pub fn part(results: &Results) -> String {
    let mut text = "## Cost to start\n\n![What each adds to the exec of a tiny program](benchmarks/start.svg)\n\n\
        From posix_spawn(3) to the end of the program. **adds**: the median of what it took more than the bare program in\n\
        the same round. **of an empty library**: how often what the empty library adds goes into that.\n"
        .to_owned();
    let mut programs: Vec<&String> = results.start.keys().collect();
    programs.sort_by_key(|name| *name != TINY);
    for name in programs {
        let all = &results.start[name];
        text.push_str(&format!("\n### {name}\n\n{}", times(all)));
        if name == TINY {
            text.push_str(&cheaper(all));
            if !results.missing.is_empty() {
                text.push_str(&format!(
                    "\nLeft out, because it is not there: {}.\n",
                    results.missing.join(", ")
                ));
            }
        }
    }
    text
}

fn times(all: &[Series]) -> String {
    let (bare, empty) = (named(all, BARE), named(all, EMPTY));
    let rows = all.iter().filter_map(|series| {
        let summary = series.summary()?;
        let other = series.name != BARE;
        let bare = bare.filter(|_| other);
        Some([
            series.name.clone(),
            summary.tries.to_string(),
            time(summary.median),
            time(summary.p90),
            time(summary.p99),
            time(summary.max),
            interval(bare.and_then(|bare| ratio(series, bare))),
            interval_of_time(bare.and_then(|bare| added(series, bare))),
            interval(bare.and_then(|bare| ratio_of_added(series, empty?, bare))),
        ])
    });
    table(
        [
            "contender",
            "tries",
            "median",
            "p90",
            "p99",
            "max",
            "over bare",
            "adds",
            "of an empty library",
        ],
        rows,
    )
}

/// Who adds less than libanchor, and does so beyond doubt.
fn cheaper(all: &[Series]) -> String {
    let (Some(own), Some(bare)) = (named(all, SET), named(all, BARE)) else {
        return String::new();
    };
    let others = all
        .iter()
        .filter(|one| one.name != BARE && !one.name.starts_with(SET));
    let cheaper: Vec<String> = others
        .filter_map(|one| {
            let ratio = ratio_of_added(one, own, bare)?;
            (ratio.high < 1.0).then(|| format!("{} ({})", one.name, interval(Some(ratio))))
        })
        .collect();
    let who = if cheaper.is_empty() {
        "nobody".to_owned()
    } else {
        cheaper.join("; ")
    };
    format!("\nCheaper than `{SET}`, by the ratio of what both add: {who}.\n")
}
