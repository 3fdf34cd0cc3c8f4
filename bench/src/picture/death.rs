//! Death to death: a row a contender with its times on a logarithmic scale, and beside it in which situations its host
//! ends at all.

use super::{Area, Drawn, FAINT, FLOOR, GRID, INK, OTHER, OURS, Scale, drawn, row, write};
use crate::contender::{KERNEL, LIBANCHOR, SITUATIONS, Situation};
use crate::death::series_name;
use crate::page::words::{time, verb};
use crate::results::{Reach, Results, named};
use crate::stats::Series;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// The situation of which the times are.
const CHILD: Situation = Situation::Below(0);
const WIDTH: i32 = 1000;
const TOP: i32 = 74;
const LEFT: i32 = 240;
const RIGHT: i32 = 616;
const HEIGHT_OF_ROW: i32 = 27;

struct Row<'r> {
    name: String,
    series: Option<&'r Series>,
    reach: Option<&'r Reach>,
}

pub fn draw(results: &Results) -> Result<String, String> {
    let mut rows = Vec::new();
    for reach in &results.reach {
        rows.push(Row {
            name: reach.contender.clone(),
            series: named(&results.reaped, &reach.contender),
            reach: Some(reach),
        });
        if reach.contender == LIBANCHOR {
            let name = series_name(LIBANCHOR, Situation::Stranger);
            rows.push(Row {
                series: named(&results.reaped, &name),
                name,
                reach: None,
            });
        }
    }
    let height = TOP + rows.len() as i32 * HEIGHT_OF_ROW + 44;
    let title = "From SIGKILL of the anchor to the host reaped, and who ends at all";
    drawn(title, (WIDTH as u32, height as u32), |area| {
        picture(area, &rows, height - 44)
    })
}

fn picture(area: &Area, rows: &[Row], bottom: i32) -> Drawn {
    let all = rows.iter().filter_map(|row| row.series).flat_map(Series::known);
    let scale = Scale::over(all, LEFT, RIGHT);
    for mark in scale.marks() {
        let x = scale.at(mark);
        area.draw(&PathElement::new(
            vec![(x, TOP), (x, bottom)],
            GRID.stroke_width(1),
        ))?;
        write(area, &time(mark), x, bottom + 14, HPos::Center, 12, &FAINT)?;
    }
    let (x, middle) = (LEFT, bottom + 33);
    write(
        area,
        "dot: median; bar: to p90, p99 and, thin, the longest of all",
        x,
        middle,
        HPos::Left,
        12,
        &FAINT,
    )?;
    write(
        area,
        "from SIGKILL of the anchor to the host reaped",
        LEFT,
        TOP - 14,
        HPos::Left,
        13,
        &INK,
    )?;
    write(area, "does its host end?", RIGHT + 32, 14, HPos::Left, 13, &INK)?;
    for (place, situation) in SITUATIONS.iter().enumerate() {
        let words: Vec<&str> = situation.name().splitn(2, ' ').collect();
        for (line, word) in words.iter().enumerate() {
            let y = TOP - 14 - 14 * (words.len() - 1 - line) as i32;
            write(area, word, column(place), y, HPos::Center, 12, &FAINT)?;
        }
    }
    for (number, entry) in rows.iter().enumerate() {
        let y = row(number, rows.len(), TOP, bottom);
        let color = color(&entry.name);
        write(area, &entry.name, LEFT - 14, y, HPos::Right, 14, &INK)?;
        match entry.series.and_then(Series::summary) {
            Some(summary) => {
                let ends = [(summary.max, 1), (summary.p99, 3), (summary.p90, 6)];
                for (until, width) in ends {
                    let line = vec![(scale.at(summary.median), y), (scale.at(until), y)];
                    area.draw(&PathElement::new(line, color.stroke_width(width)))?;
                }
                area.draw(&Circle::new((scale.at(summary.median), y), 5, color.filled()))?;
            }
            None => {
                let fails = entry
                    .reach
                    .is_some_and(|reach| verb(&reach.tries[CHILD.name()]) == "fails");
                let why = if fails {
                    "does not run here"
                } else {
                    "its host stays"
                };
                write(area, why, LEFT + 10, y, HPos::Left, 12, &FAINT)?;
            }
        }
        for (place, situation) in SITUATIONS.iter().enumerate() {
            let Some(reach) = entry.reach else { continue };
            let answer = verb(&reach.tries[situation.name()]);
            let color = if answer == "yes" { INK } else { OTHER };
            write(area, answer, column(place), y, HPos::Center, 13, &color)?;
        }
    }
    Ok(())
}

fn column(place: usize) -> i32 {
    RIGHT + 50 + 70 * place as i32
}

fn color(name: &str) -> RGBColor {
    match name {
        KERNEL => FLOOR,
        name if name.starts_with(LIBANCHOR) || name.starts_with("anchored") => OURS,
        _ => OTHER,
    }
}
