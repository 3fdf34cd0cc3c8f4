//! System calls that never touch errno: the host's errno is thread-local storage of a libc that we do not know.

/// An error number, errno(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

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
        $crate::sys::linux::call::check($crate::sys::linux::arch::raw(
            libc::$number,
            $crate::sys::linux::call::six([$($argument as usize),*]),
        ))
    };
}
pub(crate) use call;

/// Fills up with zeros.
#[inline]
pub fn six<const N: usize>(given: [usize; N]) -> [usize; 6] {
    let mut all = [0; 6];
    for (place, argument) in all.iter_mut().zip(given) {
        *place = argument;
    }
    all
}
