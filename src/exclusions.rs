//! Programs that must be left alone: a short list, each with its reason, and what `ANCHOR_SKIP` names.
//! Their children inherit the variables and are hosts again, each unless it is on the list itself.

use crate::sys::program;
use anchor_contract::Skip;

/// A program that one more thread would break.
struct Exclusion {
    /// One whole argument of its command line, the only thing that tells it from its siblings of the same file.
    argument: &'static [u8],
    /// What would break.
    why: &'static str,
}

const TABLE: [Exclusion; 1] = [
    // Chromium and what is built on it: Electron, CEF, QtWebEngine. sandbox/linux/services/thread_helpers.cc ends the
    // zygote if it has a second thread. Its children are forked and never exec; they end when the browser process does.
    Exclusion {
        argument: b"--type=zygote",
        why: "a Chromium zygote, which must be single-threaded",
    },
];

/// Why this program is left alone; `None` if it is not.
pub fn reason(skip: Option<Skip<'_>>) -> Option<&'static str> {
    let mut first = true;
    let mut reason = None;
    program::for_each_argument(&mut |argument| {
        if let Some(entry) = TABLE.iter().find(|entry| entry.argument == argument) {
            reason = Some(entry.why);
        }
        if core::mem::take(&mut first) && named(skip, argument) {
            reason = reason.or(Some(NAMED));
        }
    });
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

const NAMED: &str = "ANCHOR_SKIP names it";

fn named(skip: Option<Skip<'_>>, program: &[u8]) -> bool {
    skip.is_some_and(|skip| skip.matching(program).is_some())
}
