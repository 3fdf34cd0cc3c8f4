//! The last step: the anchor is dead, the host ends. Asked first, then killed, and where even that has no effect
//! (PID 1 of a PID namespace, pid_namespaces(7)) it exits by our own call.

use crate::log::{self, Log, Side};
use crate::pdeathsig::{self, Kernel};
use crate::settings::Settings;
use crate::sys::bell::Bell;
use crate::sys::time::Deadline;
use crate::sys::{Woken, process, signals, thread};
use anchor_contract::{Grace, Signal};
use core::sync::atomic::{AtomicU64, Ordering};

/// Asks the host to end, so that its own graceful shutdown runs. Nothing more can be done if that is refused: the
/// grace follows anyway.
pub fn ask(signal: Signal) {
    let _ = signals::send_to_host(signal);
}

/// When the host is to be killed; 0 while nobody has asked it, [`NEVER`] where it is asked and nothing more.
static KILL_AT: AtomicU64 = AtomicU64::new(0);
const NEVER: u64 = u64::MAX;

/// The grace begins. ORDER: before the host is asked. A handler of its own may make the watcher stand down, and the
/// successor must know that there is nothing left to watch.
pub fn begin_grace(settings: &Settings) {
    let at = match settings.grace {
        Grace::Never => NEVER,
        Grace::Kill(time) => Deadline::after(time).number(),
    };
    KILL_AT.store(at, Ordering::Release);
}

/// Whether the grace has begun.
pub fn begun() -> bool {
    KILL_AT.load(Ordering::Acquire) != 0
}

/// In a forked child, which nobody has asked yet.
pub fn forget() {
    KILL_AT.store(0, Ordering::Release);
}

/// In the watcher: gives the host what is left of its grace, then ends it. Never returns.
pub fn keep_grace(settings: &Settings, bell: &mut Bell) -> ! {
    let (Grace::Kill(time), at) = (settings.grace, KILL_AT.load(Ordering::Acquire)) else {
        thread::exit()
    };
    // Where the kernel refuses every kind of sleep the grace is short; the host still ends.
    while bell.pause(Deadline::from_number(at)) == Woken::Rung {
        thread::leave();
    }
    let mut line = log::event("escalated", settings.anchor);
    time.print(line.text("SIGKILL, still alive after "));
    settings.log.write(Side::Watcher, &mut line);
    force(settings.signal)
}

/// The same where there is no thread to keep it: the kernel does, as far as it can.
pub fn keep_grace_without_a_thread(settings: &Settings) {
    let left = Deadline::from_number(KILL_AT.load(Ordering::Acquire)).left();
    if settings.grace != Grace::Never && !signals::kill_host_after(left) {
        force(settings.signal);
    }
}

/// Ends the host. Never returns.
pub fn force(signal: Signal) -> ! {
    signals::kill_host();
    // Still here: no signal ends this process, but its own exit does, with the status a shell would show.
    process::exit_host(signal.exit_status())
}

/// What the anchor's death is known by.
#[derive(Clone, Copy)]
pub enum Cause {
    /// What has become of its process.
    Process(&'static str),
    /// Its lifeline has hung up.
    HungUp,
}

impl Cause {
    /// Whether the kernel asks, now that this is known.
    pub fn asking(self, kernel: Kernel) -> Kernel {
        match self {
            Self::Process(_) => kernel,
            Self::HungUp => pdeathsig::await_kernel(kernel),
        }
    }
}

/// Says that the host is about to be ended. ORDER: before it is asked; most programs end at once.
pub fn tell_fired(settings: &Settings, side: Side, cause: Cause, kernel_asked: bool) {
    // GUEST: a line that nobody reads takes one more page of the watcher's stack, while all hosts of an anchor end.
    if settings.log == Log::Silent {
        return;
    }
    let mut line = log::event("fired", settings.anchor);
    match (cause, settings.anchor.fd) {
        (Cause::Process(why), _) => line.text(why),
        (Cause::HungUp, fd) => line
            .text("descriptor ")
            .number(fd.unwrap_or(0).into())
            .text(" hung up"),
    };
    line.text(if kernel_asked {
        "; the kernel has asked with "
    } else {
        "; asking with "
    });
    settings.signal.print(&mut line);
    match settings.grace {
        Grace::Never => line.text(", no SIGKILL"),
        Grace::Kill(time) => {
            time.print(line.text(", SIGKILL after "));
            &mut line
        }
    };
    settings.log.write(side, &mut line);
}
