//! What macOS gives of a process, the bytes of that process: both parsers agree; and arguments and environment, put
//! into such a block, come out again.

#![no_main]

use anchor_fuzz::{naive::proc, procargs};
use libfuzzer_sys::fuzz_target;

fn read(block: &[u8]) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    procargs::parse(block).map(|found| (found.arguments, found.environment))
}

fuzz_target!(|input: &[u8]| {
    assert_eq!(read(input), proc::procargs(input));

    // An empty text ends the environment, and cannot be told from the padding where nothing stands before it.
    let texts: Vec<Vec<u8>> = input
        .split(|byte| *byte == 0)
        .filter(|text| !text.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    if texts.is_empty() {
        return;
    }
    let (arguments, entries) = texts.split_at(texts.len() / 2);
    let with_ends =
        |texts: &[Vec<u8>]| -> Vec<u8> { texts.iter().flat_map(|text| [text, &[0][..]].concat()).collect() };
    let count = i32::try_from(arguments.len())
        .expect("a small number")
        .to_ne_bytes();
    let environment = with_ends(entries);
    let block = [
        &count,
        &b"/bin/x\0\0\0"[..],
        &with_ends(arguments),
        &environment,
        b"\0ptr_munge=\0",
    ]
    .concat();
    assert_eq!(read(&block), Some((arguments.to_vec(), environment)));
});
