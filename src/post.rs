//! The watcher's post: whose it is, and what whoever holds it is told.

use crate::pdeathsig;
use crate::sys::{Errno, Held, Locked, process, thread};
use crate::terminate;
use crate::watch::{self, Watch};
use core::sync::atomic::{AtomicI32, Ordering};

/// What a successor is told.
static POST: Locked<Post> = Locked::new(Post::Empty);

/// GUEST: empty is zero, which an `Option` need not be. Data to write to that is not zero at first would be a page more
/// in every process.
#[repr(u8)]
pub enum Post {
    Empty = 0,
    Filled(Watch) = 1,
}

impl Post {
    /// What is there.
    pub fn watch(&mut self) -> Option<&mut Watch> {
        match self {
            Self::Empty => None,
            Self::Filled(watch) => Some(watch),
        }
    }
}

/// The process whose watcher `POST` tells of. Children that share or copy our memory are others.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// The first watcher of this process takes its post. All signals are blocked.
pub fn take(watch: &Watch) -> Result<(), Errno> {
    if let Some(mut post) = POST.hold() {
        *post = Post::Filled(*watch);
    }
    OWNER.store(process::own_pid(), Ordering::Release);
    watch::start(watch)
}

/// In a forked child: it has no watcher, whatever the memory that it has copied says. Whose memory that was.
pub fn forget() -> i32 {
    let parent = OWNER.swap(0, Ordering::AcqRel);
    *POST.seize() = Post::Empty;
    thread::forget();
    pdeathsig::forget();
    terminate::forget();
    parent
}

/// The same with no call at all: then nothing that this process does is about a watcher.
pub fn disown() {
    OWNER.store(0, Ordering::Release);
}

/// Whether nobody has ever taken the post. Says more than [`is_held`] by no call at all.
pub fn is_vacant() -> bool {
    OWNER.load(Ordering::Acquire) == 0
}

/// Whether the calling process has a watcher: it is the one that the post is of.
pub fn is_held() -> bool {
    let owner = OWNER.load(Ordering::Acquire);
    owner != 0 && owner == process::own_pid()
}

/// The right to fill the post anew. `None` where the calling thread has it already. All signals are blocked.
pub fn hold() -> Option<Held<'static, Post>> {
    POST.hold()
}
