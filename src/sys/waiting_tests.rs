//! Every answer that the calls of [`super::waiting`] can give, and what is decided then. The fake kernel holds a script:
//! each call must be the next one in it, with the arguments that stand there.

use super::waiting::{
    BELIEVED, DOUBTED, Event, Info, Kernel, Look, PATIENCE, Queue, Watched, by_looking, exited, look, open,
    until_exit,
};
use super::{Errno, NoHandle, Waited};
use anchor_contract::{Millis, Pid, Poll, Setting};
use std::collections::VecDeque;

/// A call and its answer; an error is its number.
#[derive(Clone, Debug)]
enum Call {
    Queue(Result<Queue, i32>),
    Register(Queue, Result<(), i32>),
    Wait(Queue, u64, Result<Option<Event>, i32>),
    Close(Queue),
    Info(Result<Info, i32>),
    Entry(Result<Info, i32>),
    MaySignal(Result<(), i32>),
    Rest(u64, bool),
}
use Call::*;

struct Fake(VecDeque<Call>);

impl Fake {
    fn next(&mut self, what: &str) -> Call {
        self.0
            .pop_front()
            .unwrap_or_else(|| panic!("one call too many: {what}"))
    }
}

/// The next call of the script must be of this kind.
macro_rules! expect {
    ($self:ident, $pattern:pat => $answer:expr) => {
        match $self.next(stringify!($pattern)) {
            $pattern => $answer,
            other => panic!("{} was called, {other:?} was to come", stringify!($pattern)),
        }
    };
}

impl Kernel for Fake {
    fn queue(&mut self) -> Result<Queue, Errno> {
        expect!(self, Queue(answer) => answer.map_err(Errno))
    }
    fn register(&mut self, queue: Queue, pid: Pid) -> Result<(), Errno> {
        assert_eq!(pid, anchor());
        expect!(self, Register(wanted, answer) => { assert_eq!(queue, wanted); answer.map_err(Errno) })
    }
    fn wait(&mut self, queue: Queue, pid: Pid, millis: u64) -> Result<Option<Event>, Errno> {
        assert_eq!(pid, anchor());
        expect!(self, Wait(wanted, time, answer) => {
            assert_eq!((queue, millis), (wanted, time));
            answer.map_err(Errno)
        })
    }
    fn close(&mut self, queue: Queue) {
        expect!(self, Close(wanted) => assert_eq!(queue, wanted));
    }
    fn info(&mut self, _: Pid) -> Result<Info, Errno> {
        expect!(self, Info(answer) => answer.map_err(Errno))
    }
    fn entry(&mut self, _: Pid) -> Result<Info, Errno> {
        expect!(self, Entry(answer) => answer.map_err(Errno))
    }
    fn may_signal(&mut self, _: Pid) -> Result<(), Errno> {
        expect!(self, MaySignal(answer) => answer.map_err(Errno))
    }
    fn rest(&mut self, millis: u64) -> bool {
        expect!(self, Rest(wanted, answer) => { assert_eq!(millis, wanted); answer })
    }
}

/// Runs `f` against a script, which must be used up by it.
fn play<T>(script: &[Call], f: impl FnOnce(&mut Fake) -> T) -> T {
    let mut fake = Fake(script.iter().cloned().collect());
    let result = f(&mut fake);
    assert!(fake.0.is_empty(), "not called: {:?}", fake.0);
    result
}

fn anchor() -> Pid {
    Pid::from_raw(4711).unwrap()
}

const START: u64 = 1_763_900_000_123_456;
const LIVES: Call = Info(Ok(Info {
    start: START,
    zombie: false,
    exiting: false,
}));
const ANOTHER: Call = Info(Ok(Info {
    start: START + 1,
    zombie: false,
    exiting: false,
}));
const EXITING: Call = Info(Ok(Info {
    start: START,
    zombie: false,
    exiting: true,
}));
const ZOMBIE: Call = Info(Ok(Info {
    start: START,
    zombie: true,
    exiting: true,
}));
const NOBODY: Call = Info(Err(libc::ESRCH));

/// Errors of which none says that a process is dead.
const OTHERS: [i32; 12] = [
    libc::EPERM,
    libc::EACCES,
    libc::EINVAL,
    libc::ENOMEM,
    libc::EFAULT,
    libc::ENOSYS,
    libc::EBUSY,
    libc::EIO,
    libc::EAGAIN,
    libc::ENOENT,
    libc::EMFILE,
    libc::ENFILE,
];

