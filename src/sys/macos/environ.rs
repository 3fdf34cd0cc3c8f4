//! The host's environment: where it is, how an entry is added.

use super::memory;
use crate::sys::environ_array::{self, Array};
use core::ffi::CStr;

/// Calls `each` for every `NAME=VALUE` of the environment, in order.
pub fn for_each(each: &mut dyn FnMut(&'static [u8])) {
    if let Some(array) = array() {
        array.entries().map(CStr::to_bytes).for_each(each);
    }
}

/// Adds entries. `false` where there is no memory; then nothing has changed.
pub fn set(added: &[&[u8]]) -> bool {
    array().is_some_and(|array| environ_array::set(&array, memory::pages, added))
}

/// A library has no `environ` of its own there, environ(7).
fn array() -> Option<Array> {
    // SAFETY: no arguments; libSystem has filled it in before our constructor.
    let variable = unsafe { libc::_NSGetEnviron() };
    // SAFETY: the address of the C library's variable.
    unsafe { Array::at(variable) }
}
