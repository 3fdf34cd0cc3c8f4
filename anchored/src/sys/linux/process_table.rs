//! The kernel's process table: `/proc/PID/stat`, proc_pid_stat(5).

use crate::processes::Entry;
use std::fs;

/// What is there now. `None` where nobody has the number.
pub fn entry(pid: i32) -> Option<Entry> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, parentheses and line breaks included: it ends at the last parenthesis.
    let (open, close) = (
        stat.iter().position(|byte| *byte == b'(')?,
        stat.iter().rposition(|byte| *byte == b')')?,
    );
    let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(stat.get(close + 2..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Entry {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
        state: *fields.first()?.as_bytes().first()?,
        name,
    })
}

/// Every process that can be seen.
pub fn all() -> Vec<Entry> {
    let Ok(folder) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = folder
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(entry).collect()
}

/// Whether its numbers are those that mean something here, or why not.
pub fn is_ours() -> Result<(), &'static str> {
    // `/proc` may have been mounted for another PID namespace, and then every number in it is somebody else's here.
    let own = fs::read_link("/proc/self").unwrap_or_default();
    if own.to_str() == Some(std::process::id().to_string().as_str()) {
        Ok(())
    } else {
        Err("/proc: not of this PID namespace")
    }
}
