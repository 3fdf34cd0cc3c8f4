//! One call refused at a time, with each errno, in the life of hosts of every kind.

use crate::calls::{CALLS, errno, rows};
use crate::cell::{Life, Outcome, run};
use crate::host::{Kin, Wrong};
use crate::{all, page};
use std::collections::BTreeMap;
use std::fmt::Write;

pub const ERRNOS: [(&str, i32); 5] = [
    ("ENOSYS", libc::ENOSYS),
    ("EPERM", libc::EPERM),
    ("EAGAIN", libc::EAGAIN),
    ("ENOMEM", libc::ENOMEM),
    ("EMFILE", libc::EMFILE),
];

/// Nothing happens between its birth and its anchor's death.
pub const PLAIN: Life = Life {
    title: "",
    kin: Kin::Stranger,
    does: &[],
    variables: &[],
};

/// What the rows of a table have in common.
pub const LIVES: [Life; 12] = [
    Life {
        title: "The anchor is a stranger",
        ..PLAIN
    },
    Life {
        title: "The anchor is the parent, and the host changes its ids",
        kin: Kin::Parent,
        does: &['i'],
        ..PLAIN
    },
    Life {
        title: "A child by fork alone",
        does: &['f'],
        variables: &[("ANCHOR_LOG", "log")],
        ..PLAIN
    },
    Life {
        title: "The host makes a user namespace",
        does: &['u'],
        ..PLAIN
    },
    Life {
        title: "The host makes and enters a UTS namespace",
        does: &['n', 'm'],
        ..PLAIN
    },
    Life {
        title: "The anchor is dead before the host begins",
        kin: Kin::Dead,
        ..PLAIN
    },
    Life {
        title: "ANCHOR_LOG=stderr, ANCHOR_SCOPE=self, ANCHOR_SKIP",
        variables: &[
            ("ANCHOR_LOG", "stderr"),
            ("ANCHOR_SCOPE", "self"),
            ("ANCHOR_SKIP", "nobody"),
        ],
        ..PLAIN
    },
    Life {
        title: "A grace of 300 ms",
        variables: &[("ANCHOR_GRACE", "300ms")],
        ..PLAIN
    },
    Life {
        title: "ANCHOR_STRICT=1",
        variables: &[("ANCHOR_STRICT", "1")],
        ..PLAIN
    },
    Life {
        title: "ANCHOR_FD alone, a pipe",
        kin: Kin::Pipe,
        ..PLAIN
    },
    Life {
        title: "The same, and a child by fork alone",
        kin: Kin::Pipe,
        does: &['f'],
        variables: &[("ANCHOR_LOG", "log")],
    },
    Life {
        title: "ANCHOR_FD beside ANCHOR_PID, a socket, and the host changes its ids",
        kin: Kin::Socket,
        does: &['i'],
        ..PLAIN
    },
];

/// Runs a life while the calls of a row are refused.
pub fn run_row(life: usize, row: &[usize], number: i32) -> Result<Outcome, Wrong> {
    let refusals: Vec<_> = row.iter().map(|call| (*call, errno(number))).collect();
    run(&LIVES[life], &refusals)
}

#[test]
fn no_refused_call_hurts_a_host() {
    let (rows, mut cells) = (rows(), Vec::new());
    for life in 0..LIVES.len() {
        cells.push((life, None, ERRNOS[0]));
        for row in 0..rows.len() {
            cells.extend(ERRNOS.map(|errno| (life, Some(row), errno)));
        }
    }
    let calls = |row: Option<usize>| row.map_or(&[][..], |row| &rows[row].1);
    let results = all(&cells, |(life, row, errno)| run_row(*life, calls(*row), errno.1));

    let mut wrong = String::new();
    let mut table: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((life, row, errno), result) in cells.iter().zip(results) {
        let name = row.map_or("nothing", |row| rows[row].0);
        let shown = result.map_or_else(|wrong| format!("**{wrong}**"), |outcome| outcome.name());
        if shown.starts_with("**") {
            writeln!(wrong, "{}: {name}, {}: {shown}", LIVES[*life].title, errno.0).unwrap();
        }
        table.entry((*life, *row)).or_default().push(shown);
    }
    assert!(wrong.is_empty(), "{wrong}");
    page::shows("singles", &shown(&table));
}

