//! Programs that must be left alone: a short list, each with its reason, and what `ANCHOR_SKIP` names.
//! Their children inherit the variables and are hosts again, each unless it is on the list itself.

use crate::sys::{program, thread};
use anchor_contract::Skip;

/// A program that one more thread would break.
struct Exclusion {
    sign: Sign,
    /// Whether it minds only a thread that the C library knows of.
    if_known: bool,
    /// What would break.
    why: &'static str,
}

/// How it is recognised.
enum Sign {
    /// One whole argument of its command line, the only thing that tells it from its siblings of the same file.
    Argument(&'static [u8]),
    /// The last part of the name that it was called by.
    Name(&'static [u8]),
}

const TABLE: [Exclusion; 2] = [
    // Chromium and what is built on it: Electron, CEF, QtWebEngine. sandbox/linux/services/thread_helpers.cc ends the
    // zygote if it has a second thread. Its children are forked and never exec; they end when the browser process does.
    Exclusion {
        sign: Sign::Argument(b"--type=zygote"),
        if_known: false,
        why: "a Chromium zygote, which must be single-threaded",
    },
    // macOS: src/backend/postmaster/postmaster.c ends the server if pthread_is_threaded_np() says yes once it has
    // started. Its backends are forks of it that never exec.
    Exclusion {
        sign: Sign::Name(b"postgres"),
        if_known: true,
        why: "PostgreSQL, which ends if the C library knows of a second thread",
    },
];

/// Why this program is left alone; `None` if it is not.
pub fn reason(skip: Option<Skip<'_>>) -> Option<&'static str> {
    let mut first = true;
    let mut reason = None;
    program::for_each_argument(&mut |argument| {
        let first = core::mem::take(&mut first);
        let is_it = |entry: &&Exclusion| match entry.sign {
            _ if entry.if_known && !thread::KNOWN_TO_C_LIBRARY => false,
            Sign::Argument(whole) => argument == whole,
            Sign::Name(name) => first && argument.rsplit(|byte| *byte == b'/').next() == Some(name),
        };
        if let Some(entry) = TABLE.iter().find(is_it) {
            reason = Some(entry.why);
        }
        if first && named(skip, argument) {
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
