//! `ANCHOR_ID`: which process the number in `ANCHOR_PID` stood for, and `self`'s holder of `ANCHOR_SCOPE`.

use crate::{Line, Pid, Setting, Variable, decimal, variables};
use core::fmt;

/// Identity of a process: the PID namespace in which its number counts, and when it started.
///
/// On Linux the namespace is the inode of `/proc/PID/ns/pid` (namespaces(7)) and the start is the raw field 22 of
/// `/proc/PID/stat`, in clock ticks (proc_pid_stat(5)). It is never turned into wall-clock time: that drifts, and
/// guards that compared it have ended healthy processes.
///
/// Two processes may have started within one tick, a `/proc` may be hidden, and a time namespace shifts the start: the
/// mark is without these faults, and the cheapest to ask for. Linux has it since 6.9.
///
/// On macOS there is one namespace, and the start is what the kernel wrote down when the process was made, in
/// microseconds since 1970 (`pbi_start_tvsec`, `pbi_start_tvusec` of proc_pidinfo); setting the clock does not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorId {
    /// Inode of the PID namespace; 0 where there is only one.
    pub namespace: u64,
    /// Start time: clock ticks since boot on Linux, microseconds since 1970 on macOS.
    pub start: u64,
    /// Inode of the process's pidfd, where each process has one of its own: no other process since the machine was started
    /// has it, in whatever namespace.
    pub mark: Option<u64>,
}

impl AnchorId {
    /// No process of any PID namespace: whoever is given this is beyond its anchor's reach.
    pub const NOBODY: Self = Self {
        namespace: 0,
        start: 0,
        mark: None,
    };

    /// Whether both may be the same process's: what is known of both is the same.
    #[must_use]
    pub fn agrees_with(self, other: Self) -> bool {
        let other_mark = self.mark.zip(other.mark).is_some_and(|(one, other)| one != other);
        !other_mark && (self.namespace, self.start) == (other.namespace, other.start)
    }

    /// Appends the value as [`Setting::parse`] reads it.
    pub fn print(&self, line: &mut Line) {
        IdForm::OWN.print(*self, line);
    }
}

impl Setting for AnchorId {
    const VARIABLE: &'static Variable = &variables::ID;

    fn parse(value: &[u8]) -> Option<Self> {
        IdForm::OWN.parse(value)
    }
}

impl fmt::Display for AnchorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line::new();
        self.print(&mut line);
        formatter.write_str(core::str::from_utf8(line.as_bytes()).unwrap_or_default())
    }
}

/// How the value is written: each platform has one, and every platform reads both in its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// `NAMESPACE:TICKS`, or `NAMESPACE:TICKS:MARK`, Linux.
    Namespace,
    /// `SECONDS.MICROSECONDS`, six digits behind the point, macOS.
    Time,
}

const SECOND: u64 = 1_000_000;

impl IdForm {
    /// This platform's.
    pub const OWN: Self = if cfg!(target_os = "macos") {
        Self::Time
    } else {
        Self::Namespace
    };

    /// Appends an identity.
    pub fn print(self, id: AnchorId, line: &mut Line) {
        match self {
            Self::Namespace => {
                line.number(id.namespace).byte(b':').number(id.start);
                if let Some(mark) = id.mark {
                    line.byte(b':').number(mark);
                }
            }
            Self::Time => {
                line.number(id.start / SECOND).byte(b'.');
                let mut digits = SECOND / 10;
                while digits > 1 && (id.start % SECOND) < digits {
                    line.byte(b'0');
                    digits /= 10;
                }
                line.number(id.start % SECOND);
            }
        }
    }

    /// Reads one.
    #[must_use]
    pub fn parse(self, value: &[u8]) -> Option<AnchorId> {
        match self {
            Self::Namespace => {
                let ([namespace, start, mark], count) = numbers(value)?;
                (count > 1).then_some(AnchorId {
                    namespace,
                    start,
                    mark: (count > 2).then_some(mark),
                })
            }
            Self::Time => {
                let mut parts = value.splitn(2, |byte| *byte == b'.');
                let (seconds, rest) = (parts.next()?, parts.next()?);
                let rest = decimal(rest).filter(|_| rest.len() == 6)?;
                let start = decimal(seconds)?.checked_mul(SECOND)?.checked_add(rest)?;
                Some(AnchorId {
                    namespace: 0,
                    start,
                    mark: None,
                })
            }
        }
    }
}

