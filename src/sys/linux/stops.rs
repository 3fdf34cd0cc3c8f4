//! For tests alone (the feature `stops`): a thread of ours waits where it is told to, until it is told to go on.

use super::environ;
use super::file::File;
use crate::sys::until_nul;
use anchor_contract::Line;
use core::sync::atomic::{AtomicU32, Ordering};

/// How often the place was reached, by this process and those that it was forked from.
static ARRIVALS: AtomicU32 = AtomicU32::new(0);

/// Waits if `LIBANCHOR_STOPS_AT=PLACE=PATH` names this place and there is a FIFO `PATH.N` for its Nth arrival: until
/// somebody opens that one, who knows by this that a thread is here, and then the one named `PATH.N.go`, fifo(7).
pub fn at(place: &str) {
    let mut path = None;
    environ::for_each(&mut |entry| {
        let found = entry
            .strip_prefix(b"LIBANCHOR_STOPS_AT=")
            .and_then(|rest| rest.strip_prefix(place.as_bytes()))
            .and_then(|rest| rest.strip_prefix(b"="));
        path = path.or(found);
    });
    let Some(path) = path else { return };
    let arrival = ARRIVALS.fetch_add(1, Ordering::AcqRel).saturating_add(1);
    if wait(path, arrival, "\0") {
        wait(path, arrival, ".go\0");
    }
}

fn wait(path: &[u8], arrival: u32, end: &str) -> bool {
    let mut name = Line::new();
    path.iter().for_each(|byte| {
        name.byte(*byte);
    });
    name.text(".").number(arrival.into()).text(end);
    until_nul(name.as_bytes()).is_some_and(|name| File::open(name).is_ok())
}
