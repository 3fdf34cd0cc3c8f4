//! A process that is more than a number: proc(5) on Linux, proc_pidinfo on macOS.

use anchor_contract::{AnchorId, Pid, decimal, status_value};

/// A process by its number and its identity: the number may be another's one day, both together will not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// Who it is.
    pub id: AnchorId,
}

/// Whether some process has this number.
#[allow(unsafe_code)]
pub fn exists(pid: Pid) -> bool {
    // SAFETY: sends nothing, kill(2).
    let found = unsafe { libc::kill(pid.raw(), 0) } == 0;
    found || std::io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// Of which process this is a thread that is not its first: such a number is found by kill(2) and in `/proc` as well,
/// proc_pid_status(5). Elsewhere than on Linux threads have none.
pub(crate) fn thread_of(number: Pid) -> Option<u32> {
    if cfg!(not(target_os = "linux")) {
        return None;
    }
    let status = std::fs::read(format!("/proc/{}/status", number.raw())).ok()?;
    let group = status_value(&status, "Tgid").and_then(decimal)?;
    (group != number.number()).then(|| u32::try_from(group).ok())?
}

impl Process {
    /// The process that has this number now. `None` where nobody has, or its identity cannot be read.
    pub fn of(pid: Pid) -> Option<Self> {
        identity(pid).map(|id| Self { pid, id })
    }

    /// Whether the process is still there, if only as a zombie.
    pub fn is_there(&self) -> bool {
        identity(self.pid).is_some_and(|found| found.agrees_with(self.id))
    }
}

#[cfg(target_os = "linux")]
fn identity(pid: Pid) -> Option<AnchorId> {
    use crate::pidfd;
    use anchor_contract::StatLine;
    use std::os::unix::fs::MetadataExt;
    // ORDER: before the rest is read, and asked again after it: then all of it is one process's.
    let pinned = pidfd::open(pid);
    let stat = std::fs::read(format!("/proc/{}/stat", pid.raw())).ok()?;
    Some(AnchorId {
        namespace: std::fs::metadata("/proc/self/ns/pid").ok()?.ino(),
        start: StatLine::parse(&stat)?.start()?,
        mark: pinned.and_then(|pinned| pidfd::mark_while_alive(&pinned)),
    })
}

#[cfg(target_os = "macos")]
#[allow(unsafe_code)]
fn identity(pid: Pid) -> Option<AnchorId> {
    let mut answer = std::mem::MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let length = i32::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    let place = answer.as_mut_ptr().cast();
    // SAFETY: room for one answer of the length that is given; zombies too.
    let got = unsafe { libc::proc_pidinfo(pid.raw(), libc::PROC_PIDTBSDINFO, 1, place, length) };
    if got < length {
        return None;
    }
    // SAFETY: filled in by the call, and of numbers only.
    let answer = unsafe { answer.assume_init() };
    Some(AnchorId {
        namespace: 0,
        start: answer.pbi_start_tvsec * 1_000_000 + answer.pbi_start_tvusec,
        mark: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Process, exists};
    use anchor_contract::Pid;

    #[test]
    fn a_process_is_itself_and_no_other() {
        let pid = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        let own = Process::of(pid).unwrap();
        assert!(own.is_there() && exists(pid));
        let mut other = own;
        other.id.start += 1;
        assert!(!other.is_there());
    }
}
