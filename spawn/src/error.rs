//! What can go wrong before a program is started, each with what it is about.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// Why a command cannot be anchored.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No process has this number.
    NoSuchProcess(u32),
    /// The number is a thread's, of this process: its end is another event than the process's.
    Thread(u32, u32),
    /// The process is there, and its start time cannot be read: without it a recycled number would not be recognised.
    NoIdentity(u32),
    /// The library is in none of these places.
    NoLibrary(Vec<PathBuf>),
    /// The library's path cannot stand in the variable that names it to the dynamic loader.
    Separator(PathBuf),
    /// A descriptor that cannot tell of anybody's death: its number, and why.
    Lifeline(i32, String),
    /// No pipe could be made.
    Pipe(std::io::Error),
    /// A value that the variable does not take: its name, the value, what it takes.
    Value(&'static str, OsString, &'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchProcess(pid) => write!(to, "{pid}: no such process"),
            Self::Thread(tid, pid) => write!(to, "{tid}: a thread of process {pid}"),
            Self::NoIdentity(pid) => write!(to, "{pid}: its start time cannot be read"),
            Self::NoLibrary(places) => {
                write!(to, "{}: not found in", crate::FILE)?;
                for (number, place) in places.iter().enumerate() {
                    let comma = if number == 0 { "" } else { "," };
                    write!(to, "{comma} {}", place.display())?;
                }
                Ok(())
            }
            Self::Separator(path) => {
                let separators = if cfg!(target_os = "macos") {
                    "a colon"
                } else {
                    "a blank or a colon"
                };
                write!(
                    to,
                    "{}: a path with {separators} cannot be preloaded",
                    path.display()
                )
            }
            Self::Lifeline(number, why) => {
                write!(to, "{number}: {why}: want a pipe or a connected stream socket")
            }
            Self::Pipe(error) => write!(to, "no pipe: {error}"),
            Self::Value(name, value, accepts) => {
                let value = value.to_string_lossy();
                write!(to, "{name}: {value}: want {accepts}")
            }
        }
    }
}

impl std::error::Error for Error {}
