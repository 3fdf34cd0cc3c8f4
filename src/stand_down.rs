//! While the watcher is on duty: calls of the host that a second thread would break, and calls that the watcher must
//! follow. It stands down, and a successor is born from the calling thread, with what that thread has then.
//!
//! GUEST: the host's call is made once for each time that the host makes it, with the host's arguments; its result and
//! errno are what the host gets.

use crate::log::{self, Side};
use crate::pdeathsig::{self, Before};
use crate::post;
use crate::stops;
use crate::sys::thread::{self, Dismissal};
use crate::sys::{errno, numbers, proc_stat, process, signals};
use crate::terminate;
use crate::watch::{self, Watch};
use anchor_contract::Grace;

/// What a call of the host's asks of the watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// To have rooms of its own by now.
    Settled,
    /// To look after the host's end too: the call leads where a thread can only end itself.
    Vigilance,
    /// To be gone while it runs: the kernel refuses it to a process with two threads.
    Absence,
    /// To be in the namespaces that it has led to, and to hold on to none that was left.
    SameNamespaces,
    /// To have no more rights than it has left. A watcher that stayed what the host was would hand that back to
    /// whoever takes the host over.
    SameCredentials,
}

/// Makes a call of the host's, and has the watcher do what that needs.
pub fn during(needs: Needs, call: &mut dyn FnMut() -> i32) -> i32 {
    if needs == Needs::Nothing || post::is_vacant() {
        return call();
    }
    // GUEST: a filter that the host has set up for itself may kill for what following takes. Nothing of the host's
    // fails for a watcher that does not follow. ORDER: so no call before this one.
    let follows = !matches!(needs, Needs::Absence | Needs::Settled);
    if (follows && process::has_own_filter()) || !post::is_held() {
        return call();
    }
    thread::wait_until_settled();
    if needs == Needs::Settled {
        return call();
    }
    let before = Before::now();
    if needs == Needs::Vigilance {
        // ORDER: before the call. After it the calling thread may make no system call of ours.
        replace(&before, true);
        return call();
    }
    if needs == Needs::Absence {
        return in_absence(&before, call);
    }
    // RACE: from here until the successor is there the old watcher has more rights than its host. The host's code goes
    // on only after that; and a failed call, which changes nothing, costs nothing.
    let result = call();
    if result == 0 && (needs == Needs::SameCredentials || threads_can_be_made()) {
        replace(&before, false);
    }
    result
}

/// Another watcher takes the post.
fn replace(before: &Before, alone: bool) {
    let _blocked = signals::Blocked::all();
    if let Some(mut post) = post::hold() {
        if let Some(watch) = post.watch() {
            watch.alone |= alone;
            let dismissed = thread::dismiss();
            stops::at("replaced");
            succeed(watch, dismissed, before);
        }
    }
}

fn in_absence(before: &Before, call: &mut dyn FnMut() -> i32) -> i32 {
    let _blocked = signals::Blocked::all();
    let mut post = post::hold();
    let Some(watch) = post.as_mut().and_then(|post| post.watch()) else {
        return call();
    };
    let dismissed = thread::dismiss();
    stops::at("absent");
    let mut result = call();
    if dismissed == Dismissal::Gone {
        // KERNEL: a thread gives its number back an instant before it leaves the list by which these calls count.
        let mut tries = 0_u32;
        thread::wait_while(|| {
            tries = tries.saturating_add(1);
            let again = result == -1 && counted_us() && tries < TRIES;
            if again {
                result = call();
            }
            again
        });
    }
    stops::at("absent-called");
    succeed(watch, dismissed, before);
    result
}

/// How often a refused call is made again: a hundred times at once, then once after a millisecond.
const TRIES: u32 = 102;

/// Whether a call may have been refused for a second thread, when there is none.
fn counted_us() -> bool {
    let refused = matches!(errno::get(), libc::EINVAL | libc::EUSERS);
    refused && proc_stat::own_stat().is_none_or(|stat| stat.threads <= 1)
}

/// After `unshare(CLONE_NEWPID)` they cannot, clone(2). Where that is not known, the watcher that is there is kept.
fn threads_can_be_made() -> bool {
    numbers::childrens_namespace()
        .zip(numbers::namespace(false))
        .is_some_and(|(children, own)| children == own)
}

/// A watcher with the calling thread's credentials, namespaces and root takes the post.
///
/// RACE: between the old watcher and the new the anchor could die, be reaped, and its number be another's. The
/// successor knows the anchor by what the first watcher knew it by, and opens its handle anew
/// ([`crate::identity::open_again`]).
///
/// GUEST: it does so in its own descriptor table. A descriptor of ours in the host's, where other threads open, close
/// and fork, could be closed and be another file by the time that we close it.
fn succeed(watch: &mut Watch, dismissed: Dismissal, before: &Before) {
    watch.kernel = pdeathsig::after_change(&watch.settings, watch.kernel, before);
    watch.successor = true;
    watch.handle = None;
    if terminate::begun() {
        // The old one has fired: what is left is the grace, if there is one.
        (watch.process, watch.lifeline) = (None, false);
    }
    let wanted = watch.watches() || watch.settings.grace != Grace::Never;
    if dismissed == Dismissal::Gone && wanted && watch::start(watch).is_err() {
        without_a_successor(watch);
    }
    if dismissed == Dismissal::Stays {
        let mut line = log::event("kept", watch.settings.anchor);
        let why = "the watcher did not stand down";
        watch.settings.log.write(Side::Host, line.text(why));
    }
}

fn without_a_successor(watch: &Watch) {
    let settings = &watch.settings;
    if !watch.watches() {
        return terminate::keep_grace_without_a_thread(settings);
    }
    let mut line = log::event("inert", settings.anchor);
    line.text("the watcher stood down, and no thread could be made after that");
    if pdeathsig::asks(watch.kernel) {
        settings.signal.print(line.text("; PDEATHSIG "));
        line.text(" stays, no grace");
    }
    settings.log.write(Side::Host, &mut line);
}
