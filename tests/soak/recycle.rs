//! Recycled numbers: the anchor's goes to a stranger before, while and after the host is armed.

use super::support::births::{Anchor, Births};
use super::support::{LIBRARY, kernel_is_at_least};
use super::{Outcome, soak};
use fastrand::Rng;

/// How many namespaces at once. Most of a try is waiting for the clock to tick.
const WORKERS: usize = 8;

/// So many numbers are left from 300 on, where numbers begin again: they come round with every other try.
const NUMBERS: u32 = 340;

#[test]
fn recycle() {
    // KERNEL: since Linux 6.14 a PID namespace has a limit of its own; before that, this would be the machine's.
    let small = kernel_is_at_least(6, 14);
    println!("numbers come round by themselves: {small}");
    let begin = || {
        let mut births = Births::new();
        if small {
            births.done(&format!("numbers {NUMBERS}"));
            // Those below 300 are given once.
            births.done("churn 300");
        }
        births
    };
    soak("recycled numbers", WORKERS, begin, |births, random| {
        let how = match random.u8(..4) {
            0 => "thread",
            1 => "told",
            _ if small => "round",
            _ => "told",
        };
        let try_ = Try {
            how,
            with_id: random.bool(),
            marked: random.bool(),
            polls: random.u8(..5) == 0,
        };
        match random.u8(..8) {
            0..2 => try_.before(births),
            2..5 => try_.during(births, random),
            5..7 => try_.after(births, random),
            _ => try_.never(births),
        }
    });
}

struct Try {
    how: &'static str,
    with_id: bool,
    /// And that with a mark.
    marked: bool,
    polls: bool,
}

/// What cannot be known: there was no identity, and the first look found the stranger.
const UNKNOWABLE: &str = "not knowable: taken for the anchor, and ended with it";

impl Try {
    fn host(&self, births: &mut Births, anchor: &Anchor) {
        let id = match (self.with_id, self.marked) {
            (false, _) => "",
            (true, false) => &anchor.id,
            (true, true) => &anchor.marked,
        };
        let id = format!("ANCHOR_ID={id}");
        let mut set = vec!["ANCHOR_GRACE=never", &id];
        if self.polls {
            set.extend(["without-pidfd", "ANCHOR_POLL=5ms"]);
        }
        births.host("sibling 0 -", &LIBRARY, &set);
    }

    fn tell(&self, what: &str) -> String {
        let Self {
            how,
            with_id,
            marked,
            polls,
        } = self;
        format!("{what}: {how}, with an identity {with_id}, with a mark {marked}, polls {polls}")
    }

    /// Whether a process has the number now.
    fn recycle(&self, births: &mut Births) -> bool {
        births.done("kill");
        births.done("reap");
        let answer = births.ask(&format!("stranger {}", self.how));
        assert!(["ok", "taken"].contains(&answer.as_str()), "{answer}");
        answer == "ok" && self.how != "thread"
    }

    fn before(&self, births: &mut Births) -> (&'static str, Outcome) {
        let kind = if self.with_id {
            "before arming, with an identity"
        } else {
            "before arming, without one"
        };
        let anchor = births.anchor();
        if !(self.with_id && self.marked && kernel_is_at_least(6, 9)) || self.polls {
            births.done("tick");
        }
        let process = self.recycle(births);
        self.host(births, &anchor);
        let outcome = match (births.main(), self.with_id) {
            (None, true) => Outcome::Right("ended before main"),
            (Some(_), true) => Outcome::Escape(self.tell("in main")),
            (None, false) => Outcome::FalseDeath(self.tell("taken for dead, and not known")),
            (Some(_), false) => self.with_the_stranger(births, process),
        };
        (kind, outcome)
    }

    /// A host that could not know better lives as long as the stranger. A thread's number is nobody's, and it lives on.
    fn with_the_stranger(&self, births: &mut Births, process: bool) -> Outcome {
        if !births.lives() {
            return Outcome::FalseDeath(self.tell("the stranger lives"));
        }
        if !process {
            return Outcome::Right("not knowable: a thread's number, inert");
        }
        births.done("leave");
        if births.ends() {
            Outcome::Right(UNKNOWABLE)
        } else {
            Outcome::Escape(self.tell("the stranger is dead too"))
        }
    }

    fn during(&self, births: &mut Births, random: &mut Rng) -> (&'static str, Outcome) {
        let kind = if self.with_id {
            "while it is armed, with an identity"
        } else {
            "while it is armed, without one"
        };
        let anchor = births.anchor();
        births.done("tick");
        self.host(births, &anchor);
        births.done(&format!("wait {}", random.u64(..4_000_000)));
        let process = self.recycle(births);
        let outcome = match births.main() {
            None => Outcome::Right("ended before main"),
            // It says as whom it knows its anchor.
            Some(id) if self.with_id || id == anchor.id || id == anchor.marked || id.is_empty() => {
                self.must_end(births, "while it was armed")
            }
            Some(_) => self.with_the_stranger(births, process),
        };
        (kind, outcome)
    }

    fn must_end(&self, births: &mut Births, what: &str) -> Outcome {
        if births.ends() {
            Outcome::Right("ended in main")
        } else {
            Outcome::Escape(self.tell(what))
        }
    }

    /// Within the anchor's own tick too, where pidfds have inodes of their own: by these it is known from then on.
    fn after(&self, births: &mut Births, random: &mut Rng) -> (&'static str, Outcome) {
        let kind = "after arming";
        let anchor = births.anchor();
        self.host(births, &anchor);
        if births.main().is_none() {
            return (kind, Outcome::FalseDeath(self.tell("before main")));
        }
        let order = *random
            .choice(&["", "", "fork", "leave", "ids", "namespace"][..])
            .unwrap();
        if !order.is_empty() {
            births.done(&format!("tell {order}"));
        }
        if self.polls || !kernel_is_at_least(6, 9) {
            births.done("tick");
        }
        if random.bool() {
            births.done(&format!("wait {}", random.u64(..1_000_000)));
        }
        self.recycle(births);
        (kind, self.must_end(births, &format!("armed, {order}")))
    }

    /// The control: the numbers around it come and go, its own does not.
    fn never(&self, births: &mut Births) -> (&'static str, Outcome) {
        let kind = "never: others come and go";
        let anchor = births.anchor();
        self.host(births, &anchor);
        births.done("churn 30");
        if births.main().is_none() {
            return (kind, Outcome::FalseDeath(self.tell("before main")));
        }
        births.done("churn 30");
        if !births.lives() {
            return (kind, Outcome::FalseDeath(self.tell("in main")));
        }
        births.done("kill");
        (kind, self.must_end(births, "its number was not recycled"))
    }
}
