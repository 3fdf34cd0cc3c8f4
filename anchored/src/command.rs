//! The command of a process, as a person may see it.

use crate::cookie;
use crate::processes::Entry;

/// Its arguments, its own name first. None where they cannot be read, or it has no memory any more.
pub fn arguments(pid: i32) -> Vec<Vec<u8>> {
    let mut whole = cookie::read(pid, "cmdline").unwrap_or_default();
    // A title that was written over them has NULs up to where they ended.
    while whole.last() == Some(&0) {
        whole.pop();
    }
    if whole.is_empty() {
        return Vec::new();
    }
    whole.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

/// Its arguments with blanks between them; `[name]`, as `ps` shows it, where there are none.
pub fn shown(entry: &Entry) -> String {
    let words = arguments(entry.pid);
    if words.is_empty() {
        return plain(&format!("[{}]", entry.name));
    }
    plain(&String::from_utf8_lossy(&words.join(&b' ')))
}

/// Whoever names a process must not write to the terminal of whoever looks at it.
fn plain(text: &str) -> String {
    let plain = |character: char| if character.is_control() { '?' } else { character };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_command_writes_nothing_to_the_terminal() {
        assert_eq!(plain("a\x1b[31m\n\u{9b}b é"), "a?[31m??b é");
    }
}
