//! A process of the same group as the hosts, which has nothing to do with any: it must not hear of what ends them.

use crate::support::*;
use std::cell::RefCell;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

thread_local! {
    /// Of the same process group as every host of this thread; it has nothing to do with any.
    static BYSTANDER: RefCell<Option<Owned>> = const { RefCell::new(None) };
}

/// Its number, which is the group's.
pub fn bystander() -> i32 {
    BYSTANDER.with_borrow_mut(|place| place.get_or_insert_with(owned_group).pid())
}

/// Whether nobody has ended the bystander; if so there will be another.
pub fn bystander_lives() -> bool {
    BYSTANDER.with_borrow_mut(|place| {
        let lives = place
            .as_mut()
            .is_none_or(|bystander| bystander.0.try_wait().unwrap().is_none());
        if !lives {
            *place = None;
        }
        lives
    })
}

/// A process that leads a group of its own.
fn owned_group() -> Owned {
    let mut command = Command::new("sleep");
    without_library(command.arg("1000"))
        .process_group(0)
        .stdin(Stdio::null());
    Owned(command.spawn().unwrap())
}
