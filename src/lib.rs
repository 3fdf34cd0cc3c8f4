//! libanchor: loaded into an unmodified program, ends it when another process, its anchor, dies.
//!
//! The way of the data is the order of the modules: [`environment`] finds the `ANCHOR_*` variables, [`settings`]
//! reads them, [`identity`] says whether the anchor is still the process that was meant, [`pdeathsig`] lets the
//! kernel ask where it can, [`arm`] does all that in the one order that closes the races, [`watch`] waits in a
//! thread that the host never notices, and [`terminate`] ends the host. [`log`] tells whoever wants to know.
//! Only [`sys`] talks to the machine.
//!
//! GUEST: this runs inside processes that are not ours, before their `main`. It never allocates, never panics, on Linux
//! never calls into a libc (but to register the fork handler), and leaves errno, signals, descriptors and directories
//! as they were.

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]
// A guest does not panic. The tests do: that is how they speak.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]
// The unit tests call the parts; only the constructor calls them all. And some of what only `stand_down` needs stands in
// other steps.
#![cfg_attr(any(test, not(target_os = "linux")), allow(dead_code))]

mod environment;
mod settings;

mod arm;
mod exclusions;
mod identity;
mod pdeathsig;
mod scope;

mod post;
#[cfg(target_os = "linux")] // nothing on macOS minds a thread, or gives one rights of its own
mod stand_down;
mod terminate;
mod watch;

mod log;
mod stops;
#[allow(unsafe_code)]
mod sys;

#[cfg(not(test))]
#[allow(unsafe_code)]
mod constructor {
    ctor::declarative::ctor! {
        /// Runs when the dynamic loader has mapped the library, before the host's `main`.
        #[ctor(unsafe)]
        fn load() {
            crate::arm::at_load();
        }
    }
}

/// Nothing in here can panic, and this is how that is known: in the optimised library no path to this function is
/// left, so the symbol below is not either. Were there one, the file would import it, and the test of its symbol
/// table (`tests/file.rs`) would fail.
#[cfg(not(test))]
#[panic_handler]
#[allow(unsafe_code)]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn libanchor_has_a_path_that_panics() -> !;
    }
    libanchor_has_a_path_that_panics()
}
