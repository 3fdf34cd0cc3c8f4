//! The library's watcher in a process, as it is seen from outside: a thread of its name.

use super::info::{self, Plain};
use super::memory;

/// `PROC_PIDLISTTHREADS`, XNU's bsd/sys/proc_info.h.
const THREADS: i32 = 6;

#[repr(transparent)]
#[derive(Clone, Copy)]
struct Thread(libc::proc_threadinfo);

// SAFETY: numbers only.
unsafe impl Plain for Thread {}

/// A watcher.
#[derive(Debug)]
pub struct Watcher;

impl Watcher {
    /// The watcher of process `pid`, which has the library in its memory.
    pub fn of(pid: i32) -> Option<Self> {
        (has_thread(pid) && memory::has_library(pid)).then_some(Self)
    }

    /// `None`: whom its queue was told to tell of is not to be seen.
    pub fn anchor(&self) -> Option<Option<i32>> {
        None
    }
}

/// Whether process `pid` has a thread with the watcher's name. Of another user's nobody knows but root.
pub fn has_thread(pid: i32) -> bool {
    let mut threads = vec![0; 256];
    // As many as there was room for: there may be more.
    let count = loop {
        let count = info::many(pid, THREADS, &mut threads);
        if count < threads.len() || threads.len() > 65_536 {
            break count;
        }
        threads.resize(threads.len() * 2, 0);
    };
    threads.truncate(count);
    let name = |thread: &u64| info::one::<Thread>(pid, libc::PROC_PIDTHREADINFO, *thread);
    let mut named = threads.iter().filter_map(name);
    named.any(|thread| info::text(&thread.0.pth_name) == b"anchor")
}
