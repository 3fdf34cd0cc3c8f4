//! The host's environment: where it is, how an entry is read, how one is added.

use super::arch::weak_symbol;
use super::memory;
use super::proc_stat;
use core::ffi::{CStr, c_char};

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

/// Adds entries, each in the place of one with the same name if there is one. `false` where there is no array that
/// could be changed, or no memory; then nothing has changed.
///
/// GUEST: the host may write into its environment (bash does while it reads it), so the entries and the array are
/// copied into pages of their own. What was there before is left as it is, for whoever has kept a pointer to it.
pub fn set(added: &[&[u8]]) -> bool {
    let Some(array) = array() else { return false };
    let count = array.entries().count();
    let pointers = count
        .saturating_add(added.len())
        .saturating_add(1)
        .saturating_mul(size_of::<*mut c_char>());
    let length = added.iter().fold(pointers, |sum, entry| {
        sum.saturating_add(entry.len()).saturating_add(1)
    });
    let Some(pages) = memory::pages(length) else {
        return false;
    };

    let copy = pages.cast::<*mut c_char>();
    // SAFETY: the new pages have room for all old pointers.
    unsafe { copy.copy_from_nonoverlapping(array.first, count) };
    let (mut used, mut text_at) = (count, pointers);
    for entry in added {
        // SAFETY: `length` counted every entry with its NUL behind the pointers.
        let text = unsafe { pages.add(text_at) };
        // SAFETY: as above; the pages were zero, so the NUL is there.
        unsafe { text.copy_from_nonoverlapping(entry.as_ptr(), entry.len()) };
        text_at = text_at.saturating_add(entry.len()).saturating_add(1);
        let slot = array
            .entries()
            .position(|old| same_name(old.to_bytes(), entry))
            .unwrap_or_else(|| {
                used = used.saturating_add(1);
                used.saturating_sub(1)
            });
        // SAFETY: below the number of pointers that `pointers` counted; the last one stays null.
        let place = unsafe { copy.add(slot) };
        // SAFETY: as above.
        unsafe { place.write(text.cast()) };
    }
    // SAFETY: one aligned word of the C library's, written before `main` and before there are other threads.
    unsafe { array.variable.write(copy) };
    true
}

fn same_name(old: &[u8], new: &[u8]) -> bool {
    let name = |entry: &[u8]| entry.iter().position(|byte| *byte == b'=').unwrap_or(entry.len());
    let length = name(new);
    name(old) == length && old.get(..length) == new.get(..length)
}

/// The C library's `environ`, environ(7).
struct Array {
    variable: *mut *mut *mut c_char,
    first: *mut *mut c_char,
}

/// `None` in a program without a C library, and in one whose library has not filled it in yet.
fn array() -> Option<Array> {
    let variable: *mut *mut *mut c_char = core::ptr::with_exposed_provenance_mut(weak_symbol!("environ"));
    if variable.is_null() {
        return None;
    }
    // SAFETY: the address of the C library's variable, as the dynamic loader has bound it.
    let first = unsafe { variable.read() };
    (!first.is_null()).then_some(Array { variable, first })
}

impl Array {
    fn entries(&self) -> impl Iterator<Item = &'static CStr> {
        let mut next = self.first;
        core::iter::from_fn(move || {
            // SAFETY: not past the null pointer that ends the array.
            let entry = unsafe { next.read() };
            if entry.is_null() {
                return None;
            }
            // SAFETY: it was not the end, so there is one more.
            next = unsafe { next.add(1) };
            // SAFETY: every entry is a NUL-terminated text.
            Some(unsafe { CStr::from_ptr(entry) })
        })
    }
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
