//! A lifeline is not offered here.
//!
//! REJECTED: the same with kqueue(2), `EVFILT_READ` and `EV_EOF`. By what a descriptor is known again is its file, and
//! XNU gives a pipe neither a device nor a number (bsd/kern/sys_pipe.c: "should be unique"): whoever has inherited the
//! variable and not the descriptor could take another pipe's end for it, and the anchor for dead. A copy of ours would
//! stand in the host's table besides, to be closed with the rest.

use crate::sys::Unfit;
use anchor_contract::AnchorFd;

/// Why there is none.
pub const NO_COPY: &str = "it is not offered on macOS";

/// There is none.
pub fn find(_: AnchorFd) -> Result<Option<AnchorFd>, Unfit> {
    Err(Unfit::mistaken(NO_COPY))
}

/// See [`find`].
pub fn number() -> Option<i32> {
    None
}

/// See [`find`].
pub fn is_here() -> bool {
    false
}

/// See [`find`].
pub fn has_hung_up() -> bool {
    false
}
