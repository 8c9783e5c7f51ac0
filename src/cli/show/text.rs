//! Text on a terminal: how wide it is, where it breaks, and which characters must not reach it.
//!
//! What a publisher wrote may hold escape sequences and direction marks; none of it is passed on.

use std::io::Write;

use anstyle::Style;
use cw_status::shown::printable;
use unicode_width::UnicodeWidthChar;

/// Opens a span that finds its own direction (first strong isolate).
const ISOLATE: char = '\u{2068}';
/// Closes it.
const END_ISOLATE: char = '\u{2069}';

/// Characters with a style each, to be measured, broken and written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    cells: Vec<(char, Style)>,
}

impl Text {
    /// A text in one style.
    pub fn new(text: &str, style: Style) -> Self {
        let mut new = Self::default();
        new.push(text, style);
        new
    }

    /// Appends. Control characters and direction marks are left out, white space becomes spaces.
    pub fn push(&mut self, text: &str, style: Style) {
        self.cells.extend(text.chars().filter_map(printable).map(|char| (char, style)));
    }

    /// Appends another.
    pub fn append(&mut self, mut other: Self) {
        self.cells.append(&mut other.cells);
    }

    /// Gives another style to the characters from `start` to before `end`.
    pub fn restyle(&mut self, start: usize, end: usize, style: Style) {
        for (_, old) in self.cells.iter_mut().take(end).skip(start) {
            *old = style;
        }
    }

    /// Columns on a terminal.
    pub fn columns(&self) -> usize {
        self.cells.iter().map(|(char, _)| columns_of(*char)).sum()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The first characters that fit, and an ellipsis if that is not all.
    #[must_use]
    pub fn cut(mut self, columns: usize) -> Self {
        if self.columns() <= columns {
            return self;
        }
        let mut used = 0;
        let fitting = self.cells.iter().take_while(|(char, _)| {
            used += columns_of(*char);
            used < columns
        });
        let kept = fitting.count();
        self.cells.truncate(kept);
        let mut cut = self.without_end();
        cut.push("…", Style::new());
        cut
    }

    /// The same without the spaces at its end.
    #[must_use]
    pub fn without_end(mut self) -> Self {
        while self.cells.last().is_some_and(|(char, _)| *char == ' ') {
            self.cells.pop();
        }
        self
    }

    /// Spaces up to a column.
    #[must_use]
    pub fn pad(mut self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.columns());
        self.cells.extend(std::iter::repeat_n((' ', Style::new()), missing));
        self
    }

    /// Lines of at most so many columns, broken at spaces; a longer word stays whole.
    pub fn wrap(self, columns: usize) -> Vec<Self> {
        let mut lines = vec![Self::default()];
        for word in self.cells.split_inclusive(|(char, _)| *char == ' ') {
            let word = Self { cells: word.to_vec() };
            let end = word.cells.iter().rev().take_while(|(char, _)| *char == ' ').count();
            if let Some(line) = lines.last_mut() {
                if line.is_empty() || line.columns() + word.columns() - end <= columns {
                    line.append(word);
                } else {
                    lines.push(word);
                }
            }
        }
        lines.into_iter().map(Self::without_end).collect()
    }

    /// Lines of at most so many columns, broken at spaces, and within words that are longer.
    pub fn broken(self, columns: usize) -> Vec<Self> {
        let mut lines = Vec::new();
        for line in self.wrap(columns) {
            let mut part = Self::default();
            for cell in line.cells {
                if !part.is_empty() && part.columns() + columns_of(cell.0) > columns {
                    lines.push(std::mem::take(&mut part));
                }
                part.cells.push(cell);
            }
            lines.push(part);
        }
        lines
    }

    /// The same, and what stands around it keeps its place if this reads from right to left.
    #[must_use]
    pub fn isolated(mut self) -> Self {
        if self.cells.iter().any(|(char, _)| reads_leftwards(*char)) {
            self.cells.insert(0, (ISOLATE, Style::new()));
            self.cells.push((END_ISOLATE, Style::new()));
        }
        self
    }

    /// Writes it, with styles.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        for run in self.cells.chunk_by(|(_, one), (_, next)| one == next) {
            let style = run.first().map(|(_, style)| *style).unwrap_or_default();
            let text: String = run.iter().map(|(char, _)| char).collect();
            write!(out, "{style}{text}{style:#}")?;
        }
        Ok(())
    }

    /// Without styles.
    pub fn plain(&self) -> String {
        self.cells.iter().map(|(char, _)| char).collect()
    }
}

fn columns_of(char: char) -> usize {
    char.width().unwrap_or(0)
}

/// Hebrew, Arabic and their neighbours, with their presentation forms.
fn reads_leftwards(char: char) -> bool {
    matches!(
        u32::from(char),
        0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfefc | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::new(text, Style::new())
    }

    #[track_caller]
    fn check_cut(whole: &str, columns: usize, expected: &str) {
        let cut = text(whole).cut(columns);
        assert_eq!(cut.plain(), expected, "{whole:?} in {columns}");
        assert!(cut.columns() <= columns.max(1));
    }

    #[test]
    fn a_text_that_fits_is_not_cut() {
        check_cut("four", 4, "four");
        check_cut("", 0, "");
    }

    #[test]
    fn a_cut_ends_in_an_ellipsis_and_counts_wide_characters_twice() {
        check_cut("fourth", 4, "fou…");
        check_cut("four words", 6, "four…");
        check_cut("停火停火", 6, "停火…");
        check_cut("停火停火", 5, "停火…");
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        let lines = |whole: &str, columns| -> Vec<String> {
            text(whole).wrap(columns).iter().map(Text::plain).collect()
        };
        assert_eq!(lines("one two three", 7), ["one two", "three"]);
        assert_eq!(lines("one two three", 6), ["one", "two", "three"]);
        assert_eq!(lines("incomprehensible is", 6), ["incomprehensible", "is"]);
        assert_eq!(lines("", 6), [""]);
    }

    #[test]
    fn what_could_steer_a_terminal_is_left_out() {
        assert_eq!(text("a\u{1b}[31mb\u{202e}c\u{2069}\nd\te\u{7}").plain(), "a[31mbc d e");
    }

    #[test]
    fn only_what_reads_leftwards_is_isolated() {
        assert_eq!(text("news").isolated().plain(), "news");
        assert_eq!(text("غارة").isolated().plain(), "\u{2068}غارة\u{2069}");
        assert_eq!(text("غارة").isolated().columns(), text("غارة").columns());
    }
}
