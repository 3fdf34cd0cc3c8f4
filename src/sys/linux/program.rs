//! Which program this is: its command line, its file, its name.

use super::arch::weak_symbol;
use super::call::call;
use super::file::File;
use super::parent;
use crate::sys::until_nul;
use anchor_contract::arguments;
use core::ffi::CStr;

/// Where a symbolic link leads.
pub fn link<'a>(path: &CStr, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    // SAFETY: a NUL-terminated path; the kernel writes at most the buffer's length.
    let length = unsafe {
        call!(
            SYS_readlinkat,
            libc::AT_FDCWD,
            path.as_ptr(),
            buffer.as_mut_ptr(),
            buffer.len()
        )
    };
    buffer.get(..length.ok()?)
}

/// How much of a command line is looked at where it must be read, and of a path, in bytes.
const BYTES_READ: usize = 4096;

/// Calls `each` for every argument of the own command line, the program's name first.
///
/// Read off the stack, where the kernel has put them: glibc's loader says where that begins. Opening a file in the own
/// folder of `/proc` would be dear, because that folder would be made for it. Elsewhere proc_pid_cmdline(5), and what
/// does not end within 4096 bytes is left out.
pub fn for_each_argument(each: &mut dyn FnMut(&[u8])) {
    let Some(start) = first_words() else {
        return for_each_argument_in_proc(each);
    };
    let count = word(start, 0);
    for index in 1..=count {
        let address = word(start, index);
        if address == 0 {
            break;
        }
        // GUEST: glibc's loader, started as a program itself, hands on the arguments that are not its own; before 2.36 with
        // their number written in the place of its last one (sysdeps/x86_64/dl-machine.h: `_dl_start_user`).
        if address <= count {
            continue;
        }
        // SAFETY: a NUL-terminated text of the host's, and its main has not begun.
        each(unsafe { CStr::from_ptr(core::ptr::with_exposed_provenance(address)) }.to_bytes());
    }
}

/// What the kernel has put on the stack at exec, as glibc's loader says: the number of arguments, their addresses, 0,
/// those of the environment, 0, and pairs of numbers up to one that begins with 0 (fs/binfmt_elf.c: `create_elf_tables`).
fn first_words() -> Option<*const usize> {
    let variable: *const *const usize = core::ptr::with_exposed_provenance(weak_symbol!("__libc_stack_end"));
    // SAFETY: the address of glibc's variable, which its loader has filled in first of all; or null.
    unsafe { variable.as_ref() }.copied()
}

/// One of [`first_words`]: whoever asks has not gone past the end.
fn word(start: *const usize, index: usize) -> usize {
    // SAFETY: these words stay where they are, and before `main` nobody writes to them.
    let place = unsafe { start.add(index) };
    // SAFETY: as above.
    unsafe { place.read() }
}

/// Whether this program has rights that whoever started it need not have: AT_SECURE, getauxval(3). Set-uid, set-gid, file
/// capabilities, or a security module that says so.
pub fn has_rights_of_its_own() -> bool {
    let Some(start) = first_words() else {
        // Without glibc's loader. musl's loads nothing into such a program, but others may.
        return ids_differ();
    };
    let mut index = word(start, 0).saturating_add(2);
    while word(start, index) != 0 {
        index = index.saturating_add(1);
    }
    loop {
        let (kind, value) = (
            word(start, index.saturating_add(1)),
            word(start, index.saturating_add(2)),
        );
        match kind {
            0 => return ids_differ(),
            AT_SECURE => return value != 0,
            _ => index = index.saturating_add(2),
        }
    }
}

/// getauxval(3).
const AT_SECURE: usize = 23;

fn ids_differ() -> bool {
    // SAFETY: no arguments, cannot fail.
    let (user, group) = (unsafe { call!(SYS_getuid) }, unsafe { call!(SYS_getgid) });
    let (raised_user, raised_group) = parent::effective_ids();
    user != Ok(raised_user) || group != Ok(raised_group)
}

#[inline(never)]
fn for_each_argument_in_proc(each: &mut dyn FnMut(&[u8])) {
    let mut buffer = [0; BYTES_READ];
    let Ok(file) = File::open(c"/proc/self/cmdline") else {
        return;
    };
    let whole = file.read_at(&mut buffer, 0).unwrap_or_default();
    arguments(whole).for_each(each);
}

/// The file that this process runs, proc_pid_exe(5). `false` where that cannot be seen.
///
/// GUEST: a page of the host's stack that it may never touch itself is its memory for ever after, so the room for a
/// long path is taken only for one.
pub fn with_own_path(f: impl FnOnce(&[u8]) -> bool) -> bool {
    let mut short = [0; 256];
    match link(OWN_FILE, &mut short) {
        // Cut off, or just as long: readlink(2) does not say which.
        Some(path) if path.len() == 256 => with_own_long_path(f),
        path => path.is_some_and(f),
    }
}

#[inline(never)]
fn with_own_long_path(f: impl FnOnce(&[u8]) -> bool) -> bool {
    link(OWN_FILE, &mut [0; BYTES_READ]).is_some_and(f)
}

const OWN_FILE: &CStr = c"/proc/self/exe";

/// The name of the calling thread, PR_GET_NAME(2const): at load that of the file that was executed, a script's too,
/// cut after 15 bytes.
pub fn with_own_name(f: impl FnOnce(&[u8]) -> bool) -> bool {
    let mut name = [0_u8; 16];
    // SAFETY: room for the 16 bytes that are written, the NUL included.
    let got = unsafe { call!(SYS_prctl, libc::PR_GET_NAME, name.as_mut_ptr()) };
    got.is_ok() && until_nul(&name).map(CStr::to_bytes).is_some_and(f)
}
