//! The values of the variables, as the README's table has them.

/// Digits and nothing else, of 64 bits.
pub fn number(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.chars().all(|character| character.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Milliseconds, up to a day.
pub fn millis(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        _ => return None,
    };
    let count = u128::from(number(digits.as_bytes())?) * unit;
    u64::try_from(count).ok().filter(|count| *count <= 86_400_000)
}

/// What `kill -l` says, Linux on x86-64 and arm64; without those that stop a process.
const SIGNALS: &str = "1 HUP 2 INT 3 QUIT 4 ILL 5 TRAP 6 ABRT 7 BUS 8 FPE 9 KILL 10 USR1 11 SEGV 12 USR2 13 PIPE \
                       14 ALRM 15 TERM 17 CHLD 18 CONT 23 URG 24 XCPU 25 XFSZ 26 VTALRM 27 PROF 28 WINCH 29 IO 31 SYS";

/// The number of a signal that a program can be asked with.
pub fn signal(text: &[u8]) -> Option<u64> {
    if let Some(number) = number(text) {
        let stops = (19..=22).contains(&number);
        let libcs = number == 32 || number == 33;
        return (1..=64)
            .contains(&number)
            .then_some(number)
            .filter(|_| !stops && !libcs);
    }
    let text = String::from_utf8(text.to_ascii_uppercase()).ok()?;
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    let mut words = SIGNALS.split_whitespace();
    while let (Some(number), Some(known)) = (words.next(), words.next()) {
        if known == name {
            return number.parse().ok();
        }
    }
    None
}

/// Two numbers with `between` between them.
pub fn pair(text: &[u8], between: char) -> Option<(u64, u64, usize)> {
    let text = std::str::from_utf8(text).ok()?;
    let (one, other) = text.split_once(between)?;
    Some((number(one.as_bytes())?, number(other.as_bytes())?, other.len()))
}

/// Two or three numbers with colons between them.
pub fn two_or_three(text: &[u8]) -> Option<(u64, u64, Option<u64>)> {
    let text = std::str::from_utf8(text).ok()?;
    let numbers: Option<Vec<u64>> = text.split(':').map(|part| number(part.as_bytes())).collect();
    match *numbers? {
        [one, two] => Some((one, two, None)),
        [one, two, three] => Some((one, two, Some(three))),
        _ => None,
    }
}