/// It cannot be seen, and not be signalled.
fn hidden(error: i32) -> [Call; 3] {
    [Info(Err(error)), Entry(Err(error)), MaySignal(Err(libc::EPERM))]
}

fn watched() -> Watched {
    Watched {
        pid: anchor(),
        queue: 9,
        start: Some(START),
    }
}

// ---- look ----------------------------------------------------------------------------------------------------------

#[test]
fn a_look_says_gone_for_esrch_and_zombies_alone() {
    let at = |script: &[Call]| play(script, |kernel| look(kernel, anchor()));
    assert_eq!(at(&[LIVES]), Look::Lives(START));
    assert_eq!(at(&[EXITING]), Look::Exiting(START));
    assert_eq!(at(&[ZOMBIE]), Look::Gone);
    assert_eq!(at(&[NOBODY]), Look::Gone);
    for error in OTHERS {
        assert_eq!(at(&hidden(error)), Look::Hidden, "{error}");
    }
}

// EPERM: another user's process is seen in the table that ps reads.
#[test]
fn another_users_process_is_seen_by_sysctl() {
    for error in OTHERS {
        let at = |entry: Call| {
            let Info(answer) = entry else { unreachable!() };
            play(&[Info(Err(error)), Entry(answer)], |kernel| {
                look(kernel, anchor())
            })
        };
        assert_eq!(at(LIVES), Look::Lives(START), "{error}");
        assert_eq!(at(EXITING), Look::Exiting(START), "{error}");
        assert_eq!(at(ZOMBIE), Look::Gone, "{error}");
    }
}

// A sandbox may show an empty table: nobody is gone by that alone.
#[test]
fn what_cannot_be_seen_is_gone_only_if_kill_says_esrch() {
    for entry in OTHERS.into_iter().chain([libc::ESRCH]) {
        let at = |answer| {
            let script = [Info(Err(libc::EPERM)), Entry(Err(entry)), MaySignal(answer)];
            play(&script, |kernel| look(kernel, anchor()))
        };
        assert_eq!(at(Ok(())), Look::Hidden, "{entry}");
        assert_eq!(at(Err(libc::ESRCH)), Look::Gone, "{entry}");
        for error in OTHERS {
            assert_eq!(at(Err(error)), Look::Hidden, "{entry} {error}");
        }
    }
}

// ---- open ----------------------------------------------------------------------------------------------------------

#[test]
fn without_a_queue_nothing_is_known() {
    for error in OTHERS {
        let end = play(&[Queue(Err(error))], |kernel| open(kernel, anchor()));
        assert_eq!(end, Err(NoHandle::Unavailable), "{error}");
    }
}

#[test]
fn registering_says_gone_for_esrch_alone() {
    let at = |error| {
        play(&[Queue(Ok(9)), Register(9, Err(error)), Close(9)], |kernel| {
            open(kernel, anchor())
        })
    };
    assert_eq!(at(libc::ESRCH), Err(NoHandle::NoSuchProcess));
    for error in OTHERS.into_iter().chain([libc::EINTR, libc::ENOTSUP]) {
        assert_eq!(at(error), Err(NoHandle::Unavailable), "{error}");
    }
}

// The host has closed it in between: then the number may be the host's file, and is left alone.
#[test]
fn a_queue_that_is_lost_while_registering_is_not_closed() {
    let end = play(&[Queue(Ok(9)), Register(9, Err(libc::EBADF))], |kernel| {
        open(kernel, anchor())
    });
    assert_eq!(end, Err(NoHandle::Unavailable));
}

#[test]
fn a_registered_process_is_looked_at() {
    let at = |look: &[Call]| {
        let script = [&[Queue(Ok(9)), Register(9, Ok(()))], look].concat();
        play(&script, |kernel| open(kernel, anchor()))
    };
    assert_eq!(at(&[LIVES]), Ok(watched()));
    assert_eq!(at(&[EXITING]), Ok(watched()));
    let unseen = Watched {
        start: None,
        ..watched()
    };
    assert_eq!(at(&hidden(libc::EPERM)), Ok(unseen));
    // The zombie that could be registered, and the process that was gone before it was looked at.
    assert_eq!(at(&[ZOMBIE, Close(9)]), Err(NoHandle::NoSuchProcess));
    assert_eq!(at(&[NOBODY, Close(9)]), Err(NoHandle::NoSuchProcess));
}

// ---- exited --------------------------------------------------------------------------------------------------------

