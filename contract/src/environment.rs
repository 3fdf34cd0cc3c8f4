//! The contract's variables in an environment: which of its entries count, and what an empty one means.

use crate::{VARIABLES, Variable};

/// The values of the contract's variables, as a process was given them.
#[derive(Clone, Debug)]
pub struct Values<'a>([Option<&'a [u8]>; VARIABLES.len()]);

impl<'a> Values<'a> {
    /// Nothing has been looked at yet.
    #[must_use]
    pub const fn none() -> Self {
        Self([None; VARIABLES.len()])
    }

    /// Whether an entry may be one of the contract's: nearly every entry of nearly every program is somebody else's.
    #[must_use]
    pub fn may_take(entry: &[u8]) -> bool {
        entry.starts_with(b"ANCHOR_")
    }

    /// Takes an entry, `NAME=VALUE`, if it is one of the contract's. As with getenv(3), the first of two counts.
    pub fn take(&mut self, entry: &'a [u8]) {
        for (variable, place) in VARIABLES.iter().zip(&mut self.0) {
            *place = place.or(value_of(entry, variable.name));
        }
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, variable: &Variable) -> Option<&'a [u8]> {
        let mut known = VARIABLES.iter().zip(&self.0);
        known
            .find(|(other, _)| other.name == variable.name)
            .and_then(|(_, value)| *value)
            .filter(|value| !value.is_empty())
    }
}

/// The value of a variable in a block of entries with a NUL behind each, as the kernel and `/proc/PID/environ` have them;
/// it may be empty. As with getenv(3), the first of two counts.
#[must_use]
pub fn value_in<'a>(block: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut entries = block.split(|byte| *byte == 0);
    entries.find_map(|entry| value_of(entry, name))
}

fn value_of<'a>(entry: &'a [u8], name: &str) -> Option<&'a [u8]> {
    entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

#[cfg(test)]
mod tests {
    use super::{Values, value_in};
    use crate::{Pid, Scope, Setting};

    #[test]
    fn the_first_of_two_counts_even_if_it_is_empty() {
        for (block, pid, scope) in [
            (&b"A=1\0ANCHOR_PID=7\0ANCHOR_PID=8"[..], Some(&b"7"[..]), None),
            (
                b"ANCHOR_PID=\0ANCHOR_PID=8\0ANCHOR_SCOPE=self",
                None,
                Some(&b"self"[..]),
            ),
            (b"XANCHOR_PID=9\0ANCHOR_PIDS=9\0ANCHOR_PID", None, None),
        ] {
            let mut values = Values::none();
            block
                .split(|byte| *byte == 0)
                .for_each(|entry| values.take(entry));
            for (variable, wanted) in [(Pid::VARIABLE, pid), (Scope::VARIABLE, scope)] {
                assert_eq!(values.get(variable), wanted);
                let value = value_in(block, variable.name).filter(|value| !value.is_empty());
                assert_eq!(value, wanted);
            }
        }
    }
}
