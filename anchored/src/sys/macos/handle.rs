//! Signalling a process: by its number, once it was looked at whose that is.

use super::process_table;
use nix::errno::Errno;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use nix::sys::signal::Signal;
use std::time::Duration;

/// What a machine must have that has no handle to give.
pub const WANTED: &str = "the process table cannot be read";

/// A process by its number and its start.
#[derive(Debug)]
pub struct Handle {
    pid: i32,
    start: u64,
}

impl Handle {
    /// `None`: the number is nobody's, or another's.
    pub fn open(pid: i32, start: u64) -> Option<Self> {
        (process_table::entry(pid)?.start == start).then_some(Self { pid, start })
    }

    /// Sends a signal, kill(2). ESRCH where the process is dead by now.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        self.send(signal as i32)
    }

    /// As [`Handle::signal`], by number.
    ///
    /// RACE: 1. the number is the one that was meant  2. the process dies, is reaped, and its number given to another
    ///   3. that one is signalled. Left open: there is no pidfd. Numbers are given in turn, so all others would have to be
    ///   given away within two system calls.
    pub fn send(&self, number: i32) -> Result<(), Errno> {
        if self.is_dead() {
            return Err(Errno::ESRCH);
        }
        // SAFETY: numbers only.
        Errno::result(unsafe { libc::kill(self.pid, number) }).map(drop)
    }

    /// Whether the process is dead, reaped or not.
    pub fn is_dead(&self) -> bool {
        let found = process_table::entry(self.pid);
        found.is_none_or(|entry| entry.start != self.start || entry.is_zombie())
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The descriptors without which it is none: it needs none.
    pub fn kept(&self) -> Option<i32> {
        None
    }
}

/// What has a queue tell of the end of process `pid`, or of more. kqueue(2): any user's process may be asked for.
pub fn event_of(pid: i32, flags: EvFlags, what: FilterFlag) -> KEvent {
    let ident = usize::try_from(pid).unwrap_or(0);
    KEvent::new(
        ident,
        EventFilter::EVFILT_PROC,
        EvFlags::EV_ADD | flags,
        what,
        0,
        0,
    )
}

/// A time as the kernel wants it.
pub fn timespec(time: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

/// Waits until one of them is dead, at most so long.
pub fn wait_for_any<'a>(handles: impl Iterator<Item = &'a Handle>, at_most: Duration) {
    let Ok(queue) = Kqueue::new() else { return };
    for handle in handles {
        let event = event_of(handle.pid, EvFlags::EV_ONESHOT, FilterFlag::NOTE_EXIT);
        // ORDER: registered first and looked at second: whoever dies in between is told of, or found dead.
        let told = queue.kevent(&[event], &mut [], Some(timespec(Duration::ZERO)));
        if told.is_err() || handle.is_dead() {
            return;
        }
    }
    let mut came = [KEvent::new(
        0,
        EventFilter::EVFILT_PROC,
        EvFlags::empty(),
        FilterFlag::empty(),
        0,
        0,
    )];
    let _ = queue.kevent(&[], &mut came, Some(timespec(at_most)));
}
