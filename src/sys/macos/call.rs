//! What the C library's functions answer: -1 and errno.

use crate::sys::Errno;

/// The calling thread's errno, errno(3).
pub fn errno() -> i32 {
    // SAFETY: the address of the calling thread's own, which is always there.
    let place = unsafe { libc::__error() };
    // SAFETY: as above.
    unsafe { place.read() }
}

/// Sets the calling thread's errno.
pub fn set_errno(value: i32) {
    // SAFETY: the address of the calling thread's own, which is always there.
    let place = unsafe { libc::__error() };
    // SAFETY: as above.
    unsafe { place.write(value) }
}

/// Turns an answer into a result.
pub fn check(answer: i32) -> Result<i32, Errno> {
    if answer == -1 {
        Err(Errno(errno()))
    } else {
        Ok(answer)
    }
}
