//! Bytes to entries, whatever the format. Never fails on one bad entry.

use std::time::Duration;

use url::Url;

use crate::model::{Entry, FailureClass};

/// Which format a document is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedFormat {
    /// RSS 0.9x, 1.0 or 2.0.
    Rss,
    /// Atom.
    Atom,
    /// JSON Feed.
    Json,
    /// News sitemap.
    Sitemap,
}

/// One entry that had to be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProblem {
    /// What is wrong, for a person.
    pub detail: String,
    /// Where in the decoded document, in bytes, if known.
    pub offset: Option<u64>,
    /// The entry, as far as it can be told apart.
    pub bytes: Vec<u8>,
}

/// A document as parsed, with whatever had to be left out.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedFeed {
    /// Its format.
    pub format: FeedFormat,
    /// The feed's own title, plain text.
    pub title: Option<String>,
    /// The feed's own language, BCP 47.
    pub language: Option<String>,
    /// How long it may be kept, by its own word.
    pub ttl: Option<Duration>,
    /// In document order.
    pub entries: Vec<Entry>,
    /// One for each entry left out.
    pub problems: Vec<EntryProblem>,
}

/// A document that could not be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFailure {
    /// Empty, Html, NotAFeed, Malformed, TooDeep or Entities.
    pub class: FailureClass,
    /// What is wrong, for a person.
    pub detail: String,
    /// Where in the decoded document, in bytes, if known.
    pub offset: Option<u64>,
}

/// Reads a document. `url` is what relative references resolve against.
///
/// # Errors
/// [`ParseFailure`] if no entry can be had from it.
pub fn parse(
    _bytes: &[u8],
    _content_type: Option<&str>,
    _url: &Url,
) -> Result<ParsedFeed, ParseFailure> {
    unimplemented!()
}
