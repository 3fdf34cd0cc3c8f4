//! What a watcher decides where the kernel tells of a process's end through a queue, kqueue(2). The calls themselves
//! are behind [`Kernel`], so that every answer that they can give is tried on any machine (`waiting_tests.rs`).
//!
//! Law: only an event, ESRCH or another start time means death. Every other error says nothing about the process.

use super::{Errno, NoHandle, Waited};
use anchor_contract::{Millis, Pid};

/// A queue's descriptor. It stands in the host's table: macOS has no other.
pub type Queue = i32;

/// What came out of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The process has exited: `NOTE_EXIT`.
    Exit,
    /// Something that we have not asked for: the descriptor's number is another queue's by now.
    Foreign,
}

/// What the kernel's process table says of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// When the process started, in microseconds since 1970.
    pub start: u64,
    /// Whether it is dead and not reaped yet.
    pub zombie: bool,
    /// Whether it is on its way to that.
    pub exiting: bool,
}

/// The calls.
pub trait Kernel {
    /// A new queue, kqueue(2).
    fn queue(&mut self) -> Result<Queue, Errno>;
    /// Has the queue tell of the end of process `pid`, kevent(2): `EVFILT_PROC`, `NOTE_EXIT`.
    fn register(&mut self, queue: Queue, pid: Pid) -> Result<(), Errno>;
    /// Waits for an event, at most so many milliseconds; `None` where none came.
    fn wait(&mut self, queue: Queue, pid: Pid, millis: u64) -> Result<Option<Event>, Errno>;
    /// Gives a queue back.
    fn close(&mut self, queue: Queue);
    /// What is known of process `pid`, a zombie included: proc_pidinfo. EPERM for another user's.
    fn info(&mut self, pid: Pid) -> Result<Info, Errno>;
    /// The same for a process of any user: sysctl(3), `KERN_PROC_PID`.
    fn entry(&mut self, pid: Pid) -> Result<Info, Errno>;
    /// Whether process `pid` could be signalled, kill(2) with signal 0.
    fn may_signal(&mut self, pid: Pid) -> Result<(), Errno>;
    /// Lets so many milliseconds pass. `false` where the kernel does not even do that.
    fn rest(&mut self, millis: u64) -> bool;
}

/// A process whose end a queue tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its number.
    pub pid: Pid,
    /// Where its end is told.
    pub queue: Queue,
    /// When it started, if that can be seen.
    pub start: Option<u64>,
}

/// How a process looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It lives.
    Lives(u64),
    /// It is about to die, and may have told all that it will tell.
    Exiting(u64),
    /// It is a zombie, or nobody has the number.
    Gone,
    /// It cannot be seen: a sandbox.
    Hidden,
}

/// How long, in milliseconds, a queue is believed when all looks well. Not for ever: an end may be told late (that of a
/// process under a debugger, only when the debugger has reaped it), and a zombie is dead. Once a minute is nothing that
/// a host or a battery notices.
pub const BELIEVED: u64 = 60_000;

/// The same while the process is about to die, or cannot be seen.
pub const DOUBTED: u64 = 100;

/// How long, in milliseconds, until a new queue is tried where there was none or it was lost; then twice as long each
/// time, up to [`BELIEVED`].
///
/// GUEST: a new descriptor is the lowest number that is free, for a moment, while the host may count on getting that one.
/// A host that closes everything goes on to open what it wants at such numbers. So not at once, and not often.
pub const PATIENCE: u64 = 1000;

/// Looks at the process that has this number.
///
/// proc_pidinfo says EPERM for another user's; sysctl(3) shows everybody's, but a sandbox may keep both from us.
pub fn look(kernel: &mut impl Kernel, pid: Pid) -> Look {
    let found = match kernel.info(pid) {
        Err(Errno(libc::ESRCH)) => return Look::Gone,
        Err(_) => match kernel.entry(pid) {
            // Not there, or not for us to see: kill(2) tells the two apart.
            Err(_) => {
                let gone = kernel.may_signal(pid) == Err(Errno(libc::ESRCH));
                return if gone { Look::Gone } else { Look::Hidden };
            }
            Ok(found) => found,
        },
        Ok(found) => found,
    };
    match found {
        Info { zombie: true, .. } => Look::Gone,
        Info { exiting: true, .. } => Look::Exiting(found.start),
        _ => Look::Lives(found.start),
    }
}

