//! `/proc/PID/cmdline`, proc_pid_cmdline(5).

/// Every argument, the program's name first. One whose end was not read is left out.
pub fn arguments(cmdline: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = cmdline.split_inclusive(|byte| *byte == 0);
    words.filter_map(|word| word.strip_suffix(&[0]))
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn arguments_end_with_a_nul() {
        assert!(arguments(b"a\0\0b c\0").eq([&b"a"[..], b"", b"b c"]));
        assert!(arguments(b"a\0cut o").eq([&b"a"[..]]));
        assert!(arguments(b"").next().is_none());
    }
}
