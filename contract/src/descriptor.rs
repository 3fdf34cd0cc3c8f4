//! `ANCHOR_FD`: an end of a pipe or socket whose other end the anchor holds.

use crate::identity::numbers;
use crate::{Line, Setting, Variable, variables};
use core::fmt;

/// A descriptor's number, and the file that it was when that was written down: `N`, or pinned `N:DEVICE:INODE`.
///
/// A program may close the number and open something else there. Whoever it then starts would take a stranger's
/// hang-up for the anchor's death; by the file it sees that this is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorFd {
    number: i32,
    /// The file, where that is known.
    pub file: Option<FileId>,
}

/// A file of this machine: `st_dev` and `st_ino` of stat(3type).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// The device.
    pub device: u64,
    /// The number of the file there.
    pub inode: u64,
}

impl AnchorFd {
    /// A descriptor of this number; `None` where none can have it.
    #[must_use]
    pub const fn new(number: i32, file: Option<FileId>) -> Option<Self> {
        if number >= 0 {
            Some(Self { number, file })
        } else {
            None
        }
    }

    /// The number as the kernel wants it.
    #[must_use]
    pub const fn raw(self) -> i32 {
        self.number
    }

    /// The number for printing.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number.unsigned_abs() as u64
    }

    /// Appends the value as [`Setting::parse`] reads it.
    pub fn print(&self, line: &mut Line) {
        line.number(self.number());
        if let Some(file) = self.file {
            line.byte(b':').number(file.device).byte(b':').number(file.inode);
        }
    }
}

impl Setting for AnchorFd {
    const VARIABLE: &'static Variable = &variables::FD;

    fn parse(value: &[u8]) -> Option<Self> {
        let ([number, device, inode], count) = numbers(value)?;
        let file = (count == 3).then_some(FileId { device, inode });
        let number = i32::try_from(number).ok().filter(|_| count != 2)?;
        Self::new(number, file)
    }
}

impl fmt::Display for AnchorFd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line::new();
        self.print(&mut line);
        formatter.write_str(core::str::from_utf8(line.as_bytes()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::{AnchorFd, FileId};
    use crate::Setting;
    use std::string::ToString;

    #[test]
    fn a_number_or_a_number_and_its_file() {
        let file = Some(FileId {
            device: 14,
            inode: u64::MAX,
        });
        for (text, number, file) in [
            ("0", 0, None),
            ("2147483647", i32::MAX, None),
            ("3:14:18446744073709551615", 3, file),
        ] {
            let fd = AnchorFd::parse(text.as_bytes()).unwrap();
            assert_eq!((fd.raw(), fd.file), (number, file));
            assert_eq!(fd.to_string(), text);
        }
        for bad in [
            "",
            "-1",
            "abc",
            "2147483648",
            "3:",
            "3:14",
            "3:14:",
            "3::1",
            ":1:2",
            "3:14:15:9",
            "3 ",
            "3:1: 2",
        ] {
            assert_eq!(AnchorFd::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(AnchorFd::new(-1, None), None);
    }
}
