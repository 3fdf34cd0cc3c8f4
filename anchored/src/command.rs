//! The command of a process, as a person may see it.

use crate::processes::Entry;
pub use crate::sys::memory::arguments;

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
