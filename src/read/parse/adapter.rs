//! feed-rs's model to ours; the only file that names `feed_rs`.
//!
//! What feed-rs would make up is kept from us: an entry without an identifier gets none (not a
//! hash, not a random number), and dates come through as written, for `parse::date` to read.

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use cw_model::{Entry, EntryText, FailureClass, Steps, TextKind};
use cw_text::html::looks_like_html;
use cw_text::reference;
use feed_rs::model::{FeedType, Link, Person, Text};
use feed_rs::parser::Builder;

use super::cut::Cut;
use super::document::{FeedFormat, ParseFailure, ParsedFeed};
use super::limits::{DATE_BYTES_MAX, READ_STEPS, inherited};
use super::repair::number;
use super::root::Root;

/// Reads the head of a feed and its entries: all at once, and if feed-rs refuses them, each alone. An
/// entry that it refuses is `Err`, with what is wrong.
///
/// # Errors
/// [`ParseFailure`] of class `Malformed` if not even the head can be read; `TooCostly`.
pub(super) fn read(
    cut: &Cut,
    steps: &Steps,
) -> Result<(ParsedFeed, Vec<Result<Entry, String>>), ParseFailure> {
    let count = cut.entries.len();
    // Whoever reads it looks at every byte, copies most, and unescapes them.
    let read_pieces = |pieces: [&str; 3]| {
        let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
        steps.spend(bytes.saturating_mul(READ_STEPS))?;
        Ok::<_, ParseFailure>(read_xml(pieces))
    };
    let mut slots = Vec::new();
    slots.resize_with(count, || None);
    let feed = match read_pieces(cut.mended.pieces())? {
        Ok(mut whole) => {
            fill(&mut slots, &mut whole);
            whole
        }
        Err(detail) => {
            let mut head = match read_pieces(cut.mended.without_entries())? {
                Ok(head) => head,
                Err(_) if cut.root == Root::AtomEntry => return Err(malformed(&detail)),
                // What is said of the feed is not worth its entries.
                Err(_) => read_pieces(cut.mended.around())?.map_err(|detail| malformed(&detail))?,
            };
            head.entries.clear();
            head
        }
    };
    let (people, is_cut) = feed.people();
    let people_bytes: usize = people.iter().map(String::len).sum();
    let mut entries = Vec::with_capacity(count);
    for (number, slot) in slots.into_iter().enumerate() {
        let entry = match slot {
            Some(entry) => Ok(entry),
            None => alone(read_pieces(cut.mended.alone(number))?, number),
        };
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(detail) => {
                entries.push(Err(detail));
                continue;
            }
        };
        // RFC 4287, 4.2.1: an entry without an author has the feed's.
        if entry.authors.is_empty() && feed.format == FeedFormat::Atom {
            steps.spend(people_bytes)?;
            entry.authors.clone_from(&people);
            entry.cut |= is_cut;
        }
        entries.push(Ok(entry));
    }
    let parsed = ParsedFeed {
        title: feed.title,
        language: feed.language,
        ttl: feed.ttl,
        ..ParsedFeed::without_entries(feed.format)
    };
    Ok((parsed, entries))
}

/// What feed-rs makes of a text: the feed, and entries with their numbers.
struct Read {
    format: FeedFormat,
    title: Option<String>,
    language: Option<String>,
    ttl: Option<Duration>,
    authors: Vec<String>,
    entries: Vec<(usize, Entry)>,
}

impl Read {
    /// The names that its entries inherit, and whether these are not all.
    fn people(&self) -> (Vec<String>, bool) {
        inherited(self.authors.clone())
    }
}

/// Puts each entry where its number says.
fn fill(slots: &mut [Option<Entry>], read: &mut Read) {
    for (number, entry) in read.entries.drain(..) {
        if let Some(slot) = slots.get_mut(number) {
            *slot = Some(entry);
        }
    }
}

/// The entry that was read alone.
fn alone(read: Result<Read, String>, number: usize) -> Result<Entry, String> {
    let own = read?.entries.into_iter().find(|(read, _)| *read == number);
    own.map(|(_, entry)| entry).ok_or_else(|| "the feed parser passes over it".to_owned())
}

fn read_xml(pieces: [&str; 3]) -> Result<Read, String> {
    let [head, entries, tail] = pieces;
    let dates = RawDates::default();
    let seen = dates.clone();
    let parser = Builder::new()
        .sanitize_content(false)
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(move |text| seen.keep(text))
        .build();
    let source = head.as_bytes().chain(entries.as_bytes()).chain(tail.as_bytes());
    // feed-rs has known panics in code we never reach, and perhaps others.
    let feed = catch_unwind(AssertUnwindSafe(|| parser.parse(source)))
        .map_err(|_panic| "the feed parser panicked".to_owned())?
        .map_err(|err| err.to_string())?;
    let format = match feed.feed_type {
        FeedType::Atom => FeedFormat::Atom,
        FeedType::JSON => FeedFormat::Json,
        FeedType::RSS0 | FeedType::RSS1 | FeedType::RSS2 => FeedFormat::Rss,
    };
    let numbered = |entry: feed_rs::model::Entry| {
        let number = entry.links.iter().find_map(|link| number(&link.href))?;
        Some((number, adapt_entry(entry, format, &dates)))
    };
    Ok(Read {
        format,
        entries: feed.entries.into_iter().filter_map(numbered).collect(),
        title: feed.title.map(|text| text.content),
        language: feed.language,
        ttl: feed.ttl.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
        authors: people(feed.authors),
    })
}

