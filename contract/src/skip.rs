//! `ANCHOR_SKIP`: programs that are left alone, as globs of their names.

use crate::number::holds;
use crate::{Variable, variables};

/// A list of globs, as the variable holds it.
///
/// Between colons; `*` is any text, `?` any byte, `[a-z]` one of a class and `[!a-z]` one of all others. There is no
/// escape. A glob with a slash is for the whole path of the program, any other for its name. Empty ones say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip<'a>(&'a [u8]);

impl<'a> Skip<'a> {
    /// The variable that carries it.
    pub const VARIABLE: &'static Variable = &variables::SKIP;

    /// Reads a list. `None` where a class is not closed.
    #[must_use]
    pub fn parse(list: &'a [u8]) -> Option<Self> {
        let whole = |mut glob: &[u8]| {
            while let Some((part, rest)) = Part::first(glob) {
                if matches!(part, Part::Broken) {
                    return false;
                }
                glob = rest;
            }
            true
        };
        list.split(|byte| *byte == b':').all(whole).then_some(Self(list))
    }

    /// The first glob that a program of this path or name matches.
    #[must_use]
    pub fn matching(&self, path_or_name: &[u8]) -> Option<&'a [u8]> {
        let name = path_or_name
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default();
        self.0.split(|byte| *byte == b':').find(|glob| {
            let text = if holds(glob, b'/') { path_or_name } else { name };
            !glob.is_empty() && matches(glob, text)
        })
    }
}

/// What a glob is made of.
enum Part<'a> {
    Any,
    One,
    Class(&'a [u8]),
    Byte(u8),
    /// A class without an end.
    Broken,
}

impl<'a> Part<'a> {
    fn first(glob: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (first, rest) = glob.split_first()?;
        Some(match first {
            b'*' => (Self::Any, rest),
            b'?' => (Self::One, rest),
            b'[' => {
                // A bracket that comes first is one of the class.
                let start = if rest.starts_with(b"!") { 2 } else { 1 };
                let end = rest
                    .iter()
                    .skip(start)
                    .position(|byte| *byte == b']')
                    .and_then(|end| end.checked_add(start));
                match end.and_then(|end| Some((rest.get(..end)?, rest.get(end..)?.get(1..)?))) {
                    Some((class, rest)) => (Self::Class(class), rest),
                    None => (Self::Broken, rest),
                }
            }
            byte => (Self::Byte(*byte), rest),
        })
    }

    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::One => true,
            Self::Byte(own) => *own == byte,
            Self::Class(class) => match class.strip_prefix(b"!") {
                Some(class) => !in_class(class, byte),
                None => in_class(class, byte),
            },
            Self::Any | Self::Broken => false,
        }
    }
}

fn in_class(mut class: &[u8], byte: u8) -> bool {
    loop {
        class = match class {
            [low, b'-', high, rest @ ..] => {
                if (*low..=*high).contains(&byte) {
                    return true;
                }
                rest
            }
            [one, rest @ ..] => {
                if *one == byte {
                    return true;
                }
                rest
            }
            [] => return false,
        }
    }
}

/// Goes back to the last `*` alone, so that no glob takes long.
fn matches(mut glob: &[u8], mut text: &[u8]) -> bool {
    let mut last_any: Option<(&[u8], &[u8])> = None;
    loop {
        match (Part::first(glob), text.split_first()) {
            (None, None) => return true,
            (Some((Part::Any, rest)), _) => {
                last_any = Some((rest, text));
                glob = rest;
                continue;
            }
            (Some((part, rest)), Some((byte, after))) if part.takes(*byte) => {
                (glob, text) = (rest, after);
                continue;
            }
            _ => {}
        }
        let Some((rest, [_, later @ ..])) = last_any else {
            return false;
        };
        last_any = Some((rest, later));
        (glob, text) = (rest, later);
    }
}

#[cfg(test)]
mod tests {
    use super::Skip;

    fn found(list: &str, name: &str) -> bool {
        Skip::parse(list.as_bytes())
            .unwrap()
            .matching(name.as_bytes())
            .is_some()
    }

    #[test]
    fn globs_match_names() {
        for (list, name) in [
            ("sh", "sh"),
            ("sh", "/bin/sh"),
            ("a:sh:b", "sh"),
            ("*", "x"),
            ("*-daemon", "gnome-keyring-daemon"),
            ("*a*b*c", "xxaxbbxbxcc"),
            ("p?s", "pos"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            ("[!]]", "x"),
            ("[a-]", "-"),
            ("/bin/*", "/bin/sh"),
            ("*/bin/s?", "/usr/bin/sh"),
        ] {
            assert!(found(list, name), "{list} {name}");
        }
    }

    #[test]
    fn and_nothing_else() {
        for (list, name) in [
            ("sh", "bash"),
            ("sh", "shx"),
            ("", "sh"),
            ("::", "sh"),
            ("s?", "s"),
            ("[a-c]", "d"),
            ("[!a-c]", "a"),
            ("/bin/sh", "sh"),
            ("/bin/sh", "/usr/bin/sh"),
            ("*a*b*c", "xxaxbbxbxcd"),
        ] {
            assert!(!found(list, name), "{list} {name}");
        }
    }

    #[test]
    fn a_class_without_an_end_is_refused() {
        for bad in ["[", "[]", "[!", "[!]", "a:[b", "[a-z"] {
            assert_eq!(Skip::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let text = [b'a'; 4000];
        let glob = b"*a".repeat(100);
        let list = [&glob[..], b"b"].concat();
        assert!(Skip::parse(&list).unwrap().matching(&text).is_none());
    }
}
