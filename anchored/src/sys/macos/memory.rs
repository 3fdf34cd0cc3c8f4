//! What a process was started with, and what is in its memory.
//!
//! The blocks of its start are read from its memory, sysctl(3), `KERN_PROCARGS2`: what it has put there since is not seen,
//! nor what it has written over. Nothing is read of other users' processes, unless root looks; and nobody reads the
//! environment of a program that System Integrity Protection restricts, which is most of Apple's own
//! (`sysctl_procargsx` in XNU's bsd/kern/kern_sysctl.c).

use super::info::{self, Plain};
use super::process_table;
use crate::sys::procargs::{self, ProcArgs};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::ptr::null_mut;

/// The environment, an entry and a NUL after the other. `None` where it cannot be read, or is empty.
pub fn environment(pid: i32) -> Option<Vec<u8>> {
    let environment = blocks(pid)?.environment;
    (!environment.is_empty()).then_some(environment)
}

/// Its arguments, its own name first. None where they cannot be read.
pub fn arguments(pid: i32) -> Vec<Vec<u8>> {
    blocks(pid).unwrap_or_default().arguments
}

/// The file that it runs, proc_pidpath.
pub fn program(pid: i32) -> Option<PathBuf> {
    let mut path = vec![0_u8; usize::try_from(libc::PROC_PIDPATHINFO_MAXSIZE).ok()?];
    let room = u32::try_from(path.len()).ok()?;
    // SAFETY: room for so many bytes.
    let got = unsafe { libc::proc_pidpath(pid, path.as_mut_ptr().cast(), room) };
    path.truncate(usize::try_from(got).ok().filter(|length| *length > 0)?);
    Some(OsString::from_vec(path).into())
}

/// Whether it runs the file that this process runs.
pub fn runs_ours(pid: i32) -> bool {
    let file = |path: PathBuf| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    let own = std::env::current_exe().ok().and_then(file);
    own.is_some() && program(pid).and_then(file) == own
}

/// `struct proc_regionwithpathinfo`, XNU's bsd/sys/proc_info.h.
#[repr(C)]
#[derive(Clone, Copy)]
struct Region {
    unused: [u64; 10],
    address: u64,
    size: u64,
    file: libc::vnode_info_path,
}

const _: () = assert!(std::mem::offset_of!(Region, file) == 96);

// SAFETY: numbers only.
unsafe impl Plain for Region {}

/// Whether the library is in its memory.
pub fn has_library(pid: i32) -> bool {
    /// `PROC_PIDREGIONPATHINFO`, bsd/sys/proc_info.h: the first region that ends behind an address.
    const FLAVOR: i32 = 8;
    /// More than any process has, so that this ends in one that makes others faster than it is looked at.
    const MOST: usize = 65_536;
    let mut address = 0;
    let mut regions = std::iter::from_fn(|| {
        let region = info::one::<Region>(pid, FLAVOR, address)?;
        address = region.address.checked_add(region.size.max(1))?;
        Some(region)
    });
    regions.by_ref().take(MOST).any(|region| {
        let path = info::text(region.file.vip_path.as_flattened());
        let name = path.rsplit(|byte| *byte == b'/').next();
        name.is_some_and(|name| name.starts_with(b"libanchor"))
    })
}

/// Why its loader puts no library into it that the environment names, where that can be seen.
pub fn takes_no_library(pid: i32) -> Option<&'static str> {
    process_table::is_set_id(pid).then_some("set-id")
}

fn blocks(pid: i32) -> Option<ProcArgs> {
    /// `ARG_MAX`, XNU's bsd/sys/syslimits.h: as much as there can be, and as is taken at most.
    ///
    /// KERNEL: where there is less room than text, the *end* of the text is given, behind the number of arguments.
    const MOST: usize = 1024 * 1024;
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let (mut block, mut length) = (vec![0_u8; MOST], MOST);
    let place = block.as_mut_ptr().cast();
    // SAFETY: a name of three numbers, room for an answer of the length that is given, nothing to be set.
    let got = unsafe { libc::sysctl(name.as_mut_ptr(), 3, place, &raw mut length, null_mut(), 0) };
    let block = block.get(..length).filter(|_| got == 0 && length < MOST)?;
    procargs::parse(block)
}
