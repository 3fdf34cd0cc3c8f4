//! `examples/`: each is run as its page says, twice, and its anchor is killed with SIGKILL. Of the one nothing is left;
//! the other, with the off switch on (`ANCHOR_DISABLE=1`), is its control, and all of it is still there.

#![cfg(target_os = "linux")]

mod apps;
mod machines;
mod page;
mod running;
#[path = "../support/mod.rs"]
mod support;
mod tools;

use running::{Example, Running};
use support::wait_until;

/// What every example must show.
fn nothing_is_left(example: &Example) {
    then_nothing_is_left(example, |_| ());
}

/// The same, and then `look` at what the tree has left in its folder.
fn then_nothing_is_left(example: &Example, look: impl FnOnce(&Running)) {
    if !example.needs.iter().all(|need| support::have(need)) {
        return;
    }
    let (tree, control) = (Running::start(example, true), Running::start(example, false));
    let (tree, control) = (tree.ready(), control.ready());
    control.kill_anchor();
    tree.kill_anchor();
    wait_until("nothing is left of it", || tree.is_gone());
    // RACE: 1. it is free  2. the kernel gives it to another example  3. it answers, until that one is over.
    for port in tree.ports() {
        wait_until(&format!("port {port} is free"), || !running::answers(port));
    }
    tree.assert_who_stays_lives();
    control.assert_all_live();
    look(&tree);
}
