//! What a command is: the file that exec would take, the interpreters that lead to its program, and whether the library
//! gets into that. Cheap, for it stands before every command: a few headers are read, and nothing is run.

mod elf;
pub mod exclusion;
mod library;
mod privilege;
mod script;
mod search;

pub use elf::{Elf, Libc, Link, Target, read as read_elf};
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
    pub elf: Option<Elf>,
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

/// For whom the library is made, or why nobody can load it.
pub fn fits(library: &Library) -> Result<Target, String> {
    library::fits(library)
}

impl Found {
    /// Whether a library for such programs gets into this one, or why not.
    pub fn takes(&self, library: &Result<Target, String>) -> Result<(), String> {
        let it = if self.scripts.is_empty() {
            "it".to_owned()
        } else {
            format!("its interpreter {}", self.program.file.display())
        };
        let Some(elf) = &self.program.elf else {
            return Err(format!("{it} cannot be read, so what it is is not known"));
        };
        let loader = match &elf.link {
            Link::Dynamic(loader) => loader,
            Link::StaticPie | Link::Static => {
                return Err(format!("{it} is static: no loader, no preloading"));
            }
        };
        match library {
            Err(why) => return Err(why.clone()),
            Ok(target) if *target != elf.target => {
                return Err(format!("{it} is {}, the library {target}", elf.target));
            }
            Ok(_) => {}
        }
        if let Some(raised) = self.program.raised {
            return Err(format!("{it} is {raised}, and its loader then preloads nothing"));
        }
        if Libc::of(loader) == Libc::Other {
            let loader = loader.display();
            return Err(format!(
                "{it} has a loader that is not known to preload: {loader}"
            ));
        }
        Ok(())
    }
}
