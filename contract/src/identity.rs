//! `ANCHOR_ID`: which process the number in `ANCHOR_PID` stood for, and `self`'s holder of `ANCHOR_SCOPE`.

use crate::{Line, Pid, Setting, Variable, decimal, variables};
use core::fmt;

/// Identity of a process: the PID namespace in which its number counts, and when it started.
///
/// On Linux the namespace is the inode of `/proc/PID/ns/pid` (namespaces(7)) and the start is the raw field 22 of
/// `/proc/PID/stat`, in clock ticks (proc_pid_stat(5)). It is never turned into wall-clock time: that drifts, and
/// guards that compared it have ended healthy processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorId {
    /// Inode of the PID namespace.
    pub namespace: u64,
    /// Start time in clock ticks since boot.
    pub start: u64,
}

impl AnchorId {
    /// No process of any PID namespace: whoever is given this is beyond its anchor's reach.
    pub const NOBODY: Self = Self {
        namespace: 0,
        start: 0,
    };

    /// Appends the value as [`Setting::parse`] reads it.
    pub fn print(&self, line: &mut Line) {
        line.number(self.namespace).byte(b':').number(self.start);
    }
}

impl Setting for AnchorId {
    const VARIABLE: &'static Variable = &variables::ID;

    fn parse(value: &[u8]) -> Option<Self> {
        let (namespace, start) = pair(value)?;
        Some(Self { namespace, start })
    }
}

impl fmt::Display for AnchorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.namespace, self.start)
    }
}

/// The one process that `ANCHOR_SCOPE=self` is for, as its first load pins it: `self:PID:START`.
/// An exec keeps both numbers, a child has others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: Pid,
    /// Its start time in clock ticks since boot.
    pub start: u64,
}

impl Holder {
    /// Appends `PID:START`.
    pub fn print(&self, line: &mut Line) {
        line.number(self.pid.number()).byte(b':').number(self.start);
    }

    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let (pid, start) = pair(value)?;
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        Some(Self { pid, start })
    }
}

/// `NUMBER:NUMBER`.
fn pair(value: &[u8]) -> Option<(u64, u64)> {
    let mut parts = value.splitn(2, |byte| *byte == b':');
    Some((decimal(parts.next()?)?, decimal(parts.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::AnchorId;
    use crate::{Line, Setting};
    use std::string::ToString;

    #[test]
    fn a_printed_identity_reads_as_itself() {
        for (namespace, start) in [(4_026_531_836, 0), (1, 123_456), (u64::MAX, u64::MAX)] {
            let id = AnchorId { namespace, start };
            let mut line = Line::new();
            id.print(&mut line);
            assert_eq!(AnchorId::parse(line.as_bytes()), Some(id));
            assert_eq!(line.as_bytes(), id.to_string().as_bytes());
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", ":", "1", "1:", ":1", "1:2:3", "a:b", "-1:2", "1: 2"] {
            assert_eq!(AnchorId::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
