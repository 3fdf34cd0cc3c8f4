//! Who is of a tree: in the made-up machine, and one story after the other.

use super::Kin;
use crate::supervise::machine::{Machine, SEEDS, sight};

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

#[test]
fn a_look_that_is_torn_makes_no_member() {
    let begin = |births: bool| {
        let mut kin = Kin::of(sight(2, 1, 20, births.then_some((20, 1))));
        let command = sight(3, 2, 30, births.then_some((30, 20)));
        kin.look(&[command], |_| Some(false));
        assert_eq!(kin.members().count(), 1);
        kin
    };
    // 3 was another's when the child was looked at, and is a member's by now: that one is younger than its child.
    let mut kin = begin(false);
    let (command, child) = (sight(3, 2, 30, None), sight(4, 3, 25, None));
    assert!(kin.look(&[command, child], |_| Some(false)).is_empty());
    // 3 has become another's between its entry and its birth.
    let mut kin = begin(true);
    assert!(
        kin.look(&[sight(3, 2, 30, Some((90, 1)))], |_| Some(false))
            .is_empty()
    );
    assert_eq!(kin.members().count(), 0);
}

#[test]
fn the_dead_are_no_members_and_nothing_is_kept_of_strangers() {
    let mut kin = Kin::of(sight(2, 1, 20, Some((20, 1))));
    let mut command = sight(3, 2, 30, Some((30, 20)));
    let stranger = sight(7, 1, 70, Some((70, 1)));
    kin.look(&[command.clone(), stranger], |_| Some(false));
    assert_eq!((kin.members().count(), kin.strangers.len()), (1, 1));
    command.entry.state = b'Z';
    kin.look(&[command], |_| Some(false));
    assert_eq!((kin.members().count(), kin.strangers.len()), (0, 0));
}
