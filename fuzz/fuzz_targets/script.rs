//! The line with which a script names its interpreter, against Linux's own steps.

#![no_main]

use anchor_fuzz::{naive, script};
use libfuzzer_sys::fuzz_target;
use std::os::unix::ffi::OsStringExt;

fuzz_target!(|file: &[u8]| {
    let start = &file[..file.len().min(script::BYTES_READ)];
    let line = script::line(start).map(|(path, argument)| {
        (
            path.into_os_string().into_vec(),
            argument.map(OsStringExt::into_vec),
        )
    });
    // No name leads to the working directory.
    let wanted = naive::script::line(start).map(|(path, argument)| {
        let path = if path.is_empty() { b".".to_vec() } else { path };
        (path, argument)
    });
    assert_eq!(line, wanted);
});
