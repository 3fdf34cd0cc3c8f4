//! A table for a person: columns that are aligned, cut to the terminal, with colours where they are wanted.

use std::io::IsTerminal;
use std::os::fd::AsRawFd;

/// How a cell is shown where there are colours, console_codes(4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Plain,
    Bold,
    Green,
    Yellow,
    Red,
}

/// A text and its colour.
pub type Cell = (String, Colour);

/// What standard output is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    /// How many characters fit on a line.
    width: Option<usize>,
    colours: bool,
}

impl Page {
    /// Looks at standard output.
    pub fn of_output() -> Self {
        let output = std::io::stdout();
        if !output.is_terminal() {
            return Self::default();
        }
        let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            width: width(output.as_raw_fd()),
            // https://no-color.org
            colours: said("NO_COLOR").is_none() && said("TERM").is_some_and(|term| term != "dumb"),
        }
    }

    /// The rows, the first of them the header. The last column is as long as it is, or as there is room.
    pub fn print<const N: usize>(self, rows: &[[Cell; N]]) -> String {
        let length = |column: usize| rows.iter().map(|row| row[column].0.chars().count()).max();
        let widths: Vec<usize> = (0..N).map(|column| length(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in rows {
            let mut room = self.width.unwrap_or(usize::MAX);
            for (column, (cell, colour)) in row.iter().enumerate() {
                let last = column + 1 == N;
                let width = if last { 0 } else { widths[column] };
                let mut cell = format!("{cell:width$}");
                if cell.chars().count() > room {
                    cell = cell.chars().take(room).collect();
                }
                room = room.saturating_sub(cell.chars().count() + 2);
                text.push_str(&self.coloured(&cell, *colour));
                if !last {
                    text.push_str("  ");
                }
            }
            text.push('\n');
        }
        text
    }

    fn coloured(self, cell: &str, colour: Colour) -> String {
        let code = match colour {
            Colour::Bold => 1,
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Red => 31,
            Colour::Plain => 0,
        };
        if self.colours && code != 0 {
            return format!("\x1b[{code}m{cell}\x1b[0m");
        }
        cell.to_owned()
    }
}

/// How wide a terminal is, TIOCGWINSZ(2const).
fn width(terminal: i32) -> Option<usize> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: room for the one struct that is written.
    let answer = unsafe { libc::ioctl(terminal, libc::TIOCGWINSZ, &raw mut size) };
    (answer == 0 && size.ws_col > 0).then_some(size.ws_col.into())
}

#[cfg(test)]
mod tests {
    use super::{Cell, Colour, Page};

    fn rows() -> [[Cell; 2]; 2] {
        let cell = |text: &str, colour| (text.to_owned(), colour);
        [
            [cell("PID", Colour::Bold), cell("COMMAND", Colour::Bold)],
            [cell("12345", Colour::Plain), cell("a long one", Colour::Red)],
        ]
    }

    #[test]
    fn columns_are_aligned_and_nothing_is_cut_in_a_file() {
        let text = Page::default().print(&rows());
        assert_eq!(text, "PID    COMMAND\n12345  a long one\n");
    }

    #[test]
    fn a_terminal_has_lines_that_end_and_colours_that_take_no_room() {
        let page = Page {
            width: Some(11),
            colours: false,
        };
        assert_eq!(page.print(&rows()), "PID    COMM\n12345  a lo\n");
        let page = Page {
            colours: true,
            ..page
        };
        assert_eq!(
            page.print(&rows()),
            "\x1b[1mPID  \x1b[0m  \x1b[1mCOMM\x1b[0m\n12345  \x1b[31ma lo\x1b[0m\n"
        );
    }
}
