//! What differs from machine to machine: how the kernel is entered, how a thread is born, where a weak symbol is.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::{clone, raw};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{own_symbol, weak_symbol};

#[cfg(not(target_arch = "x86_64"))]
compile_error!("libanchor has no system call room for this architecture yet");
