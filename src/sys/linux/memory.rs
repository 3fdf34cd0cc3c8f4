//! Memory that is neither the host's heap nor a stack, and the few functions that compiled code takes for granted.

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

// GUEST: compiled code calls memcpy and its like where it sees fit. An import of them would be a strong one, and an
// export would take over the host's. So they are here, hidden, short, and only ever used for a few bytes.
#[cfg(all(not(test), target_arch = "x86_64"))]
core::arch::global_asm!(
    ".globl memcpy, memset, memcmp, bcmp, strlen",
    ".hidden memcpy, memset, memcmp, bcmp, strlen",
    "memcpy: mov rax, rdi; mov rcx, rdx; rep movsb; ret",
    "memset: mov r8, rdi; mov eax, esi; mov rcx, rdx; rep stosb; mov rax, r8; ret",
    "bcmp:",
    "memcmp: xor eax, eax; mov rcx, rdx; test rcx, rcx; je 3f; repe cmpsb; je 3f",
    "movzx eax, byte ptr [rdi - 1]; movzx ecx, byte ptr [rsi - 1]; sub eax, ecx",
    "3: ret",
    "strlen: xor eax, eax",
    "4: cmp byte ptr [rdi + rax], 0; je 5f; inc rax; jmp 4b",
    "5: ret",
);
