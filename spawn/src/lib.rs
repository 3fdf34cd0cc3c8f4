//! The parent's side of libanchor: start a program so that it, and whatever it starts, ends when this process dies.
//!
//! ```no_run
//! use std::process::Command;
//!
//! let mut sidecar = Command::new("./sidecar");
//! anchor_spawn::Anchor::current()?.apply(&mut sidecar)?;
//! let child = sidecar.spawn()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The command is not changed but for its environment, so `tokio::process::Command` takes the same: its `as_std_mut`
//! is what [`Anchor::apply`] wants.
//!
//! What preloading does not reach (static and set-id programs, a cleared environment) is not anchored by this crate. The
//! command `anchored` says which those are, and supervises them.

#![deny(unsafe_code)]

mod anchor;
mod error;
mod library;
mod process;

pub use anchor::{Anchor, Preload};
pub use error::Error;
pub use library::{FILE, Library, PRELOAD};
pub use process::{Process, exists};
