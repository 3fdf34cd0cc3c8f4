//! `/proc/PID/stat`, proc_pid_stat(5).

use crate::decimal;

/// The line, of which no field has been read yet.
#[derive(Clone, Copy, Debug)]
pub struct StatLine<'a> {
    /// Fields 1 and 2, without what closes the second.
    head: &'a [u8],
    /// Field 3 and those behind it.
    rest: &'a [u8],
}

impl<'a> StatLine<'a> {
    /// The name in field 2 may hold anything, blanks, parentheses and line breaks included; so the fields are counted
    /// from the last closing one.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let end_of_name = line.iter().rposition(|byte| *byte == b')')?;
        Some(Self {
            head: line.get(..end_of_name)?,
            rest: line.get(end_of_name.checked_add(2)?..)?,
        })
    }

    /// The program's name, cut by the kernel after 15 bytes.
    #[must_use]
    pub fn name(&self) -> Option<&'a [u8]> {
        let start = self.head.iter().position(|byte| *byte == b'(')?;
        self.head.get(start.checked_add(1)?..)
    }

    /// A field from the third on, as it stands there. Where nothing stands behind it, it may be cut off.
    #[must_use]
    pub fn field(&self, number: usize) -> Option<&'a [u8]> {
        let mut fields = self.rest.split(|byte| matches!(byte, b' ' | b'\n'));
        let field = fields.nth(number.checked_sub(3)?)?;
        fields.next().map(|_| field)
    }

    /// A field that is a number.
    #[must_use]
    pub fn count(&self, number: usize) -> Option<u64> {
        self.field(number).and_then(decimal)
    }

    /// Field 3: the state, as one letter.
    #[must_use]
    pub fn state(&self) -> Option<u8> {
        self.field(3)?.first().copied()
    }

    /// Field 22: when the process started, in clock ticks since boot.
    #[must_use]
    pub fn start(&self) -> Option<u64> {
        self.count(22)
    }
}

#[cfg(test)]
mod tests {
    use super::StatLine;
    use std::format;

    #[test]
    fn a_name_may_hold_anything() {
        for name in ["sh", "a b", "a) R 1 2 3", ") Z 1 1", "((", "))", "\n", ""] {
            let line = format!("12 ({name}) S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 4711 0\n");
            let stat = StatLine::parse(line.as_bytes()).unwrap();
            assert_eq!(stat.name(), Some(name.as_bytes()));
            assert_eq!(
                (stat.state(), stat.count(4), stat.start()),
                (Some(b'S'), Some(7), Some(4711)),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_number_that_may_be_cut_off_is_no_answer() {
        let whole = b"12 (sh) S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 4711";
        for length in 0..=whole.len() {
            let stat = StatLine::parse(whole.get(..length).unwrap());
            assert_eq!(stat.and_then(|stat| stat.start()), None, "{length}");
        }
        let stat = StatLine::parse(b"12 (sh) S 7\n").unwrap();
        assert_eq!((stat.count(4), stat.count(5)), (Some(7), None));
    }

    #[test]
    fn what_is_no_line_of_it_is_no_answer() {
        for text in ["", ")", "1 (sh", "1 (sh)", ") "] {
            let start = StatLine::parse(text.as_bytes()).and_then(|stat| stat.start());
            assert_eq!(start, None, "{text:?}");
        }
    }
}
