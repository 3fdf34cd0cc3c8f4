//! The headers and signatures of a Mach-O file: nothing panics, what stands behind the file's end says nothing, and the
//! answer is a reason or none.

#![no_main]

use anchor_fuzz::macho;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|file: &[u8]| {
    let Some(found) = macho::read(Cursor::new(file)) else {
        return;
    };
    assert_eq!(macho::read(Cursor::new(file)).as_ref(), Some(&found));
    let known = ["x86_64", "arm64", "arm64e"];
    assert!(
        found
            .machines()
            .split_whitespace()
            .all(|machine| known.contains(&machine))
    );
    if let Err(why) = found.fits(&found, "it") {
        assert!(why.starts_with("it ") && !why.contains('\n'), "{why}");
    }
});
