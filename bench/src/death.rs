//! Death to death: who ends at all, and how long it takes.

use crate::contender::{Contender, Host, KERNEL, LIBANCHOR, SITUATIONS, Situation};
use crate::kernel::{self, CEILING};
use crate::results::{Outcome, Reach};
use crate::stats::Series;
use crate::yard::{Trial, Yard};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

/// Who has not ended so long after the last who has stays: five times the longest interval of a polling contender.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long it is looked without a pause, and then every millisecond.
const EAGER: Duration = Duration::from_millis(20);

/// Tries every contender in every situation, all at once: whoever stays costs its patience once.
pub fn reach(yard: &Yard, contenders: &[Contender], tries: usize) -> Result<Vec<Reach>, String> {
    let mut all: Vec<Reach> = contenders
        .iter()
        .map(|one| Reach {
            contender: one.name.into(),
            command: one.command(),
            tries: BTreeMap::new(),
        })
        .collect();
    for _ in 0..tries {
        let mut running = Vec::new();
        for (place, contender) in contenders.iter().enumerate() {
            for situation in SITUATIONS {
                // Who could not be started once is not waited for again.
                let failed = all[place]
                    .tries
                    .values()
                    .flatten()
                    .find(|one| matches!(one, Outcome::Failed(_)));
                let started = match failed {
                    Some(Outcome::Failed(why)) => Err(why.clone()),
                    _ => yard.start(contender, situation),
                };
                match started {
                    Ok(trial) => running.push((place, situation, trial)),
                    Err(why) => {
                        let outcomes = all[place].tries.entry(situation.name().into()).or_default();
                        outcomes.push(Outcome::Failed(why));
                    }
                }
            }
        }
        if let Some((_, _, trial)) = running.first() {
            trial.settle(Duration::ZERO)?;
        }
        running.iter().for_each(|(_, _, trial)| trial.kill());
        let mut last = Instant::now();
        let mut left: Vec<usize> = (0..running.len()).collect();
        while !left.is_empty() && last.elapsed() < PATIENCE {
            let before = left.len();
            left.retain(|place| !running[*place].2.ended(Duration::ZERO));
            if left.len() < before {
                last = Instant::now();
            }
            kernel::rest(Duration::from_millis(1));
        }
        for (number, (place, situation, _)) in running.iter().enumerate() {
            let outcome = if left.contains(&number) {
                Outcome::Stayed
            } else {
                Outcome::Ended
            };
            all[*place]
                .tries
                .entry(situation.name().into())
                .or_default()
                .push(outcome);
        }
        drop(running);
        kernel::clear();
    }
    Ok(all)
}

/// A contender in a situation, of which it is known that it ends there.
struct Entry<'c> {
    contender: &'c Contender,
    situation: Situation,
    reaped: Series,
    refused: Series,
}

/// What a series is called: the situation too, where it is another than being the anchor's child.
pub fn series_name(contender: &str, situation: Situation) -> String {
    match situation {
        Situation::Below(0) => contender.into(),
        other => format!("{contender}, {}", other.name()),
    }
}

/// Kills the anchor, and says how many microseconds later it was over.
type Try = fn(&mut Trial) -> Option<f64>;

/// In which rounds it takes part. Those that are held against each other in each: the p99 of few says nothing. What polls
/// in few: there is more chance in one of its times than in a thousand of the others.
fn every(contender: &Contender, situation: Situation) -> Option<usize> {
    let child = situation == Situation::Below(0);
    match (contender.name, contender.host) {
        (KERNEL, _) if child => Some(1),
        (LIBANCHOR, _) if child || situation == Situation::Stranger => Some(1),
        (_, Host::C) => Some(if child { MAIN } else { 20 }),
        (_, Host::Python(..)) => child.then_some(50),
    }
}

/// Each contender where it is its anchor's child takes part so often, or more often.
pub const MAIN: usize = 2;

/// Times whoever ends, round by round in a new order.
pub fn time(
    yard: &Yard,
    contenders: &[Contender],
    reach: &[Reach],
    rounds: (usize, usize),
    random: &mut fastrand::Rng,
) -> Result<(Vec<Series>, Vec<Series>), String> {
    let mut entries = Vec::new();
    for (contender, reach) in contenders.iter().zip(reach) {
        for situation in SITUATIONS {
            let ends = reach.tries[situation.name()]
                .iter()
                .all(|one| *one == Outcome::Ended);
            let Some(every) = every(contender, situation) else {
                continue;
            };
            if ends {
                let name = series_name(contender.name, situation);
                let [reaped, refused] = [Series::new(&name, every), Series::new(&name, every)];
                entries.push(Entry {
                    contender,
                    situation,
                    reaped,
                    refused,
                });
            }
        }
    }
    let (warm_up, rounds) = rounds;
    for round in 0..warm_up + rounds {
        let number = round.checked_sub(warm_up);
        random.shuffle(&mut entries);
        for entry in &mut entries {
            // In the warm-up each once, and what is slow is as warm as it gets then.
            if !number.unwrap_or(round).is_multiple_of(entry.reaped.every) {
                continue;
            }
            let mut tries = [(reaped as Try, &mut entry.reaped), (refused, &mut entry.refused)];
            random.shuffle(&mut tries);
            for (try_it, series) in tries {
                let longer = Duration::from_secs_f64(entry.contender.interval() * random.f64());
                let took = yard
                    .start(entry.contender, entry.situation)
                    .and_then(|mut trial| {
                        trial.settle(longer)?;
                        Ok(try_it(&mut trial))
                    });
                kernel::clear();
                if number.is_some() {
                    series.push(took.ok().flatten());
                }
            }
        }
    }
    entries.sort_by_key(|entry| {
        let place = contenders.iter().position(|one| one.name == entry.contender.name);
        (place, entry.situation)
    });
    Ok(entries
        .into_iter()
        .map(|entry| (entry.reaped, entry.refused))
        .unzip())
}

/// Microseconds from the anchor's SIGKILL until its host is reaped.
fn reaped(trial: &mut Trial) -> Option<f64> {
    let begun = Instant::now();
    trial.kill();
    while begun.elapsed() < CEILING {
        let eager = trial.apart() && begun.elapsed() < EAGER;
        if trial.ended(if eager { Duration::ZERO } else { CEILING }) {
            return Some(begun.elapsed().as_secs_f64() * 1e6);
        }
    }
    None
}

/// Microseconds from the anchor's SIGKILL until the host's port refuses.
fn refused(trial: &mut Trial) -> Option<f64> {
    let begun = Instant::now();
    trial.kill();
    while begun.elapsed() < CEILING {
        if refuses(trial.port) {
            return Some(begun.elapsed().as_secs_f64() * 1e6);
        }
        trial.ended(Duration::ZERO);
        if !trial.apart() || begun.elapsed() > EAGER {
            kernel::rest(Duration::from_millis(1));
        }
    }
    None
}

fn refuses(port: u16) -> bool {
    let socket: rustix::io::Result<OwnedFd> = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        Some(ipproto::TCP),
    );
    let Ok(socket) = socket else { return false };
    // A connection that is given up leaves nothing behind.
    let _ = sockopt::set_socket_linger(&socket, Some(Duration::ZERO));
    match rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)) {
        // On the loopback the answer has come by now, but only after the call was over.
        Err(Errno::INPROGRESS) => sockopt::socket_error(&socket) == Ok(Err(Errno::CONNREFUSED)),
        other => other == Err(Errno::CONNREFUSED),
    }
}
