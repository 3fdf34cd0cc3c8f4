//! `ANCHOR_SKIP`: a list of globs, a line break, the path of a program. Three matchers agree: ours, a table that tries
//! every way, and fnmatch(3) where it means the same.

#![no_main]

use anchor_contract::Skip;
use anchor_fuzz::{halves, naive::glob};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (list, program) = halves(input);
    let wanted = glob::matching(list, program);
    let skip = Skip::parse(list);
    assert_eq!(skip.is_some(), wanted.is_ok());
    let (Some(skip), Ok(wanted)) = (skip, wanted) else {
        return;
    };
    assert_eq!(skip.matching(program), wanted);

    let whole = !list.is_empty() && !list.contains(&b':');
    let named = if list.contains(&b'/') || !program.contains(&b'/') {
        program
    } else {
        return;
    };
    if whole && let Some(matches) = glob::by_fnmatch(list, named) {
        assert_eq!(wanted.is_some(), matches, "fnmatch");
    }
});
