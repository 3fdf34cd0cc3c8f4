//! The contract between whoever starts a program and the library inside it: the `ANCHOR_*` variables.
//!
//! One type a variable, each with [`Setting::parse`] and the words that a person is told when a value cannot be
//! understood. The library, the launcher, the tests and the README's table all read this crate, so that there is
//! exactly one place where a name, a default or a spelling is decided. So are the texts of `/proc` by which each of them
//! knows a process again.
//!
//! No `std`, no allocation, no `unsafe`, no system call: it runs before `main` in processes that are not ours.

#![no_std]
#![forbid(unsafe_code)]
// A guest does not panic. The tests do: that is how they speak.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(test)]
extern crate std;

mod descriptor;
mod environment;
mod exclusions;
mod grace;
mod identity;
mod line;
mod log_target;
mod modes;
mod number;
mod pid;
mod proc;
mod signal;
mod skip;
mod variables;

pub use descriptor::{AnchorFd, FileId};
pub use environment::{Values, value_in};
pub use exclusions::{EXCLUSIONS, Exclusion, NAMED, Sign};
pub use grace::{Grace, Millis, Poll};
pub use identity::{AnchorId, Holder, IdForm};
pub use line::Line;
pub use log_target::LogTarget;
pub use modes::{Disable, Pdeathsig, Scope, Strict};
pub use number::{decimal, holds};
pub use pid::Pid;
pub use proc::{Children, NsPid, StatLine, arguments, status_value};
pub use signal::Signal;
pub use skip::Skip;
pub use variables::{MEANINGS, VARIABLES, Variable};

/// A value of the contract: how it is called, what it is by default, and how it is read.
pub trait Setting: Sized {
    /// The variable that carries it.
    const VARIABLE: &'static Variable;

    /// Reads a value that is set and not empty. `None` means that it cannot be understood; the caller then names
    /// the variable, the value and [`Variable::accepts`], all on one line.
    fn parse(value: &[u8]) -> Option<Self>;
}
