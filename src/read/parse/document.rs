//! What a document came to: what was read of it, what had to be left out, or why nothing could be read.

use std::time::Duration;

use cw_model::reject::{DETAIL_BYTES_MAX, cut};
use cw_model::{Entry, FailureClass, HubLinks, Skips, TooCostly};

use super::problems::Problem;

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

/// What a document says of entries that were deleted (RFC 6721).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Those that name an entry, in document order, the first few thousand.
    pub named: Vec<Deletion>,
    /// How many more there are, or name none.
    pub left_out: u64,
}

/// That an entry was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The entry's identifier.
    pub guid: String,
    /// When, as written.
    pub at: Option<String>,
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
    /// How long it may be kept, by its own word: `ttl`, or the syndication module, whichever is longer. Not nothing.
    pub ttl: Option<Duration>,
    /// When it is not to be asked, by its own word.
    pub skips: Skips,
    /// What it says of a hub.
    pub links: HubLinks,
    /// Where it says that it lives now, as written; `None`: it says nothing.
    pub new_url: Option<String>,
    /// In document order.
    pub entries: Vec<Entry>,
    /// Entries that are said to be deleted.
    pub deletions: Deletions,
    /// The entries left out because they could not be read.
    pub problems: Vec<Problem>,
    /// What of the feed itself was left out, its entries aside.
    pub feed_problems: Vec<Problem>,
    /// The entries past the limit, with the first of them.
    pub over_limit: Option<Problem>,
}

impl ParsedFeed {
    /// A document of this format that shows nothing.
    pub(super) fn without_entries(format: FeedFormat) -> Self {
        Self {
            format,
            title: None,
            language: None,
            ttl: None,
            skips: Skips::default(),
            links: HubLinks::default(),
            new_url: None,
            entries: Vec::new(),
            deletions: Deletions::default(),
            problems: Vec::new(),
            feed_problems: Vec::new(),
            over_limit: None,
        }
    }
}

/// A document that could not be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFailure {
    /// `Empty`, `Html`, `NotAFeed`, `Malformed`, `TooDeep`, `Entities` or `TooCostly`.
    pub class: FailureClass,
    /// What is wrong, for a person.
    pub detail: String,
    /// Where in the decoded document, in bytes, if known.
    pub offset: Option<u64>,
}

impl From<TooCostly> for ParseFailure {
    fn from(costly: TooCostly) -> Self {
        Self::whole(FailureClass::TooCostly, &costly.to_string())
    }
}

impl ParseFailure {
    pub(super) fn whole(class: FailureClass, detail: &str) -> Self {
        Self { class, detail: cut(detail.to_owned(), DETAIL_BYTES_MAX), offset: None }
    }

    pub(super) fn at(class: FailureClass, detail: String, offset: u64) -> Self {
        Self { class, detail: cut(detail, DETAIL_BYTES_MAX), offset: Some(offset) }
    }
}
