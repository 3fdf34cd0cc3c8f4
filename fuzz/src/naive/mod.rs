//! The second parsers: slow, short, and written from the manual pages and the kernel's steps, not from the first ones.

pub mod elf;
pub mod glob;
pub mod proc;
pub mod script;
pub mod values;
