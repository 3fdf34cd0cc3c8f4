//! Calling us in a forked child.

/// Asks for `child` to be called in every forked child, pthread_atfork(3), after the C library has put itself in order
/// there (libSystem: `libSystem_atfork_child`). `false` where it has no room for one more.
///
/// KERNEL: the C library holds a lock while handlers run, so that a host whose own handler of our signal forks at once,
/// in a child whose anchor is dead already, would wait for itself until the grace is over.
pub fn register(child: extern "C" fn()) -> bool {
    // SAFETY: a function that lives as long as the process: dyld never unloads what it has inserted.
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
