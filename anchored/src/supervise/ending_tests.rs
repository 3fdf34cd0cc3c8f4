//! How a tree ends in the made-up machine, and pass by pass.

use super::{Ending, Pass, World};
use crate::processes::Entry;
use crate::supervise::machine::{GUARD, Machine, SEEDS, Temper, sight};
use anchor_contract::{Grace, Setting};
use nix::errno::Errno;
use std::time::{Duration, Instant};

/// Ends the tree; how, and how long it took.
fn end(machine: &mut Machine, grace: &str) -> (Pass, Duration) {
    let began = machine.now;
    let grace = Grace::parse(grace.as_bytes()).unwrap();
    let mut ending = Ending::new(libc::SIGTERM, grace, began);
    for _ in 0..10_000 {
        match ending.pass(machine) {
            Pass::Again(pause) => machine.now += pause.max(Duration::from_millis(1)),
            end => return (end, machine.now - began),
        }
    }
    panic!("an ending has no end");
}

#[test]
fn a_tree_ends_whole_and_nobody_else() {
    for seed in 0..SEEDS {
        let mut machine = Machine::new(seed, true);
        for _ in 0..100 {
            machine.step(false, true);
        }
        let all: Vec<i32> = machine.table.keys().copied().filter(|pid| *pid > GUARD).collect();
        for pid in all {
            let temper = [Temper::Ends, Temper::Ignores, Temper::Spawns(3)][machine.any(3)];
            machine.table.get_mut(&pid).unwrap().temper = temper;
        }
        let strangers = |machine: &Machine| -> Vec<u64> {
            let strangers = machine.table.values().filter(|process| !process.of_tree);
            strangers.map(|process| process.birth.own).collect()
        };
        let before = strangers(&machine);
        let (end, took) = end(&mut machine, "100ms");
        assert_eq!(end, Pass::Nobody, "{seed}");
        assert!(took < Duration::from_secs(1), "{seed}: {took:?}");
        assert!(machine.table.values().all(|process| !process.of_tree), "{seed}");
        let after = strangers(&machine);
        assert!(before.iter().all(|own| after.contains(own)), "{seed}");
        assert!(machine.asked.values().all(|times| *times == 1), "{seed}");
    }
}

#[test]
fn what_ignores_the_signal_has_its_grace() {
    let mut machine = Machine::new(1, true);
    machine.unsteady = false;
    let command = machine.anybody_of_the_tree();
    machine.table.get_mut(&command).unwrap().temper = Temper::Ignores;
    let mut seldom = Ending::new(libc::SIGTERM, Grace::parse(b"10s").unwrap(), machine.now);
    let mut took = Duration::ZERO;
    while let Pass::Again(pause) = seldom.pass(&mut machine) {
        assert!(took < Duration::from_secs(20), "it is never killed");
        if !machine.table.contains_key(&command) {
            break;
        }
        (took, machine.now) = (took + pause, machine.now + pause);
    }
    assert_eq!(took, Duration::from_secs(10));
}

#[test]
fn what_cannot_be_signalled_is_named() {
    let mut machine = Machine::new(1, true);
    machine.unsteady = false;
    let command = machine.anybody_of_the_tree();
    machine.table.get_mut(&command).unwrap().temper = Temper::Refuses;
    assert_eq!(end(&mut machine, "0").0, Pass::OutOfReach(command));
}

#[test]
fn what_is_stopped_goes_on_once_it_was_asked() {
    let mut machine = Machine::new(1, true);
    machine.unsteady = false;
    let command = machine.anybody_of_the_tree();
    machine.table.get_mut(&command).unwrap().stopped = true;
    assert_eq!(end(&mut machine, "never").0, Pass::Nobody);
    assert!(!machine.table.contains_key(&command));
}

/// What each pass finds, and who of these refuses to be signalled.
struct Script {
    passes: Vec<Vec<i32>>,
    refuses: i32,
    sent: Vec<i32>,
    now: Instant,
}

impl World for Script {
    type Handle = i32;

    fn now(&self) -> Instant {
        self.now
    }

    fn meant(&mut self) -> Vec<Entry> {
        let found = if self.passes.is_empty() {
            Vec::new()
        } else {
            self.passes.remove(0)
        };
        found
            .into_iter()
            .map(|pid| sight(pid, 1, 1, None).entry)
            .collect()
    }

    fn asks_itself(&mut self, _: &Entry) -> bool {
        false
    }

    fn open(&mut self, process: &Entry) -> Option<i32> {
        Some(process.pid)
    }

    fn send(&mut self, pid: &i32, signal: i32) -> Result<(), Errno> {
        self.sent.push(signal);
        if *pid == self.refuses {
            Err(Errno::EPERM)
        } else {
            Ok(())
        }
    }
}

fn script(passes: &[&[i32]]) -> (Script, Ending) {
    let now = Instant::now();
    let script = Script {
        passes: passes.iter().map(|pids| pids.to_vec()).collect(),
        refuses: 9,
        sent: Vec::new(),
        now,
    };
    (
        script,
        Ending::new(libc::SIGTERM, Grace::parse(b"0").unwrap(), now),
    )
}

#[test]
fn one_look_that_finds_nobody_is_not_the_end() {
    let (mut world, mut ending) = script(&[&[5], &[], &[6], &[], &[]]);
    for _ in 0..4 {
        assert!(matches!(ending.pass(&mut world), Pass::Again(_)));
    }
    assert_eq!(ending.pass(&mut world), Pass::Nobody);
}

#[test]
fn where_there_is_no_grace_it_is_asked_first_all_the_same() {
    let (mut world, mut ending) = script(&[&[5], &[5]]);
    for _ in 0..2 {
        ending.pass(&mut world);
    }
    assert_eq!(world.sent, [libc::SIGTERM, libc::SIGKILL]);
}

#[test]
fn it_is_given_up_only_when_nobody_else_is_left() {
    let (mut world, mut ending) = script(&[&[9, 5], &[9, 5], &[9]]);
    for _ in 0..2 {
        assert!(matches!(ending.pass(&mut world), Pass::Again(_)));
    }
    assert_eq!(ending.pass(&mut world), Pass::OutOfReach(9));
}
