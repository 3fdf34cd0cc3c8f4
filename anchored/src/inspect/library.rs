//! The library's own file: for which programs it is made, and whether a loader could map it.

use super::image::{self, Image};
use anchor_spawn::Library;
use std::fs::File;
use std::path::Path;

/// Where the system's own loaders are: glibc's, of which each knows its folder.
const OWN_LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
const LOADER_OF_32_BIT: &str = "/lib/ld-linux.so.2";

/// The library as the program is told of it: where it is installed for 32-bit programs too, a program that may start
/// such ones, or is one, is told of both at once.
pub fn suited_to(library: Library, program: Option<&Image>) -> Library {
    let loader = program.and_then(Image::loader).and_then(Path::to_str);
    let both = || library.of_two_architectures();
    let suited = match (loader, program.map(Image::bits)) {
        (Some(OWN_LOADER), Some(64)) => both().map(|[own, _]| own),
        (Some(LOADER_OF_32_BIT), Some(32)) => both().map(|[_, other]| other),
        _ => None,
    };
    suited.unwrap_or(library)
}

/// What it is, or why nobody can load it.
pub fn fits(library: &Library) -> Result<Image, String> {
    let path = library.path().display();
    let file = File::open(library.path())
        .map_err(|error| format!("the library {path}: {}", crate::failure::plain(&error)))?;
    // Its loader would say so on stderr at every start of a program, and go on without it: mmap(2), EPERM.
    if is_noexec(&file) {
        return Err(format!(
            "the library {path} is on a file system that is mounted noexec"
        ));
    }
    image::read(file).ok_or_else(|| format!("the library {path} is no library"))
}

/// Whether nothing that is there can be mapped to be executed, mount(8).
#[cfg(target_os = "linux")]
pub fn is_noexec(file: &File) -> bool {
    use nix::sys::statvfs::{FsFlags, fstatvfs};
    fstatvfs(file).is_ok_and(|system| system.flags().contains(FsFlags::ST_NOEXEC))
}

/// Not known.
#[cfg(not(target_os = "linux"))]
pub fn is_noexec(_: &File) -> bool {
    false
}
