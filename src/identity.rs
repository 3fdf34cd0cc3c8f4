//! The third step: is the anchor still the process that was meant?
//!
//! Only two things say that it is dead: the kernel knows no such process in the namespace that was meant, or another
//! one has its number. Everything else that goes wrong says nothing about the anchor.

use crate::settings::Settings;
use crate::stops;
use crate::sys::handle::Handle;
use crate::sys::{NoHandle, numbers, parent, polling, process};
use anchor_contract::{AnchorId, Pid};

/// What is known of the anchor.
pub enum Anchor {
    /// There is a process of that number, and nothing says that it is another one. The handle is in the calling
    /// thread's descriptor table, for it to close; there is none where the kernel gives none.
    Lives(Option<Handle>, Known),
    /// It is gone, and how that is known.
    Dead(&'static str),
    /// It cannot be watched from here, and why. That is never a death.
    Beyond(&'static str),
}

/// By what a living anchor is known again. Each is `None` where it cannot be seen.
#[derive(Clone, Copy)]
pub struct Known {
    /// Its number.
    pub pid: Pid,
    /// As recorded, or as found.
    pub id: Option<AnchorId>,
    /// [`Handle::unique_mark`].
    pub mark: Option<u64>,
}

const ANOTHER: &str = "another process has its number";

/// Opens a handle of the anchor and only then compares its identity with what is known: at load, what was recorded; in a
/// forked child, what its parent knew too.
///
/// RACE: compared first and opened afterwards, a number could change hands in between:
///   1. the start time of process `pid` is read, and it is the anchor's
///   2. the anchor dies, is reaped, and its number is given to another process
///   3. the handle is opened: it pins the other process, whose death would end us, and whose life would keep us
///
/// With the handle first, step 2 can only come before it (then the start time differs) or after it (then the
/// handle says so, and is looked at once more before anybody relies on what was read).
pub fn open_then_verify(settings: &Settings, known: Known) -> Anchor {
    let (pid, recorded) = (known.pid, known.id);
    let opened = handle(settings, pid);
    // The mark alone is enough, in whatever namespace. ORDER: first, because it is one call and all the rest are many.
    if let (Ok(handle), Some(mark)) = (opened, known.mark) {
        stops::at("3-opened");
        let found = handle.mark();
        stops::at("3-read");
        if found == Some(mark) {
            return Anchor::Lives(Some(handle), known);
        }
    }
    let namespace = numbers::namespace(!settings.valgrind);
    let beyond = match (recorded, namespace) {
        (Some(id), Some(own)) => (id.namespace != own).then_some("in another PID namespace"),
        (Some(_), None) => Some("no /proc that says in which PID namespace this is"),
        (None, _) => None,
    };
    if let Some(why) = beyond {
        close(opened.ok());
        return Anchor::Beyond(why);
    }
    let handle = match opened {
        Ok(handle) => Some(handle),
        Err(NoHandle::NoSuchProcess) => return nobody_has_the_number(recorded),
        Err(NoHandle::NotAProcess) => return a_thread_has_the_number(pid, known),
        Err(NoHandle::Unavailable) if polling::exited(pid) => return Anchor::Dead("no such process"),
        Err(NoHandle::Unavailable) => None,
    };
    stops::at("3-opened");
    let mut start = numbers::start_of(pid);
    stops::at("3-read");
    if handle.is_none() && start.is_none() {
        // RACE: 1. it lives, and no handle pins it  2. it dies  3. its start cannot be read. Its number would be all that is
        //   known of it, and could be given away. Where it is only hidden, it still lives.
        if polling::exited(pid) {
            return Anchor::Dead("no such process");
        }
        start = numbers::start_of(pid);
    }
    let id = match (recorded, namespace, start) {
        (Some(id), _, Some(start)) if id.start != start && numbers::starts_compare() => {
            close(handle);
            return Anchor::Dead(
                "another process has its number, or ANCHOR_ID was kept when ANCHOR_PID was changed",
            );
        }
        (Some(id), _, _) => Some(id),
        // Passed on to descendants only where their readings can be compared with ours.
        (None, Some(namespace), Some(start)) if numbers::starts_compare() => Some(AnchorId {
            namespace,
            start,
            mark: None,
        }),
        _ => None,
    };
    let mark = handle.and_then(Handle::unique_mark);
    // Two that have started within one tick. ORDER: after the PID namespace, which a mark says nothing of.
    if recorded.is_some() && known.mark.zip(mark).is_some_and(|(known, found)| known != found) {
        close(handle);
        return Anchor::Dead(ANOTHER);
    }
    // RACE: 1. handle opened  2. the anchor dies  3. its number is recycled, and the start time that was read is the new
    //   owner's. While the handle says "alive" now, what was read before is the anchor's.
    if handle.is_some_and(Handle::exited) {
        close(handle);
        return Anchor::Dead("died while the host was starting");
    }
    let mark = mark.or(known.mark);
    let id = id.map(|id| AnchorId { mark, ..id });
    Anchor::Lives(handle, Known { pid, id, mark })
}

/// What no process of this PID namespace is, and so a dead one. On Linux alone: elsewhere this would be nobody's.
///
/// KERNEL: only a namespace's first process could have started at 0, and nobody else is given its number.
pub fn of_a_dead_anchor() -> Option<AnchorId> {
    let namespace = numbers::namespace(false).filter(|namespace| *namespace != 0);
    namespace.map(|namespace| AnchorId {
        namespace,
        start: 0,
        mark: None,
    })
}

/// Gives a handle back.
pub fn close(handle: Option<Handle>) {
    handle.inspect(|handle| handle.close());
}

/// A handle of whoever has the anchor's number now, where one may be asked for.
pub fn handle(settings: &Settings, pid: Pid) -> Result<Handle, NoHandle> {
    if settings.valgrind {
        // GUEST: valgrind 3.19 knows no pidfd_open(2), and says so on the host's stderr.
        return Err(NoHandle::Unavailable);
    }
    Handle::open(pid)
}

/// The same again, once the anchor is known: in the watcher's own descriptor table, and in a forked child.
///
/// The caller is in the PID namespace in which the number was found. No two processes ever have the same mark; before
/// Linux 6.9, the start time must do.
pub fn open_again(settings: &Settings, known: Known) -> Anchor {
    let handle = match handle(settings, known.pid) {
        Ok(handle) => handle,
        // Once it was a process's, now it is a thread's.
        Err(NoHandle::NotAProcess) => return Anchor::Dead(ANOTHER),
        Err(NoHandle::NoSuchProcess) => return Anchor::Dead("no such process"),
        // The number was another's when the anchor became known, and is ours now.
        Err(NoHandle::Unavailable) if known.pid.raw() == process::own_pid() => {
            return Anchor::Dead(ANOTHER);
        }
        Err(NoHandle::Unavailable) => return Anchor::Lives(None, known),
    };
    // ORDER: the handle first, as in `open_then_verify`.
    let other = match (known.mark, known.id) {
        // A filter that refuses to say says nothing about the anchor.
        (Some(mark), _) => handle.mark().is_some_and(|found| found != mark),
        (None, Some(id)) => {
            let start = numbers::start_of(known.pid);
            start.is_some_and(|start| start != id.start) && numbers::starts_compare()
        }
        (None, None) => false,
    };
    if other {
        handle.close();
        return Anchor::Dead(ANOTHER);
    }
    Anchor::Lives(Some(handle), known)
}

/// Whether the calling process, just forked, counts with the numbers of process `parent`, whose memory it has copied:
/// in another PID namespace getppid(2) says 0. `false` where the parent is gone by now.
///
/// So nothing of `/proc` is needed: for a new process its folder there would be made, and torn down again, for that
/// alone.
pub fn counts_as(parent: i32) -> bool {
    parent != 0 && parent::parent_pid() == parent
}

/// ESRCH. Whose numbers are meant is known if they were recorded, and else if our parent counts with the same ones:
/// it may have handed us the variable from outside (`docker exec`, `nsenter`), and then the anchor is not here.
fn nobody_has_the_number(recorded: Option<AnchorId>) -> Anchor {
    if recorded.is_none() && parent::parent_pid() == 0 {
        return Anchor::Beyond("not in this PID namespace, and no ANCHOR_ID says in which");
    }
    Anchor::Dead("no such process")
}

/// The number was given to a thread after the anchor's death, or was a thread's all the time: then nobody knows which
/// process was meant.
fn a_thread_has_the_number(pid: Pid, known: Known) -> Anchor {
    let other = known.id.is_some_and(|id| {
        // What has a mark was a process.
        known.mark.is_some()
            || numbers::start_of(pid).is_some_and(|start| start != id.start) && numbers::starts_compare()
            // RACE: 1. a thread has the number  2. it ends  3. the start cannot be read.
            || polling::exited(pid)
    });
    if other {
        Anchor::Dead(ANOTHER)
    } else {
        Anchor::Beyond("a thread's number, not a process's")
    }
}
