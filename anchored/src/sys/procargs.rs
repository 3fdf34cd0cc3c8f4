//! What sysctl(3)'s `KERN_PROCARGS2` gives of a process: taken apart. What stands in it is what the process has in its
//! memory, and that may be anything.
//!
//! KERNEL: the number of arguments, in four bytes; the path of the program; NULs; the arguments and the environment, each
//! with a NUL at its end; an empty text; and then what is between the kernel and the loader (XNU, bsd/kern/kern_sysctl.c:
//! `sysctl_procargsx`). The environment of programs that System Integrity Protection restricts is left out, for root too.

/// The arguments and the environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ProcArgs {
    pub arguments: Vec<Vec<u8>>,
    /// Entries with a NUL at the end of each.
    pub environment: Vec<u8>,
}

/// `None`: that is no such block.
pub fn parse(block: &[u8]) -> Option<ProcArgs> {
    let (count, rest) = block.split_first_chunk::<4>()?;
    let count = usize::try_from(i32::from_ne_bytes(*count)).ok()?;
    let path = rest.iter().position(|byte| *byte == 0)?;
    let padded = rest.get(path..)?;
    // Arguments that are empty and come first are taken for these NULs, and then entries of the environment for arguments:
    // what a process has as an argument is never taken for its environment.
    let begin = padded.iter().position(|byte| *byte != 0).unwrap_or(padded.len());
    let mut rest = padded.get(begin..)?;
    let mut found = ProcArgs::default();
    while found.arguments.len() < count {
        let Some(end) = rest.iter().position(|byte| *byte == 0) else {
            // Cut off within an argument.
            found.arguments.extend((!rest.is_empty()).then(|| rest.to_vec()));
            return Some(found);
        };
        found.arguments.push(rest[..end].to_vec());
        rest = &rest[end + 1..];
    }
    // One that is cut off is none: what is left of a number is another number.
    while let Some(end) = rest.iter().position(|byte| *byte == 0).filter(|end| *end > 0) {
        found.environment.extend_from_slice(&rest[..=end]);
        rest = &rest[end + 1..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{ProcArgs, parse};

    fn block(count: i32, texts: &[u8]) -> Vec<u8> {
        [&count.to_ne_bytes(), texts].concat()
    }

    fn found(arguments: &[&str], environment: &[u8]) -> Option<ProcArgs> {
        Some(ProcArgs {
            arguments: arguments.iter().map(|word| word.as_bytes().to_vec()).collect(),
            environment: environment.to_vec(),
        })
    }

    #[test]
    fn arguments_and_environment_are_told_apart_by_their_number() {
        let texts =
            b"/bin/x\0\0\0\0x\0\0ANCHOR_PID=9\0A=1\0ANCHOR_PID=7\0\0executable_path=/bin/x\0ptr_munge=\0";
        let whole = parse(&block(3, texts));
        assert_eq!(whole, found(&["x", "", "ANCHOR_PID=9"], b"A=1\0ANCHOR_PID=7\0"));
    }

    #[test]
    fn what_the_kernel_leaves_out_is_empty() {
        assert_eq!(
            parse(&block(2, b"/bin/sh\0\0sh\0-c\0")),
            found(&["sh", "-c"], b"")
        );
        assert_eq!(parse(&block(0, b"/bin/sh\0\0")), found(&[], b""));
    }

    #[test]
    fn an_argument_is_never_taken_for_the_environment() {
        // The first one is empty, and cannot be told from the padding.
        let texts = b"/x\0\0\0\0ANCHOR_PID=1\0A=1\0B=2\0\0";
        assert_eq!(parse(&block(2, texts)), found(&["ANCHOR_PID=1", "A=1"], b"B=2\0"));
        // A title that was written over all of them.
        assert_eq!(parse(&block(3, b"/x\0a title\0")), found(&["a title"], b""));
    }

    #[test]
    fn an_entry_that_is_cut_off_is_none() {
        let texts = b"/x\0\0x\0A=1\0ANCHOR_PID=1234\0";
        for length in 0..texts.len() {
            let environment: &[u8] = if length >= 10 { b"A=1\0" } else { b"" };
            let whole = parse(&block(1, &texts[..length])).unwrap_or_default();
            assert_eq!(whole.environment, environment, "{length}");
        }
        assert_eq!(
            parse(&block(1, texts)).unwrap().environment,
            b"A=1\0ANCHOR_PID=1234\0"
        );
    }

    #[test]
    fn anything_else_is_no_block() {
        for bad in [&b""[..], b"\0\0", b"\x01\0\0\0", b"\x01\0\0\0/no/end"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
        assert_eq!(parse(&block(-1, b"/x\0x\0A=1\0")), None);
        // More than there can be.
        assert_eq!(
            parse(&block(i32::MAX, b"/x\0x\0A=1\0")),
            found(&["x", "A=1"], b"")
        );
    }
}
