//! The mended text of a document in its pieces: its head, and each entry by itself.

use std::ops::Range;

/// The mended text of a document: each entry by itself.
#[derive(Debug, Default)]
pub(super) struct Mended {
    /// The root's tag, that of the channel, and what is said of the feed.
    pub(super) head: String,
    /// How much of the head is tags around the entries.
    pub(super) tags: usize,
    /// All entries.
    pub(super) entries: String,
    /// Where each stands in it, by number.
    pub(super) spans: Vec<Range<usize>>,
    /// The end tags of what is around the entries.
    pub(super) tail: String,
}

impl Mended {
    /// The whole document.
    pub(super) fn pieces(&self) -> [&str; 3] {
        [&self.head, &self.entries, &self.tail]
    }

    /// The document without its entries.
    pub(super) fn without_entries(&self) -> [&str; 3] {
        [&self.head, "", &self.tail]
    }

    /// What is around the entries, and nothing else.
    pub(super) fn around(&self) -> [&str; 3] {
        [self.head.get(..self.tags).unwrap_or_default(), "", &self.tail]
    }

    /// The document with nothing but one entry.
    pub(super) fn alone(&self, number: usize) -> [&str; 3] {
        [self.head.get(..self.tags).unwrap_or_default(), self.entry(number), &self.tail]
    }

    /// An entry.
    pub(super) fn entry(&self, number: usize) -> &str {
        let span = self.spans.get(number).cloned();
        span.and_then(|span| self.entries.get(span)).unwrap_or_default()
    }

    /// Puts declarations into the root's tag, which ends here.
    pub(super) fn declare(&mut self, at: usize, declarations: &str) {
        // A lone entry is its own root.
        let is_lone = self.head.is_empty();
        let written = if is_lone { &mut self.entries } else { &mut self.head };
        if !written.is_char_boundary(at) {
            return;
        }
        written.insert_str(at, declarations);
        match self.spans.first_mut().filter(|_| is_lone) {
            Some(span) => span.end += declarations.len(),
            None => self.tags += declarations.len(),
        }
    }
}
