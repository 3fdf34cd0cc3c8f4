//! What differs from machine to machine: how the kernel is entered, how a thread is born, where a weak symbol is. One
//! file for each, with the same functions.
//!
//! GUEST: compiled code calls memcpy and its like where it sees fit. An import of them would be a strong one, and an
//! export would take over the host's. So each file has them, hidden, short, and only ever used for a few bytes.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::{clone, fault, raw};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{own_symbol, weak_symbol};

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::{clone, fault, raw};
#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::{own_symbol, weak_symbol};

#[cfg(target_arch = "x86")]
mod x86;
#[cfg(target_arch = "x86")]
pub use x86::{clone, fault, numbers, raw};
#[cfg(target_arch = "x86")]
pub(crate) use x86::{own_symbol, weak_symbol};

/// The numbers of the system calls.
#[cfg(not(target_arch = "x86"))]
pub use libc as numbers;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "x86")))]
compile_error!(
    "libanchor runs on x86-64, arm64 and x86 Linux (x86_64, aarch64, x86), not on this architecture"
);
