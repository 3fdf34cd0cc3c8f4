//! What keeps the guard and what is below it together: nothing of the kernel's. The guard follows its tree by itself
//! (`lookout`), and when it is killed the front ends what it has left.

use super::lookout::Lookout;
use crate::supervise::ending::{Ending, Pass};
use crate::supervise::kin::Sight;
use crate::supervise::terms::Terms;
use crate::supervise::tree::Tree;
use std::time::Instant;

/// Where a process finds its own descriptors.
pub const DESCRIPTORS: &str = "/dev/fd";

/// waitpid(2) has everybody without it.
pub const EVERY_CHILD: i32 = 0;

/// There are no subreapers: orphans are launchd's.
pub fn adopt_orphans() -> std::io::Result<()> {
    Ok(())
}

/// A process has the name of its file.
pub fn name_guard() {}

/// There is no death signal: the front acts for it ([`Bond::broken`]).
pub fn end_with_guard() -> std::io::Result<()> {
    Ok(())
}

/// What the front knows of the guard.
pub struct Bond(Option<Sight>);

impl Bond {
    /// To the guard of this number, a child that was not waited for.
    pub fn to(guard: i32) -> Self {
        Self(Sight::of(guard))
    }

    /// The guard was killed: what it has left is ended as it would have done it. Whom the front cannot know of is who
    /// became an orphan before, and has no mark that can be read.
    ///
    /// RACE: both are killed at once. Then nobody is there to act, and the command goes on unguarded. Left open.
    pub fn broken(self, terms: &Terms) {
        let Some(mut lookout) = self.0.and_then(|guard| Lookout::instead_of(guard).ok()) else {
            return;
        };
        let command = lookout.command();
        let mut ending = Ending::new(terms.signal, terms.grace, Instant::now());
        while let Pass::Again(pause) = ending.pass(&mut Tree::of(&mut lookout, terms, command)) {
            lookout.wait(None, Some(pause));
        }
    }
}
