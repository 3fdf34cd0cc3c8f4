//! Growth: three panels, both axes logarithmic, a line a way.

use super::{Area, Drawn, FAINT, FLOOR, GRID, INK, OTHER, OURS, SECOND, Scale, drawn, write};
use crate::growth::{CHILD, FLOOR as KERNEL, STD, STRANGER, median};
use crate::page::words::time;
use crate::results::{Herd, Results};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

const SIZE: (u32, u32) = (1000, 380);
const WIDTH_OF_PANEL: i32 = 330;
const TOP: i32 = 74;
const BOTTOM: i32 = 320;

pub const WAYS: [(&str, RGBColor); 4] = [(KERNEL, FLOOR), (CHILD, OURS), (STRANGER, SECOND), (STD, OTHER)];

struct Panel {
    title: &'static str,
    of: fn(&Herd) -> f64,
    shown: fn(f64) -> String,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "until all have started",
        of: |herd| median(&herd.start_ms) * 1e3,
        shown: time,
    },
    Panel {
        title: "from SIGKILL until the last is gone",
        of: |herd| median(&herd.end_ms) * 1e3,
        shown: time,
    },
    Panel {
        title: "private memory of all",
        of: |herd| (herd.private_kib * 1024 * herd.hosts as u64) as f64,
        shown: memory,
    },
];

fn memory(bytes: f64) -> String {
    match bytes {
        ..1e6 => format!("{:.0} kB", bytes / 1e3),
        ..1e9 => format!("{:.0} MB", bytes / 1e6),
        _ => format!("{:.0} GB", bytes / 1e9),
    }
}

pub fn draw(results: &Results) -> Result<String, String> {
    let title = "Hosts of one anchor: time to start, time until the last is gone, memory";
    drawn(title, SIZE, |area| {
        let mut x = 64;
        for (name, color) in WAYS {
            area.draw(&Circle::new((x, 16), 5, color.filled()))?;
            write(area, name, x + 12, 16, HPos::Left, 13, &INK)?;
            x += 44 + 7 * name.len() as i32;
        }
        for (place, panel) in PANELS.iter().enumerate() {
            draw_panel(area, panel, &results.growth, place as i32 * WIDTH_OF_PANEL)?;
        }
        Ok(())
    })
}

fn draw_panel(area: &Area, panel: &Panel, herds: &[Herd], left: i32) -> Drawn {
    let (first, last) = (left + 64, left + WIDTH_OF_PANEL - 14);
    let sizes = Scale::over(herds.iter().map(|herd| herd.hosts as f64), first, last);
    // Upwards is more: the lowest is where the panel ends.
    let values = Scale::over(herds.iter().map(panel.of), BOTTOM, TOP);
    write(area, panel.title, first, TOP - 20, HPos::Left, 13, &INK)?;
    for mark in sizes.marks() {
        let x = sizes.at(mark);
        area.draw(&PathElement::new(
            vec![(x, TOP), (x, BOTTOM)],
            GRID.stroke_width(1),
        ))?;
        write(
            area,
            &thousands(mark as u64),
            x,
            BOTTOM + 14,
            HPos::Center,
            12,
            &FAINT,
        )?;
    }
    for mark in values.marks() {
        let y = values.at(mark);
        area.draw(&PathElement::new(
            vec![(first, y), (last, y)],
            GRID.stroke_width(1),
        ))?;
        write(area, &(panel.shown)(mark), first - 6, y, HPos::Right, 12, &FAINT)?;
    }
    write(
        area,
        "hosts",
        (first + last) / 2,
        BOTTOM + 34,
        HPos::Center,
        12,
        &FAINT,
    )?;
    for (way, color) in WAYS {
        let points: Vec<(i32, i32)> = herds
            .iter()
            .filter(|herd| herd.way == way)
            .map(|herd| (sizes.at(herd.hosts as f64), values.at((panel.of)(herd))))
            .collect();
        area.draw(&PathElement::new(points.clone(), color.stroke_width(2)))?;
        for point in points {
            area.draw(&Circle::new(point, 3, color.filled()))?;
        }
    }
    Ok(())
}

fn thousands(number: u64) -> String {
    match number {
        ..1000 => number.to_string(),
        _ => format!("{},000", number / 1000),
    }
}
