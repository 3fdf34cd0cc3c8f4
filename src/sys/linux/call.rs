//! System calls that never touch errno: the host's errno is thread-local storage of a libc that we do not know.

use super::arch;
pub use crate::sys::Errno;

/// Turns what the kernel answered into a result, syscall(2): errors are -4095 to -1.
pub fn check(answer: isize) -> Result<usize, Errno> {
    match answer {
        -4095..=-1 => Err(Errno(
            i32::try_from(answer.saturating_neg()).unwrap_or(libc::EINVAL),
        )),
        _ => Ok(answer as usize),
    }
}

/// `call!(SYS_close, fd)`: one system call, unused arguments zero. Unsafe, as the call is.
macro_rules! call {
    ($number:ident $(, $argument:expr)* $(,)?) => {
        $crate::sys::linux::call::enter($crate::sys::linux::arch::numbers::$number, [$($argument as usize),*])
    };
}
pub(crate) use call;

/// Most calls have at most three arguments.
///
/// # Safety
/// The arguments must be what the system call `number` may be given.
#[inline(always)]
pub unsafe fn enter<const N: usize>(number: libc::c_long, given: [usize; N]) -> Result<usize, Errno> {
    let mut all = [0; 6];
    for (place, argument) in all.iter_mut().zip(given) {
        *place = argument;
    }
    let [a, b, c, ..] = all;
    check(if N <= 3 {
        // SAFETY: the caller answers for it.
        unsafe { enter_3(number, a, b, c) }
    } else {
        // SAFETY: the caller answers for it.
        unsafe { enter_6(number, &all) }
    })
}

// GUEST: small, because it is loaded into every process: the two below are not repeated at each call.

#[inline(never)]
unsafe fn enter_3(number: libc::c_long, a: usize, b: usize, c: usize) -> isize {
    // SAFETY: the caller answers for it.
    unsafe { arch::raw(number, [a, b, c, 0, 0, 0]) }
}

#[inline(never)]
unsafe fn enter_6(number: libc::c_long, arguments: &[usize; 6]) -> isize {
    // SAFETY: the caller answers for it.
    unsafe { arch::raw(number, *arguments) }
}
