//! The other texts of `/proc`, each against a second parser: status, children (read in pieces), cmdline.

#![no_main]

use anchor_contract::{Children, NsPid, arguments, status_value};
use anchor_fuzz::{naive::proc, numbers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    for name in ["Name", "Tgid", "Uid", "Gid", "FDSize", "ShdPnd", "SigCgt", ""] {
        assert_eq!(status_value(text, name), proc::status(text, name), "{name}");
    }
    let mut line = NsPid::default();
    let namespaces = text.iter().find_map(|byte| line.next(*byte));
    assert_eq!(namespaces, proc::namespaces(text));
    assert!(arguments(text).eq(proc::arguments(text)));

    let random = numbers(text).nth(1).unwrap_or(0);
    let digits: Vec<u8> = text.iter().copied().filter(u8::is_ascii_digit).take(7).collect();
    let own = std::str::from_utf8(&digits)
        .ok()
        .and_then(|digits| digits.parse().ok());
    for wanted in [1, 12, 4711, own.unwrap_or(7)]
        .into_iter()
        .filter(|wanted| *wanted > 0)
    {
        let mut children = Children::looking_for(wanted);
        let size = 1 + usize::try_from(random % 64).unwrap_or(0);
        let found: Vec<bool> = text.chunks(size).map(|piece| children.found_in(piece)).collect();
        assert_eq!(found.contains(&true), proc::lists(text, wanted), "{wanted}");
    }
});
