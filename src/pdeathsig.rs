//! The kernel's own guard: the parent death signal. It follows the parent *thread*, not the anchor, so it is set
//! only where the two are the same; and who asks the host is settled here, because a host is asked once.

use crate::settings::Settings;
use crate::sys::parent;
use anchor_contract::Pdeathsig;

/// Whether the kernel will ask the host when the anchor dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// It will, unless the value is lost until then.
    Asks,
    /// It will not, or not then: the watcher asks. And why.
    DoesNot(&'static str),
}

/// Sets the parent death signal where that is right.
pub fn set_where_right(settings: &Settings) -> Kernel {
    let anchor = settings.anchor;
    if settings.pdeathsig == Pdeathsig::Never {
        return Kernel::DoesNot("never wanted");
    }
    let child = parent::parent_pid() == anchor.raw();
    let auto = settings.pdeathsig == Pdeathsig::Auto;
    if auto && !child {
        return Kernel::DoesNot("not the anchor's child");
    }
    // A thread's value goes with the thread.
    if !parent::on_main_thread() {
        return Kernel::DoesNot("not loaded in the main thread");
    }
    match parent::death_signal() {
        Some(0) => {}
        // Ours from before an exec, or the starter's (setpriv --pdeathsig): the anchor's death will send it.
        Some(signal) if signal == settings.signal.raw() && child => return Kernel::Asks,
        Some(_) => return Kernel::DoesNot("the host has its own"),
        None => return Kernel::DoesNot("not offered by the kernel"),
    }
    // The loss of the value would go unnoticed: the flag that tells of it is down already.
    if auto && !parent::dumpable() {
        return Kernel::DoesNot("its loss could not be noticed");
    }
    if auto && !parent::made_by_main_thread(anchor) {
        return Kernel::DoesNot("not made by the anchor's main thread");
    }
    if !parent::set_death_signal(Some(settings.signal)) {
        return Kernel::DoesNot("refused");
    }
    if !child {
        return Kernel::DoesNot("set, but the parent is not the anchor");
    }
    // RACE: 1. the parent is the anchor  2. the anchor dies, we get another parent  3. the value is set
    //   and follows the wrong process. Closed by looking again; what dies after this line sends the signal.
    if parent::parent_pid() != anchor.raw() {
        parent::set_death_signal(None);
        return Kernel::DoesNot("the anchor died meanwhile");
    }
    Kernel::Asks
}

/// Whether the kernel has asked by now, the anchor being dead: it sends the death signal before it wakes the
/// watcher (kernel/exit.c: `forget_original_parent`, then `do_notify_pidfd`).
///
/// A change of credentials since arming may have cleared the value; then it is better to ask twice than never.
pub fn kernel_has_asked(kernel: Kernel) -> bool {
    kernel == Kernel::Asks && !parent::credentials_may_have_changed()
}
