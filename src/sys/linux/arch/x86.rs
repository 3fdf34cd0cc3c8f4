//! 32-bit x86: syscall(2), "Architecture calling conventions". For the 32-bit programs of a 64-bit machine.
//!
//! KERNEL: `int 0x80`, which every kernel has that runs such programs. A faster way in is in the vDSO, where a watcher
//! has no need of it.

use core::arch::asm;

/// The numbers of the calls that are made. Each stands here by name, because the kernel's first calls have ids of 16 bits
/// and small structures, and those that are wanted came later, under other names.
///
/// KERNEL: what takes a time is of the first kind all the same: see `timespec`.
pub mod numbers {
    pub use libc::{
        SYS_capset, SYS_chdir, SYS_clock_gettime, SYS_clock_nanosleep, SYS_close, SYS_close_range, SYS_exit,
        SYS_exit_group, SYS_fstatfs, SYS_futex, SYS_getcwd, SYS_getpeername, SYS_getpid, SYS_getppid,
        SYS_getsockopt, SYS_gettid, SYS_ioctl, SYS_kill, SYS_nfsservctl, SYS_openat, SYS_pidfd_getfd,
        SYS_pidfd_open, SYS_ppoll, SYS_prctl, SYS_pread64, SYS_pwritev2, SYS_readlinkat, SYS_rt_sigpending,
        SYS_rt_sigprocmask, SYS_rt_sigtimedwait, SYS_sched_yield, SYS_setns, SYS_signalfd4, SYS_tgkill,
        SYS_timer_create, SYS_timer_settime, SYS_times, SYS_tkill, SYS_unshare, SYS_write,
    };
    pub use libc::{
        SYS_fcntl64 as SYS_fcntl, SYS_fstat64 as SYS_fstat, SYS_fstatat64 as SYS_newfstatat,
        SYS_getegid32 as SYS_getegid, SYS_geteuid32 as SYS_geteuid, SYS_getgid32 as SYS_getgid,
        SYS_getuid32 as SYS_getuid, SYS_mmap2 as SYS_mmap, SYS_setgid32 as SYS_setgid,
        SYS_setgroups32 as SYS_setgroups, SYS_setregid32 as SYS_setregid, SYS_setresgid32 as SYS_setresgid,
        SYS_setresuid32 as SYS_setresuid, SYS_setreuid32 as SYS_setreuid, SYS_setuid32 as SYS_setuid,
    };
}

/// Enters the kernel. The result is what eax holds: an error is its negated number.
///
/// # Safety
/// The arguments must be what the system call `number` may be given.
#[inline]
pub unsafe fn raw(number: libc::c_long, arguments: [usize; 6]) -> isize {
    let result;
    // SAFETY: the kernel changes eax and the memory that the caller answers for, nothing else. The compiler lends
    // neither ebx nor esi nor ebp: they are put back.
    unsafe {
        asm!(
            "push ebx",
            "push esi",
            "push edi",
            "push ebp",
            "mov ebx, [edx]",
            "mov ecx, [edx + 4]",
            "mov esi, [edx + 12]",
            "mov edi, [edx + 16]",
            "mov ebp, [edx + 20]",
            "mov edx, [edx + 8]",
            "int 0x80",
            "pop ebp",
            "pop edi",
            "pop esi",
            "pop ebx",
            inlateout("eax") number => result,
            inout("edx") arguments.as_ptr() => _,
            out("ecx") _,
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
    let values = [
        flags,
        stack.expose_provenance(),
        number.expose_provenance(),
        entry,
        argument.expose_provenance(),
    ];
    let result;
    // SAFETY: in the parent this is a plain system call. The argument is put where `entry` looks for it, 16 bytes down
    // the new stack, which is how the System V ABI wants it aligned. The child starts behind the call with the same
    // registers, its own esp, and leaves this code for good through `call`. KERNEL: here the thread-local storage is the
    // fourth argument and the child's number the fifth, clone(2).
    unsafe {
        asm!(
            "push ebx",
            "push esi",
            "push edi",
            "push ebp",
            "mov ebx, [edx]",
            "mov ecx, [edx + 4]",
            "sub ecx, 16",
            "mov esi, [edx + 16]",
            "mov [ecx], esi",
            "xor esi, esi",
            "mov ebp, [edx + 12]",
            "mov edx, [edx + 8]",
            "mov edi, edx",
            "int 0x80",
            "test eax, eax",
            "jnz 2f",
            "mov eax, ebp",
            "xor ebp, ebp",
            "call eax",
            "ud2",
            "2:",
            "pop ebp",
            "pop edi",
            "pop esi",
            "pop ebx",
            inlateout("eax") libc::SYS_clone => result,
            inout("edx") values.as_ptr() => _,
            out("ecx") _,
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
        // SAFETY: reads one word that the dynamic loader has filled in. Where this code is, only a call tells.
        unsafe {
            core::arch::asm!(
                concat!(".weak ", $name),
                "call 2f",
                "2: pop {address}",
                "3: add $_GLOBAL_OFFSET_TABLE_+(3b-2b), {address}",
                concat!("mov ", $name, "@GOT({address}), {address}"),
                address = out(reg) address,
                options(att_syntax, pure, readonly),
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
                "call 2f",
                "2: pop {address}",
                concat!("lea ", $name, "-2b({address}), {address}"),
                address = out(reg) address,
                options(att_syntax, pure, nomem),
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
    "memcpy: push edi; push esi; mov edi, [esp + 12]; mov esi, [esp + 16]; mov ecx, [esp + 20]; mov eax, edi",
    "rep movsb; pop esi; pop edi; ret",
    "memset: push edi; mov edi, [esp + 8]; mov eax, [esp + 12]; mov ecx, [esp + 16]; mov edx, edi",
    "rep stosb; mov eax, edx; pop edi; ret",
    "bcmp:",
    "memcmp: push edi; push esi; mov edi, [esp + 12]; mov esi, [esp + 16]; mov ecx, [esp + 20]; xor eax, eax",
    "test ecx, ecx; je 3f; repe cmpsb; je 3f",
    "movzx eax, byte ptr [edi - 1]; movzx ecx, byte ptr [esi - 1]; sub eax, ecx",
    "3: pop esi; pop edi; ret",
    "strlen: mov ecx, [esp + 4]; xor eax, eax",
    "4: cmp byte ptr [ecx + eax], 0; je 5f; inc eax; jmp 4b",
    "5: ret",
);
