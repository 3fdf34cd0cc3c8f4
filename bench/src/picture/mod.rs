//! The pictures: drawn by plotters, without a background, in colours that a style sheet exchanges where it is dark.

mod death;
mod growth;
mod start;

use crate::results::Results;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn = Result<(), Box<dyn std::error::Error>>;

pub const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
pub const FAINT: RGBColor = RGBColor(0x59, 0x63, 0x6e);
pub const GRID: RGBColor = RGBColor(0xd1, 0xd9, 0xe0);
/// libanchor; the floor it is held against; everybody else.
pub const OURS: RGBColor = RGBColor(0x09, 0x69, 0xda);
pub const FLOOR: RGBColor = RGBColor(0x1a, 0x7f, 0x37);
pub const OTHER: RGBColor = RGBColor(0x81, 0x8b, 0x98);
pub const SECOND: RGBColor = RGBColor(0xbc, 0x4c, 0x00);

/// What each becomes where it is dark.
const DARK: [(RGBColor, &str); 7] = [
    (INK, "#f0f6fc"),
    (FAINT, "#9198a1"),
    (GRID, "#3d444d"),
    (OURS, "#4493f8"),
    (FLOOR, "#3fb950"),
    (OTHER, "#848d97"),
    (SECOND, "#f0883e"),
];

pub fn all(results: &Results) -> Result<Vec<(String, String)>, String> {
    Ok(vec![
        ("death.svg".into(), death::draw(results)?),
        ("start.svg".into(), start::draw(results)?),
        ("growth.svg".into(), growth::draw(results)?),
    ])
}

/// An SVG file of that size. `title` is for those who cannot see it.
fn drawn(title: &str, size: (u32, u32), draw: impl FnOnce(&Area) -> Drawn) -> Result<String, String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area).map_err(|why| format!("{title}: {why}"))?;
        area.present().map_err(|why| format!("{title}: {why}"))?;
    }
    let dark: String = DARK
        .iter()
        .map(|(RGBColor(red, green, blue), dark)| {
            let light = format!("#{red:02X}{green:02X}{blue:02X}");
            format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
        })
        .collect();
    let head =
        format!("<title>{title}</title>\n<style>@media (prefers-color-scheme:dark){{{dark}}}</style>\n");
    let end = text
        .find("<svg")
        .and_then(|at| Some(at + text[at..].find('>')? + 1));
    let end = end.ok_or_else(|| format!("{title}: no SVG"))?;
    text.insert_str(end, &format!("\n{head}"));
    Ok(text)
}

/// In pixels, which the backend takes for points.
fn font<'a>(size: u32, color: &'a RGBColor) -> TextStyle<'a> {
    ("sans-serif", f64::from(size) * 1.24).into_font().color(color)
}

/// Text with its middle at `y`; from `x` on, until `x`, or around it.
fn write(area: &Area, text: &str, x: i32, y: i32, side: HPos, size: u32, color: &RGBColor) -> Drawn {
    let style = font(size, color).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), (x, y), style))?;
    Ok(())
}

/// The middle of row `number` of `count` between two heights.
fn row(number: usize, count: usize, top: i32, bottom: i32) -> i32 {
    top + ((number as f64 + 0.5) * f64::from(bottom - top) / count as f64) as i32
}

/// Where a value stands on a logarithmic scale, and how that is marked: a line at each power of ten.
struct Scale {
    low: f64,
    high: f64,
    left: i32,
    right: i32,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64>, left: i32, right: i32) -> Self {
        let (mut low, mut high) = (f64::MAX, f64::MIN_POSITIVE);
        for value in values.filter(|value| *value > 0.0) {
            (low, high) = (low.min(value), high.max(value));
        }
        Self {
            low: 10_f64.powf(low.log10().floor()),
            high: 10_f64.powf(high.log10().ceil()),
            left,
            right,
        }
    }

    fn at(&self, value: f64) -> i32 {
        let share = (value / self.low).log10() / (self.high / self.low).log10();
        self.left + (share * f64::from(self.right - self.left)) as i32
    }

    /// The powers of ten that it covers.
    fn marks(&self) -> Vec<f64> {
        let (first, last) = (self.low.log10().round() as i32, self.high.log10().round() as i32);
        (first..=last).map(|power| 10_f64.powi(power)).collect()
    }
}
