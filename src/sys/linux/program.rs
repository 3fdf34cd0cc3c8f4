//! Which program this is: its command line, its file, its name.

use super::arch::weak_symbol;
use super::call::call;
use super::file::File;
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
    let stack_end = weak_symbol!("__libc_stack_end");
    if stack_end == 0 {
        return for_each_argument_in_proc(each);
    }
    let variable: *const *const usize = core::ptr::with_exposed_provenance(stack_end);
    // SAFETY: the address of glibc's variable, which its loader has filled in first of all.
    let start = unsafe { variable.read() };
    // SAFETY: where the kernel has put the number of arguments, the same on every machine (fs/binfmt_elf.c:
    // `create_elf_tables`).
    let count = unsafe { start.read() };
    for index in 1..=count {
        // SAFETY: the arguments' addresses follow their number.
        let place = unsafe { start.add(index) };
        // SAFETY: as above.
        let address = unsafe { place.read() };
        if address == 0 {
            break;
        }
        // SAFETY: a NUL-terminated text of the host's, and its main has not begun.
        each(unsafe { CStr::from_ptr(core::ptr::with_exposed_provenance(address)) }.to_bytes());
    }
}

#[inline(never)]
fn for_each_argument_in_proc(each: &mut dyn FnMut(&[u8])) {
    let mut buffer = [0; BYTES_READ];
    let Ok(file) = File::open(c"/proc/self/cmdline") else {
        return;
    };
    let whole = file.read_at(&mut buffer, 0).unwrap_or_default();
    let end = whole.iter().rposition(|byte| *byte == 0).unwrap_or(0);
    let whole = whole.get(..end).unwrap_or_default();
    whole.split(|byte| *byte == 0).for_each(each);
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
    got.is_ok() && CStr::from_bytes_until_nul(&name).map(CStr::to_bytes).is_ok_and(f)
}
