//! `--probe`: the command is run for a moment below a stand-in anchor, and what was really armed is looked at.
//!
//! anchored -> stand-in (the anchor) -> command -> what it starts. With `--pid` the anchor is no parent, and the command
//! is a child of this process instead: the kernel's own guard depends on that.

mod seen;
mod standing;
mod start;
mod tree;

use super::report::Probe;
use crate::cli::Line;
use crate::decide::Decision;
use crate::failure::Failure;
use crate::processes::{Entry, Handle};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::mkdtemp;
use seen::Seen;
use start::Start;
use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;
use tree::Tree;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(25);
/// Runs it, looks, and ends it.
pub fn probe(line: &Line, decision: &Decision) -> Result<Probe, Failure> {
    let library = decision.library.as_ref().map_err(Failure::own)?.0.clone();
    let folder = Folder::new()?;
    // ORDER: blocked before anything is there that a signal would leave behind.
    let mut signals = Signals::hold()?;
    let mut tree = Tree::begin().map_err(own)?;
    let mut line = line.clone();
    line.log = Some(folder.log().into());
    let start = Start {
        decision,
        mask: signals.before,
    };
    let (stand_in, command) = start.all(&line)?;
    let mut seen = Seen::of(stand_in, command, library, folder.log());
    let looked = seen.until_calm(&mut tree, &mut signals);
    let ended = !seen.lives(command);
    if let Some(handle) = Entry::of(stand_in).and_then(|entry| Handle::open(stand_in, entry.start)) {
        let _ = handle.signal(Signal::SIGKILL);
    }
    if looked.is_ok() {
        seen.let_end(&mut tree, &mut signals);
    }
    tree.end();
    looked?;
    Ok(seen.told(&line, ended))
}

fn own(errno: Errno) -> Failure {
    Failure::own(format_args!("--probe: {errno}"))
}

/// A private folder for the log, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        mkdtemp(&std::env::temp_dir().join("anchored.XXXXXX"))
            .map(Self)
            .map_err(own)
    }

    fn log(&self) -> PathBuf {
        self.0.join("log")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What would end this process comes as an answer instead, so that nothing is left behind.
struct Signals {
    come: SignalFd,
    /// What this process blocked before, and the command is to.
    before: SigSet,
}

impl Signals {
    fn hold() -> Result<Self, Failure> {
        let set: SigSet = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM]
            .into_iter()
            .collect();
        let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(own)?;
        let come = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map_err(own)?;
        Ok(Self { come, before })
    }

    /// Waits a moment. `Err`: somebody wants an end.
    fn nap(&mut self) -> Result<(), Failure> {
        let mut entry = [PollFd::new(self.come.as_fd(), PollFlags::POLLIN)];
        let _ = poll(
            &mut entry,
            PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO),
        );
        match self.come.read_signal() {
            Ok(Some(info)) => {
                let number = u8::try_from(info.ssi_signo).unwrap_or(0);
                Err(Failure::with(
                    128 + number,
                    format_args!("--probe: ended by signal {number}"),
                ))
            }
            _ => Ok(()),
        }
    }
}
