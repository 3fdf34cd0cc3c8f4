//! arm64: syscall(2), "Architecture calling conventions".

use core::arch::asm;

/// Enters the kernel. The result is what x0 holds: an error is its negated number.
///
/// # Safety
/// The arguments must be what the system call `number` may be given.
#[inline]
pub unsafe fn raw(number: libc::c_long, arguments: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = arguments;
    let result;
    // SAFETY: the kernel changes x0 and the memory that the caller answers for, nothing else.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack, preserves_flags),
        );
    }
    result
}

/// clone(2) for a thread: the parent gets the new thread's number or a negated error, the child calls
/// `entry(argument)` on its own stack and has nowhere to return to.
///
/// # Safety
/// `flags` must share the memory (`CLONE_VM`) and the thread group, `stack` must be the 16-byte aligned end of a
/// stack that nobody else uses, `argument` must live as long as the thread, and so must `number`, which the kernel
/// writes (`CLONE_PARENT_SETTID`, `CLONE_CHILD_CLEARTID`).
#[inline(never)]
pub unsafe fn clone(
    flags: usize,
    stack: *mut u8,
    number: *mut i32,
    entry: usize,
    argument: *const u8,
) -> isize {
    let result;
    // SAFETY: in the parent this is a plain system call: x5 and x6 go in and are kept by the kernel. The child starts
    // behind it with the same registers, its own sp, and leaves this code for good through `blr`. Its frame has no
    // caller: x29 and x30 are zero, which ends a debugger's walk. KERNEL: here the thread-local storage is the fourth
    // argument and the child's number the fifth, clone(2).
    unsafe {
        asm!(
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x30, xzr",
            "mov x0, x5",
            "blr x6",
            "brk #1",
            "2:",
            in("x8") libc::SYS_clone,
            inlateout("x0") flags => result,
            in("x1") stack, in("x2") number, in("x3") 0_usize, in("x4") number,
            in("x5") argument, in("x6") entry,
        );
    }
    result
}

/// Ends the process by SIGILL, without a system call.
pub fn fault() -> ! {
    // SAFETY: does not return.
    unsafe { asm!("udf #0", options(noreturn, nostack)) }
}

/// Declares `$name` as a weak import and gives its address, 0 where the program has no such symbol.
///
/// The slot of the global offset table is read in assembly: to rustc the address of an extern item is never null,
/// and `linkage = "extern_weak"` is not stable.
macro_rules! weak_symbol {
    ($name:literal) => {{
        let address: usize;
        // SAFETY: reads one word that the dynamic loader has filled in.
        unsafe {
            core::arch::asm!(
                concat!(".weak ", $name),
                concat!("adrp {address}, :got:", $name),
                concat!("ldr {address}, [{address}, :got_lo12:", $name, "]"),
                address = out(reg) address,
                options(nostack, pure, readonly, preserves_flags),
            );
        }
        address
    }};
}
pub(crate) use weak_symbol;

/// The address of `$name`, which is defined in this file.
macro_rules! own_symbol {
    ($name:literal) => {{
        let address: usize;
        // SAFETY: computes an address.
        unsafe {
            core::arch::asm!(
                concat!(".hidden ", $name),
                concat!("adrp {address}, ", $name),
                concat!("add {address}, {address}, :lo12:", $name),
                address = out(reg) address,
                options(nostack, pure, nomem, preserves_flags),
            );
        }
        address
    }};
}
pub(crate) use own_symbol;

#[cfg(not(test))]
core::arch::global_asm!(
    ".globl memcpy, memset, memcmp, bcmp, strlen",
    ".hidden memcpy, memset, memcmp, bcmp, strlen",
    "memcpy: mov x3, x0",
    "2: cbz x2, 3f; ldrb w4, [x1], #1; strb w4, [x3], #1; sub x2, x2, #1; b 2b",
    "3: ret",
    "memset: mov x3, x0",
    "2: cbz x2, 3f; strb w1, [x3], #1; sub x2, x2, #1; b 2b",
    "3: ret",
    "bcmp:",
    "memcmp: mov x3, x0; mov w0, wzr",
    "2: cbz x2, 3f; ldrb w0, [x3], #1; ldrb w4, [x1], #1; sub x2, x2, #1; subs w0, w0, w4; b.eq 2b",
    "3: ret",
    "strlen: mov x3, x0",
    "2: ldrb w4, [x3], #1; cbnz w4, 2b",
    "mvn x0, x0; add x0, x0, x3; ret",
);

// GUEST: for its atomic operations too the compiler calls functions, so that newer machines use newer instructions. To
// know which machine this is, those of the usual tool chains call getauxval(3): a strong import. These do what every
// arm64 machine can, with the strongest of the orders, and change no register but those that the real ones may.
// REJECTED: `-Ctarget-feature=-outline-atomics`. It is not stable, each build warns of it, and RUSTFLAGS undo it.
#[cfg(not(test))]
core::arch::global_asm!(
    ".macro named name",
    ".irp order, relax, acq, rel, acq_rel",
    ".globl \\name\\()_\\order",
    ".hidden \\name\\()_\\order",
    "\\name\\()_\\order:",
    ".endr",
    ".endm",
    "named __aarch64_cas1",
    "uxtb w16, w0",
    "2: ldaxrb w0, [x2]; cmp w0, w16; b.ne 3f; stlxrb w17, w1, [x2]; cbnz w17, 2b",
    "3: ret",
    "named __aarch64_cas4",
    "mov w16, w0",
    "2: ldaxr w0, [x2]; cmp w0, w16; b.ne 3f; stlxr w17, w1, [x2]; cbnz w17, 2b",
    "3: ret",
    "named __aarch64_swp4",
    "mov w16, w0",
    "2: ldaxr w0, [x1]; stlxr w17, w16, [x1]; cbnz w17, 2b",
    "ret",
    ".purgem named",
);
