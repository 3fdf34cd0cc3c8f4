//! `/proc/PID/stat`: both parsers agree; a line with any name and any numbers reads as it was written; and one that is
//! cut off anywhere gives no other answer.

#![no_main]

use anchor_contract::StatLine;
use anchor_fuzz::{naive::proc, numbers};
use libfuzzer_sys::fuzz_target;

type Facts = (Vec<u8>, u8, u64, u64, u64);

fn facts(line: &[u8]) -> Option<Facts> {
    let stat = StatLine::parse(line)?;
    Some((
        stat.name()?.to_vec(),
        stat.state()?,
        stat.count(4)?,
        stat.count(20)?,
        stat.start()?,
    ))
}

fuzz_target!(|input: &[u8]| {
    assert_eq!(facts(input), proc::stat(input));

    let mut any = numbers(input);
    let numbers: Vec<u64> = (4..=52)
        .filter_map(|_| any.next())
        .map(|number| number >> (number % 64))
        .collect();
    let state = b"RSDTtZXIP"[numbers.len() % 9];
    let mut line = [b"12 (", input, b") ", &[state]].concat();
    for number in &numbers {
        line.extend(format!(" {number}").bytes());
    }
    line.push(b'\n');
    let name = input.to_vec();
    assert_eq!(
        facts(&line),
        Some((name, state, numbers[0], numbers[16], numbers[18]))
    );
    let stat = StatLine::parse(&line).expect("it has just been read");
    for (number, field) in numbers.iter().zip(4..) {
        assert_eq!(stat.count(field), Some(*number), "field {field}");
    }

    // Behind the name; before its end, an earlier parenthesis would be the last one.
    let behind = input.len() + 5;
    let cut = behind + usize::try_from(any.next().unwrap_or(0)).unwrap_or(0) % (line.len() - behind);
    let some = StatLine::parse(&line[..cut]);
    for (number, field) in numbers.iter().zip(4..) {
        let count = some.and_then(|some| some.count(field));
        assert!(
            count.is_none_or(|count| count == *number),
            "field {field} of {cut} bytes"
        );
    }
});
