//! How values are written.

use crate::results::Outcome;
use crate::stats::Estimate;

/// Microseconds, with three digits or so.
pub fn time(microseconds: f64) -> String {
    let shown = |value: f64, unit: &str| match value.abs() {
        ..9.995 => format!("{value:.2} {unit}").replace(".00 ", " "),
        ..99.95 => format!("{value:.1} {unit}").replace(".0 ", " "),
        _ => format!("{value:.0} {unit}"),
    };
    match microseconds.abs() {
        ..999.5 => shown(microseconds, "µs"),
        ..999_500.0 => shown(microseconds / 1e3, "ms"),
        _ => shown(microseconds / 1e6, "s"),
    }
}

pub fn nanoseconds(of: f64) -> String {
    if of < 999.5 {
        format!("{of:.2} ns")
    } else {
        time(of / 1e3)
    }
}

pub fn interval(of: Option<Estimate>) -> String {
    of.map_or_else(
        || "-".into(),
        |Estimate { value, low, high }| format!("{value:.2} [{low:.2}, {high:.2}]"),
    )
}

pub fn interval_of_time(of: Option<Estimate>) -> String {
    let shown = |Estimate { value, low, high }| format!("{} [{}, {}]", time(value), time(low), time(high));
    of.map_or_else(|| "-".into(), shown)
}

/// What came of all tries, in a word.
pub fn verb(tries: &[Outcome]) -> &'static str {
    let all = |wanted: fn(&Outcome) -> bool| !tries.is_empty() && tries.iter().all(wanted);
    if all(|one| *one == Outcome::Ended) {
        "yes"
    } else if all(|one| *one == Outcome::Stayed) {
        "no"
    } else if all(|one| matches!(one, Outcome::Failed(_))) {
        "fails"
    } else {
        "not always"
    }
}

/// A row of a table; the first one is followed by the line that makes it one.
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.map(str::to_owned));
    text.push_str(&format!("|{}\n", "---|".repeat(N)));
    rows.into_iter().for_each(|row| text.push_str(&line(&row)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_fits() {
        let of = [0.5, 47.06, 212.4, 999.6, 1061.0, 425_511.0, 1_000_000.0, -3.0];
        let want = [
            "0.50 µs", "47.1 µs", "212 µs", "1 ms", "1.06 ms", "426 ms", "1 s", "-3 µs",
        ];
        assert_eq!(of.map(time), want);
    }

    #[test]
    fn one_try_that_stays_is_no_yes() {
        assert_eq!(verb(&[Outcome::Ended, Outcome::Stayed]), "not always");
        assert_eq!(verb(&[]), "not always");
    }
}
