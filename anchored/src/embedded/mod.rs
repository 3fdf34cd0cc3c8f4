//! The copy of the library that this program carries, for where none is installed: `cargo install` installs programs
//! and nothing else. A loader wants a file with a name that lasts, so the copy is unpacked, once, into a folder of the
//! user's own, and stays there.
//!
//! What is preloaded runs with all the rights of whoever runs it, in every program of a tree. So nobody but that user
//! and root must be able to put other bytes in its place, now or later:
//!
//! 1. The places are folders of the user's own, in the home that the environment names and in the one that the user
//!    database names ([`places`]). Never `$TMPDIR`, never the working directory.
//! 2. Nobody else can rename or replace anything on the way there ([`folder`]).
//! 3. What has the copy's name there is used only if it is a regular file of the user's, that nobody else can write to,
//!    with these very bytes. Otherwise a new one takes its place, whole, by a rename ([`mod@file`]).
//!
//! A place that will not do is passed over for the next one, with a reason; where none is left the command is
//! supervised. The user's own processes are trusted: they could as well change the programs that the user runs.
//!
//! Other versions' copies are left where they are: their hosts have them in memory, and what those start still has
//! their names in its environment. A start that is killed while it writes leaves a `.libanchor-` file, which nobody
//! uses.
//!
//! REJECTED: a file without a name (memfd_create(2), O_TMPFILE, an unlinked one). All that could be preloaded of it is
//! `/proc/self/fd/N`: the host would have to hold the descriptor, its descendants too, and whoever closes what it does
//! not know would end the chain. `/run/user`: it goes when the user logs out, and what runs on would have a loader that
//! complains at every start of a program.

mod file;
mod folder;
mod places;

use anchor_spawn::Library;
use std::path::Path;

/// A library, and the hash of its bytes.
struct Carried {
    bytes: &'static [u8],
    hash: &'static str,
}

#[cfg(carries_library)]
const CARRIED: Option<Carried> = Some(Carried {
    bytes: include_bytes!(env!("ANCHORED_LIBRARY")),
    hash: env!("ANCHORED_LIBRARY_HASH"),
});
#[cfg(not(carries_library))]
const CARRIED: Option<Carried> = None;

/// The copy, unpacked: now, unless that has been done. `None`: this program carries none. `Err`: why nowhere.
pub fn library() -> Option<Result<Library, String>> {
    let copy = CARRIED?;
    let (mut seen, mut reasons) = (Vec::new(), Vec::new());
    for place in places::places() {
        // The environment and the user database mostly agree.
        if seen.contains(&place) {
            continue;
        }
        match unpacked(&copy, &place) {
            Ok(library) => return Some(Ok(library)),
            Err(why) => reasons.push(why),
        }
        seen.push(place);
    }
    if reasons.is_empty() {
        reasons.push("nobody says where the home is".to_owned());
    }
    Some(Err(reasons.join("; ")))
}

fn unpacked(copy: &Carried, place: &Path) -> Result<Library, String> {
    let folder = folder::made(place)?;
    let file = file::placed(&folder, &Library::unpacked_name(copy.hash), copy.bytes)?;
    Library::at(file).map_err(|error| error.to_string())
}
