//! The kernel's own guard: the parent death signal. It follows the parent *thread*, not the anchor, so it is set
//! only where the two are the same; and who asks the host is settled here, because a host is asked once.

use crate::settings::Settings;
use crate::stops;
use crate::sys::{parent, signals, time};
use anchor_contract::{Pdeathsig, Pid, Signal};
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// Whether the kernel will ask the host when the anchor dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// It will, unless the value is lost until then.
    Asks(Loss),
    /// It will not, or not then: the watcher asks. And why.
    DoesNot(&'static str),
}

/// How the loss of the value would be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// By the dumpable flag, which goes down with it, or by other ids.
    Flag,
    /// The flag is down already: by other ids alone.
    Ids,
}

/// Whether the kernel will ask.
pub fn asks(kernel: Kernel) -> bool {
    parent::OFFERED && matches!(kernel, Kernel::Asks(_))
}

/// Sets the parent death signal where that is right. `anchor`: its number, where it can be watched by that. `lifeline`:
/// whether a hang-up tells of its death.
///
/// ORDER of a death: the anchor's files are closed, its children are sent their signal, its handles are woken
/// (kernel/exit.c: `exit_files`, `exit_notify`). With a lifeline the watcher knows before the kernel asks, and needs no
/// parent; so under `auto` it asks alone, and a value that is there all the same is waited for
/// ([`await_kernel`]).
pub fn set_where_right(settings: &Settings, anchor: Option<Pid>, lifeline: bool) -> Kernel {
    if settings.pdeathsig == Pdeathsig::Never {
        return Kernel::DoesNot("never wanted");
    }
    let parent = parent::parent_pid();
    // Where no number says who the anchor is, it may be the parent: that is seen when it dies.
    let child = anchor.is_none_or(|anchor| parent == anchor.raw());
    let auto = settings.pdeathsig == Pdeathsig::Auto;
    if auto && !child {
        return Kernel::DoesNot("not the anchor's child");
    }
    // A thread's value goes with the thread.
    if !parent::on_main_thread() {
        return Kernel::DoesNot("not loaded in the main thread");
    }
    match parent::death_signal() {
        Some(0) if auto && lifeline => return Kernel::DoesNot("the descriptor tells"),
        Some(0) => {}
        // Ours from before an exec, or the starter's (setpriv --pdeathsig): the anchor's death will send it.
        Some(signal) if signal == settings.signal.raw() && child => {
            return told_to_ask(settings, parent);
        }
        Some(_) => return Kernel::DoesNot("the host has its own"),
        None => return Kernel::DoesNot("not offered by the kernel"),
    }
    // The loss of the value would go unnoticed: the flag that tells of it is down already.
    if auto && !parent::dumpable() {
        return Kernel::DoesNot("its loss could not be noticed");
    }
    if auto && !anchor.is_some_and(parent::made_by_main_thread) {
        return Kernel::DoesNot("not made by the anchor's main thread");
    }
    if child {
        return set(settings, parent);
    }
    if !parent::set_death_signal(Some(settings.signal)) {
        return Kernel::DoesNot("refused");
    }
    Kernel::DoesNot("set, but the parent is not the anchor")
}

/// Sets the value in a child of the anchor's.
fn set(settings: &Settings, anchor: i32) -> Kernel {
    stops::at("5-child");
    if !parent::set_death_signal(Some(settings.signal)) {
        return Kernel::DoesNot("refused");
    }
    stops::at("5-set");
    // RACE: 1. the parent is the anchor  2. the anchor dies, we get another parent  3. the value is set
    //   and follows the wrong process. Closed by looking again; what dies after this line sends the signal.
    if parent::parent_pid() != anchor {
        parent::set_death_signal(None);
        // It may have died after 3: then the signal is on its way, and waits for this thread to take signals again.
        if !signals::pending(settings.signal) {
            return Kernel::DoesNot("the anchor died meanwhile");
        }
        HAS_ASKED.store(true, Ordering::Release);
    }
    told_to_ask(settings, anchor)
}

/// The value is set, towards the anchor.
fn told_to_ask(settings: &Settings, anchor: i32) -> Kernel {
    SIGNAL.store(settings.signal.raw(), Ordering::Release);
    PARENT.store(anchor, Ordering::Release);
    Kernel::Asks(loss())
}

/// The anchor's number where the kernel asks for it, and with which signal.
static PARENT: AtomicI32 = AtomicI32::new(0);
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Whether it is known that the kernel has asked.
static HAS_ASKED: AtomicBool = AtomicBool::new(false);

/// In a forked child, which has no parent death signal.
pub fn forget() {
    PARENT.store(0, Ordering::Release);
    HAS_ASKED.store(false, Ordering::Release);
}

