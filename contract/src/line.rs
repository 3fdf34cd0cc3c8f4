//! One line of text, built in place: for messages and for the values that the contract prints.
//! What does not fit is cut off; nothing here can fail, allocate or panic.

/// Room for the longest line that is ever written, in bytes, its newline included.
/// A pipe takes so many in one piece (`PIPE_BUF` is 4096 on Linux, at least 512 by POSIX).
const CAPACITY: usize = 512;

/// How much of a text from outside is repeated in a message, in bytes.
const QUOTED: usize = 80;

/// A line of at most 511 bytes and its newline.
#[derive(Clone)]
pub struct Line {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Line {
    /// An empty line.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            length: 0,
        }
    }

    /// What was written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Appends one byte, or drops it where the line is full but for its newline.
    #[inline(never)] // here and below: the library is small because these are not repeated at every use
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        if self.length < CAPACITY.saturating_sub(1) {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
                self.length = self.length.saturating_add(1);
            }
        }
        self
    }

    /// Appends a text.
    #[inline(always)]
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.raw(text.as_bytes())
    }

    /// Appends bytes as they are.
    #[inline(never)]
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            self.byte(*byte);
        }
        self
    }

    /// Appends a value from outside so that the line stays one short printable line: what is not printable ASCII
    /// becomes `?`, and after 80 bytes it is cut with `...`.
    pub fn quoted(&mut self, value: &[u8]) -> &mut Self {
        for byte in value.iter().take(QUOTED) {
            self.byte(if matches!(byte, b' '..=b'~') { *byte } else { b'?' });
        }
        if value.len() > QUOTED {
            self.text("...")
        } else {
            self
        }
    }

    /// Appends a decimal number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        // From the highest power of ten downwards, so that no second buffer is needed.
        let mut power: u64 = 10_000_000_000_000_000_000;
        let mut started = false;
        while power > 0 {
            let digit = number.checked_div(power).unwrap_or(0) % 10;
            started |= digit > 0 || power == 1;
            if started {
                self.byte(b'0'.saturating_add(u8::try_from(digit).unwrap_or(0)));
            }
            power /= 10;
        }
        self
    }

    /// Ends the line. The newline always has room.
    pub fn end(&mut self) -> &[u8] {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = b'\n';
            self.length = self.length.saturating_add(1).min(CAPACITY);
        }
        self.as_bytes()
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Line};
    use std::string::ToString;

    #[test]
    fn numbers_are_printed_as_std_prints_them() {
        for number in [0, 1, 9, 10, 99, 100, 4_026_531_836, u64::MAX - 1, u64::MAX] {
            assert_eq!(
                Line::new().number(number).as_bytes(),
                number.to_string().as_bytes()
            );
        }
    }

    #[test]
    fn a_full_line_keeps_room_for_its_newline() {
        let mut line = Line::new();
        for _ in 0..CAPACITY {
            line.text("abc");
        }
        let whole = line.end();
        assert_eq!(whole.len(), CAPACITY);
        assert_eq!(whole.last(), Some(&b'\n'));
        assert_eq!(whole.iter().filter(|byte| **byte == b'\n').count(), 1);
    }

    #[test]
    fn a_value_from_outside_cannot_break_the_line() {
        assert_eq!(
            Line::new().quoted(b"a\nb\tc\x1b[0m\xff").as_bytes(),
            b"a?b?c?[0m?"
        );
        let long = [b'x'; 300];
        assert_eq!(Line::new().quoted(&long).as_bytes().len(), 83);
    }
}
