//! The words that a piece of coding rests on.

/// Which text of an article a span lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The headline.
    Title,
    /// The teaser.
    Summary,
    /// The full text.
    Body,
}

/// The span of text a piece of coding rests on.
///
/// Units: offsets count Unicode code points from the start of the field; `end` is exclusive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// Where.
    pub field: Field,
    /// First code point.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// The words themselves: exactly `field[start..end]`.
    pub text: String,
}
