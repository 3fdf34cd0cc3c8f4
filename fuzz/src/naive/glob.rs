//! Globs as README has them: every way to match is tried, by a table instead of by going back.

enum Part {
    Any,
    /// Each byte that fits.
    One(Box<[bool; 256]>),
}

/// `None` where a class is not closed.
fn parts(glob: &[u8]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < glob.len() {
        let mut fits = Box::new([false; 256]);
        match glob[at] {
            b'*' => {
                parts.push(Part::Any);
                at += 1;
                continue;
            }
            b'?' => fits.fill(true),
            b'[' => {
                let not = glob.get(at + 1) == Some(&b'!');
                let first = at + 1 + usize::from(not);
                let mut end = first + 1;
                while *glob.get(end)? != b']' {
                    end += 1;
                }
                let mut here = first;
                while here < end {
                    let range = here + 2 < end && glob[here + 1] == b'-';
                    let last = if range { here + 2 } else { here };
                    (glob[here]..=glob[last]).for_each(|byte| fits[usize::from(byte)] = true);
                    here = last + 1;
                }
                if not {
                    fits.iter_mut().for_each(|fits| *fits = !*fits);
                }
                at = end;
            }
            byte => fits[usize::from(byte)] = true,
        }
        parts.push(Part::One(fits));
        at += 1;
    }
    Some(parts)
}

/// Whether the whole text matches.
fn matches(parts: &[Part], text: &[u8]) -> bool {
    // Whether the parts so far match the first so many bytes.
    let mut fits = vec![false; text.len() + 1];
    fits[0] = true;
    for part in parts {
        match part {
            Part::Any => {
                let first = fits.iter().position(|fits| *fits).unwrap_or(fits.len());
                fits[first..].fill(true);
            }
            Part::One(bytes) => {
                for end in (1..=text.len()).rev() {
                    fits[end] = fits[end - 1] && bytes[usize::from(text[end - 1])];
                }
                fits[0] = false;
            }
        }
    }
    fits[text.len()]
}

/// A class that is not closed.
#[derive(Debug)]
pub struct Broken;

/// The first glob of the list that the program matches.
pub fn matching<'a>(list: &'a [u8], program: &[u8]) -> Result<Option<&'a [u8]>, Broken> {
    let name = program
        .split(|byte| *byte == b'/')
        .next_back()
        .unwrap_or_default();
    let mut found = None;
    for glob in list.split(|byte| *byte == b':') {
        let parts = parts(glob).ok_or(Broken)?;
        let text = if glob.contains(&b'/') { program } else { name };
        if found.is_none() && !glob.is_empty() && matches(&parts, text) {
            found = Some(glob);
        }
    }
    Ok(found)
}

/// What fnmatch(3) says of one glob. `None` where it means something else by it than we: bracket expressions of POSIX
/// and `^`, text that is no C string.
pub fn by_fnmatch(glob: &[u8], text: &[u8]) -> Option<bool> {
    let other = [&b"[^"[..], b"[:", b"[.", b"[="];
    if other.iter().any(|sign| glob.windows(2).any(|part| part == *sign)) {
        return None;
    }
    let (glob, text) = (
        std::ffi::CString::new(glob).ok()?,
        std::ffi::CString::new(text).ok()?,
    );
    // SAFETY: two NUL-terminated texts.
    let answer = unsafe { libc::fnmatch(glob.as_ptr(), text.as_ptr(), libc::FNM_NOESCAPE) };
    Some(answer == 0)
}
