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

/// Whether injection reaches the command: `Ok(Ok(()))`, or `Ok(Err(why not))`. `Err`: it is not there, or cannot be run.
pub fn reaches(name: &OsStr, library: &Library) -> Result<Result<(), String>, Failure> {
    let found = search::find(name)?;
    Ok(found.takes(&library::fits(library)))
}

/// As [`reaches`], with all that was seen.
pub fn look(name: &OsStr) -> Result<Found, Failure> {
    search::find(name)
}

/// The library's file, or why nobody can load it.
pub fn fits(library: &Library) -> Result<Image, String> {
    library::fits(library)
}

impl Found {
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
