//! Cost to live, and growth.

use super::words::{interval, nanoseconds, table, time};
use crate::growth::median;
use crate::results::{Herd, Results, named};
use crate::start::{BARE, SET, STD};
use crate::stats::ratio;

pub fn part(results: &Results) -> String {
    format!(
        "## Cost to live\n\n### Loops\n\n\
        What a host does often, over the same without a watcher in the same round. A C library that knows of a second\n\
        thread takes locks and atomics that it leaves out otherwise; of libanchor's it does not know.\n\n{}\n\
        ### Memory and wake-ups\n\n\
        Of one host and all that keeps it company, while nothing happens. Memory is what no other process shares; \
        **more** is\nover the same host with nothing. The kernel's own memory for a host is in the table of growth.\n\n{}",
        loops(results),
        living(results)
    )
}

fn loops(results: &Results) -> String {
    let rows = results.loops.iter().filter_map(|row| {
        let bare = named(&row.series, BARE)?;
        let over = |name: &str| interval(named(&row.series, name).and_then(|one| ratio(one, bare)));
        let pthread = row.series.last()?.name.clone();
        Some([
            row.name.clone(),
            nanoseconds(bare.summary()?.median),
            over(SET),
            over(STD),
            over(&pthread),
        ])
    });
    table(
        [
            "loop",
            "one turn, bare",
            "libanchor",
            "a std watcher",
            "a C watcher with pthread_create",
        ],
        rows,
    )
}

fn living(results: &Results) -> String {
    let rows = results.living.iter().map(|one| {
        let control = results.living.iter().find(|other| other.contender == one.control);
        let more = control.map_or_else(
            || "-".to_owned(),
            |control| {
                format!(
                    "{:+} KiB",
                    one.private_kib.cast_signed() - control.private_kib.cast_signed()
                )
            },
        );
        [
            one.contender.clone(),
            one.processes.to_string(),
            one.threads.to_string(),
            format!("{} KiB", one.private_kib),
            more,
            format!("{:.0}", one.wakeups_per_minute),
            time(one.microseconds_per_minute),
        ]
    });
    let head = [
        "contender",
        "processes",
        "threads",
        "private memory",
        "more",
        "wake-ups a minute",
        "processor a minute",
    ];
    table(head, rows)
}

/// Fewer hosts are lost in what the rest of the machine takes and gives back meanwhile.
const ENOUGH_FOR_KERNEL: usize = 1000;

pub fn growth(results: &Results) -> String {
    let rows = results.growth.iter().map(|herd| {
        let kernel = if herd.hosts < ENOUGH_FOR_KERNEL {
            "-".into()
        } else {
            format!("{:.0} KiB", herd.kernel_kib)
        };
        [
            herd.hosts.to_string(),
            herd.way.clone(),
            herd.end_ms.len().to_string(),
            time(median(&herd.start_ms) * 1e3),
            time(median(&herd.end_ms) * 1e3),
            over_floor(&results.growth, herd),
            format!("{} KiB", herd.private_kib),
            kernel,
        ]
    });
    format!(
        "## Growth\n\n![Hosts of one anchor: time to start, time until the last is gone, memory](benchmarks/growth.svg)\n\n\
        Medians. The kernel's memory is what slab, stacks, page tables and per-processor data have grown by, for one host;\n\
        of less than {ENOUGH_FOR_KERNEL} hosts it is lost in what else the machine does.\n\n{}",
        table(
            [
                "hosts",
                "way",
                "tries",
                "until all run",
                "until all are gone",
                "over PDEATHSIG",
                "private, one host",
                "kernel, one host"
            ],
            rows
        )
    )
}

/// Of the medians: the tries of one size are few.
fn over_floor(all: &[Herd], herd: &Herd) -> String {
    let floor = all
        .iter()
        .find(|one| one.hosts == herd.hosts && one.way == crate::growth::FLOOR);
    floor.map_or_else(
        || "-".into(),
        |floor| format!("{:.2}", median(&herd.end_ms) / median(&floor.end_ms)),
    )
}
