//! The folder of the copy: made if it is not there, and refused if anybody but its user and root could put something
//! else in its place.

use crate::failure::plain;
use crate::inspect::is_noexec;
use anchor_spawn::Library;
use nix::errno::Errno;
use nix::unistd::geteuid;
use std::fs::{DirBuilder, File, Metadata, symlink_metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Its name.
const NAME: &str = "libanchor";
/// It, and the cache folder that it is in. A home is not made: where there is none, as with `/nonexistent`, none is
/// meant.
const MADE_AT_MOST: usize = 2;
/// The mode's bits that let group and others write.
pub const OTHERS_WRITE: u32 = 0o022;
/// Nobody but an entry's owner, and the folder's, may rename or remove the entry, inode(7).
const STICKY: u32 = 0o1000;

/// The folder below `cache`, by a path without symbolic links.
///
/// RACE: none is left to others. From the root on, each folder is looked at only after the one above it was found to be
/// one in which others cannot change an entry that is not theirs: so what was found stays as it was found. What the
/// user's own processes and root do meanwhile, they could do anyway.
pub fn made(cache: &Path) -> Result<PathBuf, String> {
    let (there, mut missing) = resolved(cache)?;
    missing.push(NAME.into());
    if missing.len() > MADE_AT_MOST {
        let first = there.join(&missing[0]);
        return Err(of(&first, &Errno::ENOENT.into()));
    }
    // ORDER: what would be in vain is not begun. Where nothing can be used nothing is left behind.
    let whole = missing.iter().fold(there.clone(), |whole, name| whole.join(name));
    Library::can_stand_at(&whole).map_err(|error| error.to_string())?;
    let mut above: Vec<&Path> = there.ancestors().collect();
    above.reverse();
    for folder in above {
        look(folder)?;
    }
    let opened = File::open(&there).map_err(|error| of(&there, &error))?;
    if is_noexec(&opened) {
        let there = there.display();
        return Err(format!("{there}: on a file system that is mounted noexec"));
    }
    let mut folder = there;
    for name in missing {
        folder.push(name);
        match DirBuilder::new().mode(0o700).create(&folder) {
            // By another start of this program, or by whoever: it is looked at like everything else.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.map_err(|error| of(&folder, &error))?,
        }
        look(&folder)?;
    }
    assert_own(&folder)?;
    Ok(folder)
}

/// What is there of the path, without symbolic links, and the names that are not there yet.
///
/// Links above our folder are followed, whosever they are: it is where they lead that is looked at. People keep
/// `.cache` on other disks.
fn resolved(cache: &Path) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let mut missing = Vec::new();
    for part in cache.ancestors() {
        match (part.canonicalize(), part.file_name()) {
            (Ok(there), _) => {
                missing.reverse();
                return Ok((there, missing));
            }
            // No name: it ends with `..`, which would mean something else once there is a folder before it.
            (Err(error), Some(name)) if error.kind() == ErrorKind::NotFound => missing.push(name.into()),
            (Err(error), _) => return Err(of(part, &error)),
        }
    }
    Err(of(cache, &Errno::ENOENT.into()))
}

/// That others can change no entry of this folder but their own.
fn look(folder: &Path) -> Result<(), String> {
    let found = found(folder)?;
    let (owner, own) = (found.uid(), geteuid().as_raw());
    if owner != own && owner != 0 {
        return Err(belongs(folder, owner));
    }
    // A group is others too, although it may have one member today. Who else may write by an access control list shows
    // in these bits on Linux, acl(5); macOS has lists that show nowhere here.
    if found.mode() & OTHERS_WRITE != 0 && found.mode() & STICKY == 0 {
        return Err(writable(folder));
    }
    Ok(())
}

/// That it is this user's, and nobody else adds to it, sticky or not.
fn assert_own(folder: &Path) -> Result<(), String> {
    let found = found(folder)?;
    if found.uid() != geteuid().as_raw() {
        return Err(belongs(folder, found.uid()));
    }
    if found.mode() & OTHERS_WRITE != 0 {
        return Err(writable(folder));
    }
    Ok(())
}

fn found(folder: &Path) -> Result<Metadata, String> {
    let found = symlink_metadata(folder).map_err(|error| of(folder, &error))?;
    if !found.is_dir() {
        return Err(of(folder, &Errno::ENOTDIR.into()));
    }
    Ok(found)
}

fn of(path: &Path, error: &Error) -> String {
    format!("{}: {}", path.display(), plain(error))
}

fn belongs(folder: &Path, owner: u32) -> String {
    format!(
        "{}: belongs to user {owner}, not to user {}",
        folder.display(),
        geteuid()
    )
}

fn writable(folder: &Path) -> String {
    format!("{}: others can write to it", folder.display())
}
