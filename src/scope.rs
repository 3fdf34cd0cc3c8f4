//! `ANCHOR_SCOPE`: whether this process is meant, or only a descendant of the one that is.

use crate::sys::{numbers, process};
use anchor_contract::{Holder, Pid, Scope};

/// `Err`: not this process, and why. `Ok(Some)`: this is the one that was given `self`, and the value by which its
/// descendants, and itself after an exec, recognise that.
///
/// An exec keeps the number and the start time, a fork changes the number; a recycled number has another start.
pub fn narrow(scope: &Scope) -> Result<Option<Scope>, &'static str> {
    const OTHER: &str = "a descendant, and ANCHOR_SCOPE=self";
    let Scope::Itself(holder) = scope else {
        return Ok(None);
    };
    let Some(pid) = Pid::from_raw(process::own_pid()) else {
        return Ok(None);
    };
    if holder.is_some_and(|holder| holder.pid != pid) {
        return Err(OTHER);
    }
    match (holder, numbers::own_start()) {
        (Some(holder), Some(start)) if holder.start != start => Err(OTHER),
        (None, Some(start)) => Ok(Some(Scope::Itself(Some(Holder { pid, start })))),
        // Without /proc there is nothing to recognise it by: better armed than forgotten.
        _ => Ok(None),
    }
}
