//! Where the library is.

use crate::Error;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The library's file.
pub const FILE: &str = if cfg!(target_os = "macos") {
    "libanchor.dylib"
} else {
    "libanchor.so"
};

/// The variable that names it to the dynamic loader, ld.so(8) and dyld(1).
pub const PRELOAD: &str = if cfg!(target_os = "macos") {
    "DYLD_INSERT_LIBRARIES"
} else {
    "LD_PRELOAD"
};

/// A library's file that is there and can be preloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    file: PathBuf,
    /// What [`PRELOAD`] calls it.
    entry: PathBuf,
}

impl Library {
    /// The file at `path`, which must be there and whose path must not have what separates the variable's entries.
    pub fn at(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let whole = path
            .canonicalize()
            .map_err(|_| Error::NoLibrary(vec![path.to_owned()]))?;
        if !whole.is_file() {
            return Err(Error::NoLibrary(vec![path.to_owned()]));
        }
        Self::can_stand_at(&whole)?;
        Ok(Self {
            entry: whole.clone(),
            file: whole,
        })
    }

    /// Whether a library at this path could be named in [`PRELOAD`], or why not.
    pub fn can_stand_at(path: &Path) -> Result<(), Error> {
        if path.as_os_str().as_bytes().iter().any(separates) {
            return Err(Error::Separator(path.to_owned()));
        }
        Ok(())
    }

    /// The library that belongs to this program: beside it, or where an installation has put both. Never the working
    /// directory, and never a folder for temporary files: what others can write to is not loaded.
    pub fn find() -> Result<Self, Error> {
        let places = places();
        let found = places.iter().find(|place| place.is_file());
        found.map_or_else(|| Err(Error::NoLibrary(places.clone())), Self::at)
    }

    /// Its path, absolute.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// The same where it is installed for two architectures, as Debian has it, a folder for each: this one, and the one
    /// for 32-bit programs. What stands in [`PRELOAD`] is the same for both: `$LIB`, for which glibc's loader puts the
    /// folder that it takes libraries from, ld.so(8). `None` where it is not installed so.
    ///
    /// Only for programs whose loader is the system's glibc: musl takes `$LIB` for a name, finds nothing, and says
    /// nothing; another glibc may have another folder.
    pub fn of_two_architectures(&self) -> Option<[Self; 2]> {
        const OWN: &str = "lib/x86_64-linux-gnu";
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return None;
        }
        let folder = self.file.parent().filter(|folder| folder.ends_with(OWN))?;
        let installed = folder.parent()?.parent()?;
        let other = Self::at(installed.join("lib/i386-linux-gnu").join(FILE)).ok()?;
        let entry = installed.join("$LIB").join(FILE);
        Some([&self.file, &other.file].map(|file| Self {
            file: file.clone(),
            entry: entry.clone(),
        }))
    }

    /// The name that the command `anchored` gives to the copy that it carries, where it has to unpack that: with a hash
    /// of its bytes, so that another version's copy, which is still in somebody's [`PRELOAD`], stays what it is.
    pub fn unpacked_name(hash: &str) -> String {
        FILE.replacen('.', &format!("-{hash}."), 1)
    }

    /// Whether it is such a copy.
    pub fn is_unpacked(&self) -> bool {
        is_unpacked(self.file.as_os_str().as_bytes())
    }

    /// The value of [`PRELOAD`] with this library in it: what was there before keeps its place, and this library stands
    /// there once. Another copy of it leaves its place to this one: each would watch, and ask the program.
    pub fn appended_to(&self, before: Option<OsString>) -> OsString {
        let own = self.entry.as_os_str().as_bytes();
        let before = before.unwrap_or_default();
        let (mut entries, mut stands) = (Vec::new(), false);
        for entry in entries_of(&before) {
            if !is_copy(entry) {
                entries.push(entry);
            } else if !std::mem::replace(&mut stands, true) {
                entries.push(own);
            }
        }
        if !stands {
            entries.push(own);
        }
        OsString::from_vec(entries.join(&b':'))
    }

    /// The value of [`PRELOAD`] without this library or any copy of it; `None` where nothing is left.
    pub fn removed_from(before: &OsStr) -> Option<OsString> {
        let others: Vec<&[u8]> = entries_of(before).filter(|entry| !is_copy(entry)).collect();
        (!others.is_empty()).then(|| OsString::from_vec(others.join(&b':')))
    }
}

fn entries_of(value: &OsStr) -> impl Iterator<Item = &[u8]> {
    value
        .as_bytes()
        .split(separates)
        .filter(|entry| !entry.is_empty())
}

