//! Entry to article: identity, links, plain text, dates, language.

use url::Url;

use crate::model::{Article, Entry, Feed, Timestamp};

/// What an entry cannot know of itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The feed it came in.
    pub feed: &'a Feed,
    /// The URL that served the document; relative references resolve against it.
    pub base: &'a Url,
    /// The document's own language.
    pub language: Option<&'a str>,
    /// r
    pub repeated_guids: &'a std::collections::HashSet<String>,
    /// When the poll was answered.
    pub now: Timestamp,
}

/// Turns an entry into an article.
pub fn normalise(_context: &Context<'_>, _entry: &Entry) -> Article {
    unimplemented!()
}
