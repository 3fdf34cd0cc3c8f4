//! What the rooms of every platform answer with.

/// An error number, errno(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

/// Why there is no handle of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoHandle {
    /// No living process has this number (ESRCH). Nothing else means that it is gone.
    NoSuchProcess,
    /// The number is a thread's, not a process's (Linux).
    NotAProcess,
    /// The kernel offers none: too old, a filter, no descriptor to be had.
    Unavailable,
}

/// Why a descriptor is no lifeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// What it is instead.
    pub why: &'static str,
    /// Whether whoever named it was mistaken. Else it may have been one, and is none for this process: no death either.
    pub mistake: bool,
}

impl Unfit {
    /// It never was one.
    pub const fn mistaken(why: &'static str) -> Self {
        Self { why, mistake: true }
    }
}

/// How a wait for a process's end ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The process is dead, reaped or not.
    Exited,
    /// Its number belongs to another process by now.
    Recycled,
    /// Whoever held the other end of the lifeline is dead, or has let go of it.
    HungUp,
    /// The watcher is to stand down. Before that the process was alive.
    Dismissed,
    /// Nothing more can be learned this way, and that says nothing about the process.
    Lost,
}

/// What ended a rest of the watcher's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The handle is readable: its process is dead. Even if the bell was rung too.
    Event,
    /// The other end of the lifeline is gone.
    HungUp,
    /// The watcher is to stand down.
    Rung,
    /// The time has passed.
    Time,
    /// The kernel lets nobody wait this way.
    Refused,
}
