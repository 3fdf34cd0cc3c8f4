//! Who belongs to a tree, where the kernel hands orphans to its first process and nobody below: looked at again and again,
//! and remembered. No call is made here; what a look has seen comes in, and who is of the tree goes out.
//!
//! A process belongs to the tree if whoever *made* it does. macOS writes that down at its birth, in numbers that no other
//! process of a boot has, and leaves it when the process becomes an orphan or is debugged; the parent says neither. So a
//! process is known as long as its maker was seen, alive or dead by now.
//!
//! RACE: 1. a member forks  2. the child forks, and ends  3. we look. The grandchild's maker was never seen. It is known by
//!   the mark that the command was given in its environment, where that can be read and was kept; else it is lost.

use crate::processes::Entry;
use std::collections::{HashMap, HashSet};

/// The numbers that a process is given at its birth: its own, and that of whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birth {
    pub own: u64,
    pub maker: u64,
}

/// A process as a look has seen it.
#[derive(Clone, Debug)]
pub struct Sight {
    pub entry: Entry,
    /// `None` where the kernel does not say.
    pub birth: Option<Birth>,
}

/// The tree below one process, as far as it was seen.
#[derive(Debug)]
pub struct Kin {
    root: Sight,
    /// Who is of it and lived at the last look, by number.
    members: HashMap<i32, Sight>,
    /// The numbers of birth of everybody who is or was of it, and how many looks ago that one was last seen.
    makers: HashMap<u64, u32>,
    /// Whom the mark was looked for in, and how often in vain. A process is its number and its start.
    strangers: HashMap<(i32, u64), u32>,
}

/// So many looks after its death nobody is found any more whom a process has made: it makes none by then. One would do, if
/// no look ever missed anybody.
const REMEMBERED: u32 = 8;

/// So often an environment that cannot be read is tried: one whose process is just being made or executed can be later.
const TRIES: u32 = 4;

impl Kin {
    /// Nobody has been seen below it yet.
    pub fn of(root: Sight) -> Self {
        let makers = root.birth.iter().map(|birth| (birth.own, 0)).collect();
        Self {
            root,
            members: HashMap::new(),
            makers,
            strangers: HashMap::new(),
        }
    }

    /// Takes in what a look has seen. `marked` says whether a process has the mark; `None` where that cannot be read.
    /// Those that were not known before are given back.
    pub fn look(&mut self, sights: &[Sight], mut marked: impl FnMut(i32) -> Option<bool>) -> Vec<Entry> {
        let alive: Vec<&Sight> = sights.iter().filter(|sight| !sight.entry.is_zombie()).collect();
        self.forget_the_dead(&alive);
        let mut fresh = Vec::new();
        loop {
            let mut found: Vec<&Sight> = alive
                .iter()
                .copied()
                .filter(|sight| self.is_new_kin(sight))
                .collect();
            if found.is_empty() {
                // Only now, because it costs a call each.
                found.extend(
                    alive
                        .iter()
                        .copied()
                        .filter(|sight| self.has_mark(sight, &mut marked)),
                );
            }
            if found.is_empty() {
                return fresh;
            }
            for sight in found {
                self.makers.extend(sight.birth.map(|birth| (birth.own, 0)));
                self.members.insert(sight.entry.pid, sight.clone());
                fresh.push(sight.entry.clone());
            }
        }
    }

    /// Who lived at the last look, as it was then.
    pub fn members(&self) -> impl Iterator<Item = &Entry> {
        self.members.values().map(|sight| &sight.entry)
    }

    fn forget_the_dead(&mut self, alive: &[&Sight]) {
        let now: HashMap<i32, &Sight> = alive.iter().map(|sight| (sight.entry.pid, *sight)).collect();
        // Whoever is still there may be stopped by now, or called otherwise.
        self.members.retain(|pid, member| match now.get(pid) {
            Some(sight) if is_same(sight, member) => {
                member.entry = sight.entry.clone();
                true
            }
            _ => false,
        });
        let living: HashSet<u64> = self
            .members
            .values()
            .filter_map(|member| Some(member.birth?.own))
            .collect();
        let root = self.root.birth.map(|birth| birth.own);
        self.makers.retain(|own, looks| {
            *looks = if living.contains(own) || root == Some(*own) {
                0
            } else {
                *looks + 1
            };
            *looks <= REMEMBERED
        });
        let is_there =
            |(pid, start): &(i32, u64)| now.get(pid).is_some_and(|sight| sight.entry.start == *start);
        self.strangers.retain(|who, _| is_there(who));
    }

    fn is_new_kin(&self, sight: &Sight) -> bool {
        if self.is_known(sight) {
            return false;
        }
        let parent = if sight.entry.parent == self.root.entry.pid {
            Some(&self.root)
        } else {
            self.members.get(&sight.entry.parent)
        };
        match (sight.birth, parent) {
            (Some(birth), _) if self.makers.contains_key(&birth.maker) => true,
            // A debugger is the parent of whom it debugs, and has not made it.
            (Some(_), Some(Sight { birth: Some(_), .. })) => false,
            // A look is no moment: the number may have become another's between two lines of it, and that one is younger
            // than the child.
            (_, Some(parent)) => parent.entry.start <= sight.entry.start,
            (_, None) => false,
        }
    }

    fn has_mark(&mut self, sight: &Sight, marked: &mut impl FnMut(i32) -> Option<bool>) -> bool {
        if self.is_known(sight) {
            return false;
        }
        let tries = self
            .strangers
            .entry((sight.entry.pid, sight.entry.start))
            .or_insert(0);
        if *tries >= TRIES {
            return false;
        }
        match marked(sight.entry.pid) {
            Some(true) => return true,
            // It does not come later: who is given it is given it at its birth.
            Some(false) => *tries = TRIES,
            None => *tries += 1,
        }
        false
    }

    fn is_known(&self, sight: &Sight) -> bool {
        let known = self.members.get(&sight.entry.pid).unwrap_or(&self.root);
        is_same(sight, known)
    }
}

/// Whether two sights are of one process.
fn is_same(one: &Sight, other: &Sight) -> bool {
    let births = match (one.birth, other.birth) {
        (Some(one), Some(other)) => one.own == other.own,
        _ => true,
    };
    one.entry.pid == other.entry.pid && one.entry.start == other.entry.start && births
}

#[cfg(test)]
#[path = "kin_tests.rs"]
mod tests;
