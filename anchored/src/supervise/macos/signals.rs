//! The signals of the front: all of them are blocked, but for the time that it waits.
//!
//! KERNEL: who has sent a signal is written down only if at that moment it would be caught (XNU, bsd/kern/kern_sig.c); so
//! there are handlers, and pselect(2) opens all while it waits. One that comes while the front does something else is heard
//! as well, and its sender is not known. REJECTED: `EVFILT_SIGNAL` and sigwait(2), which never know it. A handler can run
//! only inside that call, so that nothing else is ever interrupted.

use crate::supervise::held::{Before, hold};
use crate::supervise::link::Link;
use crate::supervise::terminal::Circumstances;
use nix::errno::Errno;
use nix::sys::select::{FdSet, pselect};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{Pid, getpgrp, getsid, tcgetpgrp};
use std::cell::Cell;
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicI32, Ordering};

/// What a terminal sends to its whole foreground group.
pub const OF_THE_TERMINAL: [i32; 9] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGCONT,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGWINCH,
    libc::SIGINFO,
];

/// One more than there are.
const NUMBERS: usize = 32;

/// The sender of each that has come, and one more.
static HEARD: [AtomicI32; NUMBERS] = [const { AtomicI32::new(0) }; NUMBERS];

extern "C" fn hear(number: libc::c_int, information: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: where it is not null, the kernel's, for as long as this runs.
    let information = unsafe { information.as_ref() };
    let sender = information.map_or(0, |information| information.si_pid.max(0));
    if let Some(place) = usize::try_from(number).ok().and_then(|number| HEARD.get(number)) {
        place.store(sender.saturating_add(1), Ordering::Relaxed);
    }
}

/// What is heard, and what was there before.
pub struct Signals {
    held: SigSet,
    before: Before,
    listens: Cell<bool>,
}

/// One that has come.
pub struct Came {
    pub number: i32,
    /// Who has sent it. 0 where nobody has, or that is not known.
    pub sender: i32,
    /// Whether, if it is one of the terminal's, the terminal has sent it.
    pub by_terminal: bool,
}

impl Signals {
    /// Blocks them, and remembers what was there.
    pub fn take() -> Result<Self, Errno> {
        let (held, before) = hold()?;
        Ok(Self {
            held,
            before,
            listens: Cell::new(false),
        })
    }

    pub fn before(&self) -> Before {
        self.before
    }

    /// Waits for one, or for the link. Whether there is a word on the link, or its end.
    pub fn wait(&self, link: &Link) -> bool {
        self.listen();
        let mut read = FdSet::new();
        read.insert(link.as_fd());
        let none = SigSet::empty();
        pselect(None, &mut read, None, None, None, &none).is_ok_and(|count| count > 0)
    }

    /// The next one that was heard, if any.
    pub fn next(&self) -> Option<Came> {
        let heard = |number: i32| {
            let place = HEARD.get(usize::try_from(number).ok()?)?;
            let sender = place.swap(0, Ordering::Relaxed);
            (sender > 0).then_some((number, sender - 1))
        };
        let (number, sender) = (1..32).find_map(heard)?;
        Some(Came {
            number,
            sender,
            by_terminal: circumstances(sender).by_terminal(),
        })
    }

    /// ORDER: not before the guard was forked, which catches nothing: nor does the command, as long as it is not executed.
    fn listen(&self) {
        if self.listens.replace(true) {
            return;
        }
        let handler = SigHandler::SigAction(hear);
        let action = SigAction::new(handler, SaFlags::empty(), SigSet::all());
        // SIGPIPE stays ignored, as Rust has it: one of our own would not be known as such.
        let wanted = |signal: &Signal| {
            let uncaught = [Signal::SIGKILL, Signal::SIGSTOP, Signal::SIGPIPE];
            self.held.contains(*signal) && !uncaught.contains(signal)
        };
        for signal in Signal::iterator().filter(wanted) {
            // SAFETY: the handler does nothing but store a number.
            let _ = unsafe { sigaction(signal, &action) };
        }
    }
}

fn circumstances(sender: i32) -> Circumstances {
    let foreground = File::open("/dev/tty").and_then(|terminal| Ok(tcgetpgrp(terminal)?));
    let senders = Some(sender).filter(|sender| *sender > 0);
    let senders = senders.and_then(|sender| getsid(Some(Pid::from_raw(sender))).ok());
    Circumstances {
        in_foreground: foreground.is_ok_and(|group| group == getpgrp()),
        session: getsid(None).map_or(0, Pid::as_raw),
        senders: senders.map(Pid::as_raw),
    }
}
