//! How the watcher rests. Nothing on macOS must be done without it, so nobody rings for it to stand down.

use super::time::{self, Deadline};
use crate::sys::{Waited, Woken};

/// Where the calling thread would hear the bell.
pub struct Bell;

impl Bell {
    /// See [`Bell`].
    pub const fn hang(_: bool) -> Self {
        Self
    }

    /// See [`Bell`].
    pub const fn unheard(_: bool) -> Self {
        Self
    }

    /// There are no lifelines.
    pub fn listen_to(&mut self, _: bool) {}

    /// See [`Bell::listen_to`].
    pub fn wait_for_hang_up(&mut self) -> Waited {
        Waited::Lost
    }

    /// Sleeps until then.
    pub fn pause(&mut self, until: Deadline) -> Woken {
        if time::sleep(until.left()) {
            Woken::Time
        } else {
            Woken::Refused
        }
    }
}
