//! `ANCHOR_ID` in the forms of both platforms: both parsers agree, and what is printed reads as itself.

#![no_main]

use anchor_contract::{AnchorId, IdForm, Setting};
use anchor_fuzz::{naive::values, numbers, printed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    let namespace = values::two_or_three(value).map(|(namespace, start, mark)| AnchorId {
        namespace,
        start,
        mark,
    });
    assert_eq!(IdForm::Namespace.parse(value), namespace);
    let time = values::pair(value, '.').and_then(|(seconds, micros, digits)| {
        let start = u128::from(seconds) * 1_000_000 + u128::from(micros);
        let start = u64::try_from(start).ok().filter(|_| digits == 6)?;
        Some(AnchorId {
            namespace: 0,
            start,
            mark: None,
        })
    });
    assert_eq!(IdForm::Time.parse(value), time);
    assert_eq!(AnchorId::parse(value), IdForm::OWN.parse(value));

    // Any identity, large and small.
    let mut any = numbers(value).map(|number| number >> (number % 64));
    let id = AnchorId {
        namespace: any.next().unwrap_or(0),
        start: any.next().unwrap_or(0),
        mark: any.next(),
    };
    let alone = AnchorId {
        namespace: 0,
        mark: None,
        ..id
    };
    let found = namespace
        .into_iter()
        .chain([id])
        .map(|id| (IdForm::Namespace, id));
    for (form, id) in found.chain(time.into_iter().chain([alone]).map(|id| (IdForm::Time, id))) {
        let text = printed(|line| form.print(id, line));
        assert_eq!(form.parse(&text), Some(id));
        if form == IdForm::OWN {
            assert_eq!(id.to_string().as_bytes(), text);
        }
    }
});
