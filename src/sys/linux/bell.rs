//! How the watcher is woken to stand down, and how it waits for that and for the anchor at once.
//!
//! The bell is a signal that is directed at the watcher's thread, which has it blocked like all others, and a
//! signalfd(2) in the watcher's private table that becomes readable when it is pending. Nothing is ever read from it:
//! the thread ends, and what is pending ends with it.

use super::call::{Errno, call};
use super::lifeline::{self, Says};
use super::proc_stat::own_stat;
use super::time::{Deadline, sleep, timespec};
use super::{process, thread};
use crate::sys::{Waited, Woken};

/// A signal that the kernel never sends and nobody uses, signal(7). Not a real-time one: those can be refused when
/// the user's queue is full, RLIMIT_SIGPENDING.
const SIGNAL: i32 = libc::SIGSTKFLT;

/// How often, in milliseconds, the flag is looked at where no event tells of the bell.
const DEAF: u64 = 250;

/// Where the calling thread hears the bell.
pub struct Bell {
    signals: Option<i32>,
    /// Whether the host may end by its last thread's end alone, which no event tells of: see [`Bell::leave_if_last`].
    alone: bool,
    /// What is listened to as well, and whether it has to be looked at, because it says something else all the time.
    lifeline: bool,
    noisy: bool,
}

impl Bell {
    /// In a descriptor table of the thread's own. `alone`: whether the host may end by its last thread's end alone.
    pub fn hang(alone: bool) -> Self {
        let set: u64 = 1 << (SIGNAL - 1);
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: one whole set; makes a new descriptor, signalfd(2).
        let fd = unsafe {
            call!(
                SYS_signalfd4,
                -1_isize,
                core::ptr::from_ref(&set),
                size_of::<u64>(),
                flags
            )
        };
        Self {
            signals: fd.ok().and_then(|fd| i32::try_from(fd).ok()),
            alone,
            lifeline: false,
            noisy: false,
        }
    }

    /// Where a descriptor would be the host's too, or none is to be had: the bell is noticed a little later.
    pub const fn unheard(alone: bool) -> Self {
        Self {
            signals: None,
            alone,
            lifeline: false,
            noisy: false,
        }
    }

    /// Whether from now on every wait ends with the lifeline too.
    pub fn listen_to(&mut self, lifeline: bool) {
        self.lifeline = lifeline;
    }

    /// Sleeps until the lifeline hangs up or the bell is rung. No time-out, so no wake-up before.
    pub fn wait_for_hang_up(&mut self) -> Waited {
        match self.wait(None, None) {
            Woken::HungUp => Waited::HungUp,
            Woken::Rung => Waited::Dismissed,
            Woken::Event | Woken::Time | Woken::Refused => Waited::Lost,
        }
    }

    /// Waits for whichever comes first. With neither a deadline nor a bell that must be looked at, nothing of ours
    /// wakes the thread before; a signal that the host gets does, for a moment (signalfd(2) hangs on a queue that all
    /// share).
    pub fn wait(&mut self, handle: Option<i32>, until: Option<Deadline>) -> Woken {
        loop {
            let left = until.map(Deadline::left);
            let slice = if self.signals.is_some() && !self.alone && !self.noisy {
                left
            } else {
                Some(slice(left))
            };
            let quiet = self.lifeline && !self.noisy;
            let mut entries = [entry(handle), entry(self.signals), lifeline::entry()];
            // GUEST: a host without one makes the call that it always made.
            let count = if quiet { entries.len() } else { 2 };
            let polled = poll(entries.get_mut(..count).unwrap_or_default(), slice);
            let [event, bell, line] = entries;
            let (event, bell) =
                match polled.and_then(|()| Ok((is_readable_now(event)?, is_readable_now(bell)?))) {
                    Ok(ready) => ready,
                    // Stopped and continued, or traced: ppoll(2) is interrupted without a signal for us.
                    Err(Errno(libc::EINTR)) => continue,
                    Err(_) => return Woken::Refused,
                };
            // ORDER: the anchor's death first. That we leave says that the anchor lived after we were told to: what
            // dies later is for our successor, who was told by then.
            if event {
                return Woken::Event;
            }
            let hung_up = if quiet {
                let said = lifeline::read(line);
                self.noisy = said == Says::Noise;
                said == Says::HungUp
            } else {
                self.lifeline && lifeline::has_hung_up()
            };
            if hung_up {
                return Woken::HungUp;
            }
            if thread::told_to_leave() {
                return Woken::Rung;
            }
            self.leave_if_last();
            if bell {
                // Somebody sent the host this very signal. It is not ours to take, and it stays readable.
                self.signals = None;
            } else if left.is_some() && left == slice {
                return Woken::Time;
            }
        }
    }

