//! `anchored --check`: what it says of each kind of program, in words and by exit status; and that what it says is so:
//! `--probe` runs it.
#![cfg(target_os = "linux")]

mod options;
mod page;
mod privileges;
mod probe;
mod programs;
mod scripts;
mod search;
mod support;