/// Whether an entry names this library, in whatever folder.
fn is_copy(entry: &[u8]) -> bool {
    name_of(entry) == FILE.as_bytes() || is_unpacked(entry)
}

/// Whether an entry has a name of [`Library::unpacked_name`]'s.
fn is_unpacked(entry: &[u8]) -> bool {
    let hash = || {
        let (before, after) = FILE.split_once('.')?;
        let rest = name_of(entry).strip_prefix(before.as_bytes())?;
        let rest = rest.strip_suffix(after.as_bytes())?.strip_suffix(b".")?;
        rest.strip_prefix(b"-")
    };
    hash().is_some_and(|hash| hash.len() == 32 && hash.iter().all(u8::is_ascii_hexdigit))
}

fn name_of(entry: &[u8]) -> &[u8] {
    entry.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// What stands between the entries of [`PRELOAD`].
fn separates(byte: &u8) -> bool {
    *byte == b':' || (!cfg!(target_os = "macos") && byte.is_ascii_whitespace())
}

/// Where [`Library::find`] looks, in this order.
fn places() -> Vec<PathBuf> {
    let Ok(program) = std::env::current_exe().and_then(|path| path.canonicalize()) else {
        return Vec::new();
    };
    let Some(folder) = program.parent() else {
        return Vec::new();
    };
    let mut places = vec![folder.join(FILE)];
    if let Some(above) = folder.parent() {
        // An unpacked archive and /usr/local; Debian's folder for one architecture; a macOS bundle.
        places.push(above.join("lib").join(FILE));
        places.push(above.join("lib/libanchor").join(FILE));
        if cfg!(target_os = "macos") {
            places.push(above.join("Frameworks").join(FILE));
        } else {
            let triplet = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
            places.push(above.join(triplet).join(FILE));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::{FILE, Library};
    use crate::Error;
    use std::path::PathBuf;

    fn made(folder: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("anchor-spawn-{}-{folder}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.canonicalize().unwrap().join(FILE);
        std::fs::write(&file, "").unwrap();
        file
    }

    #[test]
    fn it_is_appended_once() {
        let file = made("a");
        let library = Library::at(&file).unwrap();
        let own = file.to_str().unwrap();
        assert_eq!(library.appended_to(None), own);
        assert_eq!(
            library.appended_to(Some("/x.so".into())),
            format!("/x.so:{own}").as_str()
        );
        assert_eq!(library.appended_to(Some(own.into())), own);
        let both = format!("/x.so:{own}");
        assert_eq!(library.appended_to(Some(both.clone().into())), both.as_str());
        let copy = format!("/old/{FILE} /x.so :/older/{FILE}");
        let expected = format!("{own}:/x.so");
        assert_eq!(library.appended_to(Some(copy.into())), expected.as_str());
        assert_eq!(Library::removed_from(both.as_ref()), Some("/x.so".into()));
        assert_eq!(Library::removed_from(own.as_ref()), None);
        let unpacked = format!("/c/{}", Library::unpacked_name(&"0f".repeat(16)));
        assert_eq!(Library::removed_from(unpacked.as_ref()), None);
        for other in ["short", &"0g".repeat(16)].map(Library::unpacked_name) {
            assert!(Library::removed_from(other.as_ref()).is_some(), "{other}");
        }
        std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn two_architectures_have_one_name() {
        let own = made("two/usr/lib/x86_64-linux-gnu");
        let library = Library::at(&own).unwrap();
        assert_eq!(library.of_two_architectures(), None);
        let other = made("two/usr/lib/i386-linux-gnu");
        let [one, two] = library.of_two_architectures().unwrap();
        assert_eq!((one.path(), two.path()), (&*own, &*other));
        let installed = own.ancestors().nth(3).unwrap();
        let entry = installed.join("$LIB").join(FILE);
        assert_eq!(one.appended_to(None), entry.as_os_str());
        assert_eq!(two.appended_to(Some(own.clone().into())), entry.as_os_str());
        assert_eq!(one.of_two_architectures().unwrap()[1], two);
        // Elsewhere the loaders' folders are not these.
        let beside = Library::at(made("two/usr/lib")).unwrap();
        assert_eq!(beside.of_two_architectures(), None);
        std::fs::remove_dir_all(installed.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_path_that_cannot_be_named_is_refused() {
        let file = made("a:b");
        assert!(matches!(Library::at(&file), Err(Error::Separator(_))));
        std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
        assert!(matches!(Library::at(&file), Err(Error::NoLibrary(_))));
    }
}
