//! `ANCHOR_LOG`: where events go.

use crate::{Setting, Variable, variables};

/// Where one line an event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// The host's descriptor 2.
    Stderr,
    /// A file, appended to. Its path is the variable's value, which the reader keeps: this type stays small.
    File,
}

impl Setting for LogTarget {
    const VARIABLE: &'static Variable = &variables::LOG;

    fn parse(value: &[u8]) -> Option<Self> {
        Some(if value == b"stderr" {
            Self::Stderr
        } else {
            Self::File
        })
    }
}
