//! The fourth step: from settings to a watched anchor, in the one order that leaves no gap.
//!
//! Runs in the host's thread, before `main` or first thing in a forked child, and touches nothing of the host's
//! but, where that is right, its parent death signal and two variables of its environment. The numbers are the
//! order; each says what it closes.

use crate::environment::{self, Environment, Pins};
use crate::exclusions;
use crate::identity::{self, Anchor, Known};
use crate::log::{self, Side};
use crate::pdeathsig::{self, Kernel};
use crate::post;
use crate::scope;
use crate::settings::{self, Found, Settings, Told};
use crate::stops;
use crate::sys::handle::Handle;
use crate::sys::{Once, atfork, lifeline, process, program, signals};
use crate::terminate::{self, Cause};
use crate::watch::Watch;
use anchor_contract::{AnchorId, Scope};

/// What a forked child needs to be armed as its parent was.
#[derive(Clone, Copy)]
struct Inherited {
    settings: Settings,
    process: Option<Known>,
    lifeline: bool,
}

static INHERITED: Once<Inherited> = Once::new();

/// What the host's thread has to do once it takes signals again.
#[derive(PartialEq, Eq)]
enum Then {
    Run,
    /// The anchor is dead, and nobody has asked the host yet.
    Ask,
}

/// The constructor's work.
pub fn at_load() {
    let environment = Environment::read();
    match settings::off(&environment) {
        // GUEST: whoever starts such a program has chosen these variables, and has other rights: a log would be written
        // with the program's. Only an administrator can have us in it (/etc/ld.so.preload, ld.so(8)).
        None if program::has_rights_of_its_own() => {}
        None => arm_as_told(&environment),
        Some(left) => left
            .iter()
            .for_each(|(anchor, signal)| pdeathsig::withdraw(*anchor, *signal)),
    }
}

/// GUEST: not inlined, so that a program without an anchor does not touch the stack that arming one needs.
#[inline(never)]
fn arm_as_told(environment: &Environment) {
    stops::at("1");
    // 1. No signal from here on. RACE: a handler of the host's that runs in the middle of arming could leave it by
    //    siglongjmp(3) with a descriptor open; a watcher made with signals open could take one of the host's.
    let blocked = signals::Blocked::all();
    let Some(told) = settings::read(environment) else {
        return;
    };
    let then = arm_process(&told);
    stops::at("9");
    // 9. Signals again. ORDER: only now, so that the host of a dead anchor is asked when everything stands.
    drop(blocked);
    stops::at("end");
    if then == Then::Ask {
        terminate::ask(told.settings.signal);
    }
}

/// A fork copies no thread but its caller, so the child has no watcher.
extern "C" fn in_forked_child() {
    let Some(told) = INHERITED.get() else { return };
    // GUEST: a filter that the host has set up for itself does not know us. What it does not know, it may kill for.
    // ORDER: so no call before this one.
    if process::has_own_filter() {
        post::disown();
        return;
    }
    stops::at("fork");
    let blocked = signals::Blocked::all();
    let parent = post::forget();
    let process = told.process.map(|known| {
        if identity::counts_as(parent) {
            identity::open_again(&told.settings, known)
        } else {
            identity::open_then_verify(&told.settings, known)
        }
    });
    // The parent may have closed it since, and may have something else there.
    let lifeline = if told.lifeline && !lifeline::is_here() {
        Err(lifeline::NO_COPY)
    } else {
        Ok(told.lifeline)
    };
    stops::at("fork-opened");
    let then = arm_against(&told.settings, process, lifeline);
    drop(blocked);
    if then == Then::Ask {
        terminate::ask(told.settings.signal);
    }
}

fn arm_process(told: &Told) -> Then {
    let settings = told.settings;
    stops::at("2");
    // 2. Is this a process that is meant, and none that must be left alone?
    let meant = match exclusions::reason(told.skip) {
        Some(why) => Err(why),
        None => scope::narrow(&told.scope),
    };
    let scope = match meant {
        Ok(scope) => scope,
        Err(why) => {
            if let Some(anchor) = settings.anchor.pid {
                pdeathsig::withdraw(anchor, settings.signal);
            }
            return inert(&settings, why, Reason::Wanted);
        }
    };
    stops::at("3");
    // 3. Handle, then identity; the race is told at `open_then_verify`.
    let recorded = |pid| Known {
        pid,
        id: told.id,
        mark: told.id.and_then(|id| id.mark),
    };
    let process = settings.anchor.pid.map(recorded);
    let anchor = process.map(|recorded| identity::open_then_verify(&settings, recorded));
    let (process, id) = match &anchor {
        None => (None, None),
        Some(Anchor::Lives(_, known)) => (Some(*known), known.id),
        Some(Anchor::Beyond(_)) => (None, Some(AnchorId::NOBODY)),
        // Its number may be given away while this host has its grace: for descendants too it is dead.
        Some(Anchor::Dead(_)) => {
            let id = told.id.or_else(identity::of_a_dead_anchor);
            (process.map(|recorded| Known { id, ..recorded }), id)
        }
    };
    let found = told.lifeline == Ok(true);
    stops::at("4");
    // 4. What descendants need. ORDER: before step 7, after which the environment could be read by others. Whoever is
    //    beyond has descendants that are, and nobody's identity tells them so.
    environment::add(&Pins {
        id: id.filter(|_| told.id.is_none()),
        scope,
        fd: told.pin,
    });
    let inherited = Inherited {
        settings,
        process,
        lifeline: found,
    };
    process::note_filter();
    let watched = process.is_some() || found;
    if told.scope == Scope::Tree && watched && INHERITED.set(inherited).is_some() {
        atfork::register(in_forked_child);
    }
    stops::at("4-pinned");
    arm_against(&settings, anchor, told.lifeline)
}

