//! The watcher's thread: made by clone(2) alone, so that no libc knows of it, and settled in rooms of its own.

use super::arch;
use super::call::{Errno, call, check};
use super::file::close;
use super::{bell, futex, proc, process, signals, time};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// Whether the C library knows of the watcher's thread, and tells who asks.
pub const KNOWN_TO_C_LIBRARY: bool = false;

/// Whether what the watcher opens is in the host's table for good: no, [`settle`].
pub const SHARES_DESCRIPTORS: bool = false;

/// Enough for two lines, two buffers of `/proc` and the calls between them; pages that are never touched cost nothing. Half
/// a page more than full ones, so that the top is most likely in a page that is written anyway: what stands behind it
/// in the library.
const STACK_SIZE: usize = 16 * 1024 + 2 * 1024;

/// What every thread library uses: emulators know no other combination, and valgrind ends the process for one.
///
/// GUEST: the descriptor table and the directories are the host's until [`settle`], so that we hold no file of the
/// host's in between: a lock that it gives back, or a pipe that it closes, would not be free until we came to closing
/// our copy.
const FLAGS: i32 = libc::CLONE_VM
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_FILES
    | libc::CLONE_FS
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_CLEARTID;

/// Where the one watcher of the process runs. A forked child has a copy of its own, and no watcher yet.
///
/// GUEST: in the library and not in pages of its own, which would be a system call at every start, and a mapping to be
/// taken down at every end. The loader maps it all the same way, and a process that is not anchored touches none of it.
static STACK: Stack = Stack(UnsafeCell::new([0; STACK_SIZE]));

/// A stack begins at a multiple of 16 in the ABIs of x86-64 and arm64.
#[repr(C, align(16))]
struct Stack(UnsafeCell<[u8; STACK_SIZE]>);

// SAFETY: written to by `spawn` while there is no watcher, and from then on by the watcher alone.
unsafe impl Sync for Stack {}

/// The watcher's number. KERNEL: written by the clone before it returns (`CLONE_PARENT_SETTID`), zeroed with a
/// futex(2) wake when the thread has left its stack for good (`CLONE_CHILD_CLEARTID`).
static NUMBER: AtomicI32 = AtomicI32::new(0);

/// Whether the watcher is in rooms of its own, as far as they are to be had; and whether it could not have a table.
static SETTLED: AtomicBool = AtomicBool::new(false);
static SHARES_TABLE: AtomicBool = AtomicBool::new(false);

/// Whether the watcher is to stand down, and whether it does.
static ORDER: AtomicI32 = AtomicI32::new(STAY);
const STAY: i32 = 0;
const LEAVE: i32 = 1;
const LEAVING: i32 = 2;

/// Starts `entry(argument)` in a thread that the host's libc does not know of. The argument is copied to the top of
/// the new stack. At most one such thread may exist in a process, because there is one stack.
///
/// The caller has all signals blocked, and the thread inherits that: it never takes one of the host's.
pub fn spawn<T: Copy>(entry: extern "C" fn(&T) -> !, argument: &T) -> Result<(), Errno> {
    if !signals::can_be_blocked() {
        return Err(Errno(libc::EPERM));
    }
    let top = STACK_SIZE.saturating_sub(size_of::<T>()) & !15;
    // SAFETY: inside the stack: `top` is at most its size.
    let place = unsafe { STACK.0.get().cast::<u8>().add(top) };
    // SAFETY: aligned to 16, `T` fits behind it, and nobody else uses the stack.
    unsafe { place.cast::<T>().write(*argument) };
    let (flags, entry) = (usize::try_from(FLAGS).unwrap_or(0), entry as usize);
    SETTLED.store(false, Ordering::Release);
    let number = NUMBER.as_ptr();
    // SAFETY: memory and thread group are shared, the stack is aligned and ours, the argument lives on it for ever, and
    // so does the number.
    check(unsafe { arch::clone(flags, place, number, entry, place.cast_const()) }).map(drop)
}

