//! What the fuzz targets stand on: the parsers that no library offers, and for each parser a second one that is as
//! simple as can be.
//!
//! A target checks more than that nothing panics: that both parsers agree, that what is printed reads as itself, that
//! what is cut off is no other answer.

/// Parsers of the launcher, which is a program and not a library: the same files.
#[path = "../../anchored/src/inspect/elf.rs"]
pub mod elf;
#[path = "../../anchored/src/inspect/macho.rs"]
pub mod macho;
#[path = "../../anchored/src/sys/procargs.rs"]
pub mod procargs;
#[path = "../../anchored/src/inspect/script.rs"]
pub mod script;

/// The library's, which is injected and cannot be linked with.
#[allow(clippy::all, clippy::pedantic)] // linted where it belongs
#[path = "../../src/sys/environ_array.rs"]
pub mod environ_array;

pub mod naive;

use anchor_contract::Line;

/// What `print` appends to a line.
pub fn printed(print: impl FnOnce(&mut Line)) -> Vec<u8> {
    let mut line = Line::new();
    print(&mut line);
    line.as_bytes().to_vec()
}

/// An input as two texts: what stands before its first line break, and what behind.
pub fn halves(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    end.map_or((input, &[]), |end| (&input[..end], &input[end + 1..]))
}

/// Numbers that depend on the whole input, for what must be checked with any.
pub fn numbers(input: &[u8]) -> impl Iterator<Item = u64> {
    // FNV-1a, then xorshift.
    let seed = input.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    std::iter::successors(Some(seed | 1), |number| {
        let number = number ^ (number << 13);
        let number = number ^ (number >> 7);
        Some(number ^ (number << 17))
    })
}
