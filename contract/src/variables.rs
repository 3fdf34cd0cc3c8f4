//! The names of the contract and what each means, in the order in which a reader wants to know them.
//! The README's table is held against this one by a test.

/// A variable of the contract.
#[derive(Debug)]
pub struct Variable {
    /// Its name in the environment.
    pub name: &'static str,
    /// Completes "want ...": the values that are understood.
    pub accepts: &'static str,
    /// What holds when it is unset, empty or cannot be understood; empty where nothing does.
    pub default: &'static str,
}

/// `ANCHOR_PID`.
pub const PID: Variable = Variable {
    name: "ANCHOR_PID",
    accepts: "a process id from 1 to 4194304",
    default: "",
};

/// `ANCHOR_ID`.
pub const ID: Variable = Variable {
    name: "ANCHOR_ID",
    accepts: if cfg!(target_os = "macos") {
        "the anchor's start time, as in 1763900000.123456"
    } else {
        "the anchor's PID namespace, start time and pidfd inode, as in 4026531836:123456:789, or the first two"
    },
    default: "pinned by the first host, which adds it to its own environment",
};

/// `ANCHOR_FD`.
pub const FD: Variable = Variable {
    name: "ANCHOR_FD",
    accepts: "the number of an open pipe or of a connected stream socket, as in 3",
    default: "",
};

/// `ANCHOR_SIGNAL`.
pub const SIGNAL: Variable = Variable {
    name: "ANCHOR_SIGNAL",
    accepts: "a signal's name or number that does not stop a process, such as TERM, SIGINT or 15",
    default: "TERM",
};

/// `ANCHOR_GRACE`.
pub const GRACE: Variable = Variable {
    name: "ANCHOR_GRACE",
    accepts: "a time such as 10s or 500ms (at most 86400s), 0, or never",
    default: "10s",
};

/// `ANCHOR_PDEATHSIG`.
pub const PDEATHSIG: Variable = Variable {
    name: "ANCHOR_PDEATHSIG",
    accepts: "auto, always or never",
    default: "auto",
};

/// `ANCHOR_SCOPE`.
pub const SCOPE: Variable = Variable {
    name: "ANCHOR_SCOPE",
    accepts: "tree or self",
    default: "tree",
};

/// `ANCHOR_LOG`.
pub const LOG: Variable = Variable {
    name: "ANCHOR_LOG",
    accepts: "a file that can be written, or stderr",
    default: "silent",
};

/// `ANCHOR_STRICT`.
pub const STRICT: Variable = Variable {
    name: "ANCHOR_STRICT",
    accepts: "1 or 0",
    default: "0",
};

/// `ANCHOR_DISABLE`.
pub const DISABLE: Variable = Variable {
    name: "ANCHOR_DISABLE",
    accepts: "1 or 0",
    default: "0",
};

/// `ANCHOR_POLL`.
pub const POLL: Variable = Variable {
    name: "ANCHOR_POLL",
    accepts: "a time from 1ms to 86400s, such as 250ms",
    default: "250ms",
};

/// `ANCHOR_SKIP`.
pub const SKIP: Variable = Variable {
    name: "ANCHOR_SKIP",
    accepts: "globs of program names between colons, such as ssh-agent:*-daemon (* ? [a-z]; one with a slash is for the path)",
    default: "none",
};

/// Every variable of the contract, in the order of the README's table.
pub const VARIABLES: [&Variable; 12] = [
    &PID, &ID, &FD, &SIGNAL, &GRACE, &PDEATHSIG, &SCOPE, &SKIP, &LOG, &STRICT, &DISABLE, &POLL,
];

/// What each is for, in the same order. Apart from the rest: the library has no use for it, and would carry it.
pub const MEANINGS: [&str; VARIABLES.len()] = [
    "process whose death ends the host; without it and `ANCHOR_FD`, the library does nothing at all",
    "identity of that process, so that a recycled number or another PID namespace is recognised",
    "inherited end of a pipe or socket whose hang-up is the anchor's death, instead of `ANCHOR_PID` or beside it: then either's death ends the host",
    "what the host is asked to end with",
    "how long the host then has until SIGKILL",
    "whether the kernel's parent death signal is set too: where it is known to be right, always, or never",
    "who is a host: every descendant too, or only the process that was given the variable, across its own execs",
    "programs to leave alone, beside the built-in list (docs/hosts.md); their children are hosts again",
    "where one line an event is written: armed how, inert why, fired, escalated",
    "a host that cannot be armed does not run: one line on stderr, exit 125",
    "the off switch, read before anything else",
    "how often the fallback looks, where the kernel offers no event",
];
