//! Programs that must be left alone: a short list, each with its reason. The page docs/hosts.md is held against it by a
//! test.

/// A program that one more thread would break.
#[derive(Debug)]
pub struct Exclusion {
    /// How it is recognised.
    pub sign: Sign,
    /// Whether it minds only a thread that the C library knows of: the watcher's is one on macOS.
    pub if_known: bool,
    /// What would break.
    pub why: &'static str,
}

/// How a program is recognised.
#[derive(Debug, PartialEq, Eq)]
pub enum Sign {
    /// One whole argument of its command line, the only thing that tells it from its siblings of the same file.
    Argument(&'static [u8]),
    /// The last part of the name that it was called by, or of its file's.
    Name(&'static [u8]),
}

/// All of them.
pub const EXCLUSIONS: [Exclusion; 4] = [
    // Chromium and what is built on it: Electron, CEF, QtWebEngine. sandbox/linux/services/thread_helpers.cc ends the
    // zygote if it has a second thread. Its children are forked and never exec; they end when the browser process does.
    Exclusion {
        sign: Sign::Argument(b"--type=zygote"),
        if_known: false,
        why: "a Chromium zygote, which must be single-threaded",
    },
    // Whoever clears up after an anchor must not end with it; and what it becomes or starts is armed anew.
    Exclusion {
        sign: Sign::Name(b"anchored"),
        if_known: false,
        why: "the launcher, which is no program of the anchor's",
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

impl Sign {
    /// Whether this whole argument is the sign.
    #[must_use]
    pub fn is_argument(&self, found: &[u8]) -> bool {
        matches!(self, Self::Argument(whole) if found == *whole)
    }

    /// Whether the last part of this path or name is the sign.
    #[must_use]
    pub fn is_name(&self, path: &[u8]) -> bool {
        let last = path.rsplit(|byte| *byte == b'/').next();
        matches!(self, Self::Name(name) if last == Some(name))
    }
}

/// Why a program is left alone that the variable names.
pub const NAMED: &str = "ANCHOR_SKIP names it";