/// Clears the value in a program that is to be left alone: it came with the exec from one that was not.
pub fn withdraw(anchor: Pid, signal: Signal) {
    let ours = parent::parent_pid() == anchor.raw() && parent::death_signal() == Some(signal.raw());
    if ours {
        parent::set_death_signal(None);
    }
}

fn loss() -> Loss {
    if parent::dumpable() { Loss::Flag } else { Loss::Ids }
}

/// Whether the kernel has asked by now, the anchor being dead: it sends the death signal before it wakes the
/// watcher (kernel/exit.c: `forget_original_parent`, then `do_notify_pidfd`).
///
/// A change of credentials since arming may have cleared the value; then it is better to ask twice than never.
pub fn kernel_has_asked(kernel: Kernel, signal: Signal) -> bool {
    // GUEST: one call instead of two files of `/proc`, at the moment in which all hosts of an anchor want to end: a host
    // that has not had its turn yet has the signal waiting, in a queue that all of its threads see, sigpending(2). Else
    // ten thousand hosts take twice as long (docs/reliability.md).
    if asks(kernel) && signals::pending(signal) {
        return true;
    }
    let kept = match kernel {
        Kernel::Asks(Loss::Flag) => parent::dumpable() && !parent::main_thread_changed_ids(),
        Kernel::Asks(Loss::Ids) => !parent::main_thread_changed_ids(),
        Kernel::DoesNot(_) => false,
    };
    // RACE: 1. the kernel asks  2. we look here, it is not noted yet  3. the host's handler notes it and changes its
    //   ids ([`Before::now`])  4. the ids say that the value is lost. Closed by this order: who sees the change of 3
    //   sees the note. It holds for a successor too, whose own value could not be set any more.
    kept || HAS_ASKED.load(Ordering::Acquire)
}

/// How many milliseconds a process may take from closing its files to telling its children.
const MOMENT: u32 = 200;

/// After a hang-up: what dies has not come to where the kernel asks, but is about to. Where it does not come there, it
/// lives and has let go of its end, or it is not the parent that has died: then the kernel does not ask.
pub fn await_kernel(kernel: Kernel) -> Kernel {
    let parent = PARENT.load(Ordering::Acquire);
    let mut left = MOMENT;
    while asks(kernel) && parent::parent_pid() == parent {
        if left == 0 || !time::sleep(1) {
            return Kernel::DoesNot("the parent lives");
        }
        left = left.saturating_sub(1);
    }
    kernel
}

/// What a change of credentials or namespaces by the calling thread may take away.
pub struct Before {
    signal: Option<i32>,
    ids: (usize, usize),
}

impl Before {
    /// As it is now.
    ///
    /// RACE: 1. the anchor dies, and the kernel sends the signal  2. the host's handler for it changes its ids  3. the
    ///   watcher sees that they have changed, takes the value for lost, and asks again. Closed here: the kernel
    ///   gives us another parent before it sends the signal, and step 2 comes through here.
    pub fn now() -> Self {
        let (signal, parent) = (parent::death_signal(), PARENT.load(Ordering::Acquire));
        let ours = signal.is_none_or(|signal| signal == SIGNAL.load(Ordering::Acquire));
        if parent != 0 && ours && parent::parent_pid() != parent {
            HAS_ASKED.store(true, Ordering::Release);
        }
        Self {
            signal,
            ids: parent::effective_ids(),
        }
    }
}

/// Puts the value back where it was ours and the change has cleared it.
pub fn after_change(settings: &Settings, kernel: Kernel, before: &Before) -> Kernel {
    let ours = Some(settings.signal.raw());
    if !parent::on_main_thread() {
        // The C library changes every thread, the main one included, and only that one could put it back.
        let cleared = asks(kernel) && parent::effective_ids() != before.ids;
        return if cleared {
            Kernel::DoesNot("cleared by a change of credentials")
        } else {
            kernel
        };
    }
    let lost = parent::death_signal() == Some(0) && before.signal == ours;
    match kernel {
        Kernel::Asks(_) if lost => set(settings, PARENT.load(Ordering::Acquire)),
        Kernel::Asks(_) if parent::death_signal() == ours => Kernel::Asks(loss()),
        Kernel::Asks(_) => Kernel::DoesNot("the host has changed it"),
        Kernel::DoesNot(_) => {
            // Towards whoever the parent is, as it was.
            let again = lost && settings.pdeathsig == Pdeathsig::Always;
            let parent = parent::parent_pid();
            if again && settings.anchor.pid.is_some_and(|pid| pid.raw() == parent) {
                return set(settings, parent);
            }
            if again {
                parent::set_death_signal(Some(settings.signal));
            }
            kernel
        }
    }
}
