//! What refused calls have shown to be wrong, each by its name: one filter, one outcome, and beside it the same life
//! with nothing refused.

use crate::all;
use crate::calls::{Refusals, errno, filter_of_number, rows};
use crate::cell::{Life, Outcome, Rung, run, run_hurried};
use crate::host::{HURRIED, Host, Kin, UNASKED, Wrong};
use crate::later::below;
use crate::singles::PLAIN;

const CHANGES_IDS: Life = Life {
    does: &['i'],
    ..PLAIN
};
const IS_ALONE: Life = Life {
    does: &['u'],
    ..PLAIN
};

/// The calls with these names, all refused with EPERM.
fn refusals(names: &[&str]) -> Vec<(usize, u32)> {
    let rows = rows();
    let named = |name: &&str| rows.iter().find(|row| row.0 == *name).unwrap().1.clone();
    let calls = names.iter().flat_map(named);
    calls.map(|call| (call, errno(libc::EPERM))).collect()
}

/// What comes of a life with nothing refused, and of the same with these. That a host lives as long as its anchor and
/// no longer, and that nobody else hears of it, is asked of both.
fn beside_its_control(life: &Life, names: &[&str]) -> [Outcome; 2] {
    beside_its_control_by(run, life, names)
}

fn beside_its_control_by(
    run: fn(&Life, &Refusals) -> Result<Outcome, Wrong>,
    life: &Life,
    names: &[&str],
) -> [Outcome; 2] {
    let cells = [&[], names].map(refusals);
    let mut came = all(&cells, |cell| {
        if cell.is_empty() {
            self::run(life, cell)
        } else {
            run(life, cell)
        }
    })
    .into_iter();
    let mut next = || came.next().unwrap().unwrap_or_else(|wrong| panic!("{wrong}"));
    let usual = next();
    assert!(usual.rung <= Rung::Probes && usual.lacks.is_empty(), "{usual:?}");
    [usual, next()]
}

fn refused(life: &Life, names: &[&str]) -> Outcome {
    let [_, outcome] = beside_its_control(life, names);
    outcome
}

/// The same where nobody can ask it.
fn unasked(names: &[&str]) -> Outcome {
    let [_, outcome] = beside_its_control_by(run_hurried, &PLAIN, names);
    outcome
}

#[track_caller]
fn makes_no_difference(life: &Life, names: &[&str]) {
    let [usual, outcome] = beside_its_control(life, names);
    assert_eq!(outcome, usual);
}

// Number 0 is the whole group for kill(2).
#[test]
fn a_refused_getpid_does_not_kill_the_group() {
    makes_no_difference(&PLAIN, &["getpid"]);
}

#[test]
fn who_knows_no_number_of_its_own_signals_nobody() {
    let outcome = unasked(&["getpid", "gettid"]);
    assert_eq!(outcome.lacks, ["unlogged", UNASKED, "exits"]);
}

#[test]
fn a_watcher_that_would_take_the_hosts_signals_is_not_made() {
    let outcome = refused(&PLAIN, &["rt_sigprocmask"]);
    assert_eq!(
        (outcome.rung, &*outcome.why),
        (Rung::Inert, "no thread could be made")
    );
}

// Its bell is a signal, which ends whoever has it open.
#[test]
fn a_change_of_ids_does_not_kill_a_host_whose_signals_stay_open() {
    let outcome = refused(&CHANGES_IDS, &["rt_sigprocmask"]);
    assert_eq!((outcome.rung, outcome.lacks.len()), (Rung::Inert, 0));
}

// A pipe without a reader: SIGPIPE.
#[test]
fn a_line_nobody_reads_does_not_kill_a_host_whose_signals_stay_open() {
    for names in [&[][..], &["rt_sigprocmask"]] {
        let cell = refusals(names);
        let mut host = Host::start(Kin::Stranger, Some(&cell), HURRIED, &[("ANCHOR_LOG", "stderr")]);
        host.answer('+').unwrap();
        host.settled().unwrap();
        host.unread();
        host.does('f').unwrap();
        host.settled().unwrap();
        host.does('e').unwrap();
    }
}

#[test]
fn where_kill_is_refused_the_host_is_asked_and_killed() {
    makes_no_difference(&PLAIN, &["kill"]);
}

#[test]
fn a_watcher_that_can_end_nobody_does_not_spin() {
    let outcome = unasked(&["kill", "tgkill", "exit_group"]);
    assert_eq!(outcome.lacks, [UNASKED, "by SIGILL"]);
}

