//! x86-64: syscall(2), "Architecture calling conventions".

use core::arch::asm;

/// Enters the kernel. The result is what rax holds: an error is its negated number.
///
/// # Safety
/// The arguments must be what the system call `number` may be given.
#[inline]
pub unsafe fn raw(number: libc::c_long, arguments: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = arguments;
    let result;
    // SAFETY: the kernel changes rax, rcx and r11 and the memory that the caller answers for, nothing else.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
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
    // SAFETY: in the parent this is a plain system call: r9 and r12 go in and are kept by the kernel. The child
    // starts behind it with the same registers, its own rsp, and leaves this code for good through `call`, which
    // also gives `entry` the stack alignment of the System V ABI.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r9",
            "call r12",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone as isize => result,
            in("rdi") flags, in("rsi") stack, in("rdx") number, in("r10") number, in("r8") 0_usize,
            in("r9") argument, in("r12") entry,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

/// Ends the process by SIGILL, without a system call.
pub fn fault() -> ! {
    // SAFETY: does not return.
    unsafe { asm!("ud2", options(noreturn, nostack)) }
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
                concat!("mov {address}, qword ptr [rip + ", $name, "@GOTPCREL]"),
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
                concat!("lea {address}, [rip + ", $name, "]"),
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
