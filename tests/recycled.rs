//! The anchor's number is another's: before the host was armed, while it is, and after. Nobody lives for the sake of a
//! stranger, and nobody dies for a number.

#![cfg(target_os = "linux")]

mod support;

use support::births::Births;
use support::stop::Stop;
use support::*;

/// Gives the anchor's number away. Another tick first: within one, a start does not tell two processes apart.
fn recycle(births: &mut Births, how: &str) {
    births.done("tick");
    births.done("kill");
    births.done("reap");
    births.done(&format!("stranger {how}"));
}

// births -> births (anchor, dead; the number is a process's now, or a thread's)
//        -> newborn (host, told of who had it before)
#[test]
fn a_number_that_is_a_process_by_now_is_a_dead_anchor() {
    told_of_who_had_it("told");
}

#[test]
fn a_number_that_is_a_thread_by_now_is_a_dead_anchor() {
    told_of_who_had_it("thread");
}

fn told_of_who_had_it(how: &str) {
    let mut births = Births::new();
    for filter in ["", "without-pidfd"] {
        let anchor = births.anchor();
        let id = format!("ANCHOR_ID={}", anchor.id);
        recycle(&mut births, how);
        births.shipped("sibling 0 -", &[filter, &id]);
        assert_eq!(births.main(), None, "{filter}");
        births.done("clear");
    }
}

// Starts that do not tell two processes apart, as within one tick: in a time namespace they are not compared. A mark does.
// births (in a time namespace) -> births (anchor, dead; its number is a process's or a thread's)
//                              -> newborn (host, told of who had it before)
#[test]
fn a_mark_tells_two_processes_of_one_start_apart() {
    if !kernel_is_at_least(6, 9) {
        return left_out("an anchor that is known by its pidfd's inode: wants Linux 6.9");
    }
    let mut births = Births::beyond(&["--time", "--boottime", "1000"], "true");
    for how in ["told", "thread"] {
        let anchor = births.anchor();
        births.done("kill");
        births.done("reap");
        births.done(&format!("stranger {how}"));
        births.shipped("sibling 0 -", &[&format!("ANCHOR_ID={}", anchor.marked)]);
        assert_eq!(births.main(), None, "{how}");
        births.done("clear");
    }
    // The control: its own mark.
    let anchor = births.anchor();
    births.shipped("sibling 0 -", &[&format!("ANCHOR_ID={}", anchor.marked)]);
    assert!(births.main().is_some() && births.lives());
    births.done("kill");
    assert!(births.ends());
}

// The control: a thread that had the number all the time is nobody's death.
// births -> births (has the number, for a thread; still there)
//        -> newborn (host)
#[test]
fn a_thread_that_always_had_the_number_is_not_dead() {
    let mut births = Births::new();
    let anchor = births.anchor();
    recycle(&mut births, "thread");
    let start = births.ask("start");
    let (namespace, _) = anchor.id.split_once(':').unwrap();
    births.shipped("sibling 0 -", &[&format!("ANCHOR_ID={namespace}:{start}")]);
    assert!(births.main().is_some());
    assert!(births.lives());
}

/// Where a host's own thread may be when the number changes hands; from the second list on it knows whose it was.
const BEFORE: [&str; 3] = ["1", "2", "3"];
const SINCE: [&str; 15] = [
    "3-opened",
    "3-read",
    "4",
    "4-pinned",
    "5",
    "6",
    "7",
    "8",
    "9",
    "end",
    "watcher-born",
    "watcher-settled",
    "watcher-opened",
    "watcher-ready",
    "never",
];

#[test]
fn with_an_identity_a_stranger_is_recognised_at_every_step() {
    let mut births = Births::new();
    for place in BEFORE.into_iter().chain(SINCE) {
        for how in ["told", "thread"] {
            for filter in ["", "without-pidfd"] {
                let what = format!("{place}, {how}, {filter}");
                held_while_recycled(&mut births, place, how, filter, true);
                assert!(births.ends(), "{what}");
                births.done("clear");
            }
        }
    }
}

// Without one, from the first look on. What had changed hands before is whoever has it now: nothing says otherwise.
#[test]
fn without_an_identity_a_stranger_is_recognised_from_the_first_look_on() {
    let mut births = Births::new();
    for place in SINCE {
        held_while_recycled(&mut births, place, "told", "", false);
        assert!(births.ends(), "{place}");
        births.done("clear");
    }
    for place in BEFORE {
        held_while_recycled(&mut births, place, "told", "", false);
        assert!(births.main().is_some(), "{place}");
        assert!(births.lives(), "{place}");
        births.done("leave");
        assert!(births.ends(), "{place}");
        births.done("clear");
    }
}

/// A host that is held at `place` while its anchor dies and the number goes to a stranger; at `never`, when it is armed.
fn held_while_recycled(births: &mut Births, place: &'static str, how: &str, filter: &str, with_id: bool) {
    let mut stop = Stop::new(place, 1);
    let anchor = births.anchor();
    let id = format!("ANCHOR_ID={}", if with_id { &anchor.id } else { "" });
    let set = [
        "ANCHOR_GRACE=never",
        "ANCHOR_POLL=5ms",
        filter,
        &stop.variable(),
        &id,
    ]
    .map(str::to_owned);
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    births.host("sibling 0 -", &LIBRARY_WITH_STOPS, &set);
    if place == "never" {
        assert!(births.main().is_some());
    } else {
        stop.reached(1);
    }
    recycle(births, how);
    stop.go(1);
}

