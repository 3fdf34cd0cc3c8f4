//! The second step: values become settings. What cannot be understood is said in one line on the host's stderr;
//! then its default holds, or under `ANCHOR_STRICT=1` the host does not run.

use crate::environment::Environment;
use crate::log::{self, Log};
use crate::sys::{Unfit, lifeline, output, process};
use anchor_contract::{
    AnchorFd, AnchorId, Disable, Grace, Line, Pdeathsig, Pid, Poll, Scope, Setting, Signal, Skip, Strict,
    VARIABLES, Variable, holds,
};

/// How a host that may not run ends: as `env` and `timeout` do when they themselves fail.
pub const REFUSED: i32 = 125;

/// How the anchor is called: by one of the two at least.
#[derive(Clone, Copy)]
pub struct Name {
    /// The number of the process.
    pub pid: Option<Pid>,
    /// The host's descriptor of a lifeline.
    pub fd: Option<u32>,
}

impl Name {
    /// Appends it: the number of the process, or `fd N`.
    pub fn print(self, line: &mut Line) -> &mut Line {
        match (self.pid, self.fd) {
            (Some(pid), _) => line.number(pid.number()),
            (None, Some(fd)) => line.text("fd ").number(fd.into()),
            (None, None) => line,
        }
    }
}

/// What the watcher needs to know. Small: it is copied to the watcher's stack.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Whose death ends the host.
    pub anchor: Name,
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

/// Whether there is a lifeline, or why what was named is none.
pub type Found = Result<bool, &'static str>;

/// Everything that a process was told.
pub struct Told {
    /// What holds for its children too.
    pub settings: Settings,
    /// Who the anchor is, if that was said.
    pub id: Option<AnchorId>,
    /// What tells of its death besides, if that was said; or why it does not.
    pub lifeline: Found,
    /// What was said of it and its file, where that was not said.
    pub pin: Option<AnchorFd>,
    /// Who is a host.
    pub scope: Scope,
    /// Which programs are none.
    pub skip: Option<Skip<'static>>,
}

/// Whether the library is to do nothing at all: no anchor was named, or the off switch is set. `Some` if so, and what a
/// program that was armed may have left to this one by an exec.
pub fn off(environment: &Environment) -> Option<Option<(Pid, Signal)>> {
    let anchor = environment.get(Pid::VARIABLE);
    if anchor.is_none() && environment.get(AnchorFd::VARIABLE).is_none() {
        return Some(None);
    }
    let disabled = environment.get(Disable::VARIABLE).and_then(Disable::parse);
    if disabled != Some(Disable(true)) {
        return None;
    }
    let signal = environment.get(Signal::VARIABLE).and_then(Signal::parse);
    Some(
        anchor
            .and_then(Pid::parse)
            .map(|anchor| (anchor, signal.unwrap_or(Signal::DEFAULT))),
    )
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
    let (id, scope) = (reader.value_or("ignored"), reader.value().unwrap_or(Scope::Tree));
    let skip = environment.get(Skip::VARIABLE).and_then(|value| {
        let list = Skip::parse(value);
        if list.is_none() {
            reader.refuse(Skip::VARIABLE, value, "");
        }
        list
    });
    let log = match environment.get(log::VARIABLE) {
        None => Log::Silent,
        Some(value) => Log::open(value).unwrap_or_else(|| {
            // Once. Further down the same path may be read-only, out of sight or another user's, and every program
            // in a sandbox would say so.
            let fd = environment.get(AnchorFd::VARIABLE).unwrap_or_default();
            if environment.get(AnchorId::VARIABLE).is_none() && !holds(fd, b':') {
                reader.refuse(log::VARIABLE, value, "");
            }
            Log::Silent
        }),
    };
    let (signal, grace, pdeathsig, poll) = (reader.value(), reader.value(), reader.value(), reader.value());
    let pid: Option<Pid> = reader.value_or(reader.without(AnchorFd::VARIABLE));
    let lifeline = reader.lifeline();
    if pid.is_none() && lifeline.is_none() {
        return None;
    }
    let (fd, pin, lifeline) = match lifeline {
        Some((told, Ok(found))) => (Some(told), found.filter(|_| told.file.is_none()), Ok(true)),
        Some((told, Err(why))) => (Some(told), None, Err(why)),
        None => (None, None, Ok(false)),
    };
    let fd = fd.map(|fd| fd.raw().unsigned_abs());
    let settings = Settings {
        signal: signal.unwrap_or(Signal::DEFAULT),
        grace: grace.unwrap_or(Grace::DEFAULT),
        pdeathsig: pdeathsig.unwrap_or(Pdeathsig::Auto),
        poll: poll.unwrap_or(Poll::DEFAULT),
        anchor: Name { pid, fd },
        log,
        strict: reader.strict,
        valgrind: environment.valgrind,
    };
    Some(Told {
        settings,
        id,
        lifeline,
        pin,
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
        self.value_or("")
    }

    /// `then`: what becomes of the program if it is bad; without that, the default holds.
    fn value_or<T: Setting>(&self, then: &str) -> Option<T> {
        let value = self.environment.get(T::VARIABLE)?;
        let read = T::parse(value);
        if read.is_none() {
            self.refuse(T::VARIABLE, value, then);
        }
        read
    }

    #[inline(never)] // the library is small because this is not repeated for every setting
    fn refuse(&self, variable: &Variable, value: &[u8], then: &str) {
        self.complain(variable, value, "", then);
    }

    /// `ANCHOR_FD`, and what it names. ORDER: last of all. Where no process is named, a bad one leaves no anchor.
    fn lifeline(&self) -> Option<(AnchorFd, Result<Option<AnchorFd>, &'static str>)> {
        let value = self.environment.get(AnchorFd::VARIABLE)?;
        let told = AnchorFd::parse(value);
        let why = match told.map(|told| (told, lifeline::find(told))) {
            Some((told, Ok(pinned))) => return Some((told, Ok(pinned))),
            Some((told, Err(Unfit { why, mistake: false }))) => return Some((told, Err(why))),
            Some((_, Err(unfit))) => unfit.why,
            None => "",
        };
        self.complain(AnchorFd::VARIABLE, value, why, self.without(Pid::VARIABLE));
        None
    }

    /// What becomes of a program that one of the two that name an anchor is bad for.
    fn without(&self, other: &Variable) -> &'static str {
        match self.environment.get(other) {
            Some(_) => "ignored",
            None => "the program runs unanchored",
        }
    }

    fn complain(&self, variable: &Variable, value: &[u8], why: &str, then: &str) {
        let mut line = log::head();
        line.text(variable.name)
            .text(": ")
            .quoted(value)
            .text(": want ")
            .text(variable.accepts)
            .text("; ");
        if !why.is_empty() {
            line.text(why).text("; ");
        }
        if self.strict.0 {
            output::to_stderr(line.text("not run, because ANCHOR_STRICT=1").end());
            process::exit_host(REFUSED);
        }
        if then.is_empty() {
            line.text("using ").text(variable.default);
        }
        output::to_stderr(line.text(then).end());
    }
}

/// Under `ANCHOR_STRICT=1`, a host that cannot be armed ends here, before its `main`.
pub fn refuse_if_strict(settings: &Settings, why: &str) {
    if settings.strict.0 {
        let mut line = log::head();
        line.text("ANCHOR_STRICT: 1: not run, because it cannot be armed: anchor ");
        output::to_stderr(settings.anchor.print(&mut line).text(": ").text(why).end());
        process::exit_host(REFUSED);
    }
}

const _: () = assert!(
    VARIABLES.len() == 12,
    "every variable of the contract is read above"
);
