//! The fourth step: from settings to a watched anchor, in the one order that leaves no gap.
//!
//! Runs in the host's thread, before `main` or first thing in a forked child, and touches nothing of the host's
//! but, where that is right, its parent death signal and two variables of its environment. The numbers are the
//! order; each says what it closes.

use crate::environment::{self, Environment, Pins};
use crate::exclusions;
use crate::identity::{self, Anchor};
use crate::log::{self, Side};
use crate::pdeathsig::{self, Kernel};
use crate::scope;
use crate::settings::{self, Settings, Told};
use crate::stand_down;
use crate::sys::thread::Tables;
use crate::sys::{Once, atfork, process, signals};
use crate::terminate;
use crate::watch::Watch;
use anchor_contract::{AnchorId, Grace, Scope};

/// What a forked child needs to be armed as its parent was.
struct Inherited {
    settings: Settings,
    id: Option<AnchorId>,
    tables: Tables,
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
    if !settings::off(&environment) {
        arm_as_told(&environment);
    }
}

/// GUEST: not inlined, so that a program without an anchor does not touch the stack that arming one needs.
#[inline(never)]
fn arm_as_told(environment: &Environment) {
    // 1. No signal from here on. RACE: a handler of the host's that runs in the middle of arming could leave it by
    //    siglongjmp(3) with a descriptor open; a watcher made with signals open could take one of the host's.
    let blocked = signals::Blocked::all();
    let Some(told) = settings::read(environment) else {
        return;
    };
    let tables = if environment.valgrind {
        Tables::Shared
    } else {
        Tables::Copied
    };
    let then = arm_process(&told, tables);
    // 9. Signals again. ORDER: only now, so that the host of a dead anchor is asked when everything stands.
    drop(blocked);
    if then == Then::Ask {
        terminate::ask(told.settings.signal);
    }
}

/// A fork copies no thread but its caller, so the child has no watcher.
extern "C" fn in_forked_child() {
    let Some(told) = INHERITED.get() else { return };
    stand_down::forget();
    let blocked = signals::Blocked::all();
    let then = arm_against(told, identity::open_then_verify(told.settings.anchor, told.id));
    drop(blocked);
    if then == Then::Ask {
        terminate::ask(told.settings.signal);
    }
}

fn arm_process(told: &Told, tables: Tables) -> Then {
    let settings = told.settings;
    // 2. Is this a process that is meant, and none that must be left alone?
    if let Some(why) = exclusions::reason(told.skip) {
        return inert(&settings, why, Reason::Wanted);
    }
    let scope = match scope::narrow(&told.scope) {
        Ok(scope) => scope,
        Err(why) => return inert(&settings, why, Reason::Wanted),
    };
    // 3. Handle, then identity; the race is told at `open_then_verify`.
    let anchor = identity::open_then_verify(settings.anchor, told.id);
    let found = match &anchor {
        // RACE: 1. handle opened  2. the anchor dies  3. its number is recycled, and the start time that was read
        //   is the new owner's. While the handle says "alive" now, what was read before is the anchor's.
        Anchor::Lives(lives) if !lives.handle.is_some_and(|handle| handle.exited()) => lives.id,
        _ => told.id,
    };
    // 4. What descendants need. ORDER: before step 7, after which the environment could be read by others.
    environment::add(&Pins {
        id: found.filter(|_| told.id.is_none()),
        scope,
    });
    let inherited = Inherited {
        settings,
        id: found,
        tables,
    };
    let beyond = matches!(anchor, Anchor::Beyond(_));
    if told.scope == Scope::Tree && !beyond && INHERITED.set(inherited).is_some() {
        atfork::register(in_forked_child);
    }
    arm_against(
        &Inherited {
            settings,
            id: found,
            tables,
        },
        anchor,
    )
}

/// Steps 5 to 8, with the anchor's handle in hand.
fn arm_against(told: &Inherited, anchor: Anchor) -> Then {
    let settings = &told.settings;
    let lives = match anchor {
        Anchor::Lives(lives) => lives,
        Anchor::Dead(why) => return fire_at_once(told, why, Kernel::DoesNot("the anchor was dead")),
        Anchor::Beyond(why) => return inert(settings, why, Reason::Failure),
    };
    let close_handle = || lives.handle.iter().for_each(|handle| handle.close());
    if settings.anchor.raw() == process::own_pid() {
        close_handle();
        return inert(settings, "this is the anchor itself", Reason::Wanted);
    }
    // 5. The kernel's own guard first: it is the only one that needs nobody to run.
    let kernel = pdeathsig::set_where_right(settings);
    // 6. Dead by now? Then the host need not begin. What dies after this line is an event for step 7.
    if lives.handle.is_some_and(|handle| handle.exited()) {
        close_handle();
        return fire_at_once(told, "died while the host was starting", kernel);
    }
    // 7. The watcher. It has its own copy of the handle from birth, so no moment goes unwatched.
    let started = stand_down::take_post(&Watch {
        settings: *settings,
        lives: Some(lives),
        kernel,
        tables: told.tables,
        successor: false,
    });
    // 8. GUEST: the host never sees the descriptor.
    close_handle();
    if started.is_err() {
        without_a_thread(settings, kernel)
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
/// keeps the grace. Without a thread to keep it there is none.
fn fire_at_once(told: &Inherited, why: &str, kernel: Kernel) -> Then {
    let settings = &told.settings;
    let asked = pdeathsig::kernel_has_asked(kernel);
    terminate::tell_fired(settings, Side::Host, why, asked);
    let watch = Watch {
        settings: *settings,
        lives: None,
        kernel,
        tables: told.tables,
        successor: false,
    };
    terminate::begin_grace(settings);
    let grace_is_kept = stand_down::take_post(&watch).is_ok();
    if !grace_is_kept && settings.grace != Grace::Never {
        terminate::force(settings.signal);
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
