//! `ANCHOR_LOG`: one line an event, `libanchor[PID]: what: operand: why`, one write, never waiting for anybody.

use crate::sys::{Once, output, process};
use anchor_contract::{Line, LogTarget, Pid, Setting, Variable};
use core::ffi::CStr;

/// The variable that says where events go.
pub const VARIABLE: &Variable = LogTarget::VARIABLE;

/// The longest path that Linux takes, its NUL included (limits.h).
const PATH_MAX: usize = 4096;

/// The log file's path, made absolute. A copy, because hosts overwrite their environment (to show a status in `ps`).
static PATH: Once<[u8; PATH_MAX]> = Once::new();

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
        if LogTarget::parse(value)? == LogTarget::Stderr {
            return Some(Self::Stderr);
        }
        let path = PATH.set(absolute(value)?).and_then(path)?;
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
                let _ = PATH
                    .get()
                    .and_then(path)
                    .map(|path| output::to_file(path, line.end()));
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
pub fn event(what: &str, anchor: Pid) -> Line {
    let mut line = head();
    line.text(what)
        .text(": anchor ")
        .number(anchor.number())
        .text(": ");
    line
}

fn path(bytes: &[u8; PATH_MAX]) -> Option<&CStr> {
    CStr::from_bytes_until_nul(bytes).ok()
}

/// A relative path is meant from where the host is at load; the watcher is elsewhere. `None` if it is too long.
fn absolute(value: &[u8]) -> Option<[u8; PATH_MAX]> {
    let mut path = [0; PATH_MAX];
    let start = if value.starts_with(b"/") {
        0
    } else {
        let directory = process::working_directory(&mut path)?;
        *path.get_mut(directory)? = b'/';
        directory.checked_add(1)?
    };
    // Shorter than the room by at least one: the NUL.
    let room = path
        .get_mut(start..PATH_MAX.checked_sub(1)?)?
        .get_mut(..value.len())?;
    for (place, byte) in room.iter_mut().zip(value) {
        *place = *byte;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::{PATH_MAX, absolute, path};

    #[test]
    fn a_path_is_made_absolute() {
        let text = |value: &str| absolute(value.as_bytes()).map(|bytes| path(&bytes).unwrap().to_owned());
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
