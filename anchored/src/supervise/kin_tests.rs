//! A tree is followed and ended in a made-up machine with few numbers, so that each is somebody else's again soon: what
//! forks, daemonises, ends, is debugged and ignores signals there comes from a generator, the same at every run.

use super::{Birth, Kin, Sight};
use crate::processes::Entry;
use crate::supervise::ending::{Ending, Pass, World};
use anchor_contract::{Grace, Setting};
use nix::errno::Errno;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

const GUARD: i32 = 2;
const HIGHEST: i32 = 48;
const SEEDS: u64 = 50;

/// What a process does when it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Temper {
    Ends,
    Ignores,
    /// Starts another, so many generations long, and ends.
    Spawns(u8),
    /// Is not ours to signal.
    Refuses,
}

struct Process {
    parent: i32,
    start: u64,
    birth: Birth,
    temper: Temper,
    stopped: bool,
    /// What is to be found out: the guard is above it, by birth.
    of_tree: bool,
    /// As the guard's command was given it; an exec may have dropped it.
    mark: bool,
}

/// The machine.
struct Machine {
    table: BTreeMap<i32, Process>,
    kin: Kin,
    /// Which numbers of birth the kernel tells.
    tells_births: bool,
    /// Whether what the guard starts has the mark.
    marks: bool,
    /// Whether numbers change hands between a look and a signal.
    unsteady: bool,
    births: u64,
    last: i32,
    random: u64,
    now: Instant,
    asked: HashMap<u64, u32>,
}

impl Machine {
    /// launchd, a stranger and the guard with its command.
    fn new(seed: u64, tells_births: bool) -> Self {
        let root = sight(GUARD, 1, 20, tells_births.then_some((20, 1)));
        let mut machine = Self {
            table: BTreeMap::new(),
            kin: Kin::of(root),
            tells_births,
            marks: true,
            unsteady: true,
            births: 20,
            last: GUARD,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            now: Instant::now(),
            asked: HashMap::new(),
        };
        for (pid, own) in [(1, 1), (GUARD, 20), (3, 3)] {
            let process = Process {
                parent: i32::from(pid != 1),
                start: own,
                birth: Birth { own, maker: 1 },
                temper: Temper::Ends,
                stopped: false,
                of_tree: false,
                mark: false,
            };
            machine.table.insert(pid, process);
        }
        machine.fork(GUARD).unwrap();
        machine
    }

    /// From 0 to `below`, without it.
    fn any(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).unwrap() % below
    }

    /// Any process but launchd and the guard.
    fn anybody(&mut self) -> i32 {
        let all: Vec<i32> = self.table.keys().copied().filter(|pid| *pid > GUARD).collect();
        if all.is_empty() {
            1
        } else {
            all[self.any(all.len())]
        }
    }

    /// The next free number, around and around. `None` where there is none.
    fn fork(&mut self, parent: i32) -> Option<i32> {
        let next = |pid: i32| if pid >= HIGHEST { GUARD + 1 } else { pid + 1 };
        let free = std::iter::successors(Some(next(self.last)), |pid| Some(next(*pid)));
        let pid = free.take(100).find(|pid| !self.table.contains_key(pid))?;
        let (maker, of_tree, mark) = {
            let maker = &self.table[&parent];
            (
                maker.birth.own,
                maker.of_tree || parent == GUARD,
                maker.mark || parent == GUARD,
            )
        };
        self.births += 1;
        self.last = pid;
        let process = Process {
            parent,
            start: self.births,
            birth: Birth {
                own: self.births,
                maker,
            },
            temper: Temper::Ends,
            stopped: false,
            of_tree,
            mark: mark && self.marks,
        };
        self.table.insert(pid, process);
        Some(pid)
    }

    /// Dead, reaped, and its children are launchd's.
    fn exit(&mut self, pid: i32) {
        self.table.remove(&pid);
        for process in self.table.values_mut().filter(|process| process.parent == pid) {
            process.parent = 1;
        }
    }

    fn look(&mut self) {
        let tells = self.tells_births;
        let sights: Vec<Sight> = self
            .table
            .iter()
            .map(|(pid, process)| {
                let birth = tells.then_some((process.birth.own, process.birth.maker));
                let mut sight = sight(*pid, process.parent, process.start, birth);
                sight.entry.state = if process.stopped { b'T' } else { b'S' };
                sight
            })
            .collect();
        let table = &self.table;
        self.kin.look(&sights, |pid| Some(table.get(&pid)?.mark));
        for entry in self.kin.members() {
            let process = &self.table[&entry.pid];
            assert_eq!(process.start, entry.start, "{entry:?} is dead");
            assert!(process.of_tree, "{entry:?} is a stranger");
        }
    }

    fn assert_all_are_known(&self) {
        let known = self.kin.members().count();
        let there = self.table.values().filter(|process| process.of_tree).count();
        assert_eq!(known, there);
    }

    /// A step of somebody's life. `looks`: before anybody who has forked can end.
    fn step(&mut self, looks: bool, debugs: bool) {
        let who = self.anybody();
        match self.any(8) {
            // A daemon: its parent is made only to end.
            0 => {
                let Some(child) = self.fork(who) else { return };
                if looks {
                    self.look();
                }
                let _ = self.fork(child);
                if looks {
                    self.look();
                }
                self.exit(child);
            }
            1..=3 => {
                let _ = self.fork(who);
                if looks {
                    self.look();
                }
            }
            4 if debugs => {
                let debugger = self.anybody();
                self.table.get_mut(&who).unwrap().parent = debugger;
            }
            5 => self.table.get_mut(&who).unwrap().stopped = true,
            // Somebody outside stays, to be mistaken for another.
            _ if who != 3 => self.exit(who),
            _ => {}
        }
        if self.table.len() < 4 {
            let _ = self.fork(GUARD);
        }
    }
}

