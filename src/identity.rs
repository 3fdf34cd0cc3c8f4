//! The third step: is the anchor still the process that was meant?
//!
//! Only two things say that it is dead: the kernel knows no such process in the namespace that was meant, or another
//! one has its number. Everything else that goes wrong says nothing about the anchor.

use crate::sys::pidfd::{Handle, NoHandle};
use crate::sys::{parent, polling, proc, proc_stat};
use anchor_contract::{AnchorId, Pid};

/// What is known of the anchor.
pub enum Anchor {
    /// There is a process of that number, and nothing says that it is another one.
    Lives(Lives),
    /// It is gone, and how that is known.
    Dead(&'static str),
    /// It cannot be watched from here, and why. That is never a death.
    Beyond(&'static str),
}

/// A living anchor.
#[derive(Clone, Copy)]
pub struct Lives {
    /// Pins it; `None` where the kernel gives no handle to the host.
    pub handle: Option<Handle>,
    /// Who it is: as recorded, or as found now. `None` where that cannot be seen.
    pub id: Option<AnchorId>,
}

/// Opens a handle of the anchor and only then compares its identity with what was `recorded`.
///
/// RACE: compared first and opened afterwards, a number could change hands in between:
///   1. the start time of process `pid` is read, and it is the anchor's
///   2. the anchor dies, is reaped, and its number is given to another process
///   3. the handle is opened: it pins the other process, whose death would end us, and whose life would keep us
///
/// With the handle first, step 2 can only come before it (then the start time differs) or after it (then the
/// handle says so, and [`crate::arm`] looks at it once more before it relies on what was read here).
pub fn open_then_verify(pid: Pid, recorded: Option<AnchorId>) -> Anchor {
    let namespace = proc::own_pid_namespace();
    match (recorded, namespace) {
        (Some(id), Some(own)) if id.namespace != own => return Anchor::Beyond("in another PID namespace"),
        (Some(_), None) => return Anchor::Beyond("no /proc that says in which PID namespace this is"),
        _ => {}
    }
    let handle = match Handle::open(pid) {
        Ok(handle) => Some(handle),
        Err(NoHandle::NoSuchProcess) => return nobody_has_the_number(recorded),
        Err(NoHandle::NotAProcess) => return Anchor::Beyond("a thread's number, not a process's"),
        Err(NoHandle::Unavailable) if polling::exited(pid) => return Anchor::Dead("no such process"),
        Err(NoHandle::Unavailable) => None,
    };
    let start = proc_stat::stat(pid).map(|stat| stat.start);
    let id = match (recorded, namespace, start) {
        (Some(id), _, Some(start)) if id.start != start && proc::start_times_compare() => {
            handle.inspect(|handle| handle.close());
            return Anchor::Dead(
                "another process has its number, or ANCHOR_ID was kept when ANCHOR_PID was changed",
            );
        }
        (Some(id), _, _) => Some(id),
        // Passed on to descendants only where their readings can be compared with ours.
        (None, Some(namespace), Some(start)) if proc::start_times_compare() => {
            Some(AnchorId { namespace, start })
        }
        _ => None,
    };
    Anchor::Lives(Lives { handle, id })
}

/// ESRCH. Whose numbers are meant is known if they were recorded, and else if our parent counts with the same ones:
/// it may have handed us the variable from outside (`docker exec`, `nsenter`), and then the anchor is not here.
fn nobody_has_the_number(recorded: Option<AnchorId>) -> Anchor {
    if recorded.is_none() && parent::parent_pid() == 0 {
        return Anchor::Beyond("not in this PID namespace, and no ANCHOR_ID says in which");
    }
    Anchor::Dead("no such process")
}
