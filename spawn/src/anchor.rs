//! An anchor, and what a program must be told to end with it.

use crate::process::{exists, thread_of};
use crate::{Error, Library, Lifeline, PRELOAD, Process};
use anchor_contract::{AnchorFd, AnchorId, Grace, LogTarget, Pid, Scope, Setting, Signal, Skip, Strict};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

/// A process whose death ends programs, and how. It is known by its number, by a lifeline, or by both.
#[derive(Clone, Debug)]
pub struct Anchor {
    process: Option<Process>,
    lifeline: Option<Lifeline>,
    settings: Vec<(&'static str, OsString)>,
}

/// Whether the library is loaded into the program, or nothing but the variables is set: for a supervisor that stands
/// outside, and for what the program starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preload {
    /// It is.
    Library(Library),
    /// It is not.
    Nothing,
}

impl Anchor {
    /// This very process.
    pub fn current() -> Result<Self, Error> {
        Self::of(std::process::id())
    }

    /// The process that has this number now.
    pub fn of(pid: u32) -> Result<Self, Error> {
        let known = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let Some(number) = known.filter(|number| exists(*number)) else {
            return Err(Error::NoSuchProcess(pid));
        };
        if let Some(process) = thread_of(number) {
            return Err(Error::Thread(pid, process));
        }
        let process = Process::of(number).ok_or(Error::NoIdentity(pid))?;
        Ok(Self {
            process: Some(process),
            lifeline: None,
            settings: Vec::new(),
        })
    }

    /// Whoever holds the other end, wherever that is.
    pub fn by(lifeline: Lifeline) -> Self {
        Self {
            process: None,
            lifeline: Some(lifeline),
            settings: Vec::new(),
        }
    }

    /// Adds a lifeline: either's death ends the programs.
    pub fn with(&mut self, lifeline: Lifeline) -> &mut Self {
        self.lifeline = Some(lifeline);
        self
    }

    /// Who it is, where a process was named.
    pub fn process(&self) -> Option<Process> {
        self.process
    }

    /// What tells of its death besides, or alone.
    pub fn lifeline(&self) -> Option<&Lifeline> {
        self.lifeline.as_ref()
    }

    /// The variables that would name another anchor, and that a program must not inherit.
    pub fn withdrawn(&self) -> impl Iterator<Item = &'static str> {
        let process = [Pid::VARIABLE.name, AnchorId::VARIABLE.name].into_iter();
        let process = process.filter(|_| self.process.is_none());
        process.chain(self.lifeline.is_none().then_some(AnchorFd::VARIABLE.name))
    }

    /// Sets one more of the contract's variables for the programs, such as `Signal`, `Grace`, `Scope`.
    ///
    /// # Errors
    /// [`Error::Value`] where the variable does not take the value.
    pub fn set<T: Setting>(&mut self, value: impl AsRef<OsStr>) -> Result<&mut Self, Error> {
        let value = value.as_ref();
        if T::parse(value.as_bytes()).is_none() {
            return Err(Error::Value(
                T::VARIABLE.name,
                value.to_owned(),
                T::VARIABLE.accepts,
            ));
        }
        self.settings.push((T::VARIABLE.name, value.to_owned()));
        Ok(self)
    }

    /// What the program is asked with, as `ANCHOR_SIGNAL` takes it.
    pub fn signal(&mut self, value: impl AsRef<OsStr>) -> Result<&mut Self, Error> {
        self.set::<Signal>(value)
    }

    /// How long it then has, as `ANCHOR_GRACE` takes it.
    pub fn grace(&mut self, value: impl AsRef<OsStr>) -> Result<&mut Self, Error> {
        self.set::<Grace>(value)
    }

    /// Who is meant, as `ANCHOR_SCOPE` takes it.
    pub fn scope(&mut self, value: impl AsRef<OsStr>) -> Result<&mut Self, Error> {
        self.set::<Scope>(value)
    }

    /// Where events go, as `ANCHOR_LOG` takes it.
    pub fn log(&mut self, value: impl AsRef<OsStr>) -> Result<&mut Self, Error> {
        self.set::<LogTarget>(value)
    }

    /// Whether a program that cannot be armed may run, as `ANCHOR_STRICT` takes it.
    pub fn strict(&mut self, value: impl AsRef<OsStr>) -> Result<&mut Self, Error> {
        self.set::<Strict>(value)
    }

    /// Programs to leave alone, as `ANCHOR_SKIP` takes them.
    pub fn skip(&mut self, value: impl AsRef<OsStr>) -> Result<&mut Self, Error> {
        let value = value.as_ref();
        if Skip::parse(value.as_bytes()).is_none() {
            return Err(Error::Value(
                Skip::VARIABLE.name,
                value.to_owned(),
                Skip::VARIABLE.accepts,
            ));
        }
        self.settings.push((Skip::VARIABLE.name, value.to_owned()));
        Ok(self)
    }

    /// Every variable that a program must be given, with its value. `before` is what [`PRELOAD`] holds now. Those of
    /// [`Anchor::withdrawn`] it must be without, and have the lifeline under the number that is named.
    pub fn variables(&self, preload: &Preload, before: Option<OsString>) -> Vec<(&'static str, OsString)> {
        let mut all: Vec<(&str, OsString)> = Vec::new();
        if let Some(process) = self.process {
            all.push((Pid::VARIABLE.name, process.pid.raw().to_string().into()));
            all.push((AnchorId::VARIABLE.name, process.id.to_string().into()));
        }
        if let Some(lifeline) = &self.lifeline {
            all.push((AnchorFd::VARIABLE.name, lifeline.value().to_string().into()));
        }
        all.extend(self.settings.iter().cloned());
        // An anchored tree further up has pinned it to a process of its own: who inherits that would take itself for a
        // descendant that is not meant.
        let pinned = |value: OsString| matches!(Scope::parse(value.as_bytes()), Some(Scope::Itself(Some(_))));
        let said = all.iter().any(|(name, _)| *name == Scope::VARIABLE.name);
        if !said && std::env::var_os(Scope::VARIABLE.name).is_some_and(pinned) {
            all.push((Scope::VARIABLE.name, "tree".into()));
        }
        if let Preload::Library(library) = preload {
            all.push((PRELOAD, library.appended_to(before)));
        }
        all
    }

    /// Gives a command the variables, with the library that belongs to this program ([`Library::find`]).
    pub fn apply<'a>(&self, command: &'a mut Command) -> Result<&'a mut Command, Error> {
        Ok(self.apply_with(command, &Preload::Library(Library::find()?)))
    }

    /// Gives a command the variables. What the command has of [`PRELOAD`], or would inherit, is kept.
    pub fn apply_with<'a>(&self, command: &'a mut Command, preload: &Preload) -> &'a mut Command {
        let set = command.get_envs().find(|(name, _)| *name == OsStr::new(PRELOAD));
        let before = match set {
            Some((_, value)) => value.map(OsStr::to_owned),
            None => std::env::var_os(PRELOAD),
        };
        for name in self.withdrawn() {
            command.env_remove(name);
        }
        if let Some(lifeline) = &self.lifeline {
            lifeline.hand_down(command);
        }
        command.envs(self.variables(preload, before))
    }
}
