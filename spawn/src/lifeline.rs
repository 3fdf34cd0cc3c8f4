//! A lifeline: an end of a pipe or socket that a program inherits, whose hang-up is the anchor's death.

use crate::Error;
use anchor_contract::{AnchorFd, FileId};
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::FromRawFd;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// The end that programs are given. They find it under the number that it has here.
#[derive(Clone, Debug)]
pub struct Lifeline {
    /// `None` where the caller keeps it open.
    end: Option<Arc<OwnedFd>>,
    value: AnchorFd,
}

impl Lifeline {
    /// This process's: a pipe, made once, whose other end this process keeps until it ends. So nobody has to keep
    /// anything, and however the process ends, its programs hear of it.
    ///
    /// That other end is close-on-exec from the first, so no program of any thread inherits it. A fork of this process
    /// that never execs does: while it lives, nobody hangs up.
    pub fn of_this_process() -> Result<Self, Error> {
        static OWN: Mutex<Option<Lifeline>> = Mutex::new(None);
        let mut own = OWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(lifeline) = &*own {
            return Ok(lifeline.clone());
        }
        let (programs, ours) = pipe().map_err(Error::Pipe)?;
        let lifeline = Self::new(programs)?;
        std::mem::forget(ours);
        Ok(own.insert(lifeline).clone())
    }

    /// An end of the caller's making: of a pipe, or of a stream socket that is connected. Whoever holds the other end is
    /// the anchor; it must not come into a program by the way, so it must be close-on-exec.
    ///
    /// # Errors
    /// [`Error::Lifeline`] where it is none that could hang up.
    pub fn new(end: OwnedFd) -> Result<Self, Error> {
        let mut lifeline = Self::at(end.as_raw_fd())?;
        lifeline.end = Some(Arc::new(end));
        Ok(lifeline)
    }

    /// The same for a descriptor that this process has inherited, and has open for as long as it starts programs.
    pub fn at(number: RawFd) -> Result<Self, Error> {
        let refused = |why: &str| Error::Lifeline(number, why.to_owned());
        if cfg!(target_os = "macos") {
            return Err(refused("not offered on macOS"));
        }
        let file = looked_at(number).map_err(|error| match error {
            Unfit::Not(why) => refused(why),
            Unfit::Error(error) => refused(&plain(&error)),
        })?;
        let value = AnchorFd::new(number, Some(file)).ok_or_else(|| refused("no number of a descriptor"))?;
        Ok(Self { end: None, value })
    }

    /// The value of `ANCHOR_FD`.
    pub fn value(&self) -> AnchorFd {
        self.value
    }

    /// Has a command inherit it.
    pub(crate) fn hand_down(&self, command: &mut Command) {
        let (kept, number) = (self.end.clone(), self.value.raw());
        let inherit = move || {
            let _kept = &kept;
            clear_close_on_exec(number)
        };
        #[allow(unsafe_code)]
        // SAFETY: system calls only, nothing that allocates or locks.
        unsafe {
            command.pre_exec(inherit)
        };
    }
}

enum Unfit {
    Not(&'static str),
    Error(io::Error),
}

/// Which file it is, if that can hang up.
fn looked_at(number: RawFd) -> Result<FileId, Unfit> {
    let stat = stat_of(number).map_err(Unfit::Error)?;
    match stat.st_mode & libc::S_IFMT {
        libc::S_IFIFO if !is_one_end(number) => return Err(Unfit::Not("not one end alone")),
        libc::S_IFIFO => {}
        libc::S_IFSOCK if !is_stream(number) => {
            return Err(Unfit::Not("a socket of this kind never hangs up"));
        }
        libc::S_IFSOCK if !is_connected(number) => return Err(Unfit::Not("a socket that is not connected")),
        libc::S_IFSOCK => {}
        _ => return Err(Unfit::Not("neither a pipe nor a socket")),
    }
    // As the kernel has them: macOS has smaller numbers, and no lifelines.
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)]
    let file = FileId {
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
    };
    Ok(file)
}

#[allow(unsafe_code)]
fn stat_of(number: RawFd) -> io::Result<libc::stat> {
    let mut stat = std::mem::MaybeUninit::zeroed();
    // SAFETY: room for one answer, fstat(2).
    checked(unsafe { libc::fstat(number, stat.as_mut_ptr()) })?;
    // SAFETY: filled in, and of numbers only.
    Ok(unsafe { stat.assume_init() })
}

/// A FIFO that is open for both is its own other end, and one that is open for nothing (`O_PATH`) has none.
#[allow(unsafe_code)]
fn is_one_end(number: RawFd) -> bool {
    #[cfg(target_os = "linux")]
    const NONE: i32 = libc::O_PATH;
    #[cfg(not(target_os = "linux"))]
    const NONE: i32 = 0;
    // SAFETY: numbers only, fcntl(2).
    let flags = unsafe { libc::fcntl(number, libc::F_GETFL) };
    flags == -1 || flags & (libc::O_RDWR | NONE) == 0
}

#[allow(unsafe_code)]
fn is_stream(number: RawFd) -> bool {
    let (mut kind, mut length) = (0_i32, 4);
    let place = (&raw mut kind).cast();
    // SAFETY: room for one number of the length that is given, getsockopt(2).
    let got = unsafe { libc::getsockopt(number, libc::SOL_SOCKET, libc::SO_TYPE, place, &raw mut length) };
    got == 0 && matches!(kind, libc::SOCK_STREAM | libc::SOCK_SEQPACKET)
}

#[allow(unsafe_code)]
fn is_connected(number: RawFd) -> bool {
    let (mut address, mut length) = ([0_u64; 16], 128);
    let place = address.as_mut_ptr().cast();
    // SAFETY: room for an address of the length that is given, getpeername(2).
    let got = unsafe { libc::getpeername(number, place, &raw mut length) };
    got == 0
}

#[allow(unsafe_code)]
fn clear_close_on_exec(number: RawFd) -> io::Result<()> {
    // SAFETY: numbers only, fcntl(2).
    let flags = checked(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    // SAFETY: as above.
    checked(unsafe { libc::fcntl(number, libc::F_SETFD, flags & !libc::FD_CLOEXEC) }).map(drop)
}

/// A pipe whose ends no program inherits unless it is to, and which leave the standard descriptors alone. First the end
/// to read from.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, pipe2(2).
    checked(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    let beyond = |end: RawFd| -> io::Result<OwnedFd> {
        // SAFETY: made above, and owned from here on.
        let end = unsafe { OwnedFd::from_raw_fd(end) };
        if end.as_raw_fd() > 2 {
            return Ok(end);
        }
        // SAFETY: makes a new descriptor.
        let moved = checked(unsafe { libc::fcntl(end.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 3) })?;
        // SAFETY: it is owned from here on.
        Ok(unsafe { OwnedFd::from_raw_fd(moved) })
    };
    Ok((beyond(ends[0])?, beyond(ends[1])?))
}

#[cfg(not(target_os = "linux"))]
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Err(io::ErrorKind::Unsupported.into())
}

fn checked(answer: i32) -> io::Result<i32> {
    if answer == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(answer)
    }
}

fn plain(error: &io::Error) -> String {
    if error.raw_os_error() == Some(libc::EBADF) {
        return "closed".to_owned();
    }
    error.to_string()
}
