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
//! The command is not changed but for its environment. [`Anchor::apply`] finds the library beside the program or where
//! an installation has put it; who ships it elsewhere names it:
//!
//! ```
//! use anchor_spawn::{Anchor, Error, Library, Preload};
//! use std::process::Command;
//!
//! let mut anchor = Anchor::current()?;
//! anchor.signal("INT")?.grace("5s")?;
//! let preload = match Library::at("/opt/app/libanchor.so") {
//!     Ok(library) => Preload::Library(library),
//!     Err(Error::NoLibrary(_)) => Preload::Nothing, // a development build: the variables alone do nothing
//!     Err(other) => return Err(other.into()),
//! };
//! let mut command = Command::new("env");
//! let output = anchor.apply_with(&mut command, &preload).output()?;
//! let own = format!("ANCHOR_PID={}", std::process::id());
//! assert!(String::from_utf8(output.stdout)?.contains(&own));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! tokio's `Command` is the same below: `anchor.apply(command.as_std_mut())`.
//!
//! Values are checked when they are set:
//!
//! ```
//! let error = anchor_spawn::Anchor::current()?.grace("soon").map(drop).unwrap_err();
//! assert!(error.to_string().starts_with("ANCHOR_GRACE: soon: want a time"));
//! # Ok::<(), anchor_spawn::Error>(())
//! ```
//!
//! Across PID namespaces and containers a process is not known by its number, but a pipe that hangs up is heard:
//!
//! ```
//! use anchor_spawn::{Anchor, Lifeline, Preload};
//!
//! let mut anchor = Anchor::current()?;
//! if cfg!(target_os = "linux") {
//!     anchor.with(Lifeline::of_this_process()?); // or Anchor::by(..): that alone
//! }
//! let mut command = std::process::Command::new("true");
//! assert!(anchor.apply_with(&mut command, &Preload::Nothing).status()?.success());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What preloading does not reach (static and set-id programs, a cleared environment) is not anchored by this crate. The
//! command `anchored` says which those are, and supervises them.

#![deny(unsafe_code)]

mod anchor;
mod error;
mod library;
mod lifeline;
#[cfg(target_os = "linux")]
mod pidfd;
mod process;

pub use anchor::{Anchor, Preload};
pub use error::Error;
pub use library::{FILE, Library, PRELOAD};
pub use lifeline::Lifeline;
pub use process::{Process, exists};
