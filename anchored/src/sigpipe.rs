//! SIGPIPE as the caller had it. Rust's runtime ignores it before `main`, and resets it for a command that it starts; a
//! command whose caller ignores it (`trap '' PIPE`) is to find it ignored.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

static IGNORED: AtomicBool = AtomicBool::new(false);

extern "C" fn look() {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks, and sets nothing; room for one answer.
    let asked = unsafe { libc::sigaction(libc::SIGPIPE, std::ptr::null(), now.as_mut_ptr()) };
    // SAFETY: zero is a value of each of its fields.
    let now = unsafe { now.assume_init() };
    IGNORED.store(asked == 0 && now.sa_sigaction == libc::SIG_IGN, Ordering::Relaxed);
}

/// ORDER: before the runtime, which is before `main`.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
static LOOK: extern "C" fn() = look;

/// Has the command begin with the caller's disposition.
pub fn hand_on(command: &mut Command) {
    let ignore = || {
        // SAFETY: no handler is set, and nobody else is here: the command is about to be executed.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        Ok(())
    };
    if IGNORED.load(Ordering::Relaxed) {
        // SAFETY: one system call.
        unsafe { command.pre_exec(ignore) };
    }
}