const DIED: &str = "died while the host was starting";

/// Steps 5 to 8, with the anchor's handle in hand. Either death is one.
fn arm_against(settings: &Settings, anchor: Option<Anchor>, lifeline: Found) -> Then {
    let found = lifeline == Ok(true);
    let without = lifeline.err();
    let (handle, known, without) = match anchor {
        Some(Anchor::Lives(handle, known)) => (handle, Some(known), without),
        Some(Anchor::Dead(why)) => {
            return fire_at_once(
                settings,
                Cause::Process(why),
                Kernel::DoesNot("the anchor was dead"),
            );
        }
        Some(Anchor::Beyond(why)) if found => (None, None, Some(why)),
        Some(Anchor::Beyond(why)) => return inert(settings, why, Reason::Failure),
        None => (None, None, without),
    };
    if let (None, false, Err(why)) = (known, found, lifeline) {
        return inert(settings, why, Reason::Failure);
    }
    let pid = known.map(|known| known.pid);
    if pid.is_some_and(|pid| pid.raw() == process::own_pid()) {
        identity::close(handle);
        return inert(settings, "this is the anchor itself", Reason::Wanted);
    }
    stops::at("5");
    // 5. The kernel's own guard first: it is the only one that needs nobody to run.
    let kernel = pdeathsig::set_where_right(settings, pid, found);
    stops::at("6");
    // 6. Dead by now? Then the host need not begin. What dies after this line is an event for step 8: the watcher opens
    //    a handle of its own, and knows whether it is the anchor's.
    if handle.is_some_and(Handle::exited) {
        identity::close(handle);
        return fire_at_once(settings, Cause::Process(DIED), kernel);
    }
    if found && lifeline::has_hung_up() {
        identity::close(handle);
        return fire_at_once(settings, Cause::HungUp, kernel);
    }
    stops::at("7");
    // 7. GUEST: the host never sees the descriptor, where there is another way.
    let handle = handle.and_then(Handle::hand_over);
    stops::at("8");
    // 8. The watcher.
    let started = post::take(&Watch {
        settings: *settings,
        process: known,
        lifeline: found,
        without,
        handle,
        kernel,
        alone: !atfork::has_c_library(),
        successor: false,
    });
    if started.is_err() {
        identity::close(handle);
        match known.filter(|_| found) {
            // There is nobody to hear a hang-up, for whose sake the kernel may not have been told to ask.
            Some(known) => arm_against(settings, Some(identity::open_again(settings, known)), Ok(false)),
            None => without_a_thread(settings, kernel),
        }
    } else {
        Then::Run
    }
}

/// The lowest rung: no thread to be had (RLIMIT_NPROC, a pids cgroup, a filter).
fn without_a_thread(settings: &Settings, kernel: Kernel) -> Then {
    if !pdeathsig::asks(kernel) {
        return inert(settings, "no thread could be made", Reason::Failure);
    }
    let mut line = log::event("armed", settings.anchor);
    settings
        .signal
        .print(line.text("no thread could be made, PDEATHSIG "));
    settings.log.write(Side::Host, line.text(" alone, no grace"));
    Then::Run
}

/// The anchor is dead before the host has begun: the host is asked as soon as signals are open again, and a watcher
/// keeps the grace.
fn fire_at_once(settings: &Settings, cause: Cause, kernel: Kernel) -> Then {
    let asked = pdeathsig::kernel_has_asked(cause.asking(kernel), settings.signal);
    terminate::tell_fired(settings, Side::Host, cause, asked);
    terminate::begin_grace(settings);
    let watch = Watch {
        settings: *settings,
        process: None,
        lifeline: false,
        without: None,
        handle: None,
        kernel,
        alone: !atfork::has_c_library(),
        successor: false,
    };
    if post::take(&watch).is_err() {
        terminate::keep_grace_without_a_thread(settings);
    }
    if asked { Then::Run } else { Then::Ask }
}

/// Why a host is not armed: somebody wanted it so, or it could not be.
#[derive(PartialEq, Eq)]
enum Reason {
    Wanted,
    Failure,
}

fn inert(settings: &Settings, why: &str, reason: Reason) -> Then {
    settings
        .log
        .write(Side::Host, log::event("inert", settings.anchor).text(why));
    if reason == Reason::Failure {
        settings::refuse_if_strict(settings, why);
    }
    Then::Run
}