fn malformed(detail: &str) -> ParseFailure {
    ParseFailure::whole(FailureClass::Malformed, detail)
}

/// The texts of all dates met, each standing for itself by its place in the list.
///
/// feed-rs wants an instant for every date. It gets one that encodes the place of the raw text.
#[derive(Clone, Default)]
struct RawDates(Arc<Mutex<Vec<String>>>);

impl RawDates {
    fn keep(&self, text: &str) -> Option<DateTime<Utc>> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = i64::try_from(texts.len()).ok()?;
        // One byte more than is kept, so that the cut is seen.
        let end = text.ceil_char_boundary(DATE_BYTES_MAX + 1);
        texts.push(text.get(..end).unwrap_or(text).to_owned());
        DateTime::from_timestamp(place, 0)
    }

    fn text(&self, place: DateTime<Utc>) -> Option<String> {
        let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        texts.get(usize::try_from(place.timestamp()).ok()?).cloned()
    }
}

fn adapt_entry(entry: feed_rs::model::Entry, format: FeedFormat, dates: &RawDates) -> Entry {
    let content = entry.content.and_then(|content| {
        let kind = text_kind(content.content_type.as_str());
        content.body.map(|value| match kind {
            TextKind::Html => unescaped_once(value),
            TextKind::Plain => EntryText { kind, value },
        })
    });
    // feed-rs copies an RSS item's date of publication to `updated`.
    let updated = entry.updated.filter(|updated| entry.published != Some(*updated));
    let markup = |text: Text| adapt_text(text, format);
    Entry {
        guid: Some(entry.id.trim().to_owned()).filter(|id| !id.is_empty()),
        link: entry_link(&entry.links),
        page: None,
        base: None,
        title: entry.title.map(markup),
        summary: entry.summary.map(markup),
        content,
        authors: people(entry.authors),
        categories: entry
            .categories
            .into_iter()
            .map(|category| category.label.unwrap_or(category.term))
            .collect(),
        language: entry.language,
        published: entry.published.and_then(|date| dates.text(date)),
        updated: updated.and_then(|date| dates.text(date)),
        // Read in `extras`.
        media: Vec::new(),
        span: None,
        cut: false,
        source: None,
        is_unread: false,
    }
}

/// RSS does not say what its texts are; many publishers put markup and references into all of
/// them. What looks like markup is read as such; what begins with markup only after references
/// are decoded was escaped twice.
fn adapt_text(text: Text, format: FeedFormat) -> EntryText {
    let Text { content: value, content_type, .. } = text;
    if format != FeedFormat::Rss && text_kind(content_type.as_str()) == TextKind::Plain {
        return EntryText { kind: TextKind::Plain, value };
    }
    if !looks_like_html(&value) {
        let kind = if format == FeedFormat::Rss { TextKind::Plain } else { TextKind::Html };
        return EntryText { kind, value };
    }
    unescaped_once(value)
}

/// HTML, decoded once more if it was escaped twice.
fn unescaped_once(value: String) -> EntryText {
    if value.trim_start().starts_with("&lt;") {
        let decoded = reference::decode(&value);
        if looks_like_html(&decoded) {
            return EntryText { kind: TextKind::Html, value: decoded };
        }
    }
    EntryText { kind: TextKind::Html, value }
}

fn text_kind(media_type: &str) -> TextKind {
    if media_type == "text/plain" { TextKind::Plain } else { TextKind::Html }
}

fn people(people: Vec<Person>) -> Vec<String> {
    let name = |person: Person| person.name.or(person.email).filter(|name| !name.trim().is_empty());
    people.into_iter().filter_map(name).collect()
}

/// The link to the article: the first alternate that is a page, else the first that is no other
/// relation we know.
fn entry_link(links: &[Link]) -> Option<String> {
    let relation = |link: &Link| {
        let relation = link.rel.as_deref().unwrap_or("alternate").to_ascii_lowercase();
        // RFC 4287, 4.2.7.2: a relation of the registry may be written as a URL.
        let registered = relation.strip_prefix("http://www.iana.org/assignments/relation/");
        registered.unwrap_or(&relation).to_owned()
    };
    let is_own = |link: &Link| link.target.is_none() && number(&link.href).is_none();
    let is_page = |link: &&Link| {
        link.media_type.as_deref().is_none_or(|media_type| media_type.contains("html"))
    };
    let alternates = || links.iter().filter(|link| is_own(link) && relation(link) == "alternate");
    let href = |link: &Link| Some(link.href.trim().to_owned()).filter(|href| !href.is_empty());
    let canonical = || links.iter().find(|link| is_own(link) && relation(link) == "canonical");
    let page = alternates().find(is_page).or_else(|| alternates().next());
    page.or_else(canonical).and_then(href)
}
