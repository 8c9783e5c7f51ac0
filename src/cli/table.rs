//! The one printer of tables: columns as wide on a terminal as what stands in them, and no table wider
//! than the terminal.
//!
//! A table for a pipe or a file has whole cells, so that the same rows give the same bytes everywhere.

use std::io::Write;

use super::show::text::Text;
use super::show::{Medium, QUIET};

/// Between two columns.
const GAP: usize = 2;

/// The narrowest a column is made to fit a terminal; below it no word can be read.
const NARROWEST: usize = 8;

/// Rows of `N` cells.
#[derive(Clone, Debug)]
pub(super) struct Table<const N: usize> {
    indent: usize,
    /// What each column has at least, so that tables printed one after another line up.
    least: [usize; N],
    lines: Vec<Line<N>>,
}

#[derive(Clone, Debug)]
enum Line<const N: usize> {
    Row([Text; N]),
    /// No cell, and as long as it is.
    Note(Text),
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub(super) fn new() -> Self {
        Self { indent: 0, least: [0; N], lines: Vec::new() }
    }

    /// With names over the columns.
    pub(super) fn with_header(header: [&str; N]) -> Self {
        let mut table = Self::new();
        table.row(header.map(|name| Text::new(name, QUIET)));
        table
    }

    /// With spaces before every row.
    pub(super) fn indented(self, indent: usize) -> Self {
        Self { indent, ..self }
    }

    /// With columns of so many columns of the terminal at least.
    pub(super) fn at_least(self, least: [usize; N]) -> Self {
        Self { least, ..self }
    }

    /// One row more.
    pub(super) fn row(&mut self, cells: [Text; N]) {
        self.lines.push(Line::Row(cells));
    }

    /// A line of its own below the row before.
    pub(super) fn note(&mut self, text: Text) {
        self.lines.push(Line::Note(text));
    }

    /// Prints it.
    ///
    /// # Errors
    /// Those of `out`.
    pub(super) fn write(&self, out: &mut impl Write, medium: Medium) -> std::io::Result<()> {
        self.laid_out(medium).iter().try_for_each(|line| medium.write(out, line))
    }

    fn laid_out(&self, medium: Medium) -> Vec<Text> {
        let widths = self.widths(medium);
        let mut lines = Vec::new();
        for line in &self.lines {
            match line {
                Line::Row(cells) => self.lay_out(&mut lines, medium, cells, widths),
                Line::Note(text) => lines.push(text.clone()),
            }
        }
        lines
    }

    /// Columns as wide as their widest cells. If that is too much for a terminal, the widest gives way.
    fn widths(&self, medium: Medium) -> [usize; N] {
        let mut widths = self.least;
        for line in &self.lines {
            let Line::Row(cells) = line else { continue };
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.columns().max(*width);
            }
        }
        let Medium::Terminal { columns } = medium else { return widths };
        let around = self.indent + GAP * N.saturating_sub(1);
        while widths.iter().sum::<usize>() + around > columns {
            match widths.iter_mut().max().filter(|width| **width > NARROWEST) {
                Some(widest) => *widest -= 1,
                None => break,
            }
        }
        widths
    }

    /// A row, in as many lines as its highest cell takes.
    fn lay_out(
        &self,
        lines: &mut Vec<Text>,
        medium: Medium,
        cells: &[Text; N],
        widths: [usize; N],
    ) {
        let broken: Vec<Vec<Text>> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| match medium {
                Medium::Terminal { .. } => {
                    cell.clone().broken(width).into_iter().map(Text::isolated).collect()
                }
                Medium::Pipe => vec![cell.clone()],
            })
            .collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or(0);
        for step in 0..height {
            let (mut line, mut column) = (Text::default(), self.indent);
            for (cell, width) in broken.iter().zip(widths) {
                line = line.pad(column);
                line.append(cell.get(step).cloned().unwrap_or_default());
                column += width + GAP;
            }
            lines.push(if step == 0 { line } else { line.without_end() });
        }
    }
}

#[cfg(test)]
mod tests {
    use anstyle::Style;

    use super::*;

    fn text(text: &str) -> Text {
        Text::new(text, Style::new())
    }

    fn printed<const N: usize>(table: &Table<N>, medium: Medium) -> String {
        let mut out = Vec::new();
        table.write(&mut anstream::StripStream::new(&mut out), medium).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let mut table = Table::with_header(["feed", "answer"]);
        table.row([text("a"), text("fine")]);
        table.row([text("longer"), text("x")]);
        let expected = "feed    answer\na       fine\nlonger  x\n";
        assert_eq!(printed(&table, Medium::Pipe), expected);
        assert_eq!(printed(&table, Medium::Terminal { columns: 80 }), expected);
    }

    #[test]
    fn columns_are_counted_as_a_terminal_shows_them() {
        let mut table = Table::new().indented(2);
        table.row([text("停火"), text("two letters of two columns")]);
        table.row([text("e\u{301}t\u{e9}"), text("three of one")]);
        let expected = "  停火  two letters of two columns\n  e\u{301}t\u{e9}   three of one\n";
        assert_eq!(printed(&table, Medium::Pipe), expected);
    }

    #[test]
    fn a_column_may_have_room_to_spare_and_a_note_has_none_of_its_own() {
        let mut table = Table::new().at_least([4, 0]);
        table.row([text("a"), text("b")]);
        table.note(text("  a note of some length"));
        assert_eq!(printed(&table, Medium::Pipe), "a     b\n  a note of some length\n");
    }

    #[test]
    fn no_table_is_wider_than_its_terminal_and_no_letter_is_lost() {
        let rows = [
            [
                "meridian-world-and-more",
                "a host of some length.example",
                "fine, and said at length",
            ],
            ["停火停火停火停火停火停火停火", "b", "a_word_that_is_wider_than_any_column_may_be"],
        ];
        let mut table = Table::with_header(["id", "host", "standing"]);
        for row in rows {
            table.row(row.map(text));
        }
        let letters = |text: &str| {
            let mut letters: Vec<char> =
                text.chars().filter(|char| !char.is_whitespace()).collect();
            letters.sort_unstable();
            letters
        };
        let whole = printed(&table, Medium::Pipe);
        for columns in [40, 60, 80] {
            let fitting = printed(&table, Medium::Terminal { columns });
            for line in fitting.lines() {
                assert!(text(line).columns() <= columns, "{columns}: {line}");
            }
            assert_eq!(letters(&fitting), letters(&whole), "{fitting}");
        }
    }
}
