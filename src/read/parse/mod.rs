//! Bytes to entries, whatever the format. Never fails on one bad entry.
//!
//! ```text
//! bytes ─ charset ─► text ─ guard ─┬─► XML ─ cut ─► head and entries ─┬─ adapter ─► entries ◄─ extras
//!                                  │                                  └─ sitemap ─► entries
//!                                  └─► JSON ─ json ─────────────────────────────────► entries
//! ```
//!
//! Dates stay as written; `date` reads them, `normalise::dates` decides whether to believe them.

mod adapter;
mod ahead;
mod base;
pub mod cut;
pub mod date;
mod document;
mod elements;
mod entities;
mod extras;
mod fields;
pub mod guard;
mod hub;
mod index;
mod json;
pub(crate) mod json_text;
mod limits;
mod mended;
mod namespace;
mod omitted;
mod new_url;
mod pace;
mod place;
mod problems;
mod repair;
mod root;
mod scan;
mod sitemap;
mod source;

use std::ops::Range;

use cw_model::{Entry, FailureClass, Steps, TooCostly};
use cw_text::charset;
use url::Url;

use self::cut::Cut;
pub use self::document::{Deletion, Deletions, FeedFormat, ParseFailure, ParsedFeed};
use self::extras::Extras;
use self::guard::Shape;
pub use self::index::{
    SITEMAPS_MAX, SitemapIndex, joined, may_be_sitemap_index, sitemap_index, sitemap_part,
};
pub(crate) use self::limits::LINK_BYTES_MAX;
pub use self::problems::Problem;
use self::problems::Problems;
use self::root::Root;
pub use self::source::KnownSources;

/// The most entries read of one document, in document order, whatever the configuration allows.
/// Sitemaps may list 50,000; an empty entry costs its reader a hundred times its own length.
const ENTRIES_MAX: usize = 50_000;

/// Steps for each byte that is decoded.
const DECODE_STEPS: usize = 3;

/// Reads a document. `url` is what its bases resolve against; past `entries_max` entries, or
/// `ENTRIES_MAX`, the rest is left out.
///
/// # Errors
/// [`ParseFailure`] if no entry can be had from it, or not within the steps.
pub fn parse(
    bytes: &[u8],
    content_type: Option<&str>,
    url: &Url,
    entries_max: usize,
    steps: &Steps,
) -> Result<ParsedFeed, ParseFailure> {
    parse_with(bytes, content_type, url, entries_max, &KnownSources::default(), steps)
}

/// The same, but that the full texts of entries with a known source are left out (`Entry::is_unread`).
///
/// # Errors
/// As [`parse`].
pub fn parse_with(
    bytes: &[u8],
    content_type: Option<&str>,
    url: &Url,
    entries_max: usize,
    known: &KnownSources,
    steps: &Steps,
) -> Result<ParsedFeed, ParseFailure> {
    let entries_max = entries_max.min(ENTRIES_MAX);
    // Decoding looks at each byte a few times: marks, validity, controls.
    steps.spend(bytes.len().saturating_mul(DECODE_STEPS))?;
    let text = charset::decode(bytes, content_type);
    let mut feed = match guard::recognise(&text, steps)? {
        Shape::Json => {
            let mut feed = json::read(&text, entries_max, steps)?;
            source::of_items(&text, url, known, &mut feed.entries, steps)?;
            feed
        }
        Shape::Xml { start } => {
            let cut = cut::cut_with(&text, start, url, entries_max, known, steps)?;
            read_xml(&text, cut, steps)?
        }
    };
    limits::bound_feed(&mut feed);
    let entries = feed.entries.into_iter().map(limits::bound).collect();
    Ok(ParsedFeed { entries, ..feed })
}

/// The problem of entries that were read and are left out nevertheless: each with its bytes, the first
/// hundred. `detail` says why.
///
/// The document is decoded once more: few have such entries, and the others need not keep their text.
///
/// # Errors
/// [`TooCostly`] if that takes more steps than are left.
pub fn passed_over(
    bytes: &[u8],
    content_type: Option<&str>,
    entries: &[&Entry],
    detail: &str,
    steps: &Steps,
) -> Result<Vec<Problem>, TooCostly> {
    let mut problems = Problems::default();
    if entries.is_empty() {
        return Ok(problems.finish());
    }
    steps.spend(bytes.len().saturating_mul(DECODE_STEPS))?;
    let text = charset::decode(bytes, content_type);
    for entry in entries {
        let span = entry.span.clone().filter(|_| problems.has_room()).unwrap_or_default();
        steps.spend(span.len())?;
        let entry = text.get(span.clone()).unwrap_or_default();
        problems.push(Problem::new(detail.to_owned(), span.start, entry));
    }
    Ok(problems.finish())
}

