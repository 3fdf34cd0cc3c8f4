//! `ANCHOR_SIGNAL`: a signal by name or number, and its name for messages.

use crate::{Line, Setting, Variable, decimal, variables};

/// A signal that a process can be asked to end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(u8);

/// The last signal: a real-time one on Linux, SIGUSR2 on macOS, signal(7) and signal(3).
const LAST: u64 = if cfg!(target_os = "macos") { 31 } else { 64 };

/// 32 and 33 belong to the C library (nptl(7): cancellation, set*id); sending one from outside breaks a host.
const C_LIBRARY: [u64; 2] = [32, 33];

/// Whoever is asked with one of these is stopped, the watcher in it too: nobody would be left to kill it.
const STOPPING: [libc::c_int; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// The names that signal(7) and `kill -l` use, without `SIG`.
const NAMES: [(Name, libc::c_int); 25] = [
    (Name::of("TERM"), libc::SIGTERM),
    (Name::of("INT"), libc::SIGINT),
    (Name::of("HUP"), libc::SIGHUP),
    (Name::of("QUIT"), libc::SIGQUIT),
    (Name::of("KILL"), libc::SIGKILL),
    (Name::of("USR1"), libc::SIGUSR1),
    (Name::of("USR2"), libc::SIGUSR2),
    (Name::of("WINCH"), libc::SIGWINCH),
    (Name::of("ALRM"), libc::SIGALRM),
    (Name::of("ABRT"), libc::SIGABRT),
    (Name::of("PIPE"), libc::SIGPIPE),
    (Name::of("IO"), libc::SIGIO),
    (Name::of("CHLD"), libc::SIGCHLD),
    (Name::of("CONT"), libc::SIGCONT),
    (Name::of("URG"), libc::SIGURG),
    (Name::of("ILL"), libc::SIGILL),
    (Name::of("TRAP"), libc::SIGTRAP),
    (Name::of("BUS"), libc::SIGBUS),
    (Name::of("FPE"), libc::SIGFPE),
    (Name::of("SEGV"), libc::SIGSEGV),
    (Name::of("SYS"), libc::SIGSYS),
    (Name::of("XCPU"), libc::SIGXCPU),
    (Name::of("XFSZ"), libc::SIGXFSZ),
    (Name::of("VTALRM"), libc::SIGVTALRM),
    (Name::of("PROF"), libc::SIGPROF),
];

/// A name of at most six letters, filled up with zeros.
///
/// GUEST: letters and no reference to them. In a library each reference is a place that the dynamic loader has to
/// write to in every process, and these would be a third of all.
#[derive(Clone, Copy)]
struct Name([u8; 6]);

impl Name {
    #[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // while this is compiled
    const fn of(name: &str) -> Self {
        let (name, mut letters, mut place) = (name.as_bytes(), [0; 6], 0);
        while place < name.len() {
            letters[place] = name[place];
            place += 1;
        }
        Self(letters)
    }

    fn letters(&self) -> &[u8] {
        self.0.split(|letter| *letter == 0).next().unwrap_or_default()
    }
}

impl Signal {
    /// What a host is asked with unless it is said otherwise.
    pub const DEFAULT: Self = Self(libc::SIGTERM as u8);

    /// The number as the kernel wants it.
    #[must_use]
    pub const fn raw(self) -> i32 {
        self.0 as i32
    }

    /// The exit status by which a shell shows a death by this signal: 128 and its number.
    #[must_use]
    pub const fn exit_status(self) -> i32 {
        128_i32.saturating_add(self.raw())
    }

    /// Appends `SIGTERM`, or `signal 40` where there is no name.
    pub fn print(self, line: &mut Line) {
        match NAMES.iter().find(|(_, number)| *number == self.raw()) {
            Some((name, _)) => line.text("SIG").raw(name.letters()),
            None => line.text("signal ").number(u64::from(self.0)),
        };
    }

    fn from_number(number: u64) -> Option<Self> {
        let usable = (1..=LAST).contains(&number) && !C_LIBRARY.contains(&number);
        let signal = u8::try_from(number).ok().filter(|_| usable).map(Self)?;
        (!STOPPING.contains(&signal.raw())).then_some(signal)
    }
}

impl Setting for Signal {
    const VARIABLE: &'static Variable = &variables::SIGNAL;

    fn parse(value: &[u8]) -> Option<Self> {
        if let Some(number) = decimal(value) {
            return Self::from_number(number);
        }
        let name = match value.split_at_checked(3) {
            Some((prefix, name)) if prefix.eq_ignore_ascii_case(b"SIG") => name,
            _ => value,
        };
        let (_, number) = NAMES
            .iter()
            .find(|(known, _)| known.letters().eq_ignore_ascii_case(name))?;
        u64::try_from(*number).ok().and_then(Self::from_number)
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMES, Signal};
    use crate::{Line, Setting};
    use std::string::ToString;

    #[test]
    fn names_and_numbers_mean_the_same() {
        for text in ["TERM", "SIGTERM", "term", "sigterm", "15"] {
            assert_eq!(Signal::parse(text.as_bytes()), Some(Signal::DEFAULT), "{text}");
        }
        let real_time = (!cfg!(target_os = "macos")).then_some(40);
        assert_eq!(Signal::parse(b"40").map(Signal::raw), real_time);
    }

    #[test]
    fn every_name_is_printed_as_it_is_read() {
        for (name, number) in NAMES {
            let signal = Signal::parse(name.letters()).unwrap();
            assert_eq!(signal.raw(), number);
            let mut line = Line::new();
            signal.print(&mut line);
            assert_eq!(Signal::parse(line.as_bytes()), Some(signal));
        }
    }

    #[test]
    fn what_would_stop_or_break_the_host_is_refused() {
        for bad in [
            "STOP",
            "SIGTSTP",
            "TTIN",
            "TTOU",
            "32",
            "33",
            "0",
            "65",
            "SIG",
            "TERMINATE",
            "-15",
        ] {
            assert_eq!(Signal::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Signal::parse(libc::SIGSTOP.to_string().as_bytes()), None);
    }
}
