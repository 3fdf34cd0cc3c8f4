//! What an ELF file says of itself in its headers, elf(5): for which machine it is, and who loads it.

use object::elf::{
    EM_386, EM_AARCH64, EM_ARM, EM_RISCV, EM_X86_64, ET_DYN, ET_EXEC, FileHeader32, FileHeader64,
};
use object::elf::{PT_DYNAMIC, PT_INTERP};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind, ReadCache, ReadRef};
use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A program or a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    pub target: Target,
    pub link: Link,
}

/// For what it is made: a library and a program go together where these are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub bits: u8,
    pub big_endian: bool,
    pub machine: u16,
}

/// Who brings its libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The loader at this path.
    Dynamic(PathBuf),
    /// It relocates itself. A shared library and a loader that is run by itself look the same.
    StaticPie,
    /// It needs nobody.
    Static,
}

/// Whose loader it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Libc {
    Glibc,
    Musl,
    Android,
    Uclibc,
    Other,
}

/// How much of program headers the kernel takes, in bytes: `load_elf_phdrs`.
const MOST_HEADERS: usize = 65_536;

/// How long the path of a loader may be, in bytes, the NUL behind it included: 2 to `PATH_MAX`.
const PATH: std::ops::RangeInclusive<u64> = 2..=4096;

/// Reads the headers. `None`: the kernel does not take it for a program, and says ENOEXEC (fs/binfmt_elf.c).
pub fn read(file: impl Read + Seek) -> Option<Elf> {
    // Reads what is asked for and no more.
    let data = ReadCache::new(file);
    match FileKind::parse(&data).ok()? {
        FileKind::Elf32 => of::<FileHeader32<Endianness>, _>(&data),
        FileKind::Elf64 => of::<FileHeader64<Endianness>, _>(&data),
        _ => None,
    }
}

fn of<'data, H, R>(data: R) -> Option<Elf>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data).ok()?;
    let endian = header.endian().ok()?;
    if !matches!(header.e_type(endian), ET_EXEC | ET_DYN) {
        return None;
    }
    // Asked before anything is read, here and below: a file may say any length.
    if usize::from(header.e_phnum(endian)) * size_of::<H::ProgramHeader>() > MOST_HEADERS {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    if segments.is_empty() {
        return None;
    }
    let mut link = Link::Static;
    for segment in segments {
        match segment.p_type(endian) {
            PT_INTERP => {
                let length: u64 = segment.p_filesz(endian).into();
                if !PATH.contains(&length) || segment.data(endian, data).ok()?.last() != Some(&0) {
                    return None;
                }
                let loader = segment.interpreter(endian, data).ok()??;
                link = Link::Dynamic(OsStr::from_bytes(loader).into());
                break;
            }
            PT_DYNAMIC => link = Link::StaticPie,
            _ => {}
        }
    }
    let target = Target {
        bits: if header.is_class_64() { 64 } else { 32 },
        big_endian: header.is_big_endian(),
        machine: header.e_machine(endian).0,
    };
    Some(Elf { target, link })
}

impl Elf {
    /// Whether it is loaded into such a program, or why not.
    pub fn fits(&self, program: &Self, it: &str) -> Result<(), String> {
        let Some(loader) = program.loader() else {
            return Err(format!("{it} is static: no loader, no preloading"));
        };
        if self.target != program.target {
            return Err(format!("{it} is {}, the library {}", program.target, self.target));
        }
        if Libc::of(loader) == Libc::Other {
            let loader = loader.display();
            return Err(format!(
                "{it} has a loader that is not known to preload: {loader}"
            ));
        }
        Ok(())
    }

    /// Its loader's path, where it has one.
    pub fn loader(&self) -> Option<&Path> {
        match &self.link {
            Link::Dynamic(loader) => Some(loader),
            Link::StaticPie | Link::Static => None,
        }
    }
}

impl Target {
    /// Whether this is what this program itself is made for, and so what the kernel runs without help.
    pub fn is_own(self) -> bool {
        let machine = if cfg!(target_arch = "x86_64") {
            EM_X86_64
        } else {
            EM_AARCH64
        };
        self.bits == 64 && !self.big_endian && self.machine == machine.0
    }

    /// Its machine's name.
    pub fn machine(self) -> String {
        let known = [
            (EM_X86_64, "x86-64"),
            (EM_AARCH64, "AArch64"),
            (EM_386, "i386"),
            (EM_ARM, "ARM"),
            (EM_RISCV, "RISC-V"),
        ];
        let name = known.iter().find(|(machine, _)| machine.0 == self.machine);
        name.map_or_else(
            || format!("machine {}", self.machine),
            |(_, name)| (*name).to_owned(),
        )
    }
}

impl fmt::Display for Target {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endian = if self.big_endian { " big-endian" } else { "" };
        write!(to, "{}-bit {}{endian}", self.bits, self.machine())
    }
}

impl Libc {
    /// By the name of its loader. The path may be any: NixOS, Guix and bundles have their own.
    pub fn of(loader: &Path) -> Self {
        let name = loader.file_name().unwrap_or_default().as_bytes();
        match name {
            _ if name.starts_with(b"ld-linux") => Self::Glibc,
            _ if name.starts_with(b"ld-musl-") => Self::Musl,
            b"linker64" | b"linker" => Self::Android,
            _ if name.starts_with(b"ld-uClibc") || name.starts_with(b"ld64-uClibc") => Self::Uclibc,
            _ => Self::Other,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
            Self::Android => "bionic",
            Self::Uclibc => "uClibc",
            Self::Other => "another C library",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Link, read};
    use std::io::Cursor;

    /// A 64-bit file of one entry, which is PT_INTERP where there is a loader's path.
    fn file(entries: u16, loader: &[u8]) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        for half in [3_u16, 62, 1, 0] {
            file.extend(half.to_le_bytes());
        }
        for address in [0_u64, 64, 0] {
            file.extend(address.to_le_bytes());
        }
        for half in [0_u16, 0, 64, 56, entries, 0, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        for _ in 0..entries {
            let kind = if loader.is_empty() { 1_u32 } else { 3 };
            file.extend(kind.to_le_bytes());
            file.extend(4_u32.to_le_bytes());
            let length = loader.len() as u64;
            for word in [64 + 56 * u64::from(entries), 0, 0, length, length, 1] {
                file.extend(word.to_le_bytes());
            }
        }
        file.extend(loader);
        file
    }

    fn link(file: Vec<u8>) -> Option<Link> {
        read(Cursor::new(file)).map(|elf| elf.link)
    }

    #[test]
    fn what_the_kernel_takes_for_a_program_is_one() {
        assert_eq!(link(file(1, b"")), Some(Link::Static));
        let loader = Link::Dynamic("/lib/ld.so".into());
        assert_eq!(link(file(1, b"/lib/ld.so\0")), Some(loader.clone()));
        assert_eq!(link(file(1, b"/lib/ld.so\0rest\0")), Some(loader));
        let longest = [&[b'x'; 4095][..], b"\0"].concat();
        assert!(link(file(1, &longest)).is_some());
    }

    #[test]
    fn what_the_kernel_refuses_is_no_program() {
        assert_eq!(link(file(0, b"")), None, "no entry");
        assert_eq!(link(file(1171, b"")), None, "65,576 bytes of entries");
        assert_eq!(link(file(1, b"/lib/ld.so")), None, "a path that does not end");
        assert_eq!(link(file(1, b"\0")), None, "a path of nothing");
        let too_long = [&[b'x'; 4096][..], b"\0"].concat();
        assert_eq!(link(file(1, &too_long)), None, "a path that is too long");
    }
}
