//! How the watcher is woken to stand down, and how it waits for that and for the anchor at once.
//!
//! The bell is a signal that is directed at the watcher's thread, which has it blocked like all others, and a
//! signalfd(2) in the watcher's private table that becomes readable when it is pending. Nothing is ever read from it:
//! the thread ends, and what is pending ends with it.

use super::call::{Errno, call};
use super::time::{Deadline, sleep, timespec};
use super::{process, thread};

/// A signal that the kernel never sends and nobody uses, signal(7). Not a real-time one: those can be refused when
/// the user's queue is full, RLIMIT_SIGPENDING.
const SIGNAL: i32 = libc::SIGSTKFLT;

/// How often, in milliseconds, the flag is looked at where no event tells of the bell.
const DEAF: u64 = 250;

/// Where the calling thread hears the bell.
pub struct Bell(Option<i32>);

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The handle is readable: its process is dead. Even if the bell was rung too.
    Event,
    /// The watcher is to stand down.
    Rung,
    /// The time has passed.
    Time,
    /// The kernel lets nobody wait this way.
    Refused,
}

impl Bell {
    /// In a descriptor table of the thread's own.
    pub fn hang() -> Self {
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
        Self(fd.ok().and_then(|fd| i32::try_from(fd).ok()))
    }

    /// Where a descriptor would be the host's too, or none is to be had: the bell is noticed a little later.
    pub const fn unheard() -> Self {
        Self(None)
    }

    /// Waits for whichever comes first. With neither a deadline nor a deaf bell, nothing wakes the thread before.
    pub fn wait(&mut self, handle: Option<i32>, until: Option<Deadline>) -> Woken {
        loop {
            let left = until.map(Deadline::left);
            let slice = if self.0.is_some() { left } else { Some(slice(left)) };
            let (event, bell) = match poll(handle, self.0, slice) {
                Ok(ready) => ready,
                // Stopped and continued, or traced: ppoll(2) is interrupted without a signal for us.
                Err(Errno(libc::EINTR)) => continue,
                Err(_) => return Woken::Refused,
            };
            // ORDER: the anchor's death first. Whoever makes us stand down has opened a handle for our successor
            // just before; that we leave says that the anchor lived when it was opened, so that it is the anchor's.
            if event {
                return Woken::Event;
            }
            if thread::told_to_leave() {
                return Woken::Rung;
            }
            if bell {
                // Somebody sent the host this very signal. It is not ours to take, and it stays readable.
                self.0 = None;
            } else if left.is_some() && left == slice {
                return Woken::Time;
            }
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

/// ppoll(2): whether the handle and the bell are readable. A negative number is passed over by the kernel.
fn poll(handle: Option<i32>, bell: Option<i32>, time: Option<u64>) -> Result<(bool, bool), Errno> {
    let entry = |fd: Option<i32>| libc::pollfd {
        fd: fd.unwrap_or(-1),
        events: libc::POLLIN,
        revents: 0,
    };
    let mut entries = [entry(handle), entry(bell)];
    let time = time.map(timespec);
    let time = time.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: two whole entries, a whole time or none, no signal set.
    unsafe { call!(SYS_ppoll, entries.as_mut_ptr(), entries.len(), time, 0_usize, 0) }?;
    let [handle_entry, bell_entry] = entries;
    let readable = |entry: libc::pollfd| entry.revents & libc::POLLIN != 0;
    // POLLNVAL or POLLERR: the descriptor is not what it was. Never a death.
    if handle.is_some() && handle_entry.revents & !libc::POLLIN != 0 && !readable(handle_entry) {
        return Err(Errno(libc::EBADF));
    }
    Ok((readable(handle_entry), readable(bell_entry)))
}

/// Whether a handle is readable now.
pub fn is_readable(handle: i32) -> bool {
    poll(Some(handle), None, Some(0)).is_ok_and(|(event, _)| event)
}

/// Rings the bell of thread `number` of this process; `Err(ESRCH)` if there is none.
pub fn ring(number: i32) -> Result<(), Errno> {
    // SAFETY: signals a thread of our own that has it blocked.
    unsafe { call!(SYS_tgkill, process::own_pid(), number, SIGNAL) }.map(drop)
}

/// Whether this process has a thread of that number.
pub fn is_thread(number: i32) -> bool {
    // SAFETY: sends nothing.
    let found = unsafe { call!(SYS_tgkill, process::own_pid(), number, 0) };
    found != Err(Errno(libc::ESRCH))
}