fn read_xml(text: &str, mut cut: Cut, steps: &Steps) -> Result<ParsedFeed, ParseFailure> {
    let (mut feed, read) = match cut.root {
        Root::Rss | Root::Rdf | Root::Atom | Root::AtomEntry => adapter::read(&cut, steps)?,
        Root::Urlset => sitemap::read(&cut, steps)?,
        // The root's name alone may be anybody's.
        Root::DeletedEntry if cut.deletions == Deletions::default() => {
            let detail = "the root element <deleted-entry> is not that of RFC 6721";
            return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
        }
        Root::DeletedEntry => (ParsedFeed::without_entries(FeedFormat::Atom), Vec::new()),
        Root::SitemapIndex => {
            let detail = "this is an index of sitemaps, and an index is followed one level";
            return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
        }
    };
    let mut untitled: Option<Problem> = None;
    // Both are by number.
    for (entry, extras) in read.into_iter().zip(cut.entries) {
        let span = extras.span.clone();
        match entry.map(|entry| with_extras(entry, extras)) {
            // A page without a headline is no news.
            Ok(entry) if feed.format == FeedFormat::Sitemap && entry.title.is_none() => {
                let first = untitled.get_or_insert_with(|| Problem {
                    entries: 0,
                    ..problem(Some(text), &span, String::new())
                });
                first.entries += 1;
            }
            Ok(entry) => feed.entries.push(entry),
            Err(detail) => {
                let kept = cut.problems.has_room().then_some(text);
                cut.problems.push(problem(kept, &span, detail));
            }
        }
    }
    cut.problems.extend(untitled.map(|first| {
        let pages = first.entries;
        let detail = format!("pages without news:title: {pages}; the first is here");
        Problem { detail, ..first }
    }));
    Ok(ParsedFeed {
        language: feed.language.or(cut.language),
        ttl: feed.ttl.filter(|ttl| !ttl.is_zero()).max(cut.update_interval),
        skips: cut.skips,
        links: cut.links,
        new_url: cut.new_url,
        deletions: cut.deletions,
        problems: cut.problems.finish(),
        feed_problems: cut.feed_problem.into_iter().collect(),
        over_limit: cut.over_limit,
        ..feed
    })
}

/// The problem of an entry, with its bytes out of the text if they are kept.
fn problem(kept: Option<&str>, span: &Range<usize>, detail: String) -> Problem {
    let bytes = kept.and_then(|text| text.get(span.clone())).unwrap_or_default();
    Problem::new(detail, span.start, bytes)
}

/// An entry, with what the cut kept of it.
fn with_extras(mut entry: Entry, extras: Extras) -> Entry {
    entry.span = Some(extras.span);
    entry.base = extras.base;
    entry.language = entry.language.take().or(extras.language);
    entry.guid = entry.guid.take().or(extras.about);
    entry.authors.extend(extras.authors);
    entry.media.extend(extras.enclosures);
    entry.media.extend(extras.media);
    entry.cut |= extras.cut;
    entry.source = extras.source;
    entry.is_unread = extras.is_unread;
    extras.others.fill(&mut entry);
    if entry.content.is_none() && entry.summary.is_none() {
        entry.summary = extras.caption;
    }
    // Templates write these where there is no page.
    let is_none = |link: &String| link.is_empty() || link == "#" || link.starts_with("javascript:");
    entry.link = entry.link.take().filter(|link| !is_none(link));
    if entry.link.is_none() && extras.guid_is_link {
        let is_link = |guid: &&String| Url::parse(guid).is_ok_and(|url| url.has_host());
        entry.link = entry.guid.as_ref().filter(is_link).cloned();
    }
    entry
}

#[cfg(test)]
mod broken;
#[cfg(test)]
mod left_out;
#[cfg(test)]
mod tests;
