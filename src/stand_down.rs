//! While the watcher is on duty: calls of the host that a second thread would break, and calls that the watcher must
//! follow. It stands down, and a successor is born from the calling thread, with what that thread has then.
//!
//! GUEST: the host's call is made once for each time that the host makes it, with the host's arguments; its result and
//! errno are what the host gets.

use crate::identity::Lives;
use crate::log::{self, Side};
use crate::pdeathsig::{self, Before};
use crate::sys::pidfd::Handle;
use crate::sys::thread::{self, Dismissal};
use crate::sys::{Errno, Locked, errno, proc, proc_stat, process, signals};
use crate::terminate;
use crate::watch::{self, Watch};
use anchor_contract::Grace;
use core::sync::atomic::{AtomicI32, Ordering};

/// What a call of the host's asks of the watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// To be gone while it runs: the kernel refuses it to a process with two threads.
    Absence,
    /// To be in the namespaces that it has led to, and to hold on to none that was left.
    SameNamespaces,
    /// To have no more rights than it has left. A watcher that stayed what the host was would hand that back to
    /// whoever takes the host over.
    SameCredentials,
}

/// What a successor would be told.
static POST: Locked<Option<Watch>> = Locked::new(None);

/// The process whose watcher `POST` tells of. Children that share or copy our memory are others.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// The first watcher of this process takes its post. All signals are blocked.
pub fn take_post(watch: &Watch) -> Result<(), Errno> {
    if let Some(mut post) = POST.hold() {
        *post = Some(*watch);
    }
    OWNER.store(process::own_pid(), Ordering::Release);
    watch::start(watch)
}

/// In a forked child: it has no watcher, whatever the memory that it has copied says.
pub fn forget() {
    OWNER.store(0, Ordering::Release);
    *POST.seize() = None;
    thread::forget();
    terminate::forget();
}

/// Makes a call of the host's, and has the watcher do what that needs.
pub fn during(needs: Needs, call: &mut dyn FnMut() -> i32) -> i32 {
    let owner = OWNER.load(Ordering::Acquire);
    if needs == Needs::Nothing || owner == 0 || owner != process::own_pid() {
        return call();
    }
    let before = Before::now();
    if needs == Needs::Absence {
        return in_absence(&before, call);
    }
    // RACE: from here until the successor is there the old watcher has more rights than its host. The host's code goes
    // on only after that; and a failed call, which changes nothing, costs nothing.
    let result = call();
    if result == 0 && (needs == Needs::SameCredentials || threads_can_be_made()) {
        let _blocked = signals::Blocked::all();
        if let Some(mut post) = POST.hold() {
            if let Some(watch) = post.as_mut() {
                let relief = relieve(watch);
                resume(watch, &relief, &before);
            }
        }
    }
    result
}

fn in_absence(before: &Before, call: &mut dyn FnMut() -> i32) -> i32 {
    let _blocked = signals::Blocked::all();
    let mut post = POST.hold();
    let Some(watch) = post.as_mut().and_then(|post| post.as_mut()) else {
        return call();
    };
    let relief = relieve(watch);
    let mut result = call();
    if relief.dismissal == Dismissal::Gone {
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
    resume(watch, &relief, before);
    result
}

/// How often a refused call is made again: a hundred times at once, then ten times after a millisecond.
const TRIES: u32 = 110;

/// Whether a call may have been refused for a second thread, when there is none.
fn counted_us() -> bool {
    let refused = matches!(errno::get(), libc::EINVAL | libc::EUSERS);
    refused && proc_stat::own_stat().is_none_or(|stat| stat.threads <= 1)
}

/// After `unshare(CLONE_NEWPID)` they cannot, clone(2). Where that is not known, the watcher that is there is kept.
fn threads_can_be_made() -> bool {
    proc::childrens_pid_namespace()
        .zip(proc::own_pid_namespace())
        .is_some_and(|(children, own)| children == own)
}

/// What is left of a watcher that has stood down.
struct Relief {
    handle: Option<Handle>,
    dismissal: Dismissal,
}

/// RACE: between the old watcher and the new the anchor could die, be reaped, and its number be another's.
///   1. the handle is opened  2. the old watcher looks at its own for the last time, and leaves only if the anchor lives
///
/// So what was opened at 1 is the anchor's, and its death after 2 is an event for the successor. Nothing is compared,
/// so this works without `/proc` too, as after a chroot(2).
fn relieve(watch: &Watch) -> Relief {
    let wanted = watch.lives.is_some() && !terminate::begun();
    let handle = wanted.then(|| Handle::open(watch.settings.anchor).ok()).flatten();
    Relief {
        handle,
        dismissal: thread::dismiss(),
    }
}

/// A watcher with the calling thread's credentials, namespaces and root takes the post.
fn resume(watch: &mut Watch, relief: &Relief, before: &Before) {
    watch.kernel = pdeathsig::after_change(&watch.settings, watch.kernel, before);
    watch.successor = true;
    let handle = relief.handle;
    watch.lives = watch.lives.map(|lives| Lives { handle, ..lives });
    if terminate::begun() {
        // The old one has fired: what is left is the grace, if there is one.
        watch.lives = None;
    }
    let grace_is_kept = watch.lives.is_some() || watch.settings.grace != Grace::Never;
    if relief.dismissal == Dismissal::Gone && grace_is_kept && watch::start(watch).is_err() {
        without_a_successor(watch);
    }
    if relief.dismissal == Dismissal::Stays {
        let mut line = log::event("kept", watch.settings.anchor);
        let why = "the watcher did not stand down within 2 seconds";
        watch.settings.log.write(Side::Host, line.text(why));
    }
    handle.inspect(|handle| handle.close());
}

fn without_a_successor(watch: &Watch) {
    let settings = &watch.settings;
    if watch.lives.is_none()
        || watch
            .lives
            .and_then(|lives| lives.handle)
            .is_some_and(Handle::exited)
    {
        // Nobody will be there to keep the grace.
        terminate::force(settings.signal);
    }
    let mut line = log::event("inert", settings.anchor);
    line.text("the watcher stood down, and no thread could be made after that");
    if pdeathsig::asks(watch.kernel) {
        settings.signal.print(line.text("; PDEATHSIG "));
        line.text(" stays, no grace");
    }
    settings.log.write(Side::Host, &mut line);
}
