//! A handle of a process: a queue that has been told to tell of its end. kqueue(2), `EVFILT_PROC`, `NOTE_EXIT`.
//!
//! What is decided stands in [`waiting`]; here are the calls.

use super::bell::Bell;
use super::call::check;
use super::process_table;
use super::time::{self, timespec};
use crate::sys::waiting::{self, Event, Info, Kernel, Queue, Watched};
use crate::sys::{Errno, NoHandle, Waited};
use anchor_contract::Pid;
use core::mem::MaybeUninit;

/// What a handle is.
pub const NAME: &str = "kqueue";

/// A registered queue. It is told of the end of the process that had the number then, whoever has it later.
#[derive(Clone, Copy, Debug)]
pub struct Handle(Watched);

impl Handle {
    /// Makes a queue and registers the process.
    pub fn open(pid: Pid) -> Result<Self, NoHandle> {
        waiting::open(&mut Darwin, pid).map(Self)
    }

    /// No number tells a process from every other here; the start time must do.
    pub fn unique_mark(self) -> Option<u64> {
        None
    }

    /// See [`Handle::unique_mark`].
    pub fn mark(self) -> Option<u64> {
        None
    }

    /// What a watcher gets of a handle that the host's thread has opened: the handle itself.
    ///
    /// GUEST: kqueue(2) gives the lowest number that is free. In the host's thread, before its `main` or first thing in a
    /// forked child, nobody else takes or counts on one at that moment; in the watcher somebody might.
    pub fn hand_over(self) -> Option<Self> {
        Some(self)
    }

    /// Gives the descriptor back.
    pub fn close(self) {
        Darwin.close(self.0.queue);
    }

    /// Whether the process is dead by now.
    pub fn exited(self) -> bool {
        waiting::exited(&mut Darwin, &self.0)
    }

    /// Sleeps until the process is dead.
    pub fn wait_for_exit(self, _: &mut Bell) -> Waited {
        waiting::until_exit(&mut Darwin, self.0)
    }
}

/// The kernel of this machine.
pub struct Darwin;

/// By it our event is known: its address is nobody else's.
static COOKIE: u8 = 0;

/// What is registered for process `pid`.
fn event(pid: Pid) -> libc::kevent {
    libc::kevent {
        ident: usize::try_from(pid.raw()).unwrap_or(0),
        filter: libc::EVFILT_PROC,
        flags: libc::EV_ADD | libc::EV_ONESHOT,
        fflags: libc::NOTE_EXIT,
        data: 0,
        udata: (&raw const COOKIE).cast_mut().cast(),
    }
}

impl Kernel for Darwin {
    fn queue(&mut self) -> Result<Queue, Errno> {
        // SAFETY: makes a new descriptor, touches no memory.
        let queue = check(unsafe { libc::kqueue() })?;
        Ok(out_of_the_way(queue))
    }

    fn register(&mut self, queue: Queue, pid: Pid) -> Result<(), Errno> {
        let (change, at_once) = (event(pid), timespec(0));
        let nothing = core::ptr::null_mut();
        // KERNEL: with no room for events an error is errno. Never NOTE_EXITSTATUS too: that one asks for rights.
        // SAFETY: one whole change, no events, a whole time.
        check(unsafe { libc::kevent(queue, &raw const change, 1, nothing, 0, &raw const at_once) }).map(drop)
    }

    fn wait(&mut self, queue: Queue, pid: Pid, millis: u64) -> Result<Option<Event>, Errno> {
        let (mut got, time) = (MaybeUninit::<libc::kevent>::zeroed(), timespec(millis));
        let place = got.as_mut_ptr();
        // SAFETY: no change, room for one event, a whole time.
        let count = check(unsafe { libc::kevent(queue, core::ptr::null(), 0, place, 1, &raw const time) })?;
        if count == 0 {
            return Ok(None);
        }
        // SAFETY: filled in by the call, and of numbers and an address only, for which zero is a value.
        let got = unsafe { got.assume_init() };
        let wanted = event(pid);
        // KERNEL: the structure is packed, so each field is copied out whole.
        let ours = { got.ident } == { wanted.ident } && { got.filter } == { wanted.filter } && { got.udata }
            == { wanted.udata };
        let exit = ours && got.flags & libc::EV_ERROR == 0 && got.fflags & libc::NOTE_EXIT != 0;
        Ok(Some(if exit { Event::Exit } else { Event::Foreign }))
    }

    fn close(&mut self, queue: Queue) {
        // SAFETY: the number is ours: opened above, closed once, and not known to be lost.
        let _ = unsafe { libc::close(queue) };
    }

    fn info(&mut self, pid: Pid) -> Result<Info, Errno> {
        process_table::info(pid)
    }

    fn entry(&mut self, pid: Pid) -> Result<Info, Errno> {
        process_table::entry(pid)
    }

    fn may_signal(&mut self, pid: Pid) -> Result<(), Errno> {
        // SAFETY: sends nothing.
        check(unsafe { libc::kill(pid.raw(), 0) }).map(drop)
    }

    fn rest(&mut self, millis: u64) -> bool {
        time::sleep(millis)
    }
}

/// Moves a descriptor to a number that no host gets: they are given the lowest that is free. Where that cannot be, it
/// stays where it is.
///
/// KERNEL: no copy of a queue goes to a forked child, and with F_DUPFD_CLOEXEC none to another program (XNU,
/// bsd/kern/kern_event.c: `FG_CONFINED`).
///
/// GUEST: not beyond 255, so that the host's table does not grow for us.
fn out_of_the_way(queue: Queue) -> Queue {
    const HIGHEST: u64 = 256;
    const ROOM: u64 = 16;
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: room for one answer.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) };
    // SAFETY: of numbers only, for which zero is a value.
    let limit = unsafe { limit.assume_init() }.rlim_cur.min(HIGHEST);
    let lowest = i32::try_from(limit.saturating_sub(ROOM)).unwrap_or(0);
    if got == 0 && lowest > queue {
        // SAFETY: makes a new descriptor, touches no memory.
        let moved = unsafe { libc::fcntl(queue, libc::F_DUPFD_CLOEXEC, lowest) };
        if moved != -1 {
            Darwin.close(queue);
            return moved;
        }
    }
    queue
}