/// The one process that `ANCHOR_SCOPE=self` is for, as its first load pins it: `self:PID:START`.
/// An exec keeps both numbers, a child has others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: Pid,
    /// Its start time, as [`AnchorId::start`].
    pub start: u64,
}

impl Holder {
    /// Appends `PID:START`.
    pub fn print(&self, line: &mut Line) {
        line.number(self.pid.number()).byte(b':').number(self.start);
    }

    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let ([pid, start, _], count) = numbers(value)?;
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        (count == 2).then_some(Self { pid, start })
    }
}

/// `NUMBER:NUMBER:NUMBER`, or less of it; and how many there are.
#[inline(never)] // the library is small because this is not repeated at every use
pub(crate) fn numbers(value: &[u8]) -> Option<([u64; 3], usize)> {
    let (mut found, mut count) = ([0; 3], 0_usize);
    for part in value.split(|byte| *byte == b':') {
        *found.get_mut(count)? = decimal(part)?;
        count = count.saturating_add(1);
    }
    Some((found, count))
}

#[cfg(test)]
mod tests {
    use super::{AnchorId, IdForm, SECOND};
    use crate::{Line, Setting};
    use std::string::{String, ToString};

    fn printed(form: IdForm, id: AnchorId) -> String {
        let mut line = Line::new();
        form.print(id, &mut line);
        String::from_utf8(line.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_printed_identity_reads_as_itself() {
        for (namespace, start) in [(4_026_531_836, 0), (1, 123_456), (u64::MAX, u64::MAX)] {
            for (mark, end) in [
                (None, ""),
                (Some(0), ":0"),
                (Some(u64::MAX), ":18446744073709551615"),
            ] {
                let id = AnchorId {
                    namespace,
                    start,
                    mark,
                };
                let text = printed(IdForm::Namespace, id);
                assert_eq!(text, std::format!("{namespace}:{start}{end}"));
                assert_eq!(IdForm::Namespace.parse(text.as_bytes()), Some(id));
            }
        }
        for micros in [0, 1, 9, 10, 99_999, 100_000, 123_456, 999_999] {
            let start = 1_763_900_000 * SECOND + micros;
            let id = AnchorId {
                namespace: 0,
                start,
                mark: None,
            };
            let text = printed(IdForm::Time, id);
            assert_eq!(text, std::format!("1763900000.{micros:06}"));
            assert_eq!(IdForm::Time.parse(text.as_bytes()), Some(id));
        }
        let own = AnchorId {
            namespace: 0,
            start: 7,
            mark: None,
        };
        assert_eq!(AnchorId::parse(own.to_string().as_bytes()), Some(own));
    }

    #[test]
    fn identities_agree_where_nothing_known_differs() {
        let id = |start, mark| AnchorId {
            namespace: 1,
            start,
            mark,
        };
        assert!(id(2, Some(3)).agrees_with(id(2, Some(3))));
        assert!(id(2, Some(3)).agrees_with(id(2, None)));
        assert!(id(2, None).agrees_with(id(2, Some(3))));
        assert!(!id(2, Some(3)).agrees_with(id(2, Some(4))));
        assert!(!id(2, Some(3)).agrees_with(id(4, Some(3))));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "", ":", "1", "1:", ":1", "1:2:", "1::3", "1:2:a", "1:2:3:", "1:2:3:4", "a:b", "-1:2", "1: 2",
            "1.000002",
        ] {
            assert_eq!(IdForm::Namespace.parse(bad.as_bytes()), None, "{bad:?}");
        }
        let long = "18446744073709551615.000000";
        for bad in [
            "",
            ".",
            "1",
            "1.",
            ".000001",
            "1.1",
            "1.0000001",
            "1.00000a",
            "-1.000001",
            "1:2",
            long,
        ] {
            assert_eq!(IdForm::Time.parse(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
