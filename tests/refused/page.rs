//! docs/rungs.md: what stands there is what was found.

use crate::support::root;
use std::fs::{read_to_string, write};
use std::io::Write;
use std::sync::Mutex;

/// The kernel from which on every call that the library prefers is there, and the page holds.
const SINCE: (u32, u32) = (6, 11);

/// Whether it is to be compared.
pub fn holds_here() -> bool {
    let release = read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse().ok());
    let version = (numbers.next().unwrap(), numbers.next().unwrap());
    if version < SINCE {
        let release = release.trim();
        // Past cargo's capture of what a test says.
        let what = "NOT COMPARED with docs/rungs.md, which is of Linux 6.11 and later";
        let _ = writeln!(std::io::stderr(), "!! {what}: {release}");
    }
    version >= SINCE
}

/// A part of the page is this text, or becomes it.
pub fn shows(part: &str, text: &str) {
    if !holds_here() {
        return;
    }
    static PAGE: Mutex<()> = Mutex::new(());
    let _page = PAGE.lock();
    let path = root().join("docs/rungs.md");
    let page = read_to_string(&path).unwrap();
    let begin = format!("<!-- {part}: scripts/rungs writes this -->\n");
    let (before, rest) = page.split_once(&begin).unwrap();
    let (found, after) = rest.split_once("<!-- end -->").unwrap();
    let wanted = format!("\n{}\n\n", text.trim());
    if found == wanted {
        return;
    }
    if std::env::var_os("LIBANCHOR_WRITE").is_some_and(|write| write == "1") {
        return write(&path, format!("{before}{begin}{wanted}<!-- end -->{after}")).unwrap();
    }
    let missing: Vec<&str> = wanted.lines().filter(|line| !found.contains(line)).collect();
    panic!(
        "docs/rungs.md says otherwise of {part} (scripts/rungs --write):\n{}",
        missing.join("\n")
    );
}

/// What stands in a part.
pub fn part(part: &str) -> String {
    let page = read_to_string(root().join("docs/rungs.md")).unwrap();
    let begin = format!("<!-- {part}: scripts/rungs writes this -->\n");
    let (_, rest) = page.split_once(&begin).unwrap();
    rest.split_once("<!-- end -->").unwrap().0.to_owned()
}
