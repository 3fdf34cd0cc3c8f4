//! The anchor dies between any two steps of ours: a library that stops at each (`src/stops.rs`) is held there, the anchor
//! is killed, and the host goes on. It must end. And it must not where the anchor lives.

#![cfg(target_os = "linux")]

mod support;

use support::LIBRARY_WITH_STOPS;
use support::births::Births;
use support::stop::Stop;

/// Where the host's own thread may stop while it is armed: before each numbered step of `arm`, and inside some.
const LOAD: [&str; 13] = [
    "1", "2", "3", "3-opened", "3-read", "4", "4-pinned", "5", "6", "7", "8", "9", "end",
];

/// The same, reached where PDEATHSIG is set.
const PDEATHSIG: [&str; 2] = ["5-child", "5-set"];

/// The steps of a forked child, which begin before these.
const FORK: [&str; 2] = ["fork", "fork-opened"];

/// The steps that load and fork have in common.
const COMMON: [&str; 4] = ["5", "6", "7", "8"];

const WATCHER: [&str; 4] = [
    "watcher-born",
    "watcher-settled",
    "watcher-opened",
    "watcher-ready",
];

/// How a host comes about, and what it is told.
#[derive(Clone, Copy, Debug)]
struct Way {
    tree: &'static str,
    pdeathsig: &'static str,
    id: bool,
    /// By what it knows its anchor besides, or alone.
    fd: &'static [&'static str],
}

const NO_FD: &[&str] = &[];
const BESIDE: &[&str] = &["held"];
const ALONE: &[&str] = &["held", "only"];

/// Every tree with and without PDEATHSIG, with and without an identity; and with a descriptor, beside or alone.
fn ways() -> impl Iterator<Item = Way> {
    let each = [
        ("auto", true, NO_FD),
        ("auto", false, NO_FD),
        ("never", true, NO_FD),
        ("never", false, NO_FD),
        ("auto", true, BESIDE),
        ("auto", false, ALONE),
    ];
    let trees = ["direct", "wrapped", "orphan", "thread"].into_iter();
    trees.flat_map(move |tree| {
        each.map(|(pdeathsig, id, fd)| Way {
            tree,
            pdeathsig,
            id,
            fd,
        })
    })
}

/// Whether a host comes there while it is armed.
fn comes_to(way: Way, place: &str) -> bool {
    !["3-opened", "3-read"].contains(&place) || way.fd != ALONE
}

/// What becomes of the anchor while the host is held.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Anchors {
    Life,
    /// Dead, and not reaped.
    Death,
    /// Dead, and its number free.
    End,
    /// It hangs up, and lives.
    HangUp,
}

/// Has a host come to a place for the `arrival`th time, `after` it was told so (or while it is born), and sees what the
/// anchor's end there does to it.
fn at(births: &mut Births, place: &'static str, arrival: usize, after: Option<&str>, way: Way) {
    let all = [Anchors::Life, Anchors::Death, Anchors::End, Anchors::HangUp];
    let hangs_up = usize::from(way.fd != NO_FD);
    for anchors in all.into_iter().take(3 + hangs_up) {
        let what = format!("{place}, time {arrival}, after {after:?}, {way:?}, {anchors:?}");
        let mut stop = Stop::new(place, arrival);
        let anchor = births.anchor();
        let (stops_at, pdeathsig) = (stop.variable(), format!("ANCHOR_PDEATHSIG={}", way.pdeathsig));
        let id = format!("ANCHOR_ID={}", if way.id { &anchor.id } else { "" });
        let set = [&["ANCHOR_GRACE=never", &stops_at, &pdeathsig, &id], way.fd].concat();
        births.host(&format!("{} 0 -", way.tree), &LIBRARY_WITH_STOPS, &set);
        // After an exec they are counted anew.
        let execs = after == Some("exec");
        for earlier in 1..arrival + usize::from(execs) {
            stop.reached(earlier);
            stop.go(earlier);
        }
        if let Some(order) = after {
            assert!(births.main().is_some(), "{what}");
            if execs {
                stop.set_again(arrival);
            }
            births.done(&format!("tell {order}"));
        }
        stop.reached(arrival);
        match anchors {
            Anchors::Life => {}
            Anchors::Death => births.done("kill"),
            Anchors::End => {
                births.done("kill");
                births.done("reap");
            }
            Anchors::HangUp => births.done("let-go"),
        }
        stop.go(arrival);
        if anchors == Anchors::Life {
            match after {
                None | Some("exec") => assert!(births.main().is_some(), "{what}"),
                Some(_) => assert_eq!(births.ask("line"), "here", "{what}"),
            }
            assert!(births.lives(), "{what}");
            births.done("kill");
        }
        assert!(births.ends(), "{what}");
        births.done("clear");
    }
}

#[test]
fn while_it_is_armed() {
    let mut births = Births::new();
    for way in ways() {
        for place in LOAD.into_iter().filter(|place| comes_to(way, place)) {
            at(&mut births, place, 1, None, way);
        }
        if way.tree == "direct" && way.pdeathsig == "auto" && way.fd == NO_FD {
            for place in PDEATHSIG {
                at(&mut births, place, 1, None, way);
            }
        }
    }
}

#[test]
fn while_its_watcher_begins() {
    let mut births = Births::new();
    for way in ways() {
        for place in WATCHER {
            at(&mut births, place, 1, None, way);
        }
    }
}

// A fork without exec, and one whose parent is gone: the child does not know then whose numbers it counts with.
#[test]
fn while_a_forked_child_is_armed() {
    let mut births = Births::new();
    for way in ways() {
        for order in ["fork", "leave"] {
            for place in FORK {
                at(&mut births, place, 1, Some(order), way);
            }
            for place in COMMON.into_iter().chain(WATCHER) {
                at(&mut births, place, 2, Some(order), way);
            }
        }
    }
}

// An exec keeps PDEATHSIG.
#[test]
fn while_it_is_armed_again_after_an_exec() {
    let mut births = Births::new();
    for way in ways() {
        let load = LOAD.into_iter().filter(|place| comes_to(way, place));
        for place in load.chain(WATCHER) {
            at(&mut births, place, 1, Some("exec"), way);
        }
    }
}

// A change of ids: one watcher leaves, another comes. `unshare(CLONE_NEWUSER)`: there is none in between.
#[test]
fn while_a_watcher_takes_anothers_place() {
    let mut births = Births::new();
    for way in ways() {
        at(&mut births, "replaced", 1, Some("ids"), way);
        at(&mut births, "absent", 1, Some("namespace"), way);
        at(&mut births, "absent-called", 1, Some("namespace"), way);
        for order in ["ids", "namespace"] {
            for place in WATCHER {
                at(&mut births, place, 2, Some(order), way);
            }
        }
    }
}
