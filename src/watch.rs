//! The fifth step: the watcher. One thread that sleeps until the anchor is dead.
//!
//! GUEST: on Linux it runs on a stack of 16 KiB with no libc behind it: no libc function, no thread-local storage, so no
//! errno; and nowhere may anything in it fail in a way that the host would notice.

use crate::identity::{self, Anchor, Known};
use crate::log::{self, Log, Side};
use crate::pdeathsig::{self, Kernel};
use crate::settings::Settings;
use crate::stops;
use crate::sys::bell::Bell;
use crate::sys::handle::{self, Handle};
use crate::sys::{Errno, Waited, polling, thread};
use crate::terminate;
use anchor_contract::Grace;

/// What a watcher is told.
#[derive(Clone, Copy)]
pub struct Watch {
    /// How to end the host.
    pub settings: Settings,
    /// The anchor; `None` where it is dead, and only the grace is left to keep.
    pub anchor: Option<Known>,
    /// A handle of it, where the watcher is not to open one ([`Handle::hand_over`]).
    pub handle: Option<Handle>,
    /// Whether the kernel asks the host.
    pub kernel: Kernel,
    /// Whether the host may end by its last thread's end alone.
    pub alone: bool,
    /// Whether another watcher stood down for this one: then nobody is told.
    pub successor: bool,
}

/// Starts the watcher. All signals of the calling thread are blocked.
pub fn start(watch: &Watch) -> Result<(), Errno> {
    thread::spawn(run, watch)?;
    // GUEST: where the watcher must not open a handle it must not open a log either, while the host runs. Here it does
    // not yet.
    if thread::SHARES_DESCRIPTORS && watch.anchor.is_some() {
        tell_armed(watch, watch.handle.map_or(Way::Probes, Way::Event), Side::Host);
    }
    Ok(())
}

/// How the anchor is watched.
#[derive(Clone, Copy)]
enum Way {
    /// An event when it is dead.
    Event(Handle),
    /// A look at its `/proc` entry again and again.
    Looks,
    /// The same without a descriptor, which would be the host's too: on Linux by its number alone.
    Probes,
}

extern "C" fn run(watch: &Watch) -> ! {
    let settings = &watch.settings;
    stops::at("watcher-born");
    let may_open = thread::settle();
    let mut bell = if may_open {
        Bell::hang(watch.alone)
    } else {
        Bell::unheard(watch.alone)
    };
    let bell = &mut bell;
    stops::at("watcher-settled");
    let Some(known) = watch.anchor else {
        terminate::keep_grace(settings, bell)
    };
    let way = match watch.handle {
        Some(handle) => Way::Event(handle),
        None if may_open => match identity::open_again(settings, known) {
            Anchor::Lives(Some(handle), _) => Way::Event(handle),
            Anchor::Lives(None, _) => Way::Looks,
            Anchor::Dead(why) => fire(watch, why, bell),
            Anchor::Beyond(why) => give_up(settings, why),
        },
        None => Way::Probes,
    };
    stops::at("watcher-opened");
    if !watch.successor && !thread::SHARES_DESCRIPTORS {
        tell_armed(watch, way, Side::Watcher);
    }
    // ORDER: after the log was opened, which the host may have had to be privileged for.
    thread::drop_rights();

    stops::at("watcher-ready");
    let started = known.id.map(|id| id.start);
    loop {
        let waited = match way {
            Way::Event(handle) => handle.wait_for_exit(bell),
            Way::Looks | Way::Probes => Waited::Lost,
        };
        let waited = match waited {
            Waited::Lost => polling::until_exit(settings.anchor, started, settings.poll.0, may_open, bell),
            end => end,
        };
        match waited {
            Waited::Exited => fire(watch, "gone", bell),
            Waited::Recycled => fire(watch, "gone, another process has its number", bell),
            Waited::Dismissed => thread::leave(),
            Waited::Lost => give_up(settings, "the kernel lets nobody wait"),
        }
    }
}

fn fire(watch: &Watch, why: &str, bell: &mut Bell) -> ! {
    terminate::begin_grace(&watch.settings);
    let asked = pdeathsig::kernel_has_asked(watch.kernel, watch.settings.signal);
    terminate::tell_fired(&watch.settings, Side::Watcher, why, asked);
    if !asked {
        terminate::ask(watch.settings.signal);
    }
    terminate::keep_grace(&watch.settings, bell)
}

fn give_up(settings: &Settings, why: &str) -> ! {
    settings
        .log
        .write(Side::Watcher, log::event("inert", settings.anchor).text(why));
    thread::exit()
}

fn tell_armed(watch: &Watch, way: Way, side: Side) {
    let settings = &watch.settings;
    if settings.log == Log::Silent {
        return;
    }
    let mut line = log::event("armed", settings.anchor);
    match way {
        Way::Event(_) => line.text("thread with ").text(handle::NAME),
        Way::Looks => every(settings, line.text("thread that polls ").text(polling::LOOKS_AT)),
        Way::Probes => every(settings, line.text("thread that polls ").text(polling::PROBES)),
    };
    if watch.anchor.is_some_and(|known| known.id.is_none()) {
        line.text(", identity not known");
    }
    match watch.kernel {
        Kernel::Asks(_) => settings.signal.print(line.text(", PDEATHSIG ")),
        Kernel::DoesNot(why) => {
            line.text(", no PDEATHSIG (").text(why).text(")");
        }
    }
    match settings.grace {
        Grace::Never => line.text(", no SIGKILL"),
        Grace::Kill(time) => {
            time.print(line.text(", grace "));
            &mut line
        }
    };
    settings.log.write(side, &mut line);
}

fn every<'a>(settings: &Settings, line: &'a mut anchor_contract::Line) -> &'a mut anchor_contract::Line {
    settings.poll.0.print(line.text(" every "));
    line
}
