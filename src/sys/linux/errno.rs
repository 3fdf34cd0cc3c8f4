//! The host's errno, errno(3): read and written only on behalf of a call that is the host's own.

use super::arch::weak_symbol;

/// Where the calling thread's errno is; null in a program without a C library.
fn place() -> *mut i32 {
    let function = weak_symbol!("__errno_location");
    if function == 0 {
        return core::ptr::null_mut();
    }
    // SAFETY: the signature that the Linux Standard Base gives it; glibc and musl export it.
    let location: extern "C" fn() -> *mut i32 = unsafe { core::mem::transmute(function) };
    location()
}

/// The value, 0 where there is none.
pub fn get() -> i32 {
    let place = place();
    if place.is_null() {
        return 0;
    }
    // SAFETY: the calling thread's own.
    unsafe { place.read() }
}

/// Sets it, where there is one.
pub fn set(value: i32) {
    let place = place();
    if !place.is_null() {
        // SAFETY: the calling thread's own.
        unsafe { place.write(value) }
    }
}
