//! docs/benchmarks.md, from the results and from nothing else.

mod death;
mod live;
mod start;
pub mod words;

use crate::calls::{LIVES, reason};
use crate::results::{Machine, Results};
use crate::verdicts::verdicts;
use words::table;

pub fn page(results: &Results) -> String {
    let parts = [
        head(&results.machine),
        format!("## What must hold\n\n{}", must_hold(results)),
        death::part(results),
        start::part(results),
        live::part(results),
        live::growth(results),
        calls(results),
        method(&results.machine),
    ];
    parts.join("\n")
}

fn head(machine: &Machine) -> String {
    format!(
        "# Benchmarks\n\n\
        libanchor beside whatever else ends a program with another. `{}` has measured this and written the page from\n\
        [results.json](benchmarks/results.json); `scripts/bench --page` writes it again without measuring. By hand nothing\n\
        is changed here.\n\n\
        {}: {}, {} processors, {} GiB; Linux {}, {}.\n\
        Load when it began: {:.2}. It took {} s.\n",
        machine.command,
        machine.date,
        machine.processor,
        machine.processors,
        machine.memory_gib,
        machine.kernel,
        machine.system,
        machine.load,
        machine.seconds
    )
}

/// What the tests hold the page against: tests/page.rs.
pub fn must_hold(results: &Results) -> String {
    let lines: String = verdicts(results)
        .iter()
        .map(|verdict| format!("- {}\n", verdict.line()))
        .collect();
    format!("A ratio, and in brackets the interval in which it lies with 95 % confidence.\n\n{lines}")
}

fn calls(results: &Results) -> String {
    let mut text = "## System calls at load\n\n\
        What strace(1) sees until everything has come to rest, of a program that does nothing: those that it would not\n\
        make with an empty library in libanchor's place (and in the first table, with none). A negative number: that many\n\
        less.\n"
        .to_owned();
    for life in LIVES {
        let rows: Vec<[String; 4]> = results
            .calls
            .iter()
            .filter(|call| call.life == life)
            .map(|call| {
                let why = reason(&call.name).unwrap_or("not known").to_owned();
                [
                    format!("`{}`", call.name),
                    call.by_host.to_string(),
                    call.by_watcher.to_string(),
                    why,
                ]
            })
            .collect();
        text.push_str(&format!("\n### Of a host: {life}\n\n"));
        if rows.is_empty() {
            text.push_str("None.\n");
        } else {
            text.push_str(&table(
                ["call", "by the host's thread", "by the watcher", "why"],
                rows,
            ));
        }
    }
    text
}

fn method(machine: &Machine) -> String {
    let rows = machine
        .versions
        .iter()
        .map(|(name, version)| [name.clone(), version.clone()]);
    format!(
        "## How it is measured\n\n\
        - **Interleaved**: in each round each contender runs once, in an order that is drawn anew. A ratio is of one round,\n\
        \x20 so that what else the machine does weighs on both. Its interval is by the bootstrap over rounds (1000 resamples,\n\
        \x20 seeded).\n\
        - **Nothing is left out**: {} rounds of warm-up are run and not counted; every time after them is in the file, a try\n\
        \x20 that failed as null.\n\
        - **Processors**: the benchmark has one, everything that it measures another; so a supervisor gains nothing by being\n\
        \x20 a process more. Who starts a program and waits for it shares one with it. make and the herds have both.\n\
        - **Death to death**: a small anchor is killed through its pidfd. The host is over when its own pidfd says so and, where\n\
        \x20 it has become the benchmark's child, when it is reaped; a supervisor reaps its own. The anchor is reaped at once. In\n\
        \x20 tries of their own the host's port is connected to until it refuses. Before each kill nobody on the machine has\n\
        \x20 anything to do, and a while passes that is drawn at random: 2 ms at most, or an interval of who polls. Nobody has\n\
        \x20 looked into /proc for the host, unless the machine was not quiet within a second: the kernel would take down what\n\
        \x20 it has made for that while the host dies.\n\
        - **Each as its manual recommends it**: the commands are in the table. `ANCHOR_ID` is set, as `anchored`,\n\
        \x20 `anchor-run` and the crate do.\n\
        - **A std watcher** is `bench/std_watcher`: the same watcher with Rust's std and pthread_create(3), which is built\n\
        \x20 to be compared with. The C one is `tests/programs/tax/pthread_watcher.c`.\n\n\
        {}",
        machine.warm_up,
        table(["what", "version"], rows)
    )
}
