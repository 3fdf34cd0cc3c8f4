//! Texts as the kernel wants them: up to a NUL.

use core::ffi::CStr;

/// The text before the first NUL. `None` where there is no NUL.
///
/// GUEST: core's own does the same, and searches by words: half a kilobyte more in every process, for a name.
#[inline(never)]
pub fn until_nul(bytes: &[u8]) -> Option<&CStr> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let whole = bytes.get(..=end)?;
    // SAFETY: its last byte is its first NUL.
    Some(unsafe { CStr::from_bytes_with_nul_unchecked(whole) })
}

#[cfg(test)]
mod tests {
    use super::until_nul;

    #[test]
    fn as_core_has_it() {
        for bytes in [&b""[..], b"a", b"\0", b"a\0", b"ab\0c\0", b"\0a"] {
            assert_eq!(
                until_nul(bytes),
                core::ffi::CStr::from_bytes_until_nul(bytes).ok()
            );
        }
    }
}
