//! Which lines of a text are links and nothing else: behind the words of an article, those lead to other articles.

use std::ops::Range;

/// The longest line that is a card, bytes: three lines of Arabic or Hindi.
const CARD_BYTES_MAX: usize = 600;

/// The lines of a text as it grows.
#[derive(Debug, Default)]
pub(super) struct Lines {
    list: Vec<Line>,
    is_in_link: bool,
}

#[derive(Debug, Default)]
struct Line {
    /// Where it begins in the text.
    start: usize,
    holds: Holds,
    /// It holds words of a link that has not ended yet. One that never ends is none.
    is_open: bool,
}

/// What the words of a line are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    #[default]
    Nothing,
    /// A link that has ended, and no other word.
    Link,
    /// Some are no link.
    Words,
}

impl Lines {
    /// A line begins here.
    pub(super) fn begin(&mut self, start: usize) {
        self.list.push(Line { start, ..Line::default() });
    }

    /// A part of the text was added to the last line.
    pub(super) fn add(&mut self, part: &str) {
        if !part.contains(char::is_alphanumeric) {
            return;
        }
        if self.list.is_empty() {
            self.begin(0);
        }
        let Some(line) = self.list.last_mut() else { return };
        if self.is_in_link {
            line.is_open = true;
        } else {
            line.holds = Holds::Words;
        }
    }

    pub(super) fn open_link(&mut self) {
        self.give_up_link();
        self.is_in_link = true;
    }

    pub(super) fn close_link(&mut self) {
        for line in self.list.iter_mut().rev().take_while(|line| line.is_open) {
            line.is_open = false;
            line.holds = line.holds.max(Holds::Link);
        }
        self.is_in_link = false;
    }

    fn give_up_link(&mut self) {
        for line in self.list.iter_mut().rev().take_while(|line| line.is_open) {
            line.is_open = false;
            line.holds = Holds::Words;
        }
    }

    /// Where the cards of other articles stand in the text. None if it is mostly links: then they are the text.
    pub(super) fn cards(mut self, text: &str) -> Vec<Range<usize>> {
        self.give_up_link();
        let ends = self.list.iter().skip(1).map(|line| line.start).chain([text.len()]);
        let lines: Vec<(&Line, Range<usize>)> =
            self.list.iter().zip(ends).map(|(line, end)| (line, line.start..end)).collect();
        let is_card = |(line, range): &&(&Line, Range<usize>)| {
            line.holds == Holds::Link && range.len() <= CARD_BYTES_MAX
        };
        // What stands before the first words may be the teaser itself.
        let first =
            lines.iter().position(|(line, _)| line.holds == Holds::Words).unwrap_or(lines.len());
        let behind = lines.get(first..).unwrap_or_default();
        let cards: Vec<_> = behind.iter().filter(is_card).map(|(_, range)| range.clone()).collect();
        let card_bytes: usize = cards.iter().map(Range::len).sum();
        if card_bytes * 2 > text.len() { Vec::new() } else { cards }
    }
}
