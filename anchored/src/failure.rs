//! How `anchored` itself fails: one line, and a status as `env`, `timeout` and the shells have them.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// One line that names what it is about, and an exit status.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    status: u8,
    message: String,
}

/// `anchored` itself failed, or was misused.
pub const OWN: u8 = 125;
/// The command is there and cannot be run.
pub const CANNOT_RUN: u8 = 126;
/// The command is not there.
pub const NOT_FOUND: u8 = 127;

impl Failure {
    /// 125.
    pub fn own(message: impl fmt::Display) -> Self {
        Self::with(OWN, message)
    }

    /// With one of the statuses above.
    pub fn with(status: u8, message: impl fmt::Display) -> Self {
        Self {
            status,
            // One line, and nothing in it that a terminal would obey.
            message: message.to_string().replace(char::is_control, "?"),
        }
    }

    /// What an exec that failed says of `command`.
    pub fn of_exec(command: &OsStr, error: &std::io::Error) -> Self {
        let status = if error.kind() == std::io::ErrorKind::NotFound {
            NOT_FOUND
        } else {
            CANNOT_RUN
        };
        Self::with(status, format_args!("{}: {}", shown(command), plain(error)))
    }

    /// Its status.
    pub fn status(&self) -> u8 {
        self.status
    }

    /// Says it on stderr.
    pub fn tell(&self) -> ExitCode {
        say(&self.message);
        ExitCode::from(self.status)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.message)
    }
}

/// A line on stderr. Where it cannot be written nobody hears of it.
pub fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "anchored: {message}");
}

/// A word of the command line, for a message.
pub fn shown(word: &OsStr) -> std::path::Display<'_> {
    Path::new(word).display()
}

/// An error as `perror` words it, without Rust's `(os error 2)`.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    plain.to_owned()
}

impl From<anchor_spawn::Error> for Failure {
    fn from(error: anchor_spawn::Error) -> Self {
        Self::own(error)
    }
}
