//! The kernel's process table: sysctl(3), `KERN_PROC`, which ps(1) is made of; and the numbers of birth.

use super::info::{self, Plain, text};
use crate::processes::Entry;
use std::ptr::null_mut;

/// `struct kinfo_proc` of 64-bit programs, XNU's bsd/sys/sysctl.h and bsd/sys/proc.h: what is looked at, and room for the
/// rest. It has not changed since there are such programs.
#[repr(C)]
#[derive(Clone, Copy)]
struct Row {
    start_seconds: i64,
    start_micros: i32,
    unused: [i32; 5],
    flags: i32,
    state: u8,
    also_unused: [u8; 3],
    pid: i32,
    unused_up_to_signals: [u8; 192],
    caught: u32,
    priorities: [u8; 3],
    name: [libc::c_char; 17],
    unused_up_to_parent: [u8; 300],
    parent: i32,
    rest: [u8; 84],
}

const _: () = assert!(size_of::<Row>() == 648);
const _: () = assert!(std::mem::offset_of!(Row, pid) == 40);
const _: () = assert!(std::mem::offset_of!(Row, caught) == 236);
const _: () = assert!(std::mem::offset_of!(Row, name) == 243);
const _: () = assert!(std::mem::offset_of!(Row, parent) == 560);

/// `P_SUGID`, `P_WEXIT`: XNU's bsd/sys/proc.h.
const SET_ID: i32 = 0x100;
const IN_EXIT: i32 = 0x2000;

impl Row {
    const EMPTY: Self = Self {
        start_seconds: 0,
        start_micros: 0,
        unused: [0; 5],
        flags: 0,
        state: 0,
        also_unused: [0; 3],
        pid: 0,
        unused_up_to_signals: [0; 192],
        caught: 0,
        priorities: [0; 3],
        name: [0; 17],
        unused_up_to_parent: [0; 300],
        parent: 0,
        rest: [0; 84],
    };

    fn entry(&self) -> Entry {
        let seconds = u64::try_from(self.start_seconds).unwrap_or(0);
        let micros = u64::try_from(self.start_micros).unwrap_or(0);
        Entry {
            pid: self.pid,
            parent: self.parent,
            start: seconds.saturating_mul(1_000_000).saturating_add(micros),
            state: match u32::from(self.state) {
                libc::SZOMB => b'Z',
                // None of its code runs any more, and kevent(2) does not find it.
                _ if self.flags & IN_EXIT != 0 => b'X',
                libc::SSTOP => b'T',
                libc::SIDL => b'I',
                _ => b'S',
            },
            name: String::from_utf8_lossy(&text(&self.name)).into_owned(),
        }
    }
}

/// What is there now. `None` where nobody has the number.
pub fn entry(pid: i32) -> Option<Entry> {
    row(pid).map(|row| row.entry())
}

/// Every process that can be seen.
pub fn all() -> Vec<Entry> {
    let mut name = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_ALL];
    // More are made between the two calls; and ENOMEM if there are too many of those.
    for _ in 0..8 {
        let Some(length) = ask(&mut name, &mut []) else {
            break;
        };
        let mut rows = vec![Row::EMPTY; length / size_of::<Row>() + 64];
        if let Some(length) = ask(&mut name, &mut rows) {
            rows.truncate(length / size_of::<Row>());
            return rows
                .iter()
                .map(Row::entry)
                .filter(|entry| entry.pid > 0)
                .collect();
        }
    }
    Vec::new()
}

/// Whether its numbers are those that mean something here: there are no others.
pub fn is_ours() -> Result<(), &'static str> {
    Ok(())
}

/// Whether it is set-id, or has changed its ids since its exec.
pub fn is_set_id(pid: i32) -> bool {
    row(pid).is_some_and(|row| row.flags & SET_ID != 0)
}

/// Whether it has a handler for a signal.
pub fn catches(pid: i32, signal: i32) -> bool {
    let bit = u32::try_from(signal - 1)
        .ok()
        .and_then(|bit| 1_u32.checked_shl(bit));
    row(pid).is_some_and(|row| row.caught & bit.unwrap_or(0) != 0)
}

/// `struct proc_uniqidentifierinfo`, XNU's bsd/sys/proc_info_private.h, which says that its size stays.
#[repr(C)]
#[derive(Clone, Copy)]
struct Births {
    image: [u8; 16],
    own: u64,
    maker: u64,
    rest: [u64; 3],
}

const _: () = assert!(size_of::<Births>() == 56);

// SAFETY: numbers only.
unsafe impl Plain for Births {}

/// The numbers that a process and whoever made it were given at their birth: no other process of this boot has them, and
/// they stay when it is executed, orphaned or debugged. `None` for a zombie, or where the kernel does not say.
pub fn births(pid: i32) -> Option<(u64, u64)> {
    /// `PROC_PIDUNIQIDENTIFIERINFO`, bsd/sys/proc_info_private.h. For processes of every user.
    const FLAVOR: i32 = 17;
    info::one::<Births>(pid, FLAVOR, 0).map(|births| (births.own, births.maker))
}

fn row(pid: i32) -> Option<Row> {
    let mut name = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid];
    let mut row = [Row::EMPTY];
    let length = ask(&mut name, &mut row)?;
    Some(row[0]).filter(|row| length == size_of::<Row>() && row.pid == pid)
}

/// The length of the answer; without room, of the one that there would be.
fn ask(name: &mut [i32], room: &mut [Row]) -> Option<usize> {
    let mut length = size_of_val(room);
    let place = if room.is_empty() {
        null_mut()
    } else {
        room.as_mut_ptr().cast()
    };
    let count = u32::try_from(name.len()).ok()?;
    // SAFETY: a name of so many numbers, room for an answer of the length that is given, nothing to be set.
    let got = unsafe { libc::sysctl(name.as_mut_ptr(), count, place, &raw mut length, null_mut(), 0) };
    (got == 0).then_some(length)
}
