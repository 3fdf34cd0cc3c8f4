//! The spawn race: the anchor dies at any moment of its host's birth.

use super::support::births::Births;
use super::support::{CEILING, LIBRARY};
use super::{Outcome, soak};
use fastrand::Rng;
use std::time::{Duration, Instant};

/// How many namespaces at once: more than there are processors, so that whoever is being born is interrupted too.
const WORKERS: usize = 6;

#[test]
fn spawn() {
    // How long a birth takes here and now.
    let birth = birth_time();
    soak("spawn race", WORKERS, Births::new, |births, random| {
        let tree = *random
            .choice(&["direct", "thread", "wrapped", "orphan"][..])
            .unwrap();
        match random.u8(..8) {
            0..5 => early(births, random, tree, birth),
            _ => late(births, random, tree),
        }
    });
}

/// What the library is told.
fn set(births: &mut Births, random: &mut Rng) -> Vec<String> {
    let anchor = births.anchor();
    let mut set = vec![format!(
        "ANCHOR_PDEATHSIG={}",
        random.choice(["auto", "never"]).unwrap()
    )];
    // Mostly a host that is not asked would live on, for all to see.
    set.push(format!(
        "ANCHOR_GRACE={}",
        if random.u8(..4) == 0 { "10s" } else { "never" }
    ));
    // By its number, by what hangs up, or by both.
    let by = random.u8(..6);
    if by < 2 {
        set.push("held".to_owned());
    }
    if by == 0 {
        set.push("only".to_owned());
    } else if random.bool() {
        let id = random.choice([&anchor.id, &anchor.marked]).unwrap();
        set.push(format!("ANCHOR_ID={id}"));
    }
    if random.u8(..16) == 0 {
        set.extend(["without-pidfd".to_owned(), "ANCHOR_POLL=5ms".to_owned()]);
    }
    set
}

fn birth_time() -> Duration {
    let mut births = Births::new();
    let mut times: Vec<_> = (0..20)
        .map(|_| {
            births.anchor();
            let start = Instant::now();
            births.shipped("direct 0 -", &[]);
            assert!(births.main().is_some());
            let time = start.elapsed();
            births.done("clear");
            time
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// Real programs: no report of their main, and children of their own.
const PROGRAMS: [&str; 3] = [
    "sleep 1000",
    "sh -c sleep${IFS}1000;:",
    "python3 -c __import__('subprocess').run(['sleep','1000'])",
];

/// The anchor ends itself after a while that is chosen: before a fork, between fork and exec, in the loader, in the
/// constructor, or after the main has begun.
fn early(
    births: &mut Births,
    random: &mut Rng,
    tree: &'static str,
    birth: Duration,
) -> (&'static str, Outcome) {
    let set = set(births, random);
    let words: Vec<&str> = set.iter().map(String::as_str).collect();
    let span = birth.as_nanos() as u64;
    let death = random.u64(..span * 2);
    // Sometimes the host tarries before its exec, or whoever makes it before its fork.
    let pause = if random.u8(..4) == 0 {
        random.u64(..span)
    } else {
        0
    };
    let how = format!("{tree} {pause} {}{death}", if random.bool() { 'k' } else { 'x' });
    let reaped = random.bool();
    let program = (random.u8(..32) == 0).then(|| *random.choice(&PROGRAMS[..]).unwrap());
    match program {
        Some(program) => births.run(&how, &LIBRARY, &[&words[..], &["quiet"]].concat(), program),
        None => births.host(&how, &LIBRARY, &words),
    }
    births.done("dead");
    if reaped {
        births.done("reap");
    }
    let tell = |what: &str| format!("{what}: {how} reaped {reaped} {} {program:?}", words.join(" "));
    let outcome = match births.ask("line").as_str() {
        "end" if program.is_some() => Outcome::Right("ended, a real program"),
        "end" => Outcome::Right("ended before main"),
        "lives" => Outcome::Escape(tell("the main has not begun")),
        _ if births.ends() => Outcome::Right("ended in main"),
        _ => Outcome::Escape(tell("in main")),
    };
    (tree, outcome)
}

/// The anchor lives until the host has answered, and dies right after, or while the host does what brings another
/// watcher about.
fn late(births: &mut Births, random: &mut Rng, tree: &'static str) -> (&'static str, Outcome) {
    let set = set(births, random);
    let words: Vec<&str> = set.iter().map(String::as_str).collect();
    let order = *random
        .choice(&["", "", "", "fork", "leave", "exec", "ids", "namespace"][..])
        .unwrap();
    let (waits, pause) = (random.bool(), random.u64(..2_000_000));
    let tell = |what: &str| format!("{what}: {tree} {order} waits {waits} {}", words.join(" "));
    births.host(&format!("{tree} 0 -"), &LIBRARY, &words);
    if births.main().is_none() {
        return (tree, Outcome::FalseDeath(tell("before main")));
    }
    if !births.lives() {
        return (tree, Outcome::FalseDeath(tell("in main")));
    }
    if !order.is_empty() {
        births.done(&format!("tell {order}"));
        if waits && births.ask("line") == "end" {
            return (tree, Outcome::FalseDeath(tell("at that")));
        }
        births.done(&format!("wait {pause}"));
    }
    let hangs_up = set.iter().any(|word| word == "held") && random.bool();
    births.done(if hangs_up { "let-go" } else { "kill" });
    if births.ends() {
        (tree, Outcome::Right("ended, alive until then"))
    } else {
        (tree, Outcome::Escape(tell(&format!("not within {CEILING:?}"))))
    }
}
