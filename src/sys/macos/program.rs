//! Which program this is: its command line, its file, its name.

use core::ffi::{CStr, c_char, c_int};

// Declared here, because `libc` no longer likes to.
unsafe extern "C" {
    fn _NSGetExecutablePath(buffer: *mut c_char, length: *mut u32) -> c_int;
}

/// Calls `each` for every argument of the own command line, the program's name first.
pub fn for_each_argument(each: &mut dyn FnMut(&[u8])) {
    // SAFETY: no arguments; libSystem has filled it in before our constructor.
    let place = unsafe { libc::_NSGetArgv() };
    if place.is_null() {
        return;
    }
    // SAFETY: the address of the C library's variable.
    let mut next = unsafe { place.read() };
    while !next.is_null() {
        // SAFETY: not past the null pointer that ends the array.
        let argument = unsafe { next.read() };
        if argument.is_null() {
            break;
        }
        // SAFETY: a NUL-terminated text of the host's, and its main has not begun.
        each(unsafe { CStr::from_ptr(argument) }.to_bytes());
        // SAFETY: it was not the end, so there is one more.
        next = unsafe { next.add(1) };
    }
}

/// The file that this process runs, as it was named: _NSGetExecutablePath, dyld(3). `false` where that cannot be seen.
pub fn with_own_path(f: impl FnOnce(&[u8]) -> bool) -> bool {
    let mut buffer: [c_char; 4096] = [0; 4096];
    let mut length = 4096;
    // SAFETY: writes at most so many bytes, the NUL included.
    let got = unsafe { _NSGetExecutablePath(buffer.as_mut_ptr(), &raw mut length) };
    if got != 0 {
        return false;
    }
    // SAFETY: a NUL-terminated text was written.
    f(unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_bytes())
}

/// The name of this program, getprogname(3).
pub fn with_own_name(f: impl FnOnce(&[u8]) -> bool) -> bool {
    // SAFETY: no arguments.
    let name = unsafe { libc::getprogname() };
    if name.is_null() {
        return false;
    }
    // SAFETY: a NUL-terminated text that stays.
    f(unsafe { CStr::from_ptr(name) }.to_bytes())
}

/// Whether this program has rights that whoever started it need not have. dyld(1) loads no inserted library into one.
pub fn has_rights_of_its_own() -> bool {
    false
}