    /// A host that ends its last thread by _exit(2) of that thread alone would live on for our sake. No C library does
    /// so; a program without one may, and one in seccomp's strict mode must.
    ///
    /// REJECTED: a pidfd of the main thread. Since Linux 6.15 it tells when the last thread is gone, and that is us.
    fn leave_if_last(&self) {
        if self.alone && own_stat().is_some_and(|stat| stat.only_a_thread_is_left()) {
            thread::exit();
        }
    }

    /// Sleeps until then, by whatever means the kernel offers.
    pub fn pause(&mut self, until: Deadline) -> Woken {
        let woken = self.wait(None, Some(until));
        if woken != Woken::Refused {
            return woken;
        }
        loop {
            let left = until.left();
            if !sleep(slice(Some(left))) {
                return Woken::Refused;
            }
            if thread::told_to_leave() {
                return Woken::Rung;
            }
            if left <= DEAF {
                return Woken::Time;
            }
        }
    }
}

fn slice(left: Option<u64>) -> u64 {
    left.map_or(DEAF, |left| left.min(DEAF))
}

/// What ppoll(2) is to wait for: that it can be read. A negative number is passed over by the kernel.
fn entry(fd: Option<i32>) -> libc::pollfd {
    libc::pollfd {
        fd: fd.unwrap_or(-1),
        events: libc::POLLIN,
        revents: 0,
    }
}

/// Whether it can be. POLLNVAL or POLLERR: a descriptor is not what it was. Never a death.
fn is_readable_now(entry: libc::pollfd) -> Result<bool, Errno> {
    if entry.revents & (libc::POLLNVAL | libc::POLLERR) != 0 {
        return Err(Errno(libc::EBADF));
    }
    Ok(entry.revents & libc::POLLIN != 0)
}

/// ppoll(2).
pub fn poll(entries: &mut [libc::pollfd], time: Option<u64>) -> Result<(), Errno> {
    let time = time.map(timespec);
    let time = time.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    let (place, count) = (entries.as_mut_ptr(), entries.len());
    // SAFETY: whole entries, a whole time or none, no signal set.
    unsafe { call!(SYS_ppoll, place, count, time, 0_usize, 0) }.map(drop)
}

/// Whether a handle is readable now.
#[inline(never)] // the library is small because this is not repeated at every use
pub fn is_readable(handle: i32) -> bool {
    let mut entries = [entry(Some(handle))];
    let polled = poll(&mut entries, Some(0));
    let [entry] = entries;
    polled.and_then(|()| is_readable_now(entry)) == Ok(true)
}

/// Rings the bell of thread `number` of this process; `Err(ESRCH)` if there is none.
pub fn ring(number: i32) -> Result<(), Errno> {
    send(number, SIGNAL)
}

/// Whether this process has a thread of that number; not, where the kernel does not say.
pub fn is_thread(number: i32) -> bool {
    send(number, 0).is_ok()
}

fn send(number: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: signals a thread of our own that has the signal blocked, or nobody.
    let sent = unsafe { call!(SYS_tgkill, process::own_pid(), number, signal) };
    match sent {
        Ok(_) | Err(Errno(libc::ESRCH)) => sent,
        // A filter that refuses the one may not know the other.
        // SAFETY: as above; nobody else has the number so soon.
        Err(_) => unsafe { call!(SYS_tkill, number, signal) },
    }
    .map(drop)
}
