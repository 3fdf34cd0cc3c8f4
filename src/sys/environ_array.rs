//! A C library's array of the environment, environ(7): how it is read, how an entry is added.

use core::ffi::{CStr, c_char};

/// The C library's `environ`, environ(7).
pub struct Array {
    variable: *mut *mut *mut c_char,
    first: *mut *mut c_char,
}

impl Array {
    /// The array that `variable` leads to. `None` while the library has not filled it in.
    ///
    /// # Safety
    /// Null, or the address of the C library's variable.
    pub unsafe fn at(variable: *mut *mut *mut c_char) -> Option<Self> {
        if variable.is_null() {
            return None;
        }
        // SAFETY: the caller answers for it.
        let first = unsafe { variable.read() };
        (!first.is_null()).then_some(Self { variable, first })
    }

    /// Every `NAME=VALUE`, in order.
    pub fn entries(&self) -> impl Iterator<Item = &'static CStr> {
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

/// Adds entries, each in the place of one with the same name if there is one. `pages` gives zeroed memory
/// that stays. `false` where it has none; then nothing has changed.
///
/// GUEST: the host may write into its environment (bash does while it reads it), so the entries and the array are
/// copied into pages of their own. What was there before is left as it is, for whoever has kept a pointer to it.
pub fn set(array: &Array, pages: impl FnOnce(usize) -> Option<*mut u8>, added: &[&[u8]]) -> bool {
    let count = array.entries().count();
    let pointers = count
        .saturating_add(added.len())
        .saturating_add(1)
        .saturating_mul(size_of::<*mut c_char>());
    let length = added.iter().fold(pointers, |sum, entry| {
        sum.saturating_add(entry.len()).saturating_add(1)
    });
    let Some(pages) = pages(length) else {
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