/// What became of an order to stand down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dismissal {
    /// The watcher is gone, for the kernel too.
    Gone,
    /// There was none.
    Nobody,
    /// It does not answer: a debugger holds it, or a file system its log.
    Stays,
}

/// How often the bell is rung, each time with 10 ms for an answer.
const RINGS: u32 = 200;

/// Makes the watcher stand down and waits until the kernel no longer counts it. All signals are blocked, and one
/// thread at a time is here.
pub fn dismiss() -> Dismissal {
    let number = NUMBER.load(Ordering::Acquire);
    if number == 0 {
        return Dismissal::Nobody;
    }
    ORDER.store(LEAVE, Ordering::Release);
    let mut rings = 0_u32;
    while NUMBER.load(Ordering::Acquire) == number {
        // It was told, and could not.
        if ORDER.load(Ordering::Acquire) == STAY {
            return Dismissal::Stays;
        }
        // A host that sets the signal's disposition to "ignore" takes a pending one away: so it is rung again.
        if bell::ring(number) == Err(Errno(libc::ESRCH)) && NUMBER.load(Ordering::Acquire) == number {
            // The number is another process's, in whose copied memory we are: a child of a bare clone(2).
            ORDER.store(STAY, Ordering::Release);
            return Dismissal::Nobody;
        }
        futex::wait(&NUMBER, number, 10);
        rings = rings.saturating_add(1);
        let withdrawn = || {
            ORDER
                .compare_exchange(LEAVE, STAY, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        };
        if rings > RINGS && withdrawn() {
            return Dismissal::Stays;
        }
    }
    // KERNEL: the number is zeroed in `mm_release`; the thread is counted until `release_task`.
    wait_while(|| bell::is_thread(number));
    ORDER.store(STAY, Ordering::Release);
    Dismissal::Gone
}

/// Asks `condition` until it is false: at first at once, then with a rest in between, which whoever is waited for may
/// need (a host of a real-time class would never let it run).
pub fn wait_while(mut condition: impl FnMut() -> bool) {
    let mut times = 0_u32;
    while condition() {
        times = times.saturating_add(1);
        if times < 100 {
            // SAFETY: no arguments, sched_yield(2).
            let _ = unsafe { call!(SYS_sched_yield) };
        } else {
            time::sleep(1);
        }
    }
}

/// In the watcher: whether it was told to stand down. From then on it must.
pub fn told_to_leave() -> bool {
    ORDER
        .compare_exchange(LEAVE, LEAVING, Ordering::AcqRel, Ordering::Acquire)
        .map_or_else(|order| order == LEAVING, |_| true)
}

/// In a forked child, which has a copy of what its parent knew of a watcher, and none.
pub fn forget() {
    NUMBER.store(0, Ordering::Release);
    ORDER.store(STAY, Ordering::Release);
}

/// The calling thread's number, gettid(2). Never 0.
pub fn own_number() -> i32 {
    process::own_thread()
        .ok()
        .and_then(|number| i32::try_from(number).ok())
        .unwrap_or_else(process::own_pid)
}

/// Waits for a millisecond, or less if another thread changes `word` from `value` and wakes us.
pub fn wait_for_change(word: &AtomicI32, value: i32) {
    futex::wait(word, value, 1);
}

/// Ends the calling thread, and nothing else. It returns only where a filter refuses that: then it stays on duty.
pub fn leave() {
    // SAFETY: ends this thread alone, _exit(2). Its stack stays.
    let _ = unsafe { call!(SYS_exit, 0) };
    ORDER.store(STAY, Ordering::Release);
}

/// The same for one that has no duty: where it cannot end it sleeps for ever.
pub fn exit() -> ! {
    loop {
        leave();
        time::sleep(250);
    }
}

/// The first thing in the new thread: a descriptor table with nothing in it but `kept`, a working directory that pins no
/// mount, a name for whoever looks. Whether a descriptor that the thread opens is its own affair: if not, it would be in
/// the host's table.
pub fn settle(kept: Option<i32>) -> bool {
    // SAFETY: a NUL-terminated name of less than 16 bytes, PR_SET_NAME(2const); the name is the thread's own.
    let _ = unsafe { call!(SYS_prctl, libc::PR_SET_NAME, c"anchor".as_ptr()) };
    let own_table = take_table(kept);
    if unshare(libc::CLONE_FS) {
        // SAFETY: a NUL-terminated path; the working directory is this thread's own.
        let _ = unsafe { call!(SYS_chdir, c"/".as_ptr()) };
    }
    SHARES_TABLE.store(!own_table, Ordering::Relaxed);
    SETTLED.store(true, Ordering::Release);
    own_table
}

/// Waits until the watcher shares neither table with the host: setns(2) refuses a mount namespace to a process whose
/// directories are shared, and what the watcher takes from the host's table must be there until it has.
pub fn wait_until_settled() {
    let mut times = 0_u32;
    wait_while(|| {
        times = times.saturating_add(1);
        NUMBER.load(Ordering::Acquire) != 0 && !SETTLED.load(Ordering::Acquire) && times < 1000
    });
}

/// Whether the watcher has settled without a table of its own.
pub fn shares_table() -> bool {
    SETTLED.load(Ordering::Acquire) && SHARES_TABLE.load(Ordering::Relaxed)
}

/// KERNEL: close_range(2) with `CLOSE_RANGE_UNSHARE`, Linux 5.9, makes a table in which nothing of the host's ever is, but
/// for what has a smaller number than what is kept: that is copied, and given up again by the next call, for which the
/// host's thread waits ([`wait_until_settled`]). Before that, and in valgrind, the table is copied and then emptied.
///
/// REJECTED: pidfd_getfd(2) into an empty table. Docker's filter refuses it, and descriptors are for containers.
fn take_table(kept: Option<i32>) -> bool {
    const CLOSE_RANGE_UNSHARE: usize = 2;
    let kept = kept.and_then(|kept| u32::try_from(kept).ok());
    let above = kept.map_or(0, |kept| kept.saturating_add(1));
    let copied = !close_range(above, u32::MAX, CLOSE_RANGE_UNSHARE);
    if copied && !unshare(libc::CLONE_FILES) {
        return false;
    }
    let below = kept.and_then(|kept| kept.checked_sub(1));
    let emptied =
        (!copied || close_range(above, u32::MAX, 0)) && below.is_none_or(|below| close_range(0, below, 0));
    if !emptied {
        // One by one, as far as the table goes.
        for fd in 0..proc::descriptor_table_size().unwrap_or(65_536).min(1 << 24) {
            // The table is this thread's own; no host descriptor is closed.
            if kept.map(u64::from) != Some(fd) {
                close(i32::try_from(fd).unwrap_or(-1));
            }
        }
    }
    true
}

/// unshare(2) of what the calling thread shares with the host. Nothing else is affected.
fn unshare(what: i32) -> bool {
    // SAFETY: affects the calling thread alone.
    unsafe { call!(SYS_unshare, what) }.is_ok()
}

fn close_range(first: u32, last: u32, flags: usize) -> bool {
    // SAFETY: only for a table that is this thread's own, or becomes so by the flags.
    unsafe { call!(SYS_close_range, first, last, flags) }.is_ok()
}

/// Gives up every capability of the calling thread, capabilities(7): waiting needs none, and ending one's own
/// process needs no permission. The user id stays: changing it would make the host undumpable.
///
/// GUEST: not where the host is under a filter, PR_GET_SECCOMP(2const): one that kills for capset(2) would kill the
/// host.
pub fn drop_rights() {
    if process::call_filter() != 0 {
        return;
    }
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    /// `_LINUX_CAPABILITY_VERSION_3`, capget(2).
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let none = [0_u32; 6];
    // SAFETY: a header of version 3 for the calling thread, and the two sets of three words that go with it.
    let _ = unsafe { call!(SYS_capset, core::ptr::from_ref(&header), none.as_ptr()) };
}
