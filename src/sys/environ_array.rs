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

/// Adds entries, each in the place of one with the same name if there is one; an empty one is none. `pages` gives zeroed memory
/// that stays. `false` where it has none; then nothing has changed.
///
/// GUEST: the host may write into its environment (bash does while it reads it), so the entries and the array are
/// copied into pages of their own. The old texts are left as they are, for whoever has kept a pointer to them. The old
/// array is given the new entries where it has a place for them, because a program may go on with that one: what the
/// loader of macOS hands to `main`, what a Go program finds behind its arguments.
pub fn set(array: &Array, pages: impl FnOnce(usize) -> Option<*mut u8>, added: &[&[u8]]) -> bool {
    if added.iter().all(|entry| entry.is_empty()) {
        return true;
    }
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
    for entry in added.iter().filter(|entry| !entry.is_empty()) {
        // SAFETY: `length` counted every entry with its NUL behind the pointers.
        let text = unsafe { pages.add(text_at) };
        // SAFETY: as above; the pages were zero, so the NUL is there.
        unsafe { text.copy_from_nonoverlapping(entry.as_ptr(), entry.len()) };
        text_at = text_at.saturating_add(entry.len()).saturating_add(1);
        let known = array.entries().position(|old| same_name(old.to_bytes(), entry));
        if let Some(slot) = known {
            // SAFETY: an entry of the old array, which is where it is now.
            let place = unsafe { array.first.add(slot) };
            // SAFETY: as above.
            unsafe { place.write(text.cast()) };
        }
        let slot = known.unwrap_or_else(|| {
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

#[cfg(test)]
mod tests {
    use super::{Array, set};
    use core::ffi::{CStr, c_char};

    fn texts(mut array: *mut *mut c_char) -> Vec<String> {
        let mut texts = Vec::new();
        loop {
            // SAFETY: null-terminated, as the test has made it and `set` has to, and this is not behind the end.
            let text = unsafe { array.read() };
            if text.is_null() {
                break;
            }
            // SAFETY: a NUL-terminated text.
            texts.push(unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned());
            // SAFETY: it was not the end.
            array = unsafe { array.add(1) };
        }
        texts
    }

    #[test]
    fn entries_are_replaced_and_added() {
        let strings = [c"A=1", c"SCOPE=self", c"SCOPER=x"];
        let mut old: Vec<*mut c_char> = strings.iter().map(|text| text.as_ptr().cast_mut()).collect();
        old.push(core::ptr::null_mut());
        let mut variable = old.as_mut_ptr();
        // SAFETY: the address of a variable that is filled in.
        let array = unsafe { Array::at(&raw mut variable) }.unwrap();
        let pages = |length: usize| Some(vec![0_u64; length.div_ceil(8)].leak().as_mut_ptr().cast());
        assert!(set(&array, pages, &[b"SCOPE=self:1:2", b"", b"ID=3"]));
        assert_eq!(texts(variable), ["A=1", "SCOPE=self:1:2", "SCOPER=x", "ID=3"]);
        // Whoever goes on with the old one finds what has a place there.
        assert_eq!(texts(old.as_mut_ptr()), ["A=1", "SCOPE=self:1:2", "SCOPER=x"]);
        // Nothing takes nothing.
        let none = |_| None;
        assert!(set(&array, none, &[b"", b""]));
        // SAFETY: as above.
        let array = unsafe { Array::at(&raw mut variable) }.unwrap();
        assert!(!set(&array, none, &[b"ID=4"]));
        assert_eq!(texts(variable)[3], "ID=3");
    }
}
