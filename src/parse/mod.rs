//! Bytes to entries, whatever the format. Never fails on one bad entry.
//!
//! ```text
//! bytes ─ charset ─► text ─ guard ─┬─► mended XML ─ adapter ─► entries ◄─ extras
//!                                  ├─► mended XML ─ sitemap ─► entries
//!                                  └─► JSON ──────── json ────► entries
//! ```
//!
//! Dates stay as written; `date` reads them, `normalise::dates` decides whether to believe them.

mod adapter;
mod charset;
pub mod date;
mod extras;
mod guard;
mod json;
mod namespace;
pub(crate) mod reference;
mod repair;
mod sitemap;

use std::time::Duration;

use url::Url;

use self::extras::Extras;
use self::guard::{Root, Shape};
use crate::model::{Entry, FailureClass, Steps, TooCostly};

/// Steps for each byte that is decoded.
const DECODE_STEPS: usize = 3;

/// Steps for each byte that a parser reads after the guard.
const READ_STEPS: usize = 4;

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
    /// How long it may be kept, by its own word.
    pub ttl: Option<Duration>,
    /// In document order.
    pub entries: Vec<Entry>,
    /// Entries that are said to be deleted.
    pub deletions: Deletions,
    /// One for each entry left out.
    pub problems: Vec<EntryProblem>,
}

impl ParsedFeed {
    /// A document of this format that shows nothing.
    fn without_entries(format: FeedFormat) -> Self {
        Self {
            format,
            title: None,
            language: None,
            ttl: None,
            entries: Vec::new(),
            deletions: Deletions::default(),
            problems: Vec::new(),
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
    fn whole(class: FailureClass, detail: &str) -> Self {
        Self { class, detail: detail.to_owned(), offset: None }
    }

    fn at(class: FailureClass, detail: String, offset: u64) -> Self {
        Self { class, detail, offset: Some(offset) }
    }
}

/// Reads a document. `url` is what relative references resolve against.
///
/// # Errors
/// [`ParseFailure`] if no entry can be had from it, or not within the steps.
pub fn parse(
    bytes: &[u8],
    content_type: Option<&str>,
    url: &Url,
    steps: &Steps,
) -> Result<ParsedFeed, ParseFailure> {
    // Decoding looks at each byte a few times: marks, validity, controls.
    steps.spend(bytes.len().saturating_mul(DECODE_STEPS))?;
    let text = charset::decode(bytes, content_type);
    let start = match guard::recognise(&text, steps)? {
        Shape::Json => return json::read(&text, steps),
        Shape::Xml { start } => start,
    };
    let checked = guard::check(&text, start, url, steps)?;
    let mut feed = match checked.root {
        Root::Rss | Root::Rdf | Root::Atom | Root::AtomEntry => {
            // feed-rs reads every byte, copies most, and unescapes them.
            steps.spend(checked.xml.len().saturating_mul(READ_STEPS))?;
            adapter::read(&checked.xml, url)?
        }
        Root::Urlset => {
            steps.spend(checked.xml.len().saturating_mul(READ_STEPS))?;
            sitemap::read(&checked.xml)?
        }
        // The root's name alone may be anybody's.
        Root::DeletedEntry if checked.deletions == Deletions::default() => {
            let detail = "the root element <deleted-entry> is not that of RFC 6721";
            return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
        }
        Root::DeletedEntry => ParsedFeed::without_entries(FeedFormat::Atom),
        Root::SitemapIndex => {
            let detail = "this is an index of sitemaps; name one of the news sitemaps in it";
            return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
        }
    };
    feed.language = feed.language.or(checked.language);
    feed.deletions = checked.deletions;
    add_extras(&mut feed.entries, checked.extras);
    if feed.format == FeedFormat::Sitemap {
        // Pages among the news are not news.
        feed.entries.retain(|entry| entry.title.is_some());
    }
    if checked.left_out > 0 {
        let detail = format!("{} entries past the limit were left out", checked.left_out);
        feed.problems.push(EntryProblem { detail, offset: None, bytes: Vec::new() });
    }
    Ok(feed)
}

/// Joins what the guard kept with what the parser read: both are in document order.
fn add_extras(entries: &mut [Entry], extras: Vec<Extras>) {
    // Should the two ever disagree on what an entry is, nobody's name goes to another's article.
    if entries.len() != extras.len() {
        return;
    }
    for (entry, extras) in entries.iter_mut().zip(extras) {
        entry.offset = Some(extras.offset);
        entry.base = extras.base;
        entry.language = entry.language.take().or(extras.language);
        entry.guid = entry.guid.take().or(extras.about);
        entry.authors.extend(extras.authors);
        entry.media.extend(extras.media);
        if entry.content.is_none() && entry.summary.is_none() {
            entry.summary = extras.caption;
        }
        if entry.link.is_none() && extras.guid_is_link {
            let is_link = |guid: &&String| Url::parse(guid).is_ok_and(|url| url.has_host());
            entry.link = entry.guid.as_ref().filter(is_link).cloned();
        }
    }
}

/// Whether text of an undeclared kind is meant as HTML: it holds a tag or a reference.
fn looks_like_html(text: &str) -> bool {
    let last_end = text.rfind('>').unwrap_or(0);
    let holds_tag = text.match_indices('<').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        at < last_end && rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!')
    });
    let holds_reference = || {
        text.match_indices('&').any(|(at, _)| {
            let rest = text.get(at + 1..).unwrap_or_default();
            let name = |c: char| c.is_ascii_alphanumeric() || c == '#';
            rest.starts_with(name) && rest.trim_start_matches(name).starts_with(';')
        })
    };
    holds_tag || holds_reference()
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
