//! A program's or a library's file, in the one format that this system runs.

use super::elf::{self, Elf, Libc, Link};
use super::macho::{self, MachO};
use std::fs::File;
use std::path::Path;

/// What its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    Elf(Elf),
    MachO(MachO),
}

/// Reads the headers. `None`: exec does not take it for a program.
pub fn read(file: File) -> Option<Image> {
    if cfg!(target_os = "macos") {
        macho::read(file).map(Image::MachO)
    } else {
        elf::read(file).map(Image::Elf)
    }
}

impl Image {
    /// Whether the library, which this is, gets into a program; or why not. `it` is what the program is called.
    pub fn gets_into(&self, program: &Self, it: &str) -> Result<(), String> {
        match (self, program) {
            (Self::Elf(library), Self::Elf(program)) => library.fits(program, it),
            (Self::MachO(library), Self::MachO(program)) => library.fits(program, it),
            _ => Err(format!("{it} is of another format than the library")),
        }
    }

    /// Whether the program's loader is for another machine than the library, which this is. glibc's says so on stderr and
    /// goes on, at every start of a program; musl's takes it for its own machine's and crashes.
    pub fn is_refused_by(&self, program: &Self) -> bool {
        match (self, program) {
            (Self::Elf(library), Self::Elf(program)) => {
                program.loader().is_some() && library.target != program.target
            }
            _ => false,
        }
    }

    pub fn format(&self) -> &'static str {
        match self {
            Self::Elf(_) => "ELF",
            Self::MachO(_) => "Mach-O",
        }
    }

    pub fn bits(&self) -> u8 {
        match self {
            Self::Elf(elf) => elf.target.bits,
            Self::MachO(_) => 64,
        }
    }

    /// The machine; more than one, with blanks between, in a Mach-O file.
    pub fn machine(&self) -> String {
        match self {
            Self::Elf(elf) => elf.target.machine(),
            Self::MachO(macho) => macho.machines(),
        }
    }

    /// How its libraries come to it.
    pub fn link(&self) -> &'static str {
        match self {
            Self::Elf(Elf {
                link: Link::Static, ..
            }) => "static",
            Self::Elf(Elf {
                link: Link::StaticPie,
                ..
            }) => "static-pie",
            _ => "dynamic",
        }
    }

    pub fn loader(&self) -> Option<&Path> {
        match self {
            Self::Elf(elf) => elf.loader(),
            Self::MachO(_) => Some(Path::new("/usr/lib/dyld")),
        }
    }

    pub fn libc(&self) -> Option<&'static str> {
        match self {
            Self::Elf(elf) => elf.loader().map(|loader| Libc::of(loader).name()),
            Self::MachO(_) => Some("libSystem"),
        }
    }
}
