//! The line with which a script names its interpreter, as the kernel reads it: fs/binfmt_script.c, execve(2).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// How much of a file the kernel looks at: `BINPRM_BUF_SIZE` since Linux 5.1 (128 before), XNU's `IMG_SHSIZE`.
pub const BYTES_READ: usize = if cfg!(target_os = "macos") { 512 } else { 256 };

/// A file that another one interprets.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    pub file: PathBuf,
    pub interpreter: PathBuf,
    /// What the line says behind the interpreter: one argument, whatever blanks are in it.
    pub argument: Option<OsString>,
    /// Whether it has no such line: then exec fails, and execvp(3) has the shell run it.
    pub by_shell: bool,
}

/// The interpreter and its argument. `None` where the kernel takes the file for no script, or for one that it refuses.
pub fn line(start: &[u8]) -> Option<(PathBuf, Option<OsString>)> {
    /// What the kernel looks at behind `#!`, but for the last byte, where it puts a NUL of its own.
    const ROOM: usize = BYTES_READ - 3;
    let rest = start.strip_prefix(b"#!")?;
    let stop = rest.iter().position(|byte| matches!(byte, b'\n' | 0));
    let (line, behind) = rest.split_at_checked(stop.unwrap_or(rest.len()))?;
    let (breaks, is_whole) = (behind.first() == Some(&b'\n'), line.len() < ROOM);
    if !breaks && is_whole && cfg!(target_os = "linux") {
        // KERNEL: NULs stand behind the end of a file, and a NUL hides the line break behind it. Then the last blanks are
        // not looked for: they are the argument's, and if there is nothing else, the argument is empty.
        // No name at all leads to the working directory, and that cannot be run.
        let (path, argument) = word(without_first_blanks(line));
        let path = if path.is_empty() { b"." } else { path };
        return Some(both(path, argument.map(without_first_blanks)));
    }
    if !breaks && !is_whole {
        // A path that may be cut off is not run; an argument may be: the interpreter reads the line again.
        let path = without_first_blanks(rest);
        let ends = path.iter().any(|byte| is_blank(byte) || *byte == 0) || rest.len() == ROOM;
        if !ends {
            return None;
        }
    }
    let line = without_last_blanks(line.get(..ROOM).unwrap_or(line));
    let (path, argument) = word(without_first_blanks(line));
    (!path.is_empty()).then(|| both(path, argument.map(without_first_blanks)))
}

fn both(path: &[u8], argument: Option<&[u8]>) -> (PathBuf, Option<OsString>) {
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    (text(path).into(), argument.map(text))
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The first word, and what stands behind it from the blank on.
fn word(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    let end = line.iter().position(is_blank);
    let halves = end.and_then(|end| line.split_at_checked(end));
    halves.map_or((line, None), |(word, behind)| (word, Some(behind)))
}

fn without_first_blanks(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = line {
        line = rest;
    }
    line
}

fn without_last_blanks(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{BYTES_READ, line};

    fn read(text: &[u8]) -> Option<(String, Option<String>)> {
        let (path, argument) = line(text)?;
        Some((
            path.to_str().unwrap().to_owned(),
            argument.map(|argument| argument.into_string().unwrap()),
        ))
    }

    fn both(path: &str, argument: Option<&str>) -> Option<(String, Option<String>)> {
        Some((path.to_owned(), argument.map(str::to_owned)))
    }

    #[test]
    fn the_line_is_split_once() {
        assert_eq!(read(b"#!/bin/sh\n"), both("/bin/sh", None));
        assert_eq!(read(b"#!/bin/sh"), both("/bin/sh", None));
        assert_eq!(read(b"#! \t/bin/sh \t\necho"), both("/bin/sh", None));
        assert_eq!(read(b"#!/bin/sh  -e -u \n"), both("/bin/sh", Some("-e -u")));
        assert_eq!(read(b"#!/bin/sh\r\n"), both("/bin/sh\r", None));
        assert_eq!(read(b"#!sh\n"), both("sh", None));
        assert_eq!(read(b"#!/bin/sh\0-e\n"), both("/bin/sh", None));
        assert_eq!(read(b"#!/bin/sh -e\0-u\n"), both("/bin/sh", Some("-e")));
        if cfg!(target_os = "linux") {
            assert_eq!(read(b"#!/bin/sh -e "), both("/bin/sh", Some("-e ")));
            assert_eq!(read(b"#!/bin/sh "), both("/bin/sh", Some("")));
            assert_eq!(read(b"#!"), both(".", None));
        }
    }

    #[test]
    fn a_line_without_an_interpreter_is_none() {
        for text in [
            &b""[..],
            b"#",
            b"#!\n",
            b"#! \t \n/bin/sh\n",
            b"echo\n",
            b" #!/bin/sh\n",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_path_that_may_be_cut_off_is_refused() {
        let long = |path: usize| {
            let mut text = b"#!/".to_vec();
            text.resize(path + 2, b'x');
            text
        };
        let cut = |text: &[u8]| text.get(..BYTES_READ).unwrap_or(text).to_vec();
        assert_eq!(read(&cut(&long(BYTES_READ + 50))), None);
        let whole = [&long(BYTES_READ - 56)[..], b" ", &[b'a'; 100]].concat();
        let (path, argument) = read(&cut(&whole)).unwrap();
        assert_eq!((path.len(), argument.unwrap().len()), (BYTES_READ - 56, 52));
        let ended = [&long(BYTES_READ - 3)[..], b"\n"].concat();
        assert_eq!(read(&ended).unwrap().0.len(), BYTES_READ - 3);
    }
}
