//! The kernel's process table: since when a number has been a process's, and whether that one is alive.

use super::call::{check, errno};
use crate::sys::Errno;
use crate::sys::waiting::Info;
use anchor_contract::Pid;
use core::mem::MaybeUninit;

/// `SZOMB`, XNU's bsd/sys/proc.h.
const ZOMBIE: u32 = 5;

/// proc_pidinfo, `PROC_PIDTBSDINFO`: for processes of one's own user, and for root.
pub fn info(pid: Pid) -> Result<Info, Errno> {
    /// "Look among zombies too", XNU's bsd/kern/proc_info.c.
    const ZOMBIES_TOO: u64 = 1;
    /// `PROC_FLAG_INEXIT`, XNU's bsd/sys/proc_info.h.
    const IN_EXIT: u32 = 4;
    let mut answer = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = size_of::<libc::proc_bsdinfo>();
    let (place, length) = (answer.as_mut_ptr().cast(), i32::try_from(size).unwrap_or(0));
    // SAFETY: room for one answer of the length that is given.
    let got = unsafe { libc::proc_pidinfo(pid.raw(), libc::PROC_PIDTBSDINFO, ZOMBIES_TOO, place, length) };
    if got <= 0 {
        return Err(Errno(errno()));
    }
    if got < length {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: filled in by the call that has just succeeded, and of numbers only.
    let answer = unsafe { answer.assume_init() };
    Ok(Info {
        start: micros(answer.pbi_start_tvsec, answer.pbi_start_tvusec),
        zombie: answer.pbi_status == ZOMBIE,
        exiting: answer.pbi_flags & IN_EXIT != 0,
    })
}

/// The part of `struct kinfo_proc` that is looked at, XNU's bsd/sys/sysctl.h and bsd/sys/proc.h for 64-bit programs. It
/// is what ps(1) is made of, and has not changed since there are such programs.
#[repr(C)]
struct Entry {
    start_seconds: i64,
    start_micros: i32,
    unused: [i32; 5],
    flags: i32,
    state: u8,
    also_unused: [u8; 3],
    pid: i32,
    rest: [u8; 604],
}

const _: () = assert!(size_of::<Entry>() == 648, "kinfo_proc of 64-bit programs");

/// sysctl(3), `KERN_PROC_PID`: for processes of every user.
pub fn entry(pid: Pid) -> Result<Info, Errno> {
    /// `P_WEXIT`, XNU's bsd/sys/proc.h.
    const IN_EXIT: i32 = 0x2000;
    let mut name = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid.raw()];
    let (mut answer, mut length) = (MaybeUninit::<Entry>::zeroed(), size_of::<Entry>());
    let (place, none) = (answer.as_mut_ptr().cast(), core::ptr::null_mut());
    // SAFETY: a name of four numbers, room for one answer of the length that is given, nothing to be set.
    check(unsafe { libc::sysctl(name.as_mut_ptr(), 4, place, &raw mut length, none, 0) })?;
    if length == 0 {
        return Err(Errno(libc::ESRCH));
    }
    // SAFETY: of numbers only, for which zero is a value.
    let answer = unsafe { answer.assume_init() };
    if length != size_of::<Entry>() || answer.pid != pid.raw() {
        return Err(Errno(libc::EINVAL));
    }
    let seconds = u64::try_from(answer.start_seconds).unwrap_or(0);
    Ok(Info {
        start: micros(seconds, u64::try_from(answer.start_micros).unwrap_or(0)),
        zombie: u32::from(answer.state) == ZOMBIE,
        exiting: answer.flags & IN_EXIT != 0,
    })
}

fn micros(seconds: u64, rest: u64) -> u64 {
    seconds.saturating_mul(1_000_000).saturating_add(rest)
}
