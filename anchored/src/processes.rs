//! The processes of this machine, and the one safe way to signal one: through a pidfd that was opened first and whose
//! identity was compared second.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// A process at one moment: what `/proc/PID/stat` said, proc_pid_stat(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub pid: i32,
    pub parent: i32,
    /// In clock ticks since boot: with the number, who it is.
    pub start: u64,
    pub state: u8,
    pub name: String,
}

impl Entry {
    /// What is there now. `None` where nobody has the number.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name may hold anything, parentheses and line breaks included: it ends at the last parenthesis.
        let (open, close) = (
            stat.iter().position(|byte| *byte == b'(')?,
            stat.iter().rposition(|byte| *byte == b')')?,
        );
        let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
        let rest = std::str::from_utf8(stat.get(close + 2..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            start: fields.get(19)?.parse().ok()?,
            state: *fields.first()?.as_bytes().first()?,
            name,
        })
    }

    /// Whether it is dead and only waits to be reaped.
    pub fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }
}

/// Every process that can be seen.
pub fn all() -> Vec<Entry> {
    let Ok(folder) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = folder
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(Entry::of).collect()
}

/// A handle of a process that is known to be the one that was meant.
#[derive(Debug)]
pub struct Handle(OwnedFd);

impl Handle {
    /// Opens a pidfd, and only then compares the start time.
    ///
    /// RACE: compared first and opened afterwards, 1. the start time is the right one  2. the process dies and its number
    ///   is given to another  3. the pidfd is of that one, and is signalled. With the pidfd first, 2 can only come
    ///   before it, and then the start time differs.
    pub fn open(pid: i32, start: u64) -> Option<Self> {
        // SAFETY: makes a new descriptor, pidfd_open(2).
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
        // SAFETY: new, and nobody else's.
        let handle = Self(unsafe { OwnedFd::from_raw_fd(fd) });
        (Entry::of(pid)?.start == start).then_some(handle)
    }

    /// Sends a signal, pidfd_send_signal(2). ESRCH where the process is dead by now.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        self.send(signal as i32)
    }

    /// As [`Handle::signal`], by number: the real-time ones have no name.
    pub fn send(&self, number: i32) -> Result<(), Errno> {
        let fd = self.0.as_raw_fd();
        // SAFETY: numbers only, no information.
        let sent = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                fd,
                number,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        Errno::result(sent).map(drop)
    }

    /// Whether the process is dead, reaped or not.
    pub fn is_dead(&self) -> bool {
        let mut entry = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut entry, PollTimeout::ZERO);
        entry[0]
            .revents()
            .is_some_and(|is| is.contains(PollFlags::POLLIN))
    }

    /// The descriptor: it becomes readable when the process is dead.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.0
    }
}
