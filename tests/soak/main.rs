//! The long runs behind `scripts/soak`: the same races again and again, at moments that a seed chooses. Each try is
//! judged by an event; a violation names the seed and the try, by which the try comes about again, give or take the
//! machine's own chance. Without the script each runs for a share of a minute.

#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod recycle;
mod spawn;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::births::Births;

/// What the script's options say.
struct Terms {
    seed: u64,
    /// The one try that is made again and again.
    only: Option<u64>,
    tries: u64,
    time: Duration,
}

/// How long each runs where nobody says, in seconds: `scripts/test`.
const SHARE: u64 = 25;

impl Terms {
    fn read() -> Self {
        let number = |name: &str| {
            std::env::var(name)
                .ok()
                .map(|value| value.parse::<u64>().expect(name))
        };
        let tries = number("SOAK_TRIES");
        let time = number("SOAK_SECONDS").or(tries.is_none().then_some(SHARE));
        Self {
            seed: number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..) >> 32),
            only: number("SOAK_TRY"),
            tries: tries.unwrap_or(u64::MAX),
            time: time.map_or(Duration::MAX, Duration::from_secs),
        }
    }
}

/// What a try has shown.
enum Outcome {
    /// As it must be; and what was counted beside that.
    Right(&'static str),
    /// The host outlived its anchor, or took another process for it.
    Escape(String),
    /// The host ended, and its anchor lived.
    FalseDeath(String),
}

#[derive(Default)]
struct Count {
    tries: u64,
    escapes: u64,
    false_deaths: u64,
    seen: BTreeMap<&'static str, u64>,
}

/// Runs `one(births, random, try)` as often as the terms say, in so many namespaces at once. It names the kind of the
/// try, and what came of it.
fn soak(
    what: &str,
    workers: usize,
    begin: impl Fn() -> Births + Sync,
    one: impl Fn(&mut Births, &mut fastrand::Rng) -> (&'static str, Outcome) + Sync,
) {
    let terms = Terms::read();
    let (next, start) = (AtomicU64::new(0), Instant::now());
    let (counts, violations) = (Mutex::new(BTreeMap::<_, Count>::new()), Mutex::new(Vec::new()));
    let work = || {
        let mut births = begin();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= terms.tries || start.elapsed() > terms.time || violations.lock().unwrap().len() > 9 {
                break;
            }
            let number = terms.only.unwrap_or(number);
            let mut random = fastrand::Rng::with_seed(terms.seed ^ number.rotate_left(32));
            let (kind, outcome) = one(&mut births, &mut random);
            births.done("clear");
            let mut counts = counts.lock().unwrap();
            let count = counts.entry(kind).or_default();
            count.tries += 1;
            let violation = match outcome {
                Outcome::Right(seen) => {
                    *count.seen.entry(seen).or_default() += 1;
                    continue;
                }
                Outcome::Escape(how) => {
                    count.escapes += 1;
                    format!("escape: {how}")
                }
                Outcome::FalseDeath(how) => {
                    count.false_deaths += 1;
                    format!("false death: {how}")
                }
            };
            let violation = format!("seed {}, try {number}: {violation}", terms.seed);
            println!("{violation}");
            violations.lock().unwrap().push(violation);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    report(what, &terms, &counts.into_inner().unwrap());
    let violations = violations.into_inner().unwrap();
    assert!(violations.is_empty(), "{what}: {violations:#?}");
}

fn report(what: &str, terms: &Terms, counts: &BTreeMap<&'static str, Count>) {
    let all = |of: fn(&Count) -> u64| counts.values().map(of).sum::<u64>();
    let tries = all(|count| count.tries);
    let mut text = format!(
        "{what}: {tries} tries, {} escapes, {} false deaths, seed {}\n",
        all(|count| count.escapes),
        all(|count| count.false_deaths),
        terms.seed
    );
    for (kind, count) in counts {
        let seen: Vec<_> = count
            .seen
            .iter()
            .map(|(seen, times)| format!("{times} {seen}"))
            .collect();
        text += &format!("  {:>7}  {kind}: {}\n", count.tries, seen.join(", "));
    }
    print!("{text}");
    assert!(tries > 0);
}
