//! `ANCHOR_LOG`: one line an event, `libanchor[PID]: what: operand: why`, one write, never waiting for anybody.

use crate::settings::Name;
use crate::sys::{Once, output, process, room, until_nul};
use anchor_contract::{Line, LogTarget, Setting, Variable};
use core::ffi::CStr;

/// The variable that says where events go.
pub const VARIABLE: &Variable = LogTarget::VARIABLE;

/// The longest path that Linux takes, its NUL included (limits.h).
const PATH_MAX: usize = 4096;

/// The log file's path, made absolute. A copy, because hosts overwrite their environment (to show a status in `ps`).
static PATH: Once<&'static CStr> = Once::new();

/// Where events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// Nowhere.
    Silent,
    /// To the host's descriptor 2.
    Stderr,
    /// To the file whose path is kept.
    File,
}

/// Who writes: the two have different descriptor tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A thread of the host's, all signals blocked.
    Host,
    /// The watcher.
    Watcher,
}

impl Log {
    /// Understands the variable's value. `None` where it is a file that cannot be written.
    pub fn open(value: &[u8]) -> Option<Self> {
        match LogTarget::parse(value)? {
            LogTarget::Stderr => Some(Self::Stderr),
            _ => Self::open_file(value),
        }
    }

    fn open_file(value: &[u8]) -> Option<Self> {
        let path = PATH.set(absolute(value, room(PATH_MAX)?)?)?;
        // A host without a free descriptor is no reason to call the path bad.
        output::to_file(path, b"")
            .or_else(output::excuse_no_descriptor)
            .ok()
            .map(|()| Self::File)
    }

    /// Writes a line. Whatever goes wrong, nobody hears of it: a log is not worth a host.
    pub fn write(self, side: Side, line: &mut Line) {
        match (self, side) {
            (Self::Silent, _) => {}
            (Self::Stderr, Side::Host) => output::to_stderr(line.end()),
            (Self::Stderr, Side::Watcher) => output::to_hosts_stderr(line.end()),
            (Self::File, _) => {
                let _ = PATH.get().map(|path| output::to_file(path, line.end()));
            }
        }
    }
}

/// The beginning of every line that we write.
pub fn head() -> Line {
    let mut line = Line::new();
    line.text("libanchor[")
        .number(u64::from(process::own_pid().unsigned_abs()))
        .text("]: ");
    line
}

/// The beginning of an event's line.
pub fn event(what: &str, anchor: Name) -> Line {
    let mut line = head();
    anchor.print(line.text(what).text(": anchor ")).text(": ");
    line
}

/// A relative path is meant from where the host is at load; the watcher is elsewhere. `None` if it is too long for the
/// room, which is zeroed.
fn absolute(value: &[u8], room: &'static mut [u8]) -> Option<&'static CStr> {
    let start = if value.starts_with(b"/") {
        0
    } else {
        let directory = process::working_directory(room)?;
        *room.get_mut(directory)? = b'/';
        directory.checked_add(1)?
    };
    // Shorter than the room by at least one: the NUL.
    let end = room.len().checked_sub(1)?;
    let place = room.get_mut(start..end)?.get_mut(..value.len())?;
    for (place, byte) in place.iter_mut().zip(value) {
        *place = *byte;
    }
    until_nul(room)
}

#[cfg(test)]
mod tests {
    use super::{PATH_MAX, absolute};
    use crate::sys::room;

    #[test]
    fn a_path_is_made_absolute() {
        let text = |value: &str| absolute(value.as_bytes(), room(PATH_MAX).unwrap());
        assert_eq!(text("/a/b").unwrap().to_bytes(), b"/a/b");
        let here = std::env::current_dir().unwrap().join("x.log");
        assert_eq!(
            text("x.log").unwrap().to_bytes(),
            here.as_os_str().as_encoded_bytes()
        );
        assert!(text(&format!("/{}", "x".repeat(PATH_MAX - 2))).is_some());
        assert!(text(&format!("/{}", "x".repeat(PATH_MAX - 1))).is_none());
    }
}
