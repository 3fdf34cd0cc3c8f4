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
    /// The last part of the name that it was called by, or of its file's.
    Name(&'static [u8]),
}

const TABLE: [Exclusion; 3] = [
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
    // The same by the link that versions before 16 have.
    Exclusion {
        sign: Sign::Name(b"postmaster"),
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
            Sign::Argument(whole) => argument == whole,
            Sign::Name(_) => first && entry.sign.is_name(last_part(argument)),
        };
        reason = meant().find(is_it).map(|entry| entry.why).or(reason);
        if first && named(skip, argument) {
            reason = reason.or(Some(NAMED));
        }
    });
    // By its file only where the table asks for that at all: it is a system call.
    if meant().any(|entry| matches!(entry.sign, Sign::Name(_))) {
        let by_file = |path: &[u8]| meant().find(|entry| entry.sign.is_name(last_part(path)));
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
    TABLE.iter().filter(here)
}

impl Sign {
    fn is_name(&self, found: Option<&[u8]>) -> bool {
        matches!(self, Self::Name(name) if found == Some(name))
    }
}

fn last_part(path: &[u8]) -> Option<&[u8]> {
    path.rsplit(|byte| *byte == b'/').next()
}

const NAMED: &str = "ANCHOR_SKIP names it";

fn named(skip: Option<Skip<'_>>, program: &[u8]) -> bool {
    skip.is_some_and(|skip| skip.matching(program).is_some())
}
