//! `ANCHOR_PID`: a process number.

use crate::{Setting, Variable, decimal, variables};

/// A process id in the caller's PID namespace, from 1 to 4194304 (`PID_MAX_LIMIT`, proc_sys_kernel(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pid(i32);

/// The largest number that Linux gives to a process on 64-bit machines; macOS stays below it.
const LARGEST: u64 = 4_194_304;

impl Pid {
    /// The number as the kernel wants it.
    #[must_use]
    pub const fn raw(self) -> i32 {
        self.0
    }

    /// The number for printing.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0.unsigned_abs() as u64
    }

    /// A number from the kernel; `None` where it is not a process (0: the parent is in another PID namespace).
    #[must_use]
    pub const fn from_raw(raw: i32) -> Option<Self> {
        if raw > 0 { Some(Self(raw)) } else { None }
    }
}

impl Setting for Pid {
    const VARIABLE: &'static Variable = &variables::PID;

    fn parse(value: &[u8]) -> Option<Self> {
        let number = decimal(value).filter(|number| (1..=LARGEST).contains(number))?;
        i32::try_from(number).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Pid;
    use crate::Setting;

    #[test]
    fn takes_what_can_be_a_process() {
        assert_eq!(Pid::parse(b"1").map(Pid::raw), Some(1));
        assert_eq!(Pid::parse(b"4194304").map(Pid::raw), Some(4_194_304));
        for bad in ["0", "-5", "abc", "99999999999", "4194305", "12 ", "0x10", "1.0"] {
            assert_eq!(Pid::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
