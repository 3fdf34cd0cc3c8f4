//! The host's environment: where it is, how an entry is read, how one is added.

use super::arch::weak_symbol;
use super::memory;
use super::proc_stat;
use crate::sys::environ_array::{self, Array};
use core::ffi::CStr;

/// Calls `each` for every `NAME=VALUE` of the environment, in order.
///
/// The array that the C library uses, where there is one; else what the kernel put there at exec.
pub fn for_each(each: &mut dyn FnMut(&'static [u8])) {
    match array() {
        Some(array) => array.entries().map(CStr::to_bytes).for_each(each),
        None => kernels_block()
            .split(|byte| *byte == 0)
            .filter(|entry| !entry.is_empty())
            .for_each(each),
    }
}

/// Adds entries. `false` where there is no array that could be changed, or no memory; then nothing has changed.
#[inline(never)] // the library is small because this is not unrolled
pub fn set(added: &[&[u8]]) -> bool {
    array().is_some_and(|array| environ_array::set(&array, memory::pages, added))
}

/// `None` in a program without a C library, and in one whose library has not filled it in yet.
fn array() -> Option<Array> {
    let variable = core::ptr::with_exposed_provenance_mut(weak_symbol!("environ"));
    // SAFETY: the address of the C library's variable, as the dynamic loader has bound it.
    unsafe { Array::at(variable) }
}

/// The block of NUL-terminated texts that the kernel put on the stack at exec, proc_pid_stat(5), fields 50 and 51.
fn kernels_block() -> &'static [u8] {
    let Some((start, end)) = proc_stat::own_stat().map(|stat| stat.environment()) else {
        return &[];
    };
    let length = end.saturating_sub(start);
    if start == 0 || length == 0 {
        return &[];
    }
    let start: *const u8 = core::ptr::with_exposed_provenance(start);
    // SAFETY: the kernel says that this is where it put them, and before `main` nobody has unmapped a stack.
    unsafe { core::slice::from_raw_parts(start, length) }
}
