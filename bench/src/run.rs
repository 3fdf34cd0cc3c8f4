//! One run: everything in its order, with how much of each.

use crate::contender::contenders;
use crate::kernel::{self, Processors};
use crate::programs::Programs;
use crate::results::Results;
use crate::yard::Yard;
use crate::{calls, death, growth, living, loops, machine, start};
use std::path::Path;
use std::time::{Duration, Instant};

pub struct Plan {
    command: &'static str,
    warm_up: usize,
    reach: usize,
    deaths: usize,
    start: usize,
    loops: usize,
    /// Of a loop's full length.
    share: usize,
    window: Duration,
    sizes: &'static [(usize, usize)],
}

pub const FULL: Plan = Plan {
    command: "scripts/bench",
    warm_up: 10,
    reach: 3,
    deaths: 1000,
    start: 3000,
    loops: 10,
    share: 1,
    window: Duration::from_secs(30),
    sizes: &[(1, 9), (10, 9), (100, 9), (1000, 5), (10_000, 3)],
};

pub const QUICK: Plan = Plan {
    command: "scripts/bench --quick",
    warm_up: 1,
    reach: 1,
    deaths: 20,
    start: 60,
    loops: 1,
    share: 20,
    window: Duration::from_secs(5),
    sizes: &[(1, 2), (10, 2), (100, 2)],
};

/// So much that everything is seen once: for tests.
pub const SHARE: Plan = Plan {
    command: "the tests",
    warm_up: 0,
    reach: 1,
    deaths: 5,
    start: 5,
    loops: 1,
    share: 60,
    window: Duration::from_secs(1),
    sizes: &[(1, 1), (10, 1)],
};

/// The order of everything is drawn from it, so that it is the same in every run.
const SEED: u64 = 1;

pub fn measure(plan: &Plan, root: &Path, built: &Path) -> Result<Results, String> {
    let begun = Instant::now();
    let folder = tempfile::tempdir().map_err(|why| format!("a temporary folder: {why}"))?;
    let programs = Programs::compile(root, built, folder.path())?;
    let processors = Processors::choose()?;
    let contenders = contenders(&programs);
    let mut machine = machine::look(root, &programs, &contenders, plan.command.into());
    let mut random = fastrand::Rng::with_seed(SEED);
    let step = |what: &str| eprintln!("{:>4} s  {what}", begun.elapsed().as_secs());
    kernel::pin(&[processors.own])?;
    let yard = Yard::open(&programs, processors, folder.path())?;

    step("system calls at load");
    let calls = calls::list(&programs, folder.path())?;
    step("who ends at all");
    let reach = death::reach(&yard, &contenders, plan.reach)?;
    step("death to death");
    let rounds = (plan.warm_up, plan.deaths);
    let (reaped, refused) = death::time(&yard, &contenders, &reach, rounds, &mut random)?;
    step("cost to start");
    let (start, missing) = start::time(&programs, processors, (plan.warm_up, plan.start), &mut random)?;
    step("cost to live: loops");
    let loops = loops::time(&programs, processors, plan.share, (1, plan.loops), &mut random)?;
    step("cost to live: silence");
    let living = living::look(&yard, &contenders, &reach, plan.window)?;
    step("growth");
    let growth = growth::grow(&programs, processors, plan.sizes, &mut random)?;
    step("done");
    machine.warm_up = plan.warm_up;
    machine.seconds = begun.elapsed().as_secs();
    Ok(Results {
        machine,
        reach,
        reaped,
        refused,
        start,
        missing,
        loops,
        living,
        growth,
        calls,
    })
}
