//! The same watcher with std: the anchor by number and identity, a pidfd, a thread that waits, SIGTERM, the grace,
//! SIGKILL; again after each fork. What it costs more is what libanchor is without std for.

use anchor_contract::{AnchorId, Pid, Setting, StatLine};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::time::Duration;

/// As `ANCHOR_GRACE` is by default.
const GRACE: Duration = Duration::from_secs(10);

static HANDLE: OnceLock<File> = OnceLock::new();

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = load;

extern "C" fn load() {
    let Some(handle) = anchor() else { return };
    let _ = HANDLE.set(handle);
    start();
    // SAFETY: `start` lives as long as the program.
    unsafe { libc::pthread_atfork(None, None, Some(start_again)) };
}

extern "C" fn start_again() {
    start();
}

/// Opens first and compares second.
fn anchor() -> Option<File> {
    let pid = Pid::parse(std::env::var("ANCHOR_PID").ok()?.as_bytes())?;
    // SAFETY: makes a descriptor, or answers with an error.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.raw(), 0) };
    let raw = i32::try_from(raw).ok().filter(|raw| *raw >= 0)?;
    // SAFETY: it is new, and nobody else's.
    let handle = unsafe { File::from_raw_fd(raw) };
    if let Ok(id) = std::env::var("ANCHOR_ID") {
        let id = AnchorId::parse(id.as_bytes())?;
        let same = match id.mark {
            Some(mark) => handle.metadata().ok()?.ino() == mark,
            None => {
                let stat = std::fs::read(format!("/proc/{}/stat", pid.raw())).ok()?;
                let namespace = std::fs::metadata("/proc/self/ns/pid").ok()?.ino();
                (namespace, StatLine::parse(&stat)?.start()?) == (id.namespace, id.start)
            }
        };
        same.then_some(())?;
    }
    Some(handle)
}

fn start() {
    // The thread inherits the mask: it is not to take the host's signals.
    let [mut all, mut before] = [const { std::mem::MaybeUninit::<libc::sigset_t>::uninit() }; 2];
    // SAFETY: fills what is given.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: both are sets, the first one is filled.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    let _ = std::thread::Builder::new().stack_size(64 * 1024).spawn(watch);
    // SAFETY: the call before has filled it.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
}

#[allow(clippy::disallowed_methods)] // the grace
fn watch() {
    let Some(handle) = HANDLE.get() else { return };
    let mut entry = libc::pollfd {
        fd: handle.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry, which lives.
    while unsafe { libc::poll(&mut entry, 1, -1) } != 1 {}
    let own = std::process::id().cast_signed();
    // SAFETY: the own process.
    unsafe { libc::kill(own, libc::SIGTERM) };
    std::thread::sleep(GRACE);
    // SAFETY: as above.
    unsafe { libc::kill(own, libc::SIGKILL) };
}
