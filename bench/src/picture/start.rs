//! Cost to start: what each adds to the bare exec of a tiny program, with its confidence interval.

use super::{Area, Drawn, FAINT, FLOOR, GRID, INK, OTHER, OURS, Scale, drawn, row, write};
use crate::page::words::time;
use crate::results::{Results, named};
use crate::start::{BARE, EMPTY, TINY};
use crate::stats::{Estimate, added};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

const WIDTH: i32 = 1000;
const TOP: i32 = 40;
const LEFT: i32 = 280;
const RIGHT: i32 = 860;

pub fn draw(results: &Results) -> Result<String, String> {
    let nobody = Vec::new();
    let series = results.start.get(TINY).unwrap_or(&nobody);
    let mut rows: Vec<(&str, Estimate)> = Vec::new();
    if let Some(bare) = named(series, BARE) {
        let others = series.iter().filter(|one| one.name != BARE);
        rows.extend(others.filter_map(|one| Some((one.name.as_str(), added(one, bare)?))));
    }
    rows.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let bottom = TOP + rows.len() as i32 * 24;
    let title = "What each adds to the exec of a tiny program";
    drawn(title, (WIDTH as u32, (bottom + 30) as u32), |area| {
        picture(area, &rows, bottom)
    })
}

fn picture(area: &Area, rows: &[(&str, Estimate)], bottom: i32) -> Drawn {
    let scale = Scale::over(rows.iter().map(|(_, estimate)| estimate.value), LEFT, RIGHT);
    write(
        area,
        "added to the bare exec of a tiny program: median, and its 95 % interval",
        LEFT,
        16,
        HPos::Left,
        13,
        &INK,
    )?;
    for mark in scale.marks() {
        let x = scale.at(mark);
        area.draw(&PathElement::new(
            vec![(x, TOP), (x, bottom)],
            GRID.stroke_width(1),
        ))?;
        write(area, &time(mark), x, bottom + 14, HPos::Center, 12, &FAINT)?;
    }
    for (number, (name, Estimate { value, low, high })) in rows.iter().enumerate() {
        let y = row(number, rows.len(), TOP, bottom);
        let color = match *name {
            EMPTY => FLOOR,
            name if name.starts_with("libanchor") || name.starts_with("anchored") => OURS,
            _ => OTHER,
        };
        write(area, name, LEFT - 14, y, HPos::Right, 14, &INK)?;
        // What is within the noise of nothing has no place on such a scale but its beginning.
        let [at, low, high] = [value, low, high].map(|value| scale.at(value.clamp(scale.low, scale.high)));
        area.draw(&PathElement::new(vec![(LEFT, y), (at, y)], GRID.stroke_width(1)))?;
        area.draw(&PathElement::new(
            vec![(low, y), (high, y)],
            color.stroke_width(5),
        ))?;
        area.draw(&Circle::new((at, y), 6, color.filled()))?;
        write(area, &time(*value), at.max(high) + 10, y, HPos::Left, 12, &INK)?;
    }
    Ok(())
}
