//! The watcher's thread: a small detached pthread. There is no other way to make one that the C library puts up with.
//!
//! GUEST: the host can see it (`pthread_is_threaded_np`); the exclusions name who minds.

use super::time;
use crate::sys::Errno;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::{MaybeUninit, transmute};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Whether the C library knows of the watcher's thread, and tells who asks.
pub const KNOWN_TO_C_LIBRARY: bool = true;

/// Whether what the watcher opens is in the host's table for good: there is only one.
pub const SHARES_DESCRIPTORS: bool = true;

/// A multiple of the page size of both architectures; pages that are never touched cost nothing.
const STACK_SIZE: usize = 64 * 1024;

/// What a watcher is told must fit.
const ROOM_SIZE: usize = 512;

#[repr(C, align(16))]
struct Room(UnsafeCell<[u8; ROOM_SIZE]>);

// SAFETY: written by the one who starts the one watcher of the process, read by that one only.
unsafe impl Sync for Room {}

static ROOM: Room = Room(UnsafeCell::new([0; ROOM_SIZE]));

/// The watcher's function.
static ENTRY: AtomicUsize = AtomicUsize::new(0);

/// Starts `entry(argument)` in a thread of its own. At most one such thread may exist in a process, because the
/// argument is copied to one place.
///
/// The caller has all signals blocked, and the thread inherits that: it never takes one of the host's.
pub fn spawn<T: Copy>(entry: extern "C" fn(&T) -> !, argument: &T) -> Result<(), Errno> {
    const { assert!(size_of::<T>() <= ROOM_SIZE && align_of::<T>() <= 16) };
    // SAFETY: room enough, aligned, and nobody else's.
    unsafe { ROOM.0.get().cast::<T>().write(*argument) };
    ENTRY.store(entry as usize, Ordering::Release);

    let (mut attributes, mut thread) = (
        MaybeUninit::<libc::pthread_attr_t>::uninit(),
        MaybeUninit::uninit(),
    );
    let attributes = attributes.as_mut_ptr();
    // SAFETY: room for attributes.
    as_result(unsafe { libc::pthread_attr_init(attributes) })?;
    // SAFETY: initialised attributes. Were it refused, an entry of libpthread's would stay behind at the end: no harm.
    let _ = unsafe { libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED) };
    // SAFETY: as above. Were it refused, the stack would be the usual 512 KiB.
    let _ = unsafe { libc::pthread_attr_setstacksize(attributes, STACK_SIZE) };
    // SAFETY: initialised attributes, room for the thread's name, a function that never returns.
    let made = unsafe { libc::pthread_create(thread.as_mut_ptr(), attributes, begin::<T>, null_mut()) };
    // SAFETY: initialised attributes, for the last time.
    let _ = unsafe { libc::pthread_attr_destroy(attributes) };
    as_result(made)
}

extern "C" fn begin<T: Copy>(_: *mut c_void) -> *mut c_void {
    let entry = ENTRY.load(Ordering::Acquire);
    // SAFETY: what `spawn` has put there, of this very type.
    let entry: extern "C" fn(&T) -> ! = unsafe { transmute(entry) };
    // SAFETY: written before the thread was made, and never again while it lives.
    let argument = unsafe { &*ROOM.0.get().cast::<T>() };
    entry(argument)
}

/// The functions of pthread(3) give the error itself.
fn as_result(error: i32) -> Result<(), Errno> {
    if error == 0 { Ok(()) } else { Err(Errno(error)) }
}

/// In a forked child, which has no watcher: nothing is remembered of one.
pub fn forget() {}

/// The calling thread's number. Never 0.
pub fn own_number() -> i32 {
    // SAFETY: no arguments, cannot fail.
    let own = unsafe { libc::pthread_self() };
    // SAFETY: the calling thread itself, which lives.
    unsafe { libc::pthread_mach_thread_np(own) as i32 }
}

/// Ends the calling thread, and nothing else.
pub fn exit() -> ! {
    // SAFETY: the watcher's frames own nothing.
    unsafe { libc::pthread_exit(null_mut()) }
}

/// The same, for a watcher on duty.
pub fn leave() {
    exit()
}

/// Waits for a millisecond.
pub fn wait_for_change(_: &AtomicI32, _: i32) {
    let _ = time::sleep(1);
}

/// The first thing in the new thread: a name for whoever looks. Whether a descriptor that the thread opens is its own
/// affair: no. There is one table, and the host's other threads open and close in it.
pub fn settle(_: Option<i32>) -> bool {
    // SAFETY: a NUL-terminated name; it is the calling thread's own.
    let _ = unsafe { libc::pthread_setname_np(c"anchor".as_ptr()) };
    false
}

/// See [`settle`]: there is nothing to wait for.
pub fn wait_until_settled() {}

/// See [`SHARES_DESCRIPTORS`]: that is known beforehand.
pub fn shares_table() -> bool {
    false
}

/// Threads have no rights of their own.
pub fn drop_rights() {}
