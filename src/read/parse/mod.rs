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
mod base;
pub mod date;
mod document;
mod extras;
pub mod guard;

mod json;
mod json_text;
mod limits;
mod namespace;
mod place;
mod problems;
mod repair;
mod root;
mod sitemap;

use cw_model::{Entry, FailureClass, Steps, TooCostly};
use cw_text::charset;
use url::Url;

pub use self::document::{Deletion, Deletions, FeedFormat, ParseFailure, ParsedFeed};
use self::extras::Extras;
use self::guard::{Checked, Shape};
pub(crate) use self::limits::LINK_BYTES_MAX;
use self::limits::READ_STEPS;
pub use self::problems::Problem;
use self::problems::Problems;
use self::root::Root;

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
    let entries_max = entries_max.min(ENTRIES_MAX);
    // Decoding looks at each byte a few times: marks, validity, controls.
    steps.spend(bytes.len().saturating_mul(DECODE_STEPS))?;
    let text = charset::decode(bytes, content_type);
    let mut feed = match guard::recognise(&text, steps)? {
        Shape::Json => json::read(&text, entries_max, steps)?,
        Shape::Xml { start } => read_xml(&text, start, url, entries_max, steps)?,
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

fn read_xml(
    text: &str,
    start: usize,
    url: &Url,
    entries_max: usize,
    steps: &Steps,
) -> Result<ParsedFeed, ParseFailure> {
    let Checked { root, xml, extras, language, deletions, mut problems, feed_problem, over_limit } =
        guard::check(text, start, url, entries_max, steps)?;
    // Whoever reads it looks at every byte, copies most, and unescapes them.
    steps.spend(xml.len().saturating_mul(READ_STEPS))?;
    let mut feed = match root {
        Root::Rss | Root::Rdf | Root::Atom | Root::AtomEntry => adapter::read(&xml, steps)?,
        Root::Urlset => sitemap::read(&xml)?,
        // The root's name alone may be anybody's.
        Root::DeletedEntry if deletions == Deletions::default() => {
            let detail = "the root element <deleted-entry> is not that of RFC 6721";
            return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
        }
        Root::DeletedEntry => ParsedFeed::without_entries(FeedFormat::Atom),
        Root::SitemapIndex => {
            let detail = "this is an index of sitemaps; name one of the news sitemaps in it";
            return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
        }
    };
    feed.language = feed.language.or(language);
    feed.deletions = deletions;
    problems.extend(unread(text, &feed.entries, &extras));
    if feed.format == FeedFormat::Sitemap {
        problems.extend(untitled(text, &feed.entries, &extras));
    }
    add_extras(&mut feed.entries, extras);
    // A page without a headline is no news.
    feed.entries.retain(|entry| feed.format != FeedFormat::Sitemap || entry.title.is_some());
    let feed_problems = feed_problem.into_iter().collect();
    Ok(ParsedFeed { problems: problems.finish(), feed_problems, over_limit, ..feed })
}

/// The entries that the guard saw and no reader did. There are none; should the two disagree, it is
/// told.
fn unread(text: &str, entries: &[Entry], extras: &[Extras]) -> Option<Problem> {
    let missing = extras.len().checked_sub(entries.len()).filter(|missing| *missing > 0)?;
    let detail = format!("{missing} of {} entries were not read; the first is here", extras.len());
    Some(problem(text, extras.first()?, missing as u64, detail))
}

/// The pages of a sitemap that have no headline.
fn untitled(text: &str, entries: &[Entry], extras: &[Extras]) -> Option<Problem> {
    let mut untitled = entries.iter().zip(extras).filter(|(entry, _)| entry.title.is_none());
    let (_, first) = untitled.next()?;
    let pages = 1 + untitled.count() as u64;
    let detail = format!("pages without news:title: {pages}; the first is here");
    Some(problem(text, first, pages, detail))
}

/// The problem of so many entries, with the bytes of the first.
fn problem(text: &str, first: &Extras, entries: u64, detail: String) -> Problem {
    let bytes = text.get(first.span.clone()).unwrap_or_default();
    Problem { entries, ..Problem::new(detail, first.span.start, bytes) }
}

/// Joins what the guard kept with what the parser read: both are in document order.
fn add_extras(entries: &mut [Entry], extras: Vec<Extras>) {
    // Should the two ever disagree on what an entry is, nobody's name goes to another's article.
    if entries.len() != extras.len() {
        return;
    }
    for (entry, extras) in entries.iter_mut().zip(extras) {
        entry.span = Some(extras.span);
        entry.base = extras.base;
        entry.language = entry.language.take().or(extras.language);
        entry.guid = entry.guid.take().or(extras.about);
        entry.authors.extend(extras.authors);
        entry.media.extend(extras.enclosures);
        entry.media.extend(extras.media);
        entry.cut |= extras.cut;
        if entry.content.is_none() && entry.summary.is_none() {
            entry.summary = extras.caption;
        }
        if entry.link.is_none() && extras.guid_is_link {
            let is_link = |guid: &&String| Url::parse(guid).is_ok_and(|url| url.has_host());
            entry.link = entry.guid.as_ref().filter(is_link).cloned();
        }
    }
}

#[cfg(test)]
mod left_out;
#[cfg(test)]
mod tests;
