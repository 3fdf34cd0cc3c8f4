//! `/proc/PID/stat`: state, start time and where the environment was put, proc_pid_stat(5).

use super::call::Errno;
use super::file::File;
use super::proc::open_stat;
use anchor_contract::{Pid, StatLine};

/// What we need of `/proc/PID/stat`, proc_pid_stat(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    state: u8,
    /// Field 20: how many threads the process has.
    pub threads: u64,
    /// Field 22: when the process started, in clock ticks since boot.
    pub start: u64,
    /// Fields 50 and 51: where the environment was put at exec.
    environment: (usize, usize),
}

impl Stat {
    /// Reads the line.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let line = StatLine::parse(text)?;
        let address = |field| {
            line.count(field)
                .and_then(|address| usize::try_from(address).ok())
                .unwrap_or(0)
        };
        Some(Self {
            state: line.state()?,
            threads: line.count(20)?,
            start: line.start()?,
            environment: (address(50), address(51)),
        })
    }

    /// Whether the whole process is dead: a zombie or beyond. A zombie with more than one thread is a main thread
    /// that has ended before the others; such a process lives.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x') && self.threads <= 1
    }

    /// Whether the main thread has ended and one other is left.
    pub fn only_a_thread_is_left(&self) -> bool {
        self.state == b'Z' && self.threads == 2
    }

    /// Where the environment was put at exec, as `start..end`.
    pub fn environment(&self) -> (usize, usize) {
        self.environment
    }
}

/// An open `/proc/PID/stat`.
pub struct StatFile(File);

impl StatFile {
    /// Opens the file of process `pid`, if it can be seen.
    pub fn open(pid: Pid) -> Option<Self> {
        open_stat(pid).ok().map(Self)
    }

    /// What it says now. ESRCH: the process that it was opened for is gone.
    pub fn read(&self) -> Result<Stat, Errno> {
        let mut buffer = [0; 1024];
        Stat::parse(self.0.read_at(&mut buffer, 0)?).ok_or(Errno(libc::EINVAL))
    }
}

/// What `/proc/PID/stat` says of `pid`, if that can be seen.
pub fn stat(pid: Pid) -> Option<Stat> {
    StatFile::open(pid)?.read().ok()
}

/// What `/proc/self/stat` says.
pub fn own_stat() -> Option<Stat> {
    StatFile(File::open(c"/proc/self/stat").ok()?).read().ok()
}

#[cfg(test)]
mod tests {
    use super::{Stat, own_stat, stat};
    use anchor_contract::Pid;

    fn line(name: &str, state: char, threads: u32) -> Vec<u8> {
        let middle = "1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0";
        let mut text = format!("12 ({name}) {state} {middle} {threads} 0 4711").into_bytes();
        text.extend_from_slice(b" 0".repeat(27).as_slice());
        text.extend_from_slice(b" 100 200 0\n");
        text
    }

    #[test]
    fn fields_are_counted_from_the_last_parenthesis() {
        for name in ["sh", "a b", "a) R 1 2 3", ") Z 1 1", "((", "))", ""] {
            let stat = Stat::parse(&line(name, 'S', 3)).unwrap();
            assert_eq!(
                (stat.state, stat.threads, stat.start),
                (b'S', 3, 4711),
                "{name:?}"
            );
            assert_eq!(stat.environment(), (100, 200), "{name:?}");
        }
    }

    #[test]
    fn a_zombie_with_living_threads_is_not_dead() {
        assert!(Stat::parse(&line("sh", 'Z', 1)).unwrap().is_dead());
        assert!(Stat::parse(&line("sh", 'X', 0)).unwrap().is_dead());
        assert!(!Stat::parse(&line("sh", 'Z', 2)).unwrap().is_dead());
        assert!(!Stat::parse(&line("sh", 'T', 1)).unwrap().is_dead());
        assert!(Stat::parse(&line("sh", 'Z', 2)).unwrap().only_a_thread_is_left());
        assert!(!Stat::parse(&line("sh", 'S', 2)).unwrap().only_a_thread_is_left());
    }

    #[test]
    fn what_is_cut_short_is_no_answer() {
        let whole = line("sh", 'S', 1);
        for length in 0..whole.len() - 90 {
            assert_eq!(Stat::parse(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn the_kernel_writes_what_we_read() {
        let own = own_stat().unwrap();
        let same = stat(Pid::from_raw(std::process::id() as i32).unwrap()).unwrap();
        assert_eq!((same.start, same.environment()), (own.start, own.environment()));
        assert!(!own.is_dead());
        assert!(own.environment().0 < own.environment().1);
    }
}
