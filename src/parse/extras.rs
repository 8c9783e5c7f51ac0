//! What an entry says and feed-rs loses: people, MediaRSS, languages, bases, offsets.

use std::borrow::Cow;

use quick_xml::escape::unescape;
use url::Url;

use super::guard::Root;
use super::namespace::{Attribute, Name, Space};
use super::{Deletion, Deletions};
use crate::model::{EntryText, Media, TextKind};

/// The most files kept of one entry: galleries have a few dozen pictures.
const MEDIA_MAX: usize = 100;

/// The most people kept of one entry.
const PEOPLE_MAX: usize = 100;

/// The longest base, as written and as resolved, in bytes: each entry has one, and each of its links
/// is joined with it.
const BASE_BYTES_MAX: usize = 2048;

/// The most deleted entries kept of one document: ten times as many articles as a feed's state
/// remembers when they have left the feed.
pub(super) const DELETIONS_MAX: usize = 5000;

/// The longest `ref` and `when`, in bytes; a longer one names no entry that we keep.
const DELETION_BYTES_MAX: usize = 4096;

/// Of one entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extras {
    /// Where its start tag begins.
    pub(super) offset: u64,
    /// `rdf:about`
    pub(super) about: Option<String>,
    /// Whether the guid may serve as the link, as it does unless the publisher says otherwise.
    pub(super) guid_is_link: bool,
    /// `xml:lang` or `dc:language`
    pub(super) language: Option<String>,
    /// What its relative references resolve against.
    pub(super) base: Option<Url>,
    /// Names.
    pub(super) authors: Vec<String>,
    /// Of MediaRSS.
    pub(super) media: Vec<Media>,
    /// The description of a film: the only text in many feeds of films.
    pub(super) caption: Option<EntryText>,
}

/// What the text of the element in hand is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Author,
    PodcastAuthor,
    Language,
    Caption(TextKind),
    MediaTitle,
}

/// Collects [`Extras`] from the events of one walk.
#[derive(Debug)]
pub(super) struct ExtrasReader {
    /// Of all entries so far, and of the one in hand.
    pub(super) entries: Vec<Extras>,
    /// `xml:lang` of the root.
    pub(super) language: Option<String>,
    /// Entries that are said to be deleted; [`DELETIONS_MAX`] are named.
    pub(super) deletions: Deletions,
    bases: Vec<(usize, Url)>,
    entry_depth: Option<usize>,
    capture: Option<(Field, usize, String)>,
    thumbnails: Vec<Media>,
    podcast_author: Option<String>,
}

impl ExtrasReader {
    pub(super) fn new(url: Url) -> Self {
        Self {
            entries: Vec::new(),
            language: None,
            deletions: Deletions::default(),
            bases: vec![(0, url)],
            entry_depth: None,
            capture: None,
            thumbnails: Vec::new(),
            podcast_author: None,
        }
    }

    /// The length of the base in force.
    pub(super) fn base_bytes(&self) -> usize {
        self.bases.last().map_or(0, |(_, base)| base.as_str().len())
    }

