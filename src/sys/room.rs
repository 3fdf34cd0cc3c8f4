//! Room for what most hosts never need, and which would otherwise be pages of every one.

use super::memory;

/// So many bytes, zeroed, for ever. `None` where the kernel has no memory.
pub fn room(length: usize) -> Option<&'static mut [u8]> {
    let start = memory::pages(length)?;
    // SAFETY: as many bytes, initialised, nobody else's, and never given back.
    Some(unsafe { core::slice::from_raw_parts_mut(start, length) })
}
