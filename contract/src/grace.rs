//! `ANCHOR_GRACE` and `ANCHOR_POLL`: times.

use crate::{Line, Setting, Variable, decimal, variables};

/// A time in milliseconds, at most one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Millis(u32);

impl Millis {
    const LONGEST: u64 = 86_400_000;

    /// The time in milliseconds.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }

    /// Reads a whole number with its unit, `ms` or `s`.
    fn parse(value: &[u8]) -> Option<Self> {
        let millis = match value.strip_suffix(b"ms") {
            Some(number) => decimal(number)?,
            None => decimal(value.strip_suffix(b"s")?)?.checked_mul(1000)?,
        };
        u32::try_from(millis)
            .ok()
            .filter(|_| millis <= Self::LONGEST)
            .map(Self)
    }

    /// Appends the time with its unit.
    pub fn print(self, line: &mut Line) {
        if self.0 % 1000 == 0 {
            line.number(u64::from(self.0 / 1000)).text("s");
        } else {
            line.number(u64::from(self.0)).text("ms");
        }
    }
}

/// The time between asking and killing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// SIGKILL after so long.
    Kill(Millis),
    /// The host is asked and nothing more.
    Never,
}

impl Grace {
    /// What holds unless it is said otherwise.
    pub const DEFAULT: Self = Self::Kill(Millis(10_000));
}

impl Setting for Grace {
    const VARIABLE: &'static Variable = &variables::GRACE;

    fn parse(value: &[u8]) -> Option<Self> {
        match value {
            b"never" => Some(Self::Never),
            b"0" => Some(Self::Kill(Millis(0))),
            _ => Millis::parse(value).map(Self::Kill),
        }
    }
}

/// How often the fallback looks at the anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll(pub Millis);

impl Poll {
    /// What holds unless it is said otherwise.
    pub const DEFAULT: Self = Self(Millis(250));
}

impl Setting for Poll {
    const VARIABLE: &'static Variable = &variables::POLL;

    fn parse(value: &[u8]) -> Option<Self> {
        // Never 0: a watcher that does not sleep between two looks costs the host a processor.
        Millis::parse(value)
            .filter(|interval| interval.count() > 0)
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Grace, Millis, Poll};
    use crate::{Line, Setting};

    #[test]
    fn times_carry_their_unit() {
        assert_eq!(Grace::parse(b"10s"), Some(Grace::DEFAULT));
        assert_eq!(Grace::parse(b"500ms"), Some(Grace::Kill(Millis(500))));
        assert_eq!(Grace::parse(b"0"), Some(Grace::Kill(Millis(0))));
        assert_eq!(Grace::parse(b"86400s"), Some(Grace::Kill(Millis(86_400_000))));
        assert_eq!(Grace::parse(b"never"), Some(Grace::Never));
        for bad in [
            "soon",
            "10",
            "-1s",
            "1.5s",
            "s",
            "ms",
            "10 s",
            "10m",
            "86401s",
            "99999999999999999999s",
            "NEVER",
        ] {
            assert_eq!(Grace::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_poll_always_sleeps() {
        assert_eq!(Poll::parse(b"250ms"), Some(Poll::DEFAULT));
        for bad in ["0", "0ms", "0s", "never", "1"] {
            assert_eq!(Poll::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_printed_time_reads_as_itself() {
        for count in [0, 1, 999, 1000, 1500, 10_000, 86_400_000] {
            let mut line = Line::new();
            Millis(count).print(&mut line);
            assert_eq!(Millis::parse(line.as_bytes()), Some(Millis(count)));
        }
    }
}
