//! The texts of `/proc`, by their manual pages.

use super::values::number;

/// Name, state, parent, threads, start: proc_pid_stat(5). `None` where any of them is not there as a whole.
pub fn stat(line: &[u8]) -> Option<(Vec<u8>, u8, u64, u64, u64)> {
    let mut end = line.len();
    while line.get(..end)?.last() != Some(&b')') {
        end = end.checked_sub(1)?;
    }
    let open = line[..end - 1].iter().position(|byte| *byte == b'(')?;
    let name = line[open + 1..end - 1].to_vec();
    let mut fields: Vec<Vec<u8>> = vec![Vec::new()];
    for byte in line.get(end + 1..)? {
        match byte {
            b' ' | b'\n' => fields.push(Vec::new()),
            byte => fields.last_mut()?.push(*byte),
        }
    }
    // Nothing stands behind the last one to say that it is whole.
    fields.pop();
    let count = |field: usize| number(fields.get(field - 3)?);
    Some((name, *fields.first()?.first()?, count(4)?, count(20)?, count(22)?))
}

/// The value of the first line of this name that is whole: proc_pid_status(5).
pub fn status<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    lines.pop();
    let start = format!("{name}:");
    let line = lines.iter().find(|line| line.starts_with(start.as_bytes()))?;
    Some(line[start.len()..].trim_ascii_start())
}

/// How many numbers the first line of `NSpid` has that has any.
pub fn namespaces(text: &[u8]) -> Option<usize> {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    lines.pop();
    let values = lines.iter().filter_map(|line| line.strip_prefix(b"NSpid:"));
    let mut counts = values.map(|value| value.split(|byte| *byte == b'\t').count() - 1);
    counts.find(|count| *count > 0)
}

/// Whether the number is among those that each have something else behind them: proc_tid_children(5).
pub fn lists(list: &[u8], wanted: u64) -> bool {
    let mut words: Vec<&[u8]> = list.split(|byte| !byte.is_ascii_digit()).collect();
    words.pop();
    words.iter().any(|word| number(word) == Some(wanted))
}

/// proc_pid_cmdline(5), without what has no end.
pub fn arguments(cmdline: &[u8]) -> Vec<&[u8]> {
    let mut words: Vec<&[u8]> = cmdline.split(|byte| *byte == 0).collect();
    words.pop();
    words
}

/// getenv(3) in an environment of these entries.
pub fn getenv<'a>(entries: &[&'a [u8]], name: &str) -> Option<&'a [u8]> {
    let is_it = |entry: &&&[u8]| {
        let end = entry.iter().position(|byte| *byte == b'=');
        end.is_some_and(|end| &entry[..end] == name.as_bytes())
    };
    entries.iter().find(is_it).map(|entry| &entry[name.len() + 1..])
}

/// Arguments and environment in a block of KERN_PROCARGS2: numbered texts behind a path and its padding. `None` where
/// there is no number or no path.
pub fn procargs(block: &[u8]) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    let count = i32::from_ne_bytes(block.get(..4)?.try_into().ok()?);
    let (count, mut behind) = (usize::try_from(count).ok()?, &block[4..]);
    while *behind.first()? != 0 {
        behind = &behind[1..];
    }
    while behind.first() == Some(&0) {
        behind = &behind[1..];
    }
    let mut texts: Vec<&[u8]> = behind.split(|byte| *byte == 0).collect();
    // Nothing stands behind the last one.
    let cut_off = texts.pop()?;
    let words = texts.iter().take(count).map(|text| text.to_vec());
    let mut words: Vec<Vec<u8>> = words.collect();
    if words.len() < count && !cut_off.is_empty() {
        words.push(cut_off.to_vec());
    }
    let entries = texts.iter().skip(count).take_while(|text| !text.is_empty());
    let environment = entries.flat_map(|entry| [entry, &[0][..]].concat()).collect();
    Some((words, environment))
}
