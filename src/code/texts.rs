//! What of an article is read.

/// The texts of an article that are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Texts<'a> {
    /// Headline.
    pub title: &'a str,
    /// Teaser.
    pub summary: &'a str,
    /// Full text.
    pub body: &'a str,
}
