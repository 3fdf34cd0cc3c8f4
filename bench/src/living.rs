//! Cost to live: what a host and its company hold in memory, and how often they wake, while nothing happens.

use crate::contender::{Contender, Host, LIBANCHOR, NOTHING, NOTHING_PYTHON, Situation};
use crate::death::series_name;
use crate::kernel;
use crate::results::{Living, Outcome, Reach};
use crate::yard::{Trial, Yard};
use std::fs::read_to_string;
use std::time::{Duration, Instant};

/// All at once: none of them is to do anything.
pub fn look(
    yard: &Yard,
    contenders: &[Contender],
    reach: &[Reach],
    window: Duration,
) -> Result<Vec<Living>, String> {
    let mut running: Vec<(&Contender, Situation, Trial)> = Vec::new();
    for (contender, reach) in contenders.iter().zip(reach) {
        for situation in [Situation::Below(0), Situation::Stranger] {
            let failed = reach
                .tries
                .values()
                .flatten()
                .any(|one| matches!(one, Outcome::Failed(_)));
            if !failed && (situation == Situation::Below(0) || contender.name == LIBANCHOR) {
                running.push((contender, situation, yard.start(contender, situation)?));
            }
        }
    }
    if let Some((_, _, trial)) = running.first() {
        trial.settle(Duration::from_millis(100))?;
    }
    let members: Vec<Vec<i32>> = running.iter().map(|(_, _, trial)| trial.members()).collect();
    let before: Vec<Activity> = members.iter().map(|all| activity(all)).collect();
    let begun = Instant::now();
    // Until whoever looks again and again has had a turn, which on a busy machine may take longer: else nothing was counted.
    let (after, minutes) = loop {
        kernel::rest(window);
        let after: Vec<Activity> = members.iter().map(|all| activity(all)).collect();
        let waits = running.iter().enumerate().any(|(place, (contender, ..))| {
            let looks = matches!(contender.host, Host::Python(way, _) if way != "none");
            looks && after[place].wakeups == before[place].wakeups
        });
        if !waits || begun.elapsed() > kernel::CEILING {
            break (after, begun.elapsed().as_secs_f64() / 60.0);
        }
    };
    let mut all = Vec::new();
    for (place, (contender, situation, _)) in running.iter().enumerate() {
        let of = &members[place];
        let python = matches!(contender.host, Host::Python(..));
        all.push(Living {
            contender: series_name(contender.name, *situation),
            control: if python { NOTHING_PYTHON } else { NOTHING }.into(),
            private_kib: of.iter().map(|pid| kernel::private(*pid)).sum(),
            processes: of.len(),
            threads: of.iter().map(|pid| kernel::tasks(*pid).len()).sum(),
            wakeups_per_minute: (after[place].wakeups - before[place].wakeups) as f64 / minutes,
            microseconds_per_minute: (after[place].nanoseconds - before[place].nanoseconds) as f64
                / 1000.0
                / minutes,
        });
    }
    drop(running);
    kernel::clear();
    Ok(all)
}

struct Activity {
    wakeups: u64,
    nanoseconds: u64,
}

/// How often their threads have been switched to, and how long they have run, proc(5).
fn activity(of: &[i32]) -> Activity {
    let tasks: Vec<_> = of.iter().flat_map(|pid| kernel::tasks(*pid)).collect();
    let switches = ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"];
    let ran = |task: &std::path::PathBuf| -> Option<u64> {
        read_to_string(task.join("schedstat"))
            .ok()?
            .split(' ')
            .next()?
            .parse()
            .ok()
    };
    Activity {
        wakeups: tasks
            .iter()
            .map(|task| kernel::fields(task.join("status"), &switches))
            .sum(),
        nanoseconds: tasks.iter().filter_map(ran).sum(),
    }
}
