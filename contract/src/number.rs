//! Decimal numbers as the kernel and this contract write them: digits, nothing else.

/// Whether a byte is among these. core's own searches by words, and the library would carry that for a name.
#[must_use]
#[inline(never)]
#[allow(clippy::manual_contains)]
pub fn holds(bytes: &[u8], wanted: u8) -> bool {
    bytes.iter().any(|byte| *byte == wanted)
}

/// Reads `digits` as a decimal number. `None` for an empty text, a sign, a blank, any other byte, or a number
/// beyond 64 bits.
#[must_use]
#[inline(never)] // the library is small because this is not repeated at every use
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn reads_digits_only() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"007"), Some(7));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for bad in [
            "",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1a",
            "0x1",
            "18446744073709551616",
            "\u{0661}",
        ] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
