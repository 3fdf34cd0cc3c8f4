//! A place that is filled once, before there is anybody to share it with, and only read afterwards.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU8, Ordering};

const EMPTY: u8 = 0;
const BUSY: u8 = 1;
const FULL: u8 = 2;

/// A value that is set at most once.
pub struct Once<T> {
    state: AtomicU8,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is written by the one caller that moves the state from EMPTY to BUSY, and read only after FULL.
unsafe impl<T: Send + Sync> Sync for Once<T> {}

impl<T> Once<T> {
    /// An empty place.
    pub const fn new() -> Self {
        Self {
            state: AtomicU8::new(EMPTY),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Fills the place. `None` where it was filled before, and the value is dropped.
    pub fn set(&self, value: T) -> Option<&T> {
        self.state
            .compare_exchange(EMPTY, BUSY, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        // SAFETY: only the winner of the exchange above comes here, and readers wait for FULL.
        let place = unsafe { &mut *self.value.get() };
        place.write(value);
        self.state.store(FULL, Ordering::Release);
        self.get()
    }

    /// The value, once it is there.
    pub fn get(&self) -> Option<&T> {
        if self.state.load(Ordering::Acquire) != FULL {
            return None;
        }
        // SAFETY: FULL is stored after the value was written, and nothing writes the place again.
        let value = unsafe { &*self.value.get() };
        // SAFETY: as above.
        Some(unsafe { value.assume_init_ref() })
    }
}

#[cfg(test)]
mod tests {
    use super::Once;

    #[test]
    fn the_first_value_stays() {
        let place = Once::new();
        assert_eq!(place.get(), None);
        assert_eq!(place.set(1), Some(&1));
        assert_eq!(place.set(2), None);
        assert_eq!(place.get(), Some(&1));
    }
}