fn shown(table: &BTreeMap<(usize, Option<usize>), Vec<String>>) -> String {
    let (rows, mut text) = (rows(), String::new());
    for (life, Life { title, .. }) in LIVES.iter().enumerate() {
        let usual = &table[&(life, None)][0];
        let (mut changed, mut same) = (String::new(), Vec::new());
        for (row, (name, calls)) in rows.iter().enumerate() {
            let cells = &table[&(life, Some(row))];
            let purpose = if calls.len() > 1 {
                "all of it"
            } else {
                CALLS[calls[0]].purpose
            };
            if life > 0 && cells.iter().all(|cell| cell == usual) {
                same.push(*name);
            } else {
                writeln!(changed, "| {name} | {purpose} | {} |", cells.join(" | ")).unwrap();
            }
        }
        let errnos = ERRNOS.map(|(name, _)| name).join(" | ");
        writeln!(text, "### {title}\n\nWith nothing refused: {usual}.\n").unwrap();
        if !changed.is_empty() {
            writeln!(
                text,
                "| refused | for | {errnos} |\n|---|---|---|---|---|---|---|\n{changed}"
            )
            .unwrap();
        }
        if life > 0 {
            writeln!(
                text,
                "The other {} rows: the same as with nothing refused.\n",
                same.len()
            )
            .unwrap();
        }
    }
    text
}

/// What must be refused first, for the calls of lower rungs to be made.
const WAYS: [&[&str]; 11] = [
    &[],
    &["getpid"],
    &["prctl PR_GET_SECCOMP"],
    &["pidfd_open"],
    &["clone"],
    &["close_range"],
    &["ppoll"],
    &["ppoll of two", "clock_nanosleep"],
    &["clock_gettime"],
    &["tgkill"],
    &["kill"],
];

/// Made after an anchor's death in the middle of arming, and after a reader of the log has gone in the middle of a line.
const ONLY_BY_CHANCE: [&str; 2] = ["rt_sigpending", "rt_sigtimedwait"];

/// Nothing stands in the table that is not made: whoever makes it is ended for it in some life.
#[test]
fn every_call_in_the_table_is_made() {
    let rows = rows();
    let mut left: Vec<usize> = (0..CALLS.len()).collect();
    let is_made = |(life, refused, call): &(usize, &[&str], usize)| {
        let mut refusals = vec![(*call, libc::SECCOMP_RET_KILL_PROCESS)];
        let refused = rows.iter().filter(|(name, _)| refused.contains(name));
        refusals.extend(refused.flat_map(|(_, calls)| calls.iter().map(|call| (*call, errno(libc::EPERM)))));
        let made = match run(&LIVES[*life], &refusals) {
            Ok(outcome) => outcome.lacks.iter().any(|lack| lack.contains("SIGSYS")),
            Err(wrong) => wrong.contains("ended while"),
        };
        made.then_some(*call)
    };
    for way in WAYS {
        let mut cells = Vec::new();
        for call in left
            .iter()
            .filter(|call| !ONLY_BY_CHANCE.contains(&CALLS[**call].name))
        {
            cells.extend((0..LIVES.len()).map(|life| (life, way, *call)));
        }
        let made: Vec<usize> = all(&cells, is_made).into_iter().flatten().collect();
        left.retain(|call| !made.contains(call));
    }
    let never: Vec<&str> = left.iter().map(|call| CALLS[*call].name).collect();
    assert_eq!(never, ONLY_BY_CHANCE);
}
