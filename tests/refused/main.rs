//! Every system call that the library makes is refused in turn, and in pairs: no host ever pays for it, and whatever
//! can still watch, watches. docs/rungs.md shows what came of each.
//!
//! `LIBANCHOR_WRITE=1` writes the page (`scripts/rungs --write` does that). `LIBANCHOR_PAIRS=all` runs every pair, and
//! without it a choice of them, by `LIBANCHOR_SEED`.

#![cfg(target_os = "linux")]

mod bystander;
mod calls;
mod cell;
mod host;
mod later;
mod page;
mod pairs;
mod regressions;
mod singles;
#[path = "../support/mod.rs"]
mod support;
mod watcher;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many cells run at a time. They mostly wait.
const AT_ONCE: usize = 16;

/// Runs cells, and gives what came of each, in their order.
pub fn all<T: Sync, R: Send>(cells: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // One test's cells at a time: a watcher's wake-ups are counted.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(cell) = cells.get(place) else { break };
                    let result = run(cell);
                    results.lock().unwrap().insert(place, result);
                }
            });
        }
    });
    results.into_inner().unwrap().into_values().collect()
}