/// Has a new queue tell of the end of process `pid`.
///
/// RACE: 1. the process begins to die, and its end is told to whoever waits  2. we register, in vain, if that were no
///   error (sources disagree)  3. nothing is ever told. Closed by the look after 2, and by not believing a queue of a
///   dying process for long ([`until_exit`]).
pub fn open(kernel: &mut impl Kernel, pid: Pid) -> Result<Watched, NoHandle> {
    let queue = kernel.queue().map_err(|_| NoHandle::Unavailable)?;
    let end = match kernel.register(queue, pid) {
        // KERNEL: nobody has the number, or a zombie, or somebody who has ended and is about to be one: none of them
        // is found (XNU, bsd/kern/kern_event.c: `filt_procattach`). Any user's process may be registered.
        Err(Errno(libc::ESRCH)) => NoHandle::NoSuchProcess,
        // ORDER: not closed. The host has closed it, and the number may be the host's file by now.
        Err(Errno(libc::EBADF)) => return Err(NoHandle::Unavailable),
        Err(_) => NoHandle::Unavailable,
        Ok(()) => {
            let start = match look(kernel, pid) {
                Look::Lives(start) | Look::Exiting(start) => Ok(Some(start)),
                Look::Hidden => Ok(None),
                Look::Gone => Err(NoHandle::NoSuchProcess),
            };
            match start {
                Ok(start) => return Ok(Watched { pid, queue, start }),
                Err(end) => end,
            }
        }
    };
    kernel.close(queue);
    Err(end)
}

/// Whether the process is dead by now. An event that this takes from the queue is not told again; from then on the
/// number cannot be registered any more, which says the same ([`open`]).
pub fn exited(kernel: &mut impl Kernel, watched: &Watched) -> bool {
    kernel.wait(watched.queue, watched.pid, 0) == Ok(Some(Event::Exit)) || judge(kernel, watched).is_err()
}

/// How long the queue may be believed, or how the process ended.
fn judge(kernel: &mut impl Kernel, watched: &Watched) -> Result<u64, Waited> {
    let other = |start| watched.start.is_some_and(|known| known != start);
    match look(kernel, watched.pid) {
        Look::Gone => Err(Waited::Exited),
        Look::Lives(start) | Look::Exiting(start) if other(start) => Err(Waited::Recycled),
        Look::Lives(_) => Ok(BELIEVED),
        Look::Exiting(_) | Look::Hidden => Ok(DOUBTED),
    }
}

/// Sleeps until the process is dead, and gives the queue back; [`Waited::Lost`] where the queue tells nothing any more.
///
/// The queue's descriptor is the host's to close, knowingly or not (`closefrom`, a daemon's loop over all numbers).
/// That is EBADF, and no death.
pub fn until_exit(kernel: &mut impl Kernel, watched: Watched) -> Waited {
    let mut pause = DOUBTED / 2;
    let end = loop {
        match judge(kernel, &watched) {
            Err(end) => break end,
            Ok(BELIEVED) => pause = BELIEVED,
            // Twice as long each time: what takes long takes as long again, and nobody is asked about for ever.
            Ok(_) => pause = pause.saturating_mul(2).min(BELIEVED),
        }
        match kernel.wait(watched.queue, watched.pid, pause) {
            Ok(Some(Event::Exit)) => break Waited::Exited,
            Ok(None) | Err(Errno(libc::EINTR)) => {}
            // ORDER: not closed. The number is the host's now, and may be the host's file.
            Ok(Some(Event::Foreign)) | Err(Errno(libc::EBADF)) => return Waited::Lost,
            Err(_) => break Waited::Lost,
        }
    };
    kernel.close(watched.queue);
    end
}

/// The rung below: looks every `interval`, without a descriptor, and goes back to waiting once a queue is to be had: the
/// host may have closed the last one, or be out of descriptors for a while.
pub fn by_looking(kernel: &mut impl Kernel, pid: Pid, started: Option<u64>, interval: Millis) -> Waited {
    let interval = u64::from(interval.count());
    let (mut patience, mut passed) = (PATIENCE, 0_u64);
    loop {
        match look(kernel, pid) {
            Look::Gone => return Waited::Exited,
            Look::Lives(start) | Look::Exiting(start) if started.is_some_and(|known| known != start) => {
                return Waited::Recycled;
            }
            // REJECTED: taking for recycled what could be signalled before and cannot be now. Everybody's process is
            // seen, so it is this one that has gone into a sandbox.
            _ => {}
        }
        if passed >= patience {
            (patience, passed) = (patience.saturating_mul(2).min(BELIEVED), 0);
            if let Ok(watched) = open(kernel, pid) {
                // RACE: 1. the look above  2. the number changes hands  3. the queue is told of the new owner. Closed by
                //   comparing with who was meant, not with who was found.
                let start = started.or(watched.start);
                match until_exit(kernel, Watched { start, ..watched }) {
                    Waited::Lost => {}
                    end => return end,
                }
            }
        }
        let pause = interval.min(patience.saturating_sub(passed));
        if !kernel.rest(pause) {
            return Waited::Lost;
        }
        passed = passed.saturating_add(pause);
    }
}
