//! The kernel's process table: `/proc/PID/stat`, proc_pid_stat(5).

use crate::processes::Entry;
use anchor_contract::StatLine;
use std::fs;

/// What is there now. `None` where nobody has the number.
pub fn entry(pid: i32) -> Option<Entry> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = StatLine::parse(&text)?;
    Some(Entry {
        pid,
        parent: i32::try_from(stat.count(4)?).ok()?,
        start: stat.start()?,
        state: stat.state()?,
        name: String::from_utf8_lossy(stat.name()?).into_owned(),
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