#[test]
fn exited_believes_the_event_and_the_eye() {
    let at = |script: &[Call]| play(script, |kernel| exited(kernel, &watched()));
    assert!(at(&[Wait(9, 0, Ok(Some(Event::Exit)))]));
    assert!(at(&[Wait(9, 0, Ok(None)), ZOMBIE]));
    assert!(at(&[Wait(9, 0, Ok(None)), NOBODY]));
    assert!(at(&[Wait(9, 0, Ok(None)), ANOTHER]));
    assert!(!at(&[Wait(9, 0, Ok(None)), LIVES]));
    assert!(!at(&[Wait(9, 0, Ok(Some(Event::Foreign))), LIVES]));
    for error in OTHERS.into_iter().chain([libc::EBADF, libc::EINTR, libc::ESRCH]) {
        assert!(!at(&[Wait(9, 0, Err(error)), LIVES]), "{error}");
    }
}

// ---- until_exit ----------------------------------------------------------------------------------------------------

fn wait(script: &[Call]) -> Waited {
    play(script, |kernel| until_exit(kernel, watched()))
}

#[test]
fn the_event_is_the_end() {
    assert_eq!(
        wait(&[LIVES, Wait(9, BELIEVED, Ok(Some(Event::Exit))), Close(9)]),
        Waited::Exited
    );
}

#[test]
fn a_zombie_at_registration_is_not_waited_for() {
    assert_eq!(wait(&[ZOMBIE, Close(9)]), Waited::Exited);
    assert_eq!(wait(&[NOBODY, Close(9)]), Waited::Exited);
}

#[test]
fn another_start_is_another_process() {
    assert_eq!(wait(&[ANOTHER, Close(9)]), Waited::Recycled);
}

// Time-out: looked at again, and believed again.
#[test]
fn an_end_that_nobody_tells_is_seen() {
    let silence = || Wait(9, BELIEVED, Ok(None));
    let script = [LIVES, silence(), LIVES, silence(), ZOMBIE, Close(9)];
    assert_eq!(wait(&script), Waited::Exited);
    let script = [LIVES, silence(), ANOTHER, Close(9)];
    assert_eq!(wait(&script), Waited::Recycled);
}

#[test]
fn eintr_is_nothing() {
    let interrupted = Wait(9, BELIEVED, Err(libc::EINTR));
    let script = [
        LIVES,
        interrupted,
        LIVES,
        Wait(9, BELIEVED, Ok(Some(Event::Exit))),
        Close(9),
    ];
    assert_eq!(wait(&script), Waited::Exited);
}

// About to die, and perhaps told already: looked at soon, then after as long again.
#[test]
fn a_dying_process_is_not_believed_for_long() {
    let script = [
        EXITING,
        Wait(9, DOUBTED, Ok(None)),
        EXITING,
        Wait(9, DOUBTED * 2, Ok(None)),
        EXITING,
        Wait(9, DOUBTED * 4, Ok(None)),
        ZOMBIE,
        Close(9),
    ];
    assert_eq!(wait(&script), Waited::Exited);
}

#[test]
fn who_cannot_be_seen_is_asked_about_ever_less() {
    let (mut script, mut pause) = (Vec::new(), DOUBTED);
    while pause < BELIEVED {
        script.extend(hidden(libc::EPERM));
        script.push(Wait(9, pause, Ok(None)));
        pause *= 2;
    }
    script.extend(hidden(libc::EPERM));
    script.extend([Wait(9, BELIEVED, Ok(Some(Event::Exit))), Close(9)]);
    assert_eq!(wait(&script), Waited::Exited);
}

// EBADF, or a number that is another queue's: no death, and the number is the host's now.
#[test]
fn a_lost_queue_is_no_death_and_is_not_closed() {
    for how in [Err(libc::EBADF), Ok(Some(Event::Foreign))] {
        assert_eq!(wait(&[LIVES, Wait(9, BELIEVED, how)]), Waited::Lost);
        let later = [LIVES, Wait(9, BELIEVED, Ok(None)), LIVES, Wait(9, BELIEVED, how)];
        assert_eq!(wait(&later), Waited::Lost);
    }
}

#[test]
fn every_other_error_of_a_wait_is_no_death() {
    for error in OTHERS.into_iter().chain([libc::ESRCH]) {
        assert_eq!(
            wait(&[LIVES, Wait(9, BELIEVED, Err(error)), Close(9)]),
            Waited::Lost,
            "{error}"
        );
    }
}

// ---- by_looking ----------------------------------------------------------------------------------------------------

