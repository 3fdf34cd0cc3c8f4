//! proc_pidinfo, XNU's bsd/sys/proc_info.h.

use std::mem::MaybeUninit;

/// What the kernel writes: numbers only.
///
/// # Safety
/// All bits zero, and whatever the kernel writes, must be a value of it.
pub unsafe trait Plain: Copy {}

/// One answer about process `pid`. `None` where it is refused, or of another length than the header says.
pub fn one<T: Plain>(pid: i32, flavor: i32, argument: u64) -> Option<T> {
    let mut answer = MaybeUninit::<T>::zeroed();
    let length = i32::try_from(size_of::<T>()).ok()?;
    let place = answer.as_mut_ptr().cast();
    // SAFETY: room for one answer of the length that is given.
    let got = unsafe { libc::proc_pidinfo(pid, flavor, argument, place, length) };
    // SAFETY: zeroed or filled in, and either is a value of it.
    (got == length).then(|| unsafe { answer.assume_init() })
}

/// As many answers as there are and there is room for.
pub fn many(pid: i32, flavor: i32, room: &mut [u64]) -> usize {
    let length = i32::try_from(size_of_val(room)).unwrap_or(0);
    // SAFETY: room for numbers, of the length that is given.
    let got = unsafe { libc::proc_pidinfo(pid, flavor, 0, room.as_mut_ptr().cast(), length) };
    usize::try_from(got).unwrap_or(0) / size_of::<u64>()
}

/// A text in a field, up to its NUL.
pub fn text(field: &[libc::c_char]) -> Vec<u8> {
    let bytes = field.iter().map(|byte| byte.to_ne_bytes()[0]);
    bytes.take_while(|byte| *byte != 0).collect()
}
