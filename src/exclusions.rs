//! Whether this is a program that must be left alone: one of the contract's list, or what `ANCHOR_SKIP` names.
//! Its children inherit the variables and are hosts again, each unless it is left alone itself.

use crate::sys::{program, thread};
use anchor_contract::{EXCLUSIONS, Exclusion, NAMED, Skip};

/// Why this program is left alone; `None` if it is not.
pub fn reason(skip: Option<Skip<'_>>) -> Option<&'static str> {
    let mut first = true;
    let mut reason = None;
    program::for_each_argument(&mut |argument| {
        let first = core::mem::take(&mut first);
        let is_it =
            |entry: &&Exclusion| entry.sign.is_argument(argument) || (first && entry.sign.is_name(argument));
        reason = meant().find(is_it).map(|entry| entry.why).or(reason);
        if first && named(skip, argument) {
            reason = reason.or(Some(NAMED));
        }
    });
    // By its file only for those who would break: it is a system call, and a dear one.
    if thread::KNOWN_TO_C_LIBRARY {
        let by_file = |path: &[u8]| meant().find(|entry| entry.if_known && entry.sign.is_name(path));
        program::with_own_path(|path| {
            reason = by_file(path).map(|entry| entry.why).or(reason);
            reason.is_some()
        });
    }
    // A person may know it as it was called, by its file, or (a script) as `ps` shows it.
    let others = skip.is_some() && reason.is_none();
    if others
        && (program::with_own_path(|path| named(skip, path))
            || program::with_own_name(|name| named(skip, name)))
    {
        reason = Some(NAMED);
    }
    reason
}

/// What of the table holds here.
fn meant() -> impl Iterator<Item = &'static Exclusion> {
    let here = |entry: &&Exclusion| thread::KNOWN_TO_C_LIBRARY || !entry.if_known;
    EXCLUSIONS.iter().filter(here)
}

fn named(skip: Option<Skip<'_>>, program: &[u8]) -> bool {
    skip.is_some_and(|skip| skip.matching(program).is_some())
}
