//! Memory that is neither the host's heap nor a stack.

use super::call::call;

/// Pages of our own, zeroed, readable and writable, never given back. `None` where the kernel has none.
pub fn pages(length: usize) -> Option<*mut u8> {
    let (protection, flags) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: a new anonymous mapping at an address that the kernel chooses touches nothing that exists, mmap(2).
    let address = unsafe { call!(SYS_mmap, 0_usize, length, protection, flags, -1_isize, 0_usize) };
    address.ok().map(core::ptr::with_exposed_provenance_mut)
}
