//! A process to be anchored to, and what a host is told of one.

use anchor_spawn::Anchor;
use std::process::{Child, Command, Stdio};

/// It is nobody's parent. It ends with its input, and so with the benchmark.
pub struct Bystander(Child);

impl Bystander {
    pub fn start() -> Result<Self, String> {
        let mut command = Command::new("cat");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        child.map(Self).map_err(|why| format!("cat: {why}"))
    }

    pub fn variables(&self) -> Result<Vec<(&'static str, String)>, String> {
        variables(self.0.id())
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// As a launcher sets them.
pub fn variables(anchor: u32) -> Result<Vec<(&'static str, String)>, String> {
    Ok(vec![
        ("ANCHOR_PID", anchor.to_string()),
        ("ANCHOR_ID", identity_of(anchor)?),
    ])
}

/// `ANCHOR_ID` of a process.
pub fn identity_of(pid: u32) -> Result<String, String> {
    let anchor = Anchor::of(pid).map_err(|why| why.to_string())?;
    let process = anchor.process().ok_or("an anchor without a process")?;
    Ok(process.id.to_string())
}
