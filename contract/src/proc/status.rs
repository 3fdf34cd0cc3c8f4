//! `/proc/PID/status`, proc_pid_status(5).

/// The value on the line of this name, without the blanks before it.
///
/// KERNEL: line breaks in the program's name, which stands on the first line, are written as `\n` there, so no program
/// can add a line. Other bytes stay as they are: the whole is not always UTF-8.
#[must_use]
pub fn status_value<'a>(status: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut lines = status.split_inclusive(|byte| *byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"))?;
    Some(value.strip_suffix(b"\n")?.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::status_value;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let status = b"Name:\t\xe9t\xe9\nTgid:\t7\nNStgid:\t7\t1\nUid:\t1\t2\t3\t4\nFDSize:\t64";
        assert_eq!(status_value(status, "Name"), Some(&b"\xe9t\xe9"[..]));
        assert_eq!(status_value(status, "Tgid"), Some(&b"7"[..]));
        assert_eq!(status_value(status, "Uid"), Some(&b"1\t2\t3\t4"[..]));
        assert_eq!(status_value(status, "Gid"), None);
        // It may be cut off.
        assert_eq!(status_value(status, "FDSize"), None);
    }
}
