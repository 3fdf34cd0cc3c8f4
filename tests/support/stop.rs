//! Holding a thread of the library's at a place of `src/stops.rs`: a test's side.

use super::wait_until;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Where a thread of ours is held: the Nth time that a process and those that it was forked from come there.
pub struct Stop {
    folder: tempfile::TempDir,
    place: &'static str,
    go: Vec<OwnedFd>,
}

impl Stop {
    pub fn new(place: &'static str, arrivals: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let go = Vec::new();
        let stop = Self { folder, place, go };
        (1..=arrivals).for_each(|arrival| stop.set(arrival));
        stop
    }

    fn set(&self, arrival: usize) {
        for end in ["", ".go"] {
            mkfifo(&self.path(arrival, end), Mode::S_IRWXU).unwrap();
        }
    }

    fn path(&self, arrival: usize, end: &str) -> PathBuf {
        self.folder.path().join(format!("at.{arrival}{end}"))
    }

    /// For one who comes there a second time for the `arrival`th time.
    pub fn set_again(&self, arrival: usize) {
        for end in ["", ".go"] {
            std::fs::remove_file(self.path(arrival, end)).unwrap();
        }
        self.set(arrival);
    }

    /// What tells the library, in a host's environment.
    pub fn variable(&self) -> String {
        let path = self.folder.path().join("at");
        format!("LIBANCHOR_STOPS_AT={}={}", self.place, path.display())
    }

    /// Waits until a thread is there. KERNEL: a FIFO without a reader is not opened for writing, fifo(7).
    pub fn reached(&self, arrival: usize) {
        wait_until(&format!("{} is reached, time {arrival}", self.place), || {
            self.is_reached(arrival)
        });
    }

    /// Whether one is there by now; it is said once.
    pub fn is_reached(&self, arrival: usize) -> bool {
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        open(&self.path(arrival, ""), flags, Mode::empty()).is_ok()
    }

    /// Lets it go on.
    pub fn go(&mut self, arrival: usize) {
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
        self.go
            .push(open(&self.path(arrival, ".go"), flags, Mode::empty()).unwrap());
    }
}
