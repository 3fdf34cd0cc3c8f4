//! `NSpid` in `/proc/PID/status`, proc_pid_status(5): behind a list of groups that may be long, so no buffer holds the file.

/// Finds the line, a byte at a time, and counts its numbers: in how many PID namespaces the process has one.
#[derive(Clone, Debug, Default)]
pub struct NsPid {
    column: usize,
    differs: bool,
    numbers: usize,
}

impl NsPid {
    /// How many there are, when the line is over.
    pub fn next(&mut self, byte: u8) -> Option<usize> {
        if byte == b'\n' {
            let found = (!self.differs && self.numbers > 0).then_some(self.numbers);
            *self = Self::default();
            return found;
        }
        match b"NSpid:".get(self.column) {
            Some(expected) => self.differs |= *expected != byte,
            // Each has a tab before it.
            None => self.numbers = self.numbers.saturating_add(usize::from(byte == b'\t')),
        }
        self.column = self.column.saturating_add(1);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::NsPid;

    #[test]
    fn namespaces_are_counted_by_their_numbers() {
        let count = |status: &[u8]| {
            let mut line = NsPid::default();
            status.iter().find_map(|byte| line.next(*byte))
        };
        assert_eq!(
            count(b"Name:\tNSpid:\t1\nNStgid:\t1\t2\t3\nNSpid:\t7\nNSpgid:\t7\t8\n"),
            Some(1)
        );
        assert_eq!(count(b"NSpid:\t5000\t12\t1\n"), Some(3));
        assert_eq!(count(b"Name:\tsh\nNSpid\nNSpid:\t5000"), None);
    }
}
