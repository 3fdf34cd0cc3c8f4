//! `--list`: the anchored processes of this machine, and those that were meant to be.

use crate::armed::How;
use crate::cli::Line;
use crate::command;
use crate::cookie::State;
use crate::failure::{Failure, plain, say};
use crate::survey::{Found, Survey};
use crate::sys::clock::Clock;
use crate::table::{Cell, Colour, Page};
use anchor_contract::AnchorId;
use serde::Serialize;
use std::io::Write;
use std::process::ExitCode;

/// Shows them, by number.
pub fn list(line: &Line) -> Result<ExitCode, Failure> {
    let survey = Survey::take(line.pid)?;
    let clock = Clock::read();
    let found: Vec<Found> = survey.found().collect();
    let mut text = String::new();
    if line.json {
        let rows: Vec<Row> = found.iter().map(|found| Row::of(found, clock)).collect();
        text = serde_json::to_string_pretty(&rows).map_err(Failure::own)?;
        text.push('\n');
    } else if found.is_empty() {
        say("no anchored process");
    } else {
        text = table(&found, clock);
    }
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    written.map_err(|error| Failure::own(format_args!("stdout: {}", plain(&error))))?;
    Ok(ExitCode::SUCCESS)
}

/// One process for a machine. The keys stay; what cannot be said is null.
#[derive(Serialize)]
struct Row {
    pid: i32,
    anchor: Option<i32>,
    anchor_id: Option<String>,
    anchor_fd: Option<i32>,
    anchor_state: State,
    /// `thread`, `supervised`, `released` or `not armed`.
    armed: &'static str,
    /// Why not.
    why: Option<&'static str>,
    /// In seconds.
    age: Option<u64>,
    command: Vec<String>,
}

impl Row {
    fn of(found: &Found, clock: Option<Clock>) -> Self {
        let (armed, why) = found.how.words();
        let words = command::arguments(found.entry.pid);
        let id = found.cookie.as_ref().and_then(|cookie| cookie.id);
        Self {
            pid: found.entry.pid,
            anchor: found.anchor,
            anchor_id: id.map(|id: AnchorId| id.to_string()),
            anchor_fd: found.cookie.as_ref().and_then(|cookie| cookie.fd),
            anchor_state: found.state,
            armed,
            why,
            age: clock.map(|clock| clock.age(found.entry.start)),
            command: words
                .iter()
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect(),
        }
    }
}

const HEADER: [&str; 6] = ["PID", "ANCHOR", "ANCHOR IS", "ARMED", "AGE", "COMMAND"];

/// The same for a person.
fn table(found: &[Found], clock: Option<Clock>) -> String {
    let mut rows = vec![HEADER.map(|name| (name.to_owned(), Colour::Bold))];
    rows.extend(found.iter().map(|found| row(found, clock)));
    Page::of_output().print(&rows)
}

fn row(found: &Found, clock: Option<Clock>) -> [Cell; 6] {
    let nothing = || "-".to_owned();
    let state = match found.state {
        State::Alive => Colour::Plain,
        State::Unknown => Colour::Yellow,
        State::Gone | State::Recycled => Colour::Red,
    };
    let word = if found.is_unseen() {
        "not seen from outside"
    } else {
        found.state.word()
    };
    let armed = match found.how {
        How::Thread | How::Supervised => Colour::Green,
        How::Released => Colour::Plain,
        How::No(_) => Colour::Yellow,
    };
    let words = match found.how.words() {
        (word, None) => word.to_owned(),
        (word, Some(why)) => format!("{word}: {why}"),
    };
    let age = clock.map_or_else(nothing, |clock| human(clock.age(found.entry.start)));
    [
        (found.entry.pid.to_string(), Colour::Plain),
        (
            match (found.anchor, found.cookie.as_ref().and_then(|cookie| cookie.fd)) {
                (Some(pid), _) => pid.to_string(),
                (None, Some(fd)) => format!("fd {fd}"),
                (None, None) => nothing(),
            },
            Colour::Plain,
        ),
        (word.to_owned(), state),
        (words, armed),
        (age, Colour::Plain),
        (command::shown(&found.entry), Colour::Plain),
    ]
}

/// The largest unit that there is one of.
fn human(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let fits = UNITS.iter().find(|(unit, _)| seconds >= *unit);
    let (unit, name) = fits.unwrap_or(&(1, "s"));
    format!("{}{name}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn an_age_has_one_unit() {
        let ages = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 1_000_000].map(human);
        assert_eq!(ages, ["0s", "59s", "1m", "59m", "1h", "23h", "1d", "11d"]);
    }
}
