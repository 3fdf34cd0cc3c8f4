//! What the kernel keeps together: the guard and what is below it.

use crate::supervise::terms::Terms;
use nix::sys::prctl;
use nix::sys::signal::Signal;

/// Where a process finds its own descriptors.
pub const DESCRIPTORS: &str = "/proc/self/fd";

/// So that waitpid(2) has everybody, children made by clone(2) without SIGCHLD too.
pub const EVERY_CHILD: i32 = libc::__WALL;

/// In the guard: every orphan below it becomes its child.
pub fn adopt_orphans() -> std::io::Result<()> {
    Ok(prctl::set_child_subreaper(true)?)
}

/// In the guard: a name for whoever looks.
pub fn name_guard() {
    let _ = prctl::set_name(c"anchor-guard");
}

/// In the command, before its exec: it is not to outlive the guard. System calls only.
///
/// KERNEL: PR_SET_PDEATHSIG(2const) is the *thread's* that forked, so the guard never starts another. It is SIGKILL,
/// because whoever kills the guard leaves nobody to see that a milder one has any effect. The kernel takes it back
/// from a set-id program and from one that changes its user: those, and what the command itself has started without
/// the library, live on when the *guard* is killed. When the *front* is killed the guard is there to act.
pub fn end_with_guard() -> std::io::Result<()> {
    Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)
}

/// What the front knows of the guard.
pub struct Bond;

impl Bond {
    /// To the guard of this number, a child that was not waited for.
    pub fn to(_: i32) -> Self {
        Self
    }

    /// The guard was killed. The command has its death signal.
    pub fn broken(self, _: &Terms) {}
}
