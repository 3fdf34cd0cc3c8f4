//! Memory that is neither the host's heap nor a stack.

/// Pages of our own, zeroed, readable and writable, never given back. `None` where the kernel has none.
pub fn pages(length: usize) -> Option<*mut u8> {
    let (protection, flags) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANON,
    );
    // SAFETY: a new anonymous mapping at an address that the kernel chooses touches nothing that exists, mmap(2).
    let address = unsafe { libc::mmap(core::ptr::null_mut(), length, protection, flags, -1, 0) };
    (address != libc::MAP_FAILED).then_some(address.cast())
}