const INTERVAL: u64 = 250;
const LOOKS: u64 = PATIENCE / INTERVAL;

fn by_eye(started: Option<u64>, script: &[Call]) -> Waited {
    let interval: Millis = Poll::DEFAULT.0;
    assert_eq!(u64::from(interval.count()), INTERVAL, "{}", Poll::VARIABLE.name);
    play(script, |kernel| by_looking(kernel, anchor(), started, interval))
}

/// So many looks at a living process, with a rest after each.
fn looks(times: u64) -> Vec<Call> {
    (0..times).flat_map(|_| [LIVES, Rest(INTERVAL, true)]).collect()
}

#[test]
fn looking_sees_the_end() {
    for end in [ZOMBIE, NOBODY] {
        assert_eq!(by_eye(Some(START), std::slice::from_ref(&end)), Waited::Exited);
        assert_eq!(
            by_eye(Some(START), &[looks(2), vec![end]].concat()),
            Waited::Exited
        );
    }
    assert_eq!(
        by_eye(Some(START), &[looks(2), vec![ANOTHER]].concat()),
        Waited::Recycled
    );
    // Nothing to compare with: it goes on until there is nobody.
    let script = [ANOTHER, Rest(INTERVAL, true), NOBODY];
    assert_eq!(by_eye(None, &script), Waited::Exited);
}

// The host has gone into a sandbox: that says nothing about the anchor.
#[test]
fn what_can_no_longer_be_seen_is_no_death() {
    let unseen = [&hidden(libc::EPERM)[..], &[Rest(INTERVAL, true)]].concat();
    let script = [looks(1), unseen.clone(), unseen, vec![NOBODY]].concat();
    assert_eq!(by_eye(Some(START), &script), Waited::Exited);
}

// Not at once: a host that has closed everything opens what it wants first.
#[test]
fn a_new_queue_is_made_after_a_while() {
    let queue = [LIVES, Queue(Ok(12)), Register(12, Ok(())), LIVES];
    let event = [LIVES, Wait(12, BELIEVED, Ok(Some(Event::Exit))), Close(12)];
    let script = [&looks(LOOKS)[..], &queue, &event].concat();
    assert_eq!(by_eye(Some(START), &script), Waited::Exited);
    // The number changed hands before the queue was made.
    let other = [
        LIVES,
        Queue(Ok(12)),
        Register(12, Ok(())),
        ANOTHER,
        ANOTHER,
        Close(12),
    ];
    assert_eq!(
        by_eye(Some(START), &[&looks(LOOKS)[..], &other].concat()),
        Waited::Recycled
    );
}

// A host without descriptors, and one that closes everything again and again: looked at all the same, tried ever less.
#[test]
fn a_queue_that_is_not_to_be_had_is_tried_ever_less() {
    let (mut script, mut patience) = (Vec::new(), PATIENCE);
    script.extend(looks(LOOKS));
    let tries: [&[Call]; 4] = [
        &[Queue(Err(libc::EMFILE))],
        &[Queue(Ok(12)), Register(12, Err(libc::ENOMEM)), Close(12)],
        &[
            Queue(Ok(12)),
            Register(12, Ok(())),
            LIVES,
            LIVES,
            Wait(12, BELIEVED, Err(libc::EBADF)),
        ],
        &[Queue(Ok(13)), Register(13, Err(libc::EBADF))],
    ];
    for calls in tries {
        patience *= 2;
        script.push(LIVES);
        script.extend(calls.iter().cloned());
        script.push(Rest(INTERVAL, true));
        script.extend(looks(patience / INTERVAL - 1));
    }
    script.push(NOBODY);
    assert_eq!(by_eye(Some(START), &script), Waited::Exited);
}

// A long ANCHOR_POLL does not put off the new queue.
#[test]
fn whoever_looks_seldom_tries_soon() {
    let interval = Poll::parse(b"3600s").unwrap().0;
    let script = [
        LIVES,
        Rest(PATIENCE, true),
        LIVES,
        Queue(Ok(12)),
        Register(12, Ok(())),
        LIVES,
        ZOMBIE,
        Close(12),
    ];
    let end = play(&script, |kernel| {
        by_looking(kernel, anchor(), Some(START), interval)
    });
    assert_eq!(end, Waited::Exited);
}

// No way to wait: the watcher gives up, and says so. It must not spin.
#[test]
fn no_rest_is_no_death() {
    assert_eq!(by_eye(Some(START), &[LIVES, Rest(INTERVAL, false)]), Waited::Lost);
}
