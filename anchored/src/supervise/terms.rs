//! What the guard is to do when the anchor dies, settled before anything is started.

use crate::cli::Line;
use anchor_contract::{AnchorId, Grace, Pid, Scope, Setting, Signal, Skip};
use anchor_spawn::Anchor;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// How the tree is ended, and who is of it.
pub struct Terms {
    pub signal: i32,
    pub grace: Grace,
    /// Only the command, and nothing that it starts.
    pub alone: bool,
    /// What an armed process has in its environment: the anchor's number and identity.
    pub anchor: Option<(OsString, OsString)>,
    skip: Option<OsString>,
}

impl Terms {
    /// From the line, and where it does not say, from the variables that the command will see.
    pub fn of(anchor: Option<&Anchor>, line: &Line) -> Self {
        let signal: Signal = said(line.signal.as_deref()).unwrap_or(Signal::DEFAULT);
        let scope: Option<Scope> = said(line.scope.as_deref());
        let named = |anchor: &Anchor| {
            let process = anchor.process();
            (
                process.pid.raw().to_string().into(),
                process.id.to_string().into(),
            )
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

    /// Whether a process with this environment has the anchor that is meant.
    pub fn anchors(&self, pid: Option<&OsStr>, id: Option<&OsStr>) -> bool {
        let Some((own, identity)) = &self.anchor else {
            return false;
        };
        pid == Some(own) && id == Some(identity)
    }

    /// The variables that `anchors` wants to see.
    pub const OF_ANCHOR: (&'static str, &'static str) = (Pid::VARIABLE.name, AnchorId::VARIABLE.name);
}

/// What the line says, else the environment. A value that cannot be understood is not said: the library complains.
fn said<T: Setting>(given: Option<&OsStr>) -> Option<T> {
    let given = given
        .map(OsStr::to_owned)
        .or_else(|| std::env::var_os(T::VARIABLE.name));
    T::parse(given?.as_bytes())
}
