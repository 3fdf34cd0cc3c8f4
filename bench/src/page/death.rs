//! Death to death: who ends at all, and how fast.

use super::words::{interval, table, time, verb};
use crate::contender::{KERNEL, LIBANCHOR, SITUATIONS, Situation};
use crate::death::{MAIN, series_name};
use crate::results::{Outcome, Results, named};
use crate::stats::{Series, ratio, ratio_at};

pub fn part(results: &Results) -> String {
    let fails: Vec<String> = results
        .reach
        .iter()
        .filter_map(|reach| {
            let failed = reach.tries.values().flatten().find_map(|one| match one {
                Outcome::Failed(why) => Some(why),
                _ => None,
            })?;
            Some(format!("`{}` fails: \"{failed}\"\n", reach.contender))
        })
        .collect();
    let tries = results
        .reach
        .iter()
        .flat_map(|reach| reach.tries.values())
        .map(Vec::len)
        .max()
        .unwrap_or(0);
    format!(
        "## Death to death\n\n![From SIGKILL of the anchor to the host reaped, and who ends at all](benchmarks/death.svg)\n\n\
        ### Does its host end?\n\n\
        **child**: the anchor has started the contender, and that the host. **1 between, 3 between**: so many shells stand\n\
        between contender and host, as `npx`, `uv run` or a script of one's own does, and live on. **no relation**: somebody\n\
        else has started it. **anchor not reaped**: its parent does not look, and it stays a zombie. {tries} tries each, five\n\
        seconds of patience.\n\n{}\n{}\n\
        ### How long it takes\n\n\
        From SIGKILL of the anchor until the host is reaped. Over PDEATHSIG: the median of the rounds' own ratios.\n\n{}\n\
        Until the host's port refuses connections:\n\n{}{}",
        reach(results),
        fails.concat(),
        times(&results.reaped),
        times(&results.refused),
        faster(&results.reaped),
    )
}

fn reach(results: &Results) -> String {
    let rows = results.reach.iter().map(|reach| {
        let mut row = [const { String::new() }; 7];
        row[0] = reach.contender.clone();
        row[1] = format!("`{}`", reach.command);
        for (cell, situation) in row[2..].iter_mut().zip(SITUATIONS) {
            *cell = reach
                .tries
                .get(situation.name())
                .map_or("-", |tries| verb(tries))
                .to_owned();
        }
        row
    });
    let [a, b, c, d, e] = SITUATIONS.map(Situation::name);
    table(["contender", "command", a, b, c, d, e], rows)
}

fn times(all: &[Series]) -> String {
    let floor = named(all, KERNEL);
    let rows = all.iter().filter_map(|series| {
        let summary = series.summary()?;
        let lost = if summary.lost > 0 {
            format!(", {} of them failed", summary.lost)
        } else {
            String::new()
        };
        Some([
            series.name.clone(),
            format!("{}{lost}", summary.tries),
            time(summary.median),
            time(summary.p90),
            time(summary.p99),
            time(summary.max),
            interval(floor.and_then(|floor| ratio(series, floor))),
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
            "over PDEATHSIG",
        ],
        rows,
    )
}

/// Who is faster than libanchor, and is so beyond doubt.
fn faster(all: &[Series]) -> String {
    let mut text = String::new();
    for ours in [LIBANCHOR.to_owned(), series_name(LIBANCHOR, Situation::Stranger)] {
        let Some(own) = named(all, &ours) else { continue };
        let main = all
            .iter()
            .filter(|one| one.every <= MAIN && !one.name.starts_with(LIBANCHOR));
        let faster: Vec<String> = main
            .filter_map(|one| {
                let ratio = ratio_at(0.5, one, own)?;
                (ratio.high < 1.0).then(|| format!("{} ({})", one.name, interval(Some(ratio))))
            })
            .collect();
        let who = if faster.is_empty() {
            "nobody".to_owned()
        } else {
            faster.join("; ")
        };
        text.push_str(&format!(
            "\nFaster than `{ours}`, by the ratio of the medians: {who}.\n"
        ));
    }
    text
}
