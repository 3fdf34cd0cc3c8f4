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
    let rest = start.strip_prefix(b"#!")?;
    let line = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => rest.get(..end)?,
        // A path that may be cut off is not run; an argument may be: the interpreter reads the line again.
        None if start.len() < BYTES_READ => rest,
        None => {
            let path = rest.iter().position(|byte| !is_blank(*byte))?;
            rest.get(path..)?.iter().position(|byte| ends_word(*byte))?;
            rest.get(..rest.len() - 1)?
        }
    };
    let line = trimmed(line);
    let end = line
        .iter()
        .position(|byte| ends_word(*byte))
        .unwrap_or(line.len());
    let (path, behind) = line.split_at(end);
    if path.is_empty() {
        return None;
    }
    // The kernel's strings end at a NUL.
    let argument = Some(behind)
        .filter(|behind| behind.first() != Some(&0))
        .map(|behind| {
            trimmed(behind)
                .split(|byte| *byte == 0)
                .next()
                .unwrap_or_default()
        })
        .filter(|argument| !argument.is_empty());
    let path = PathBuf::from(OsString::from_vec(path.to_vec()));
    Some((
        path,
        argument.map(|argument| OsString::from_vec(argument.to_vec())),
    ))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn ends_word(byte: u8) -> bool {
    is_blank(byte) || byte == 0
}

fn trimmed(mut line: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = line {
        if !is_blank(*first) {
            break;
        }
        line = rest;
    }
    while let [rest @ .., last] = line {
        if !is_blank(*last) {
            break;
        }
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
    }

    #[test]
    fn a_line_without_an_interpreter_is_none() {
        for text in [
            &b""[..],
            b"#",
            b"#!",
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
