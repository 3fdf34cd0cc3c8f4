//! The fifth step: the watcher. One thread that sleeps until the anchor is dead.
//!
//! GUEST: on Linux it runs on a small stack with no libc behind it: no libc function, no thread-local storage, so no
//! errno; and nowhere may anything in it fail in a way that the host would notice.

use crate::identity::{self, Anchor, Known};
use crate::log::{self, Log, Side};
use crate::pdeathsig::{self, Kernel};
use crate::settings::{self, Settings};
use crate::stops;
use crate::sys::bell::Bell;
use crate::sys::handle::{self, Handle};
use crate::sys::{Errno, Waited, lifeline, polling, thread};
use crate::terminate::{self, Cause};
use anchor_contract::{AnchorFd, Grace, Pid, Setting};

/// What a watcher is told.
#[derive(Clone, Copy)]
pub struct Watch {
    /// How to end the host.
    pub settings: Settings,
    /// The anchor's process, where that can be watched.
    pub process: Option<Known>,
    /// Whether there is something that hangs up when the anchor dies. With neither, only the grace is left to keep.
    pub lifeline: bool,
    /// Why the other of the two is not watched, where both were named.
    pub without: Option<&'static str>,
    /// A handle of it, where the watcher is not to open one ([`Handle::hand_over`]).
    pub handle: Option<Handle>,
    /// Whether the kernel asks the host.
    pub kernel: Kernel,
    /// Whether the host may end by its last thread's end alone.
    pub alone: bool,
    /// Whether another watcher stood down for this one: then nobody is told.
    pub successor: bool,
}

impl Watch {
    /// Whether there is anything to watch.
    pub fn watches(&self) -> bool {
        self.process.is_some() || self.lifeline
    }
}

/// Starts the watcher. All signals of the calling thread are blocked.
pub fn start(watch: &Watch) -> Result<(), Errno> {
    thread::spawn(run, watch)?;
    // RACE: 1. the watcher is born  2. the host goes on, and closes everything  3. the watcher takes its copy. Closed by
    //   waiting for 3.
    if watch.lifeline {
        thread::wait_until_settled();
        // ORDER: before the host's main, and only by now is it known. The watcher says so itself.
        if watch.process.is_none() && !watch.successor && thread::shares_table() {
            settings::refuse_if_strict(&watch.settings, lifeline::NO_COPY);
        }
    }
    // GUEST: where the watcher must not open a handle it must not open a log either, while the host runs. Here it does
    // not yet.
    if thread::SHARES_DESCRIPTORS && watch.watches() {
        let way = watch.handle.map_or(Way::Probes, Way::Event);
        tell_armed(watch, way, false, Side::Host);
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
    /// Not at all: the lifeline alone.
    Not,
}

extern "C" fn run(watch: &Watch) -> ! {
    let settings = &watch.settings;
    stops::at("watcher-born");
    let may_open = thread::settle(lifeline::number().filter(|_| watch.lifeline));
    let mut bell = if may_open {
        Bell::hang(watch.alone)
    } else {
        Bell::unheard(watch.alone)
    };
    let bell = &mut bell;
    stops::at("watcher-settled");
    if !watch.watches() {
        terminate::keep_grace(settings, bell)
    }
    // A number of the host's own table may be another file's at any moment, and that one's hang-up no death.
    let listens = watch.lifeline && may_open && lifeline::is_here();
    let lost = watch.lifeline && !listens;
    bell.listen_to(listens);
    let way = match (watch.process, watch.handle) {
        (None, _) if !listens => give_up(settings, lifeline::NO_COPY),
        (None, _) => Way::Not,
        (Some(_), Some(handle)) => Way::Event(handle),
        (Some(known), None) if may_open => match identity::open_again(settings, known) {
            Anchor::Lives(Some(handle), _) => Way::Event(handle),
            Anchor::Lives(None, _) => Way::Looks,
            Anchor::Dead(why) => fire(watch, Cause::Process(why), bell),
            Anchor::Beyond(why) => give_up(settings, why),
        },
        (Some(_), None) => Way::Probes,
    };
    stops::at("watcher-opened");
    // Of a successor nobody is told, unless it has less than the watcher before it.
    if (!watch.successor || lost) && !thread::SHARES_DESCRIPTORS {
        tell_armed(watch, way, listens, Side::Watcher);
    }
    // ORDER: after the log was opened, which the host may have had to be privileged for.
    thread::drop_rights();

    stops::at("watcher-ready");
    loop {
        let waited = match way {
            Way::Event(handle) => handle.wait_for_exit(bell),
            Way::Looks | Way::Probes => Waited::Lost,
            Way::Not => bell.wait_for_hang_up(),
        };
        let waited = match (waited, watch.process) {
            (Waited::Lost, Some(Known { pid, id, .. })) => {
                let started = id.map(|id| id.start);
                polling::until_exit(pid, started, settings.poll.0, may_open, bell)
            }
            (end, _) => end,
        };
        match waited {
            Waited::Exited => fire(watch, Cause::Process("gone"), bell),
            Waited::Recycled => fire(
                watch,
                Cause::Process("gone, another process has its number"),
                bell,
            ),
            Waited::HungUp => fire(watch, Cause::HungUp, bell),
            Waited::Dismissed => thread::leave(),
            Waited::Lost => give_up(settings, "the kernel lets nobody wait"),
        }
    }
}

fn fire(watch: &Watch, cause: Cause, bell: &mut Bell) -> ! {
    let signal = watch.settings.signal;
    bell.listen_to(false);
    let kernel = cause.asking(watch.kernel);
    terminate::begin_grace(&watch.settings);
    let asked = pdeathsig::kernel_has_asked(kernel, signal);
    terminate::tell_fired(&watch.settings, Side::Watcher, cause, asked);
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

fn tell_armed(watch: &Watch, way: Way, listens: bool, side: Side) {
    let settings = &watch.settings;
    if settings.log == Log::Silent {
        return;
    }
    let mut line = log::event("armed", settings.anchor);
    match way {
        Way::Event(_) => line.text("thread with ").text(handle::NAME),
        Way::Looks => every(settings, line.text("thread that polls ").text(polling::LOOKS_AT)),
        Way::Probes => every(settings, line.text("thread that polls ").text(polling::PROBES)),
        Way::Not => line.text("thread with "),
    };
    if let Some(fd) = settings.anchor.fd.filter(|_| listens) {
        let also = if matches!(way, Way::Not) { "" } else { " and " };
        line.text(also).text("descriptor ").number(fd.into());
    }
    let lost = (watch.lifeline && !listens).then_some(lifeline::NO_COPY);
    if let Some(why) = watch.without.or(lost) {
        let variable = if watch.process.is_some() {
            AnchorFd::VARIABLE.name
        } else {
            Pid::VARIABLE.name
        };
        line.text(", without ")
            .text(variable)
            .text(" (")
            .text(why)
            .text(")");
    }
    if watch.process.is_some_and(|known| known.id.is_none()) {
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
