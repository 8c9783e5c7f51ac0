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
    /// Where its feed is from, ISO 3166-1 alpha-2: a hint at which of two places of one name is meant.
    pub feed_country: Option<&'a str>,
}
