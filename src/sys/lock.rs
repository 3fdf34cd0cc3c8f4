//! A value that one thread at a time may use: for the calls that the host makes into us from its own threads.

use super::thread;
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicI32, Ordering};

/// A value and the number of the thread that uses it, 0 for none.
pub struct Locked<T> {
    holder: AtomicI32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is used by the one thread whose number is in `holder`.
unsafe impl<T: Send> Sync for Locked<T> {}

/// The right to use the value, until it is dropped.
pub struct Held<'a, T>(&'a Locked<T>);

impl<T> Locked<T> {
    /// A value that nobody uses.
    pub const fn new(value: T) -> Self {
        Self {
            holder: AtomicI32::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody else uses the value. `None` where the calling thread does already: a call of the host's
    /// that we wrap has led to another one. All signals are blocked, or a handler could do the same and wait for ever.
    pub fn hold(&self) -> Option<Held<'_, T>> {
        let own = thread::own_number();
        loop {
            match self
                .holder
                .compare_exchange(0, own, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return Some(Held(self)),
                Err(holder) if holder == own => return None,
                // Seldom, so the holder need not wake anybody: a look every millisecond will do.
                Err(holder) => thread::wait_for_change(&self.holder, holder),
            }
        }
    }

    /// In a forked child: takes the value from a thread that only the parent has.
    pub fn seize(&self) -> Held<'_, T> {
        self.holder.store(thread::own_number(), Ordering::Release);
        Held(self)
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this thread is the holder.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        self.0.holder.store(0, Ordering::Release);
    }
}