// A fork whose parent is gone, so that it is not known whose numbers it counts with; and starts that do not tell two
// processes apart, as within one tick: in a time namespace they are not compared.
// births (in a time namespace) -> births (anchor, dead, its number given away)
//                              -> newborn (host, gone) -> newborn (forked, held before it is armed)
#[test]
fn a_forked_child_knows_its_anchor_by_more_than_the_start() {
    if !kernel_is_at_least(6, 9) {
        return left_out("an anchor that is known by its pidfd's inode: wants Linux 6.9");
    }
    let mut births = Births::beyond(&["--time", "--boottime", "1000"], "true");
    for how in ["told", "thread"] {
        let mut stop = Stop::new("fork", 1);
        let anchor = births.anchor();
        let (stops_at, id) = (stop.variable(), format!("ANCHOR_ID={}", anchor.id));
        let set = ["ANCHOR_GRACE=never", &stops_at, &id];
        births.host("sibling 0 -", &LIBRARY_WITH_STOPS, &set);
        assert!(births.main().is_some());
        births.done("tell leave");
        stop.reached(1);
        recycle(&mut births, how);
        stop.go(1);
        assert!(births.ends(), "{how}");
        births.done("clear");
    }
}

// Without pidfds and without an identity: the anchor dies after it was seen to live and before its start is read.
// births -> births (anchor, dead; its number given away before the host has a watcher)
//        -> newborn (host, held before its start is read and before the watcher is made)
#[test]
fn an_anchor_that_dies_before_its_start_is_read_is_dead() {
    let mut births = Births::new();
    let (mut unread, mut unwatched) = (Stop::new("3-opened", 1), Stop::new("8", 2));
    births.anchor();
    let stops_at = [unread.variable(), unwatched.variable()];
    let set = ["ANCHOR_GRACE=never", "without-pidfd", &stops_at[0], &stops_at[1]];
    births.host("sibling 0 -", &LIBRARY_WITH_STOPS, &set);
    unread.reached(1);
    births.done("kill");
    births.done("reap");
    unread.go(1);
    wait_until("a host about to be watched, or ended", || {
        unwatched.is_reached(2) || births.is_gone()
    });
    births.done("stranger told");
    unwatched.go(2);
    assert!(births.ends());
}

// Without pidfds: the number goes to a child that the host forks, who is not the anchor for all that.
// births -> births (anchor, dead)
//        -> newborn (host, looks once a minute) -> newborn (forked, with the anchor's number)
#[test]
fn a_forked_child_with_the_anchors_number_is_not_the_anchor() {
    let mut births = Births::new();
    for filter in ["", "without-pidfd"] {
        let anchor = births.anchor();
        births.shipped("sibling 0 -", &["ANCHOR_POLL=60s", filter]);
        assert!(births.main().is_some());
        assert!(births.lives());
        births.done("kill");
        births.done("reap");
        births.done(&format!("tell heir {}", anchor.pid));
        assert!(births.ends(), "{filter}");
        births.done("clear");
    }
}

// Nobody has the number at load, and no identity was recorded: the anchor is dead, and stays dead for what the host brings
// about in its grace.
// births -> births (anchor, dead before the host begins, its number given away after that)
//        -> newborn (host, does not end when asked) -> newborn (by exec, and forked)
#[test]
fn what_was_dead_at_load_is_dead_for_descendants() {
    let mut births = Births::new();
    for order in ["exec", "fork"] {
        births.anchor();
        births.done("kill");
        births.done("reap");
        births.host("sibling 0 -", &LIBRARY, &["ANCHOR_GRACE=2s", "deaf"]);
        births.main();
        births.done("stranger told");
        births.done(&format!("tell {order}"));
        assert!(births.ends(), "{order}");
        births.done("clear");
    }
}

// Without pidfds: the number is nobody's when the watcher opens its file in /proc, and a stranger's when it asks whether
// there is somebody.
// births -> births (anchor, dead; its number given away in between)
//        -> newborn (host, its watcher held before its first look and in it)
#[test]
fn a_number_that_was_nobodys_for_a_moment_is_looked_at_again() {
    let mut births = Births::new();
    for how in ["told", "thread"] {
        let (mut ready, mut looks) = (Stop::new("watcher-ready", 1), Stop::new("watcher-looks", 2));
        births.anchor();
        births.done("tick");
        let stops_at = [ready.variable(), looks.variable()];
        let mut set = vec!["ANCHOR_GRACE=never", "ANCHOR_POLL=5ms", "without-pidfd"];
        set.extend(stops_at.iter().map(String::as_str));
        births.host("sibling 0 -", &LIBRARY_WITH_STOPS, &set);
        ready.reached(1);
        births.done("kill");
        births.done("reap");
        ready.go(1);
        looks.reached(2);
        births.done(&format!("stranger {how}"));
        looks.go(2);
        assert!(births.ends(), "{how}");
        births.done("clear");
    }
}
