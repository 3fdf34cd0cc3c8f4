//! The copy's file: used if it is what it should be, and otherwise put there.

use super::folder::OTHERS_WRITE;
use crate::failure::plain;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{geteuid, mkstemp};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file of this name in the folder, with these bytes in it.
///
/// RACE: 1. two first starts find nothing  2. each writes a file under a name of its own  3. the second rename puts
/// the second file in the place of the first. Whoever opens the name finds one of them, whole; whoever has opened the
/// first keeps it.
pub fn placed(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
    let file = folder.join(name);
    if has(&file, bytes) {
        return Ok(file);
    }
    let of = |error: &io::Error| format!("{}: {}", file.display(), plain(error));
    put(folder, &file, bytes).map_err(|error| of(&error))?;
    // No fsync: if the machine fails now, the next start finds other bytes, and writes again. What a file system makes
    // of these at once is seen here.
    if !has(&file, bytes) {
        return Err(format!("{}: is not what was written to it", file.display()));
    }
    Ok(file)
}

/// Whether it is a file of this user's, that nobody else can write to, with these bytes. The hash in its name proves
/// nothing of them.
fn has(file: &Path, bytes: &[u8]) -> bool {
    // O_NONBLOCK: a FIFO is opened at once, and then found to be one.
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(file);
    let Ok(mut opened) = opened else {
        return false;
    };
    let is_ours = opened.metadata().is_ok_and(|found| {
        found.is_file()
            && found.uid() == geteuid().as_raw()
            && found.mode() & OTHERS_WRITE == 0
            && found.len() == bytes.len() as u64
    });
    let mut there = Vec::with_capacity(if is_ours { bytes.len() } else { 0 });
    is_ours && opened.read_to_end(&mut there).is_ok() && there == bytes
}

/// Writes a file beside it, and renames that.
fn put(folder: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    // The kernel would end this process, setrlimit(2), SIGXFSZ.
    let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
    if limit < bytes.len() as u64 {
        return Err(Errno::EFBIG.into());
    }
    // O_EXCL, mode 0600, mkstemp(3): a file that nobody else has open.
    let (draft, path) = mkstemp(&folder.join(".libanchor-XXXXXX"))?;
    let written = write(File::from(draft), bytes).and_then(|()| fs::rename(&path, file));
    if written.is_err() {
        let _ = fs::remove_file(&path);
    }
    written
}

fn write(mut draft: File, bytes: &[u8]) -> io::Result<()> {
    draft.write_all(bytes)?;
    // A loader reads; nobody writes again.
    draft.set_permissions(Permissions::from_mode(0o400))
}

#[cfg(test)]
mod tests {
    use super::placed;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::Path;

    const NAME: &str = "libanchor.so";

    fn assert_placed(folder: &Path) -> u64 {
        let file = placed(folder, NAME, b"right").unwrap();
        let found = fs::symlink_metadata(&file).unwrap();
        assert!(found.is_file());
        assert_eq!(found.mode() & 0o7777, 0o400);
        assert_eq!(fs::read(&file).unwrap(), b"right");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing else is left");
        found.ino()
    }

    #[test]
    fn what_is_right_stays() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(assert_placed(folder.path()), assert_placed(folder.path()));
    }

    #[test]
    fn what_is_wrong_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(NAME);
        for wrong in ["", "wrong", "right and more"] {
            fs::write(&file, wrong).unwrap();
            assert_placed(folder.path());
            fs::remove_file(&file).unwrap();
        }
        let right = assert_placed(folder.path());
        fs::set_permissions(&file, Permissions::from_mode(0o420)).unwrap();
        assert_ne!(assert_placed(folder.path()), right, "its group could write to it");
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let victim = elsewhere.path().join("victim");
        for bytes in ["right", "wrong"] {
            fs::write(&victim, bytes).unwrap();
            symlink(&victim, folder.path().join(NAME)).unwrap();
            assert_placed(folder.path());
            assert_eq!(fs::read_to_string(&victim).unwrap(), bytes);
            fs::remove_file(folder.path().join(NAME)).unwrap();
        }
    }

    #[test]
    fn what_cannot_be_replaced_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(NAME)).unwrap();
        let why = placed(folder.path(), NAME, b"right").unwrap_err();
        assert!(why.contains(NAME), "{why}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{why}");
    }
}