fn sight(pid: i32, parent: i32, start: u64, birth: Option<(u64, u64)>) -> Sight {
    Sight {
        entry: Entry {
            pid,
            parent,
            start,
            state: b'S',
            name: String::new(),
        },
        birth: birth.map(|(own, maker)| Birth { own, maker }),
    }
}

impl World for Machine {
    type Handle = (i32, u64);

    fn now(&self) -> Instant {
        self.now
    }

    fn meant(&mut self) -> Vec<Entry> {
        self.look();
        self.kin.members().cloned().collect()
    }

    fn asks_itself(&mut self, _: &Entry) -> bool {
        false
    }

    /// Before it, anybody may end and its number be given away.
    fn open(&mut self, process: &Entry) -> Option<(i32, u64)> {
        if self.unsteady && self.any(4) == 0 && self.table.contains_key(&process.pid) {
            self.exit(process.pid);
            self.last = process.pid - 1;
            let _ = self.fork(3);
        }
        let found = self.table.get(&process.pid)?;
        (found.start == process.start).then_some((process.pid, process.start))
    }

    fn send(&mut self, (pid, start): &(i32, u64), signal: i32) -> Result<(), Errno> {
        let found = self.table.get_mut(pid).filter(|process| process.start == *start);
        let process = found.ok_or(Errno::ESRCH)?;
        assert!(process.of_tree, "{pid} is a stranger");
        if signal == libc::SIGTERM {
            *self.asked.entry(process.birth.own).or_insert(0) += 1;
        }
        match (signal, process.temper) {
            (_, Temper::Refuses) => return Err(Errno::EPERM),
            (libc::SIGCONT, _) => process.stopped = false,
            (libc::SIGTERM, Temper::Ignores) => {}
            (libc::SIGTERM, Temper::Spawns(generations)) if generations > 0 => {
                if let Some(child) = self.fork(*pid) {
                    self.table.get_mut(&child).unwrap().temper = Temper::Spawns(generations - 1);
                }
                self.exit(*pid);
            }
            _ => self.exit(*pid),
        }
        Ok(())
    }
}

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
fn nobody_is_taken_for_a_member_who_is_none() {
    for seed in 0..SEEDS {
        for tells_births in [true, false] {
            let mut machine = Machine::new(seed, tells_births);
            for _ in 0..400 {
                // Without the numbers of birth a debugger cannot be told from a parent.
                machine.step(false, tells_births);
                if machine.any(3) == 0 {
                    machine.look();
                }
            }
        }
    }
}

#[test]
fn whoever_has_the_mark_is_found_at_the_first_look() {
    for seed in 0..SEEDS {
        let mut machine = Machine::new(seed, true);
        for _ in 0..200 {
            machine.step(false, true);
        }
        machine.look();
        machine.assert_all_are_known();
    }
}

#[test]
fn whoever_is_seen_before_its_maker_ends_stays_known() {
    for seed in 0..SEEDS {
        for tells_births in [true, false] {
            let mut machine = Machine::new(seed, tells_births);
            machine.marks = false;
            for process in machine.table.values_mut() {
                process.mark = false;
            }
            machine.look();
            for _ in 0..200 {
                machine.step(true, tells_births);
                machine.look();
                machine.assert_all_are_known();
            }
        }
    }
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

impl Machine {
    fn anybody_of_the_tree(&mut self) -> i32 {
        let found = self.table.iter().find(|(_, process)| process.of_tree);
        *found.unwrap().0
    }
}

// guard -> command -> made (ends) -> daemon
#[test]
fn a_daemon_is_known_by_who_made_it_or_by_its_mark() {
    let begin = || {
        let mut kin = Kin::of(sight(2, 1, 20, Some((20, 1))));
        kin.look(&[sight(3, 2, 30, Some((30, 20)))], |_| Some(false));
        kin
    };
    let daemon = [sight(3, 2, 30, Some((30, 20))), sight(5, 1, 50, Some((50, 40)))];
    let mut unseen = begin();
    assert!(unseen.look(&daemon, |_| Some(false)).is_empty());
    let mut marked = begin();
    assert_eq!(
        marked.look(&daemon, |pid| Some(pid == 5)),
        [daemon[1].entry.clone()]
    );
    let mut seen = begin();
    seen.look(&[daemon[0].clone(), sight(4, 3, 40, Some((40, 30)))], |_| {
        Some(false)
    });
    assert_eq!(seen.look(&daemon, |_| Some(false)), [daemon[1].entry.clone()]);
}

#[test]
fn an_environment_that_cannot_be_read_yet_is_tried_again_and_not_for_ever() {
    let mut kin = Kin::of(sight(2, 1, 20, Some((20, 1))));
    let young = [sight(5, 1, 50, Some((50, 40)))];
    let mut tries = 0;
    for _ in 0..20 {
        let found = kin.look(&young, |_| {
            tries += 1;
            None
        });
        assert!(found.is_empty());
    }
    assert!((2..=5).contains(&tries), "{tries}");
    // Another has the number: it is asked again.
    let other = [sight(5, 1, 60, Some((60, 40)))];
    assert_eq!(kin.look(&other, |_| Some(true)).len(), 1);
}
