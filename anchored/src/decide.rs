//! How a command is to be anchored. One answer, for what is done ([`crate::run`]) and for what is told of it
//! ([`crate::check`]).

use crate::cli::{Line, When};
use crate::failure::{Failure, shown};
use crate::inspect::{self, Found, Image, exclusion};
use crate::run;
use anchor_contract::{Disable, Setting, Skip};
use anchor_spawn::{Library, Preload};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// What was found out, and what follows from it.
pub struct Decision {
    /// What exec makes of the command.
    pub found: Found,
    /// What the library is, or why nobody can load it. `Err`: there is none.
    pub library: Result<(Library, Result<Image, String>), String>,
    /// Why the command would be left alone, did nobody ask for a supervisor.
    pub excluded: Option<String>,
    pub way: Way,
}

impl Decision {
    /// What the command is to preload. `Nothing` also where no library is left to whoever would inherit it.
    pub fn preload(&self) -> Preload {
        match &self.library {
            Ok((library, image)) => preload(library, self.found.takes(image).is_ok(), self.would_harm()),
            Err(_) => Preload::Nothing,
        }
    }

    /// Whether a library that does not get into the program would not be passed over in silence.
    ///
    /// What the program starts may be of this machine again, and goes without the library then: the supervisor ends it.
    pub fn would_harm(&self) -> bool {
        match (&self.library, &self.found.program.image) {
            (Ok((_, Ok(library))), Some(program)) => ENDS_PROGRAMS || library.is_refused_by(program),
            _ => ENDS_PROGRAMS,
        }
    }
}

/// Whether the loader ends a program that it cannot load a library into, as dyld does. ld.so goes on without.
const ENDS_PROGRAMS: bool = cfg!(target_os = "macos");

/// GUEST: whoever would be ended by it, or complain of it, is not given it. Others are, because what they start may be
/// hosts.
fn preload(library: &Library, gets_in: bool, harms: bool) -> Preload {
    if gets_in || !harms {
        Preload::Library(library.clone())
    } else {
        Preload::Nothing
    }
}

/// How.
#[derive(Debug)]
pub enum Way {
    /// The library in it.
    Injected,
    /// `anchored` beside it. Why.
    Supervised(String),
    /// The variables alone, for its children, which are hosts again. Why.
    LeftAlone(String),
    /// Nothing at all: the off switch.
    Off,
}

/// Decides. `Err`: it is not there, or cannot be anchored as the line wants.
pub fn decide(line: &Line) -> Result<Decision, Failure> {
    let name = line.command.first().map_or(OsStr::new(""), |name| name);
    let found = inspect::look(name)?;
    let library = match run::library() {
        Ok(library) => {
            let library = inspect::suited_to(library, &found.program);
            let image = inspect::fits(&library);
            Ok((library, image))
        }
        Err(error) => Err(error.to_string()),
    };
    let reached = match &library {
        Ok((_, image)) => found.takes(image),
        Err(why) => Err(why.clone()),
    };
    let excluded = excluded(line, &found);
    let way = match (line.supervise, &excluded, reached) {
        _ if is_off() => Way::Off,
        (When::Always, ..) => Way::Supervised("--supervise".to_owned()),
        (_, Some(why), _) => Way::LeftAlone(why.clone()),
        (When::Never, _, Err(why)) => {
            let name = shown(name);
            return Err(Failure::own(format_args!(
                "{name}: cannot be injected: {why}; --supervise=never"
            )));
        }
        (When::Auto, _, Err(why)) => Way::Supervised(why),
        (when, _, Ok(())) => match found.starts_others().filter(|_| when == When::Auto) {
            Some(why) => Way::Supervised(format!("{why}; injected too")),
            None => Way::Injected,
        },
    };
    Ok(Decision {
        found,
        library,
        excluded,
        way,
    })
}

/// The off switch, for the launcher as for the library.
pub fn is_off() -> bool {
    let value = std::env::var_os(Disable::VARIABLE.name).unwrap_or_default();
    Disable::parse(value.as_bytes()) == Some(Disable(true))
}

/// Why the library would leave it alone. What the line says goes before what is inherited.
fn excluded(line: &Line, found: &Found) -> Option<String> {
    let inherited = || std::env::var_os(Skip::VARIABLE.name).filter(|list| !list.is_empty());
    let skip = line.skip.clone().or_else(inherited);
    let why = exclusion::reason(found, &line.command, skip.as_deref())?;
    Some(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::preload;
    use anchor_spawn::{Library, Preload};

    #[test]
    fn whom_its_loader_would_end_is_given_no_library() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let library = Library::at(file.path()).unwrap();
        for (gets_in, ends_programs, given) in [
            (true, true, true),
            (true, false, true),
            (false, false, true),
            (false, true, false),
        ] {
            let preload = preload(&library, gets_in, ends_programs);
            assert_eq!(
                matches!(preload, Preload::Library(_)),
                given,
                "{gets_in} {ends_programs}"
            );
        }
    }
}
