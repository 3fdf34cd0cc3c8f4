//! Calling us in a forked child: the one service that is asked of the host's C library.

use super::arch::weak_symbol;
use core::ffi::c_void;

type Handler = extern "C" fn();

/// Asks for `child` to be called in every forked child, pthread_atfork(3). `false` where the program has no C
/// library that could.
///
/// KERNEL: glibc exports `__register_atfork` only, musl `pthread_atfork` only; both imports are weak. glibc keeps
/// the first 48 handlers in static memory, musl allocates. Neither calls us in a child of `vfork`, `_Fork` or a
/// bare clone(2); an exec there loads us anew.
pub fn register(child: Handler) -> bool {
    type Glibc = extern "C" fn(Option<Handler>, Option<Handler>, Option<Handler>, *const c_void) -> i32;
    type Posix = extern "C" fn(Option<Handler>, Option<Handler>, Option<Handler>) -> i32;

    let (glibc, posix) = (weak_symbol!("__register_atfork"), weak_symbol!("pthread_atfork"));
    if glibc != 0 {
        // SAFETY: glibc's signature (nptl/register-atfork.c). No DSO handle: the library is never unloaded.
        let register: Glibc = unsafe { core::mem::transmute(glibc) };
        return register(None, None, Some(child), core::ptr::null()) == 0;
    }
    if posix != 0 {
        // SAFETY: the signature of pthread_atfork(3).
        let register: Posix = unsafe { core::mem::transmute(posix) };
        return register(None, None, Some(child)) == 0;
    }
    false
}

/// Whether the program has a C library that we know.
pub fn has_c_library() -> bool {
    weak_symbol!("__register_atfork") != 0 || weak_symbol!("pthread_atfork") != 0
}
