//! The headers of an ELF file, against Linux's own steps.

#![no_main]

use anchor_fuzz::elf::{self, Libc, Link};
use anchor_fuzz::naive;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;

fuzz_target!(|file: &[u8]| {
    let found = elf::read(Cursor::new(file));
    let read = found.as_ref().map(|elf| {
        let loader = elf.loader().map(|loader| loader.as_os_str().as_bytes().to_vec());
        let target = elf.target;
        (
            (target.bits, target.big_endian, target.machine),
            loader,
            elf.link == Link::StaticPie,
        )
    });
    let wanted = naive::elf::read(file).map(|elf| {
        let alone = elf.loader.is_none() && elf.dynamic;
        (elf.target, elf.loader, alone)
    });
    assert_eq!(read, wanted);

    // What is said of it.
    if let Some(elf) = &found {
        let _ = elf.target.to_string();
        let known = elf.loader().is_some_and(|loader| Libc::of(loader) != Libc::Other);
        assert_eq!(elf.fits(elf, "it").is_ok(), known);
    }
});
