//! What `cargo install` installs: one program with the library in it, which it unpacks where nobody else can touch it.

#![cfg(target_os = "linux")]

#[path = "../../../tests/support/mod.rs"]
mod support;

mod files;
mod installed;
mod mounts;
mod places;
mod start;