    pub(super) fn open(
        &mut self,
        root: Root,
        name: &Name<'_>,
        attributes: &[Attribute<'_>],
        depth: usize,
        at: usize,
    ) {
        if let Some(base) = value(attributes, "xml:base")
            && base.len() <= BASE_BYTES_MAX
            && let Some((_, outer)) = self.bases.last()
            && let Ok(base) = outer.join(&base)
            && base.as_str().len() <= BASE_BYTES_MAX
        {
            self.bases.push((depth, base));
        }
        if depth == 0 {
            self.language = value(attributes, "xml:lang").map(Cow::into_owned);
        }
        let (entry_name, entry_depth) = root.entry();
        let Some(own_depth) = self.entry_depth else {
            if depth == entry_depth && name.local == entry_name {
                self.begin_entry(attributes, depth, at);
            } else if depth == entry_depth
                && (name.space, name.local) == (Space::Tombstones, "deleted-entry")
            {
                self.deletions.add(deletion(attributes));
            }
            return;
        };
        if self.capture.is_none() {
            self.open_inside(root, name, attributes, depth, own_depth);
        }
    }

    fn begin_entry(&mut self, attributes: &[Attribute<'_>], depth: usize, at: usize) {
        self.entry_depth = Some(depth);
        self.entries.push(Extras {
            offset: at as u64,
            about: value(attributes, "rdf:about").map(Cow::into_owned),
            guid_is_link: true,
            language: value(attributes, "xml:lang").map(Cow::into_owned),
            // The first is the document's own URL, which needs no saying.
            base: self.bases.get(1..).and_then(<[_]>::last).map(|(_, base)| base.clone()),
            authors: Vec::new(),
            media: Vec::new(),
            caption: None,
        });
    }

    fn open_inside(
        &mut self,
        root: Root,
        name: &Name<'_>,
        attributes: &[Attribute<'_>],
        depth: usize,
        own_depth: usize,
    ) {
        let Some(entry) = self.entries.last_mut() else { return };
        let is_child = depth == own_depth + 1;
        let is_rss = matches!(root, Root::Rss | Root::Rdf);
        let field = match (name.space, name.local) {
            (Space::Document | Space::Rss, "author") if is_child && is_rss => Some(Field::Author),
            (Space::Dc, "creator") if is_child => Some(Field::Author),
            (Space::Itunes, "author") if is_child => Some(Field::PodcastAuthor),
            (Space::Dc, "language") if is_child => Some(Field::Language),
            (Space::Media, "title") => Some(Field::MediaTitle),
            (Space::Media, "description") => {
                let is_html = value(attributes, "type").is_some_and(|kind| kind == "html");
                Some(Field::Caption(if is_html { TextKind::Html } else { TextKind::Plain }))
            }
            _ => None,
        };
        if let Some(field) = field {
            self.capture = Some((field, depth, String::new()));
        }
        match (name.space, name.local) {
            (Space::Document | Space::Rss, "guid") if is_child => {
                let said = value(attributes, "isPermaLink");
                entry.guid_is_link =
                    said.is_none_or(|said| !said.trim().eq_ignore_ascii_case("false"));
            }
            (Space::Media, "content") if entry.media.len() < MEDIA_MAX => {
                entry.media.extend(media(attributes));
            }
            (Space::Media, "thumbnail") if self.thumbnails.len() < MEDIA_MAX => {
                self.thumbnails.extend(media(attributes));
            }
            _ => {}
        }
    }

    /// Text of the element in hand, references resolved.
    pub(super) fn text(&mut self, part: &str) {
        if let Some((_, _, text)) = &mut self.capture {
            text.push_str(part);
        }
    }

    /// An element that began at this depth ends. Answers whether it was an entry.
    pub(super) fn close(&mut self, depth: usize) -> Closed {
        while self.bases.len() > 1 && self.bases.last().is_some_and(|(own, _)| *own >= depth) {
            self.bases.pop();
        }
        if let Some((field, own, text)) = self.capture.take() {
            if own == depth {
                self.keep(field, text.trim());
            } else {
                self.capture = Some((field, own, text));
            }
        }
        if self.entry_depth != Some(depth) {
            return Closed::Other;
        }
        self.entry_depth = None;
        let thumbnails = std::mem::take(&mut self.thumbnails);
        let podcast_author = self.podcast_author.take();
        if let Some(entry) = self.entries.last_mut() {
            // A thumbnail of something that is there itself adds nothing.
            if entry.media.is_empty() {
                entry.media = thumbnails;
            }
            if entry.authors.is_empty() {
                entry.authors.extend(podcast_author);
            }
        }
        Closed::Entry
    }

    fn keep(&mut self, field: Field, text: &str) {
        let Some(entry) = self.entries.last_mut() else { return };
        if text.is_empty() {
            return;
        }
        match field {
            Field::Author if entry.authors.len() < PEOPLE_MAX => {
                entry.authors.push(person_name(text));
            }
            Field::Author => {}
            Field::PodcastAuthor => self.podcast_author = Some(person_name(text)),
            Field::Language => {
                entry.language.get_or_insert_with(|| text.to_owned());
            }
            Field::Caption(kind) => {
                let caption = EntryText { kind, value: text.to_owned() };
                entry.caption.get_or_insert(caption);
            }
            Field::MediaTitle => {
                if let Some(media) = entry.media.last_mut() {
                    media.title.get_or_insert_with(|| text.to_owned());
                }
            }
        }
    }
}

/// What kind of element ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// One whole entry.
    Entry,
    /// Any other.
    Other,
}

fn value<'t>(attributes: &'t [Attribute<'_>], key: &str) -> Option<Cow<'t, str>> {
    let (_, raw) = attributes.iter().find(|(name, _)| *name == key)?;
    Some(unescape(raw).unwrap_or(Cow::Borrowed(raw)))
}

impl Deletions {
    fn add(&mut self, deletion: Option<Deletion>) {
        match deletion {
            Some(deletion) if self.named.len() < DELETIONS_MAX => self.named.push(deletion),
            Some(_) | None => self.left_out += 1,
        }
    }
}

fn deletion(attributes: &[Attribute<'_>]) -> Option<Deletion> {
    let short = |key| value(attributes, key).filter(|value| value.len() <= DELETION_BYTES_MAX);
    let guid = short("ref")?.trim().to_owned();
    let at = short("when").map(|when| when.trim().to_owned());
    (!guid.is_empty()).then_some(Deletion { guid, at })
}

fn media(attributes: &[Attribute<'_>]) -> Option<Media> {
    let pixels = |key| value(attributes, key)?.trim().parse().ok();
    Some(Media {
        url: value(attributes, "url")?.trim().to_owned(),
        media_type: value(attributes, "type").map(Cow::into_owned),
        width: pixels("width"),
        height: pixels("height"),
        title: None,
    })
}

/// RSS has "mail@example.org (Name)", others "Name <mail@example.org>".
fn person_name(text: &str) -> String {
    let text = text.trim();
    let inside = |open, close| {
        let (before, rest) = text.split_once(open)?;
        let (within, _) = rest.split_once(close)?;
        Some((before.trim(), within.trim()))
    };
    let is_mail = |part: &str| part.contains('@');
    let name = match (inside('(', ')'), inside('<', '>')) {
        (Some((before, within)), _) if is_mail(before) && !within.is_empty() => within,
        (_, Some((before, within))) if is_mail(within) && !before.is_empty() => before,
        _ => text,
    };
    name.to_owned()
}
