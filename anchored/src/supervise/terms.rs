//! What the guard is to do when the anchor dies, settled before anything is started.

use crate::cli::Line;
use anchor_contract::{AnchorFd, AnchorId, Grace, Pid, Scope, Setting, Signal, Skip};
use anchor_spawn::Anchor;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// How the tree is ended, and who is of it.
pub struct Terms {
    pub signal: i32,
    pub grace: Grace,
    /// Only the command, and nothing that it starts.
    pub alone: bool,
    /// What an armed process has in its environment: the variables that name the anchor.
    pub anchor: Option<Vec<(&'static str, OsString)>>,
    skip: Option<OsString>,
}

impl Terms {
    /// From the line, and where it does not say, from the variables that the command will see.
    pub fn of(anchor: Option<&Anchor>, line: &Line) -> Self {
        let signal: Signal = said(line.signal.as_deref()).unwrap_or(Signal::DEFAULT);
        let scope: Option<Scope> = said(line.scope.as_deref());
        let named = |anchor: &Anchor| {
            let mut named: Vec<(&'static str, OsString)> = Vec::new();
            if let Some(process) = anchor.process() {
                named.push((Pid::VARIABLE.name, process.pid.raw().to_string().into()));
                named.push((AnchorId::VARIABLE.name, process.id.to_string().into()));
            }
            if let Some(lifeline) = anchor.lifeline() {
                named.push((AnchorFd::VARIABLE.name, lifeline.value().to_string().into()));
            }
            named
        };
        let skip = line.skip.clone();
        Self {
            signal: signal.raw(),
            grace: said(line.grace.as_deref()).unwrap_or(Grace::DEFAULT),
            alone: matches!(scope, Some(Scope::Itself(_))),
            anchor: anchor.map(named),
            skip: skip.or_else(|| std::env::var_os(Skip::VARIABLE.name)),
        }
    }

    /// Whether a program of this path or name is to be left alone.
    pub fn skips(&self, program: &[u8]) -> bool {
        let list = self.skip.as_ref().map(|list| list.as_bytes());
        let list = list.and_then(Skip::parse);
        list.is_some_and(|list| list.matching(program).is_some())
    }

    /// Whether a process with these variables has the anchor that is meant.
    pub fn anchors<'a>(&self, found: impl Fn(&str) -> Option<&'a OsStr>) -> bool {
        let same = |(name, value): &(&str, OsString)| found(name) == Some(value);
        self.anchor.as_ref().is_some_and(|anchor| anchor.iter().all(same))
    }

    /// What the anchor is called, as the library calls it: the number of the process, or `fd N`.
    pub fn anchors_name(&self) -> String {
        let anchor = self.anchor.as_deref().unwrap_or_default();
        let value = |name| {
            anchor
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, value)| value.to_string_lossy())
        };
        if let Some(pid) = value(Pid::VARIABLE.name) {
            return pid.into_owned();
        }
        let fd = value(AnchorFd::VARIABLE.name).and_then(|fd| AnchorFd::parse(fd.as_bytes()));
        fd.map(|fd| format!("fd {}", fd.raw())).unwrap_or_default()
    }
}

/// What the line says, else the environment. A value that cannot be understood is not said: the library complains.
fn said<T: Setting>(given: Option<&OsStr>) -> Option<T> {
    let given = given
        .map(OsStr::to_owned)
        .or_else(|| std::env::var_os(T::VARIABLE.name));
    T::parse(given?.as_bytes())
}
