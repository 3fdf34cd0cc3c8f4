//! Terminals of a test's own.

use nix::fcntl::{OFlag, open};
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

/// Both sides: the person's, and the program's. REJECTED: openpty(3), whose descriptors are not close-on-exec. What other
/// threads start meanwhile has them too: it then holds more than it was given, and the terminal open.
pub fn terminal() -> (File, OwnedFd) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let persons = posix_openpt(flags).unwrap();
    grantpt(&persons).unwrap();
    unlockpt(&persons).unwrap();
    let name = ptsname_r(&persons).unwrap();
    let programs = open(name.as_str(), flags, Mode::empty()).unwrap();
    // SAFETY: nobody else's from here on.
    (unsafe { File::from_raw_fd(persons.into_raw_fd()) }, programs)
}

/// So many lines and columns.
pub fn resize(terminal: &OwnedFd, lines: u16, columns: u16) {
    let size = Winsize {
        ws_row: lines,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: it is read, and no more.
    let done = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    assert_eq!(done, 0, "a size for a terminal");
}
