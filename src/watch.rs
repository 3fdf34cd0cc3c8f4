//! The fifth step: the watcher. One thread that sleeps until the anchor is dead.
//!
//! GUEST: it runs on a stack of 16 KiB with no libc behind it: no libc function, no thread-local storage, so no
//! errno; and nothing in it may fail in a way that the host would notice.

use crate::identity::{self, Anchor, Lives};
use crate::log::{self, Log, Side};
use crate::pdeathsig::{self, Kernel};
use crate::settings::Settings;
use crate::sys::bell::Bell;
use crate::sys::pidfd::{Handle, Waited};
use crate::sys::thread::{self, Tables};
use crate::sys::{Errno, polling};
use crate::terminate;
use anchor_contract::Grace;

/// What a watcher is told.
#[derive(Clone, Copy)]
pub struct Watch {
    /// How to end the host.
    pub settings: Settings,
    /// The anchor; `None` where it was dead when the host was to be armed, and only the grace is left to keep.
    pub lives: Option<Lives>,
    /// Whether the kernel asks the host.
    pub kernel: Kernel,
    /// How the thread comes to its descriptor table.
    pub tables: Tables,
    /// Whether another watcher stood down for this one: then nobody is told.
    pub successor: bool,
}

/// Starts the watcher. All signals of the calling thread are blocked.
pub fn start(watch: &Watch) -> Result<(), Errno> {
    match thread::spawn(watch.tables, run, watch) {
        // Emulators take no thread without the common flags.
        Err(Errno(libc::EINVAL)) if watch.tables == Tables::Copied => {
            let shared = Watch {
                tables: Tables::Shared,
                ..*watch
            };
            thread::spawn(shared.tables, run, &shared)
        }
        result => result,
    }
}

/// How the anchor is watched.
#[derive(Clone, Copy)]
enum Way {
    /// An event when it is dead.
    Event(Handle),
    /// A look at its `/proc` entry again and again.
    Looks,
    /// The same by its number alone: a descriptor of ours would be the host's too.
    Probes,
}

extern "C" fn run(watch: &Watch) -> ! {
    let handed = watch
        .lives
        .and_then(|lives| lives.handle)
        .filter(|_| watch.tables == Tables::Copied);
    let own_room = thread::settle(watch.tables, handed.map(Handle::number));
    let settings = &watch.settings;
    let mut bell = if own_room { Bell::hang() } else { Bell::unheard() };
    let bell = &mut bell;
    let Some(lives) = watch.lives else {
        terminate::keep_grace(settings, bell)
    };

    let way = match handed {
        Some(handle) => Way::Event(handle),
        None if !own_room => Way::Probes,
        // The host had no descriptor to spare, or none could be handed over. In a table of our own there is room,
        // and the anchor may have died meanwhile: all that was found out about it is found out again.
        None => match identity::open_then_verify(settings.anchor, lives.id) {
            Anchor::Lives(Lives {
                handle: Some(handle), ..
            }) => Way::Event(handle),
            Anchor::Lives(_) => Way::Looks,
            Anchor::Dead(why) => fire(watch, why, bell),
            Anchor::Beyond(why) => give_up(settings, why),
        },
    };
    if !watch.successor {
        tell_armed(watch, way);
    }
    // ORDER: after the log was opened, which the host may have had to be privileged for.
    thread::drop_capabilities();

    let started = lives.id.map(|id| id.start);
    let waited = match way {
        Way::Event(handle) => handle.wait_for_exit(bell),
        Way::Looks | Way::Probes => Waited::Lost,
    };
    let waited = match waited {
        Waited::Lost => polling::until_exit(settings.anchor, started, settings.poll.0, own_room, bell),
        end => end,
    };
    match waited {
        Waited::Exited => fire(watch, "gone", bell),
        Waited::Recycled => fire(watch, "gone, another process has its number", bell),
        Waited::Dismissed => thread::exit(),
        Waited::Lost => give_up(settings, "the kernel lets nobody wait"),
    }
}

fn fire(watch: &Watch, why: &str, bell: &mut Bell) -> ! {
    terminate::begin_grace(&watch.settings);
    let asked = pdeathsig::kernel_has_asked(watch.kernel);
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

fn tell_armed(watch: &Watch, way: Way) {
    let settings = &watch.settings;
    if settings.log == Log::Silent {
        return;
    }
    let mut line = log::event("armed", settings.anchor);
    match way {
        Way::Event(_) => line.text("thread with pidfd"),
        Way::Looks => every(settings, line.text("thread that polls /proc")),
        Way::Probes => every(settings, line.text("thread that polls the number alone")),
    };
    if watch.lives.is_some_and(|lives| lives.id.is_none()) {
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
    settings.log.write(Side::Watcher, &mut line);
}

fn every<'a>(settings: &Settings, line: &'a mut anchor_contract::Line) -> &'a mut anchor_contract::Line {
    settings.poll.0.print(line.text(" every "));
    line
}