#[test]
fn a_refused_bell_is_rung_otherwise() {
    makes_no_difference(&IS_ALONE, &["tgkill, the bell"]);
}

#[test]
fn a_thread_whose_end_nobody_tells_of_is_not_waited_for() {
    makes_no_difference(&CHANGES_IDS, &["tgkill, nothing", "tkill"]);
}

#[test]
fn a_refused_exit_does_not_hang_a_change_of_ids() {
    makes_no_difference(&CHANGES_IDS, &["exit"]);
}

#[test]
fn a_watcher_that_cannot_leave_keeps_the_grace() {
    let lives_on = |names: &[&str]| -> Result<(), Wrong> {
        let mut host = Host::start(Kin::Stranger, Some(&refusals(names)), "12s", &[]);
        host.answer('+')?;
        host.settled()?;
        host.kill_anchor();
        host.is_asked()?;
        // A busy machine may not get round to it within the grace; it is killed all the same.
        let _ = host.does('i');
        // The one time that it was asked has been read above.
        assert_eq!(host.end(false)?, [UNASKED]);
        Ok(())
    };
    std::thread::scope(|scope| {
        let both = [&[][..], &["exit"]].map(|names| scope.spawn(move || lives_on(names)));
        both.into_iter()
            .for_each(|life| assert_eq!(life.join().unwrap(), Ok(())));
    });
}

// Sixteen at once: one alone may be quick enough without.
#[test]
fn a_refused_futex_leaves_the_watcher_time_to_go() {
    let [usual, _] = beside_its_control(&IS_ALONE, &["futex"]);
    let cells = vec![refusals(&["futex"]); 16];
    for outcome in all(&cells, |cell| run(&IS_ALONE, cell)) {
        assert_eq!(outcome.as_ref(), Ok(&usual));
    }
}

#[test]
fn a_refused_close_leaves_nothing_open() {
    let life = Life {
        variables: &[("ANCHOR_LOG", "stderr")],
        ..PLAIN
    };
    makes_no_difference(&life, &["close"]);
}

// The control of how that is looked at.
#[test]
fn a_copy_that_cannot_be_closed_is_seen() {
    let outcome = refused(&PLAIN, &["close", "close_range"]);
    assert_eq!(outcome.lacks, ["holds the host's descriptors"]);
}

// Longer than one sleep of a watcher that hears no bell.
#[test]
fn a_grace_without_a_clock_ends() {
    let life = Life {
        variables: &[("ANCHOR_GRACE", "300ms")],
        ..PLAIN
    };
    let outcome = refused(&life, &["signalfd4", "clock_gettime"]);
    assert_eq!(outcome.rung, Rung::Event);
}

#[test]
fn what_opens_and_cannot_be_read_is_watched_by_its_number() {
    let outcome = refused(&PLAIN, &["pidfd_open", "pread64"]);
    assert_eq!((outcome.rung, outcome.lacks.len()), (Rung::Looks, 0));
}

#[test]
fn an_anchor_that_nobody_can_probe_is_not_said_to_be_watched() {
    let outcome = refused(&PLAIN, &["pidfd_open", "openat, to read", "kill, nothing"]);
    assert_eq!(
        (outcome.rung, &*outcome.why),
        (Rung::Inert, "the kernel lets nobody wait")
    );
}

/// With a filter of the host's own thread that kills for a call, and with one for a call that nobody makes.
fn below_its_own_filter(number: i64, does: char) -> [Result<String, Wrong>; 2] {
    let filters =
        [number, libc::SYS_acct].map(|number| filter_of_number(number, libc::SECCOMP_RET_KILL_PROCESS));
    let mut came = all(&filters, |filter| below(filter, 'o', does));
    [came.remove(0), came.remove(0)]
}

#[test]
fn a_filter_of_the_hosts_own_does_not_kill_it_for_a_change_of_ids() {
    let [came, usual] = below_its_own_filter(libc::SYS_getpid, 'i');
    assert_eq!((came, usual), (Ok(String::new()), Ok(String::new())));
}

#[test]
fn a_filter_of_the_hosts_own_does_not_kill_its_forked_child() {
    let [came, usual] = below_its_own_filter(libc::SYS_rt_sigprocmask, 'f');
    assert_eq!((came, usual), (Ok("inert".into()), Ok("inert".into())));
}
