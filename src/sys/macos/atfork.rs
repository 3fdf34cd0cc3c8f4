//! Calling us in a forked child.

/// Asks for `child` to be called in every forked child, pthread_atfork(3), after the C library has put itself in order
/// there (libSystem: `libSystem_atfork_child`). `false` where it has no room for one more.
pub fn register(child: extern "C" fn()) -> bool {
    // SAFETY: a function that lives as long as the process: the library is never unloaded.
    unsafe { libc::pthread_atfork(None, None, Some(as_unsafe(child))) == 0 }
}

/// The type that the C library's declaration has.
fn as_unsafe(function: extern "C" fn()) -> unsafe extern "C" fn() {
    function
}

/// Whether the program has a C library that we know: every program has libSystem.
pub fn has_c_library() -> bool {
    true
}
