//! Below which folders the copy may be unpacked, the wanted one first.

use nix::unistd::{User, geteuid};
use std::ffi::OsString;
use std::path::PathBuf;

/// Where a person may have said that such files belong, XDG Base Directory Specification; and where they belong in a
/// home otherwise.
///
/// A cache is emptied now and then. ld.so(8) then complains and goes on, but dyld ends the program: so it is none there,
/// but what Apple's File System Programming Guide has for files that a program needs.
const PLACES: (Option<&str>, &str) = if cfg!(target_os = "macos") {
    (None, "Library/Application Support")
} else {
    (Some("XDG_CACHE_HOME"), ".cache")
};

/// The folders, none of which need be there.
pub fn places() -> impl Iterator<Item = PathBuf> {
    of(|name| std::env::var_os(name), home)
}

/// `sudo` and the like may leave the caller's `HOME`, and services may have none: so the user database's is the last.
/// It is asked only then, for that may take a network.
fn of(
    variable: impl Fn(&str) -> Option<OsString>,
    home: impl FnOnce() -> Option<PathBuf>,
) -> impl Iterator<Item = PathBuf> {
    let (said, below) = PLACES;
    let absolute = |path: &PathBuf| path.is_absolute();
    let set = |name| variable(name).map(PathBuf::from).filter(absolute);
    let (said, set_home) = (said.and_then(set), set("HOME"));
    let homes = set_home
        .into_iter()
        .chain(std::iter::once_with(home).flatten().filter(absolute));
    said.into_iter().chain(homes.map(move |home| home.join(below)))
}

/// The home that the user database has for whoever this process acts for.
fn home() -> Option<PathBuf> {
    User::from_uid(geteuid()).ok()?.map(|user| user.dir)
}

#[cfg(test)]
mod tests {
    use super::{PLACES, of};
    use std::path::{Path, PathBuf};

    /// With these values for the variable and for `HOME`, and this home in the user database.
    fn places(said: &str, home: &str, known: &str) -> Vec<PathBuf> {
        let set = |name: &str| match name {
            "HOME" => Some(home.into()),
            name => (Some(name) == PLACES.0).then(|| said.into()),
        };
        of(set, || Some(known.into())).collect()
    }

    #[test]
    fn only_absolute_paths_are_places() {
        let below = |home: &str| Path::new(home).join(PLACES.1);
        let all = places("/c", "/h", "/k");
        assert!(all.ends_with(&[below("/h"), below("/k")]), "{all:?}");
        let said: Vec<PathBuf> = PLACES.0.map(|_| "/c".into()).into_iter().collect();
        assert!(all.starts_with(&said) && all.len() == 2 + said.len(), "{all:?}");
        assert_eq!(places("c", "", "/k"), [below("/k")]);
        assert_eq!(places(".", "h", ""), [] as [PathBuf; 0]);
    }

    #[test]
    fn the_user_database_is_asked_last() {
        let unasked = || -> Option<PathBuf> { panic!("asked") };
        let set = |name: &str| (name == "HOME").then(|| "/h".into());
        assert!(of(set, unasked).next().is_some());
    }
}
