//! The second step: values become settings. What cannot be understood is said in one line on the host's stderr;
//! then its default holds, or under `ANCHOR_STRICT=1` the host does not run.

use crate::environment::Environment;
use crate::log::{self, Log};
use crate::sys::{output, process};
use anchor_contract::{
    AnchorId, Disable, Grace, Pdeathsig, Pid, Poll, Scope, Setting, Signal, Skip, Strict, VARIABLES, Variable,
};

/// How a host that may not run ends: as `env` and `timeout` do when they themselves fail.
pub const REFUSED: i32 = 125;

/// What the watcher needs to know. Small: it is copied to the watcher's stack.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Whose death ends the host.
    pub anchor: Pid,
    /// What the host is asked with.
    pub signal: Signal,
    /// The time between asking and killing.
    pub grace: Grace,
    /// Whether the kernel is to ask too.
    pub pdeathsig: Pdeathsig,
    /// How often the fallback looks.
    pub poll: Poll,
    /// Where events go.
    pub log: Log,
    /// Whether a host that cannot be armed runs.
    pub strict: Strict,
    /// Whether valgrind runs this program.
    pub valgrind: bool,
}

/// Everything that a process was told.
pub struct Told {
    /// What holds for its children too.
    pub settings: Settings,
    /// Who the anchor is, if that was said.
    pub id: Option<AnchorId>,
    /// Who is a host.
    pub scope: Scope,
    /// Which programs are none.
    pub skip: Option<Skip<'static>>,
}

/// Whether the library is to do nothing at all: no anchor was named, or the off switch is set. `Some` if so, and what a
/// program that was armed may have left to this one by an exec.
pub fn off(environment: &Environment) -> Option<Option<(Pid, Signal)>> {
    let Some(anchor) = environment.get(Pid::VARIABLE) else {
        return Some(None);
    };
    let disabled = environment.get(Disable::VARIABLE).and_then(Disable::parse);
    if disabled != Some(Disable(true)) {
        return None;
    }
    let signal = environment.get(Signal::VARIABLE).and_then(Signal::parse);
    Some(Pid::parse(anchor).map(|anchor| (anchor, signal.unwrap_or(Signal::DEFAULT))))
}

/// Reads every variable. `None`: there is no anchor to watch. All signals are blocked.
pub fn read(environment: &Environment) -> Option<Told> {
    // ORDER: before the others, because it decides what happens to a bad one.
    let mut reader = Reader {
        environment,
        strict: Strict(false),
    };
    reader.strict = reader.value().unwrap_or(Strict(false));
    let _: Option<Disable> = reader.value();
    // ORDER: all others before the anchor, so that every bad value gets its line.
    let (id, scope) = (reader.value(), reader.value().unwrap_or(Scope::Tree));
    let skip = environment.get(Skip::VARIABLE).and_then(|value| {
        let list = Skip::parse(value);
        if list.is_none() {
            reader.complain(Skip::VARIABLE, value);
        }
        list
    });
    let log = match environment.get(log::VARIABLE) {
        None => Log::Silent,
        Some(value) => Log::open(value).unwrap_or_else(|| {
            // Once. Further down the same path may be read-only, out of sight or another user's, and every program
            // in a sandbox would say so.
            if environment.get(AnchorId::VARIABLE).is_none() {
                reader.complain(log::VARIABLE, value);
            }
            Log::Silent
        }),
    };
    let (signal, grace, pdeathsig, poll) = (reader.value(), reader.value(), reader.value(), reader.value());
    let settings = Settings {
        signal: signal.unwrap_or(Signal::DEFAULT),
        grace: grace.unwrap_or(Grace::DEFAULT),
        pdeathsig: pdeathsig.unwrap_or(Pdeathsig::Auto),
        poll: poll.unwrap_or(Poll::DEFAULT),
        anchor: reader.value()?,
        log,
        strict: reader.strict,
        valgrind: environment.valgrind,
    };
    Some(Told {
        settings,
        id,
        scope,
        skip,
    })
}

struct Reader<'a> {
    environment: &'a Environment,
    strict: Strict,
}

impl Reader<'_> {
    fn value<T: Setting>(&self) -> Option<T> {
        let value = self.environment.get(T::VARIABLE)?;
        let read = T::parse(value);
        if read.is_none() {
            self.complain(T::VARIABLE, value);
        }
        read
    }

    fn complain(&self, variable: &Variable, value: &[u8]) {
        let mut line = log::head();
        line.text(variable.name)
            .text(": ")
            .quoted(value)
            .text(": want ")
            .text(variable.accepts);
        if self.strict.0 {
            output::to_stderr(line.text("; not run, because ANCHOR_STRICT=1").end());
            process::exit_host(REFUSED);
        }
        match variable.name {
            name if name == Pid::VARIABLE.name => line.text("; the program runs unanchored"),
            name if name == AnchorId::VARIABLE.name => line.text("; ignored"),
            _ => line.text("; using ").text(variable.default),
        };
        output::to_stderr(line.end());
    }
}

/// Under `ANCHOR_STRICT=1`, a host that cannot be armed ends here, before its `main`.
pub fn refuse_if_strict(settings: &Settings, why: &str) {
    if settings.strict.0 {
        let mut line = log::head();
        line.text("ANCHOR_STRICT: 1: not run, because it cannot be armed: anchor ");
        output::to_stderr(line.number(settings.anchor.number()).text(": ").text(why).end());
        process::exit_host(REFUSED);
    }
}

const _: () = assert!(
    VARIABLES.len() == 11,
    "every variable of the contract is read above"
);
