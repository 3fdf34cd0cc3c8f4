//! `/proc/PID/task/TID/children`, proc_tid_children(5).

/// Looks for one process in such a list, which is read piece by piece.
#[derive(Clone, Debug)]
pub struct Children {
    wanted: u64,
    /// What has been read of a number: it may be cut by the end of a piece and go on in the next.
    number: u64,
}

impl Children {
    /// Nothing has been read yet.
    #[must_use]
    pub const fn looking_for(wanted: u64) -> Self {
        Self { wanted, number: 0 }
    }

    /// Whether it is in the next piece. Each number ends with a blank, the last one too.
    pub fn found_in(&mut self, piece: &[u8]) -> bool {
        let mut found = false;
        for byte in piece {
            match byte.checked_sub(b'0').filter(|digit| *digit <= 9) {
                // Beyond 64 bits it stays what no process has.
                Some(digit) => self.number = self.number.saturating_mul(10).saturating_add(u64::from(digit)),
                None => {
                    found |= self.number == self.wanted;
                    self.number = 0;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Children;

    #[test]
    fn a_number_may_be_cut_in_pieces() {
        let list = b"12 345 6789 ";
        for cut in 0..=list.len() {
            let (one, other) = list.split_at(cut);
            for (wanted, there) in [
                (12, true),
                (345, true),
                (6789, true),
                (34, false),
                (5, false),
                (678, false),
            ] {
                let mut children = Children::looking_for(wanted);
                let found = [one, other].map(|piece| children.found_in(piece));
                assert_eq!(found.contains(&true), there, "{wanted} {cut}");
            }
        }
    }
}
