//! What a command is: the file that exec would take, the interpreters that lead to its program, and whether the library
//! gets into that. Cheap, for it stands before every command: a few headers are read, and nothing is run.

mod elf;
pub mod exclusion;
mod image;
mod library;
mod macho;
mod privilege;
mod script;
mod search;

pub use image::Image;
#[cfg(target_os = "linux")]
pub use image::read as read_image;
pub use library::is_noexec;
pub use script::Script;

use crate::failure::Failure;
use anchor_spawn::Library;
use std::ffi::OsStr;
use std::path::PathBuf;

/// What exec makes of a command.
#[derive(Debug)]
pub struct Found {
    /// Each file that another one interprets, the command's own first.
    pub scripts: Vec<Script>,
    pub program: Program,
}

/// The binary that runs in the end.
#[derive(Debug)]
pub struct Program {
    pub file: PathBuf,
    /// `None`: it can be run and not be read.
    pub image: Option<Image>,
    /// What makes its loader distrust the environment.
    pub raised: Option<&'static str>,
}

/// What exec would make of a command. `Err`: it is not there, or cannot be run.
pub fn look(name: &OsStr) -> Result<Found, Failure> {
    search::find(name)
}

/// The library as a program is told of it.
pub fn suited_to(library: Library, program: &Program) -> Library {
    library::suited_to(library, program.image.as_ref())
}

/// The library's file, or why nobody can load it.
pub fn fits(library: &Library) -> Result<Image, String> {
    library::fits(library)
}

const SHELLS: [&str; 7] = ["sh", "ash", "bash", "busybox", "dash", "ksh", "zsh"];

impl Found {
    /// Why somebody should stand beside it even where the library gets into it.
    ///
    /// A shell script is made of what it starts, and the library does not get into each of these. Other interpreters
    /// start programs too, but are programs themselves more often.
    pub fn starts_others(&self) -> Option<&'static str> {
        let script = self.scripts.last()?;
        let by = script.interpreter.file_name()?.to_str()?;
        // `#!/usr/bin/env bash`, env(1).
        let argument = script.argument.as_deref().and_then(OsStr::to_str);
        let mut words = argument.unwrap_or_default().split_whitespace();
        let is_one = SHELLS.contains(&by) || (by == "env" && words.any(|word| SHELLS.contains(&word)));
        is_one.then_some("it is a shell script, and what that starts may be static")
    }

    /// Whether the library gets into this one, or why not.
    pub fn takes(&self, library: &Result<Image, String>) -> Result<(), String> {
        let it = if self.scripts.is_empty() {
            "it".to_owned()
        } else {
            format!("its interpreter {}", self.program.file.display())
        };
        let Some(image) = &self.program.image else {
            return Err(format!("{it} cannot be read, so what it is is not known"));
        };
        library.as_ref().map_err(Clone::clone)?.gets_into(image, &it)?;
        match self.program.raised {
            Some(raised) => Err(format!("{it} is {raised}, and its loader then preloads nothing")),
            None => Ok(()),
        }
    }
}
