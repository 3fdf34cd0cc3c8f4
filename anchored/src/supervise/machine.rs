//! A made-up machine with few numbers, so that each is somebody else's again soon: what forks, daemonises, ends, is
//! debugged and ignores signals there comes from a generator, the same at every run.

use super::ending::World;
use super::kin::{Birth, Kin, Sight};
use crate::processes::Entry;
use nix::errno::Errno;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

pub const GUARD: i32 = 2;
const HIGHEST: i32 = 48;
pub const SEEDS: u64 = 20;

/// What a process does when it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    Ends,
    Ignores,
    /// Starts another, so many generations long, and ends.
    Spawns(u8),
    /// Is not ours to signal.
    Refuses,
}

pub struct Process {
    parent: i32,
    start: u64,
    pub birth: Birth,
    pub temper: Temper,
    pub stopped: bool,
    /// Asked while it was stopped.
    asked_while_stopped: bool,
    /// What is to be found out: the guard is above it, by birth.
    pub of_tree: bool,
    /// As the guard's command was given it; an exec may have dropped it.
    pub mark: bool,
}

/// The machine.
pub struct Machine {
    pub table: BTreeMap<i32, Process>,
    pub kin: Kin,
    /// Which numbers of birth the kernel tells.
    tells_births: bool,
    /// Whether what the guard starts has the mark.
    pub marks: bool,
    /// Whether numbers change hands between a look and a signal.
    pub unsteady: bool,
    births: u64,
    last: i32,
    random: u64,
    pub now: Instant,
    pub asked: HashMap<u64, u32>,
}

impl Machine {
    /// launchd, a stranger and the guard with its command.
    pub fn new(seed: u64, tells_births: bool) -> Self {
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
                asked_while_stopped: false,
                of_tree: false,
                mark: false,
            };
            machine.table.insert(pid, process);
        }
        machine.fork(GUARD).unwrap();
        machine
    }

    /// From 0 to `below`, without it.
    pub fn any(&mut self, below: usize) -> usize {
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
    pub fn fork(&mut self, parent: i32) -> Option<i32> {
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
            asked_while_stopped: false,
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

    pub fn look(&mut self) {
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

    pub fn assert_all_are_known(&self) {
        let known = self.kin.members().count();
        let there = self.table.values().filter(|process| process.of_tree).count();
        assert_eq!(known, there);
    }

    /// A step of somebody's life. `looks`: before anybody who has forked can end.
    pub fn step(&mut self, looks: bool, debugs: bool) {
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

pub fn sight(pid: i32, parent: i32, start: u64, birth: Option<(u64, u64)>) -> Sight {
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
            (libc::SIGTERM, _) if process.stopped => process.asked_while_stopped = true,
            (libc::SIGCONT, _) => {
                process.stopped = false;
                if std::mem::take(&mut process.asked_while_stopped) {
                    self.obey(*pid);
                }
            }
            (libc::SIGTERM, _) => self.obey(*pid),
            _ => self.exit(*pid),
        }
        Ok(())
    }
}

impl Machine {
    /// The oldest number of the tree.
    pub fn anybody_of_the_tree(&self) -> i32 {
        let found = self.table.iter().find(|(_, process)| process.of_tree);
        *found.unwrap().0
    }

    /// It has the signal that asks it, and goes on.
    fn obey(&mut self, pid: i32) {
        match self.table[&pid].temper {
            Temper::Ignores => {}
            Temper::Spawns(generations) if generations > 0 => {
                if let Some(child) = self.fork(pid) {
                    self.table.get_mut(&child).unwrap().temper = Temper::Spawns(generations - 1);
                }
                self.exit(pid);
            }
            _ => self.exit(pid),
        }
    }
}
