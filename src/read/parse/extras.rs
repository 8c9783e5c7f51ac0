//! What an entry says and feed-rs loses or pays too much for: people, files, languages, bases, offsets.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use cw_model::{Digest, EntryText, Media, Steps, TextKind, TooCostly};
use quick_xml::escape::unescape;
use url::Url;

use super::base::Bases;
use super::document::{Deletion, Deletions};
use super::fields::{Other, Others, other};
use super::limits::{self, LIST_MAX};
use super::namespace::{Attribute, Name, Space};
use super::repair::is_enclosure;
use super::root::Root;

/// The most deleted entries kept of one document: ten times as many articles as a feed's state
/// remembers when they have left the feed.
pub(super) const DELETIONS_MAX: usize = 5000;

/// Of one entry.
#[derive(Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "three things that an entry has or has not, none of which says anything of another"
)]
pub(super) struct Extras {
    /// Where it stands in the text.
    pub(super) span: Range<usize>,
    /// `rdf:about`
    pub(super) about: Option<String>,
    /// Whether the guid may serve as the link, as it does unless the publisher says otherwise.
    pub(super) guid_is_link: bool,
    /// `xml:lang` or `dc:language`
    pub(super) language: Option<String>,
    /// What its relative references resolve against.
    pub(super) base: Option<Arc<Url>>,
    /// Names.
    pub(super) authors: Vec<String>,
    /// Files that go with it, by the format's own word.
    pub(super) enclosures: Vec<Media>,
    /// Of MediaRSS.
    pub(super) media: Vec<Media>,
    /// The description of a film: the only text in many feeds of films.
    pub(super) caption: Option<EntryText>,
    /// What stands under other names than the format's.
    pub(super) others: Others,
    /// Whether there was more of anything than is kept.
    pub(super) cut: bool,
    /// Of its bytes and what else its texts depend on.
    pub(super) source: Option<Digest>,
    /// Whether its full text was left out.
    pub(super) is_unread: bool,
}

/// What the text of the element in hand is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Author,
    PodcastAuthor,
    Language,
    Caption(TextKind),
    MediaTitle,
    /// MediaRSS's of the entry itself.
    OwnMediaTitle,
    /// The address of a picture.
    Picture,
    /// RSS's link, which is broken over lines in some feeds; the parser makes spaces of that.
    Link,
    /// Under another name than the format's.
    Other(Other),
}

/// Where an element stands in its entry.
#[derive(Clone, Copy, Debug)]
struct Inside {
    is_child: bool,
    is_rss: bool,
}

/// Collects [`Extras`] from the events of one walk.
#[derive(Debug)]
pub(super) struct ExtrasReader<'a> {
    /// Of all entries so far, and of the one in hand.
    pub(super) entries: Vec<Extras>,
    /// `xml:lang` of the root.
    pub(super) language: Option<String>,
    /// Entries that are said to be deleted; [`DELETIONS_MAX`] are named.
    pub(super) deletions: Deletions,
    bases: Bases<'a>,
    entry_depth: Option<usize>,
    capture: Option<(Field, usize, String)>,
    thumbnails: Vec<Media>,
    podcast_author: Option<String>,
}

impl<'a> ExtrasReader<'a> {
    pub(super) fn new(url: &'a Url, steps: &'a Steps) -> Self {
        Self {
            entries: Vec::new(),
            language: None,
            deletions: Deletions::default(),
            bases: Bases::new(url, steps),
            entry_depth: None,
            capture: None,
            thumbnails: Vec::new(),
            podcast_author: None,
        }
    }

    /// Whether no entry is in hand.
    pub(super) fn is_outside(&self) -> bool {
        self.entry_depth.is_none()
    }

    /// Where the entry in hand begins.
    pub(super) fn entry_in_hand(&self) -> Option<usize> {
        let entry = self.entries.last().filter(|_| self.entry_depth.is_some())?;
        Some(entry.span.start)
    }

    /// The entry that was read last, or is in hand.
    pub(super) fn last_entry(&mut self) -> Option<&mut Extras> {
        self.entries.last_mut()
    }

    /// More of the entry in hand was sent than is kept.
    pub(super) fn cut(&mut self) {
        if let Some(entry) = self.entries.last_mut().filter(|_| self.entry_depth.is_some()) {
            entry.cut = true;
        }
    }

    /// An element begins. A link with a base of its own is resolved here: nobody after us sees it.
    pub(super) fn open(
        &mut self,
        root: Root,
        name: &Name<'_>,
        attributes: &mut [Attribute<'_>],
        depth: usize,
    ) -> Result<(), TooCostly> {
        let base = value(attributes, "xml:base").map(Cow::into_owned);
        let has_base = base.is_some();
        if let Some(base) = base {
            self.bases.open(depth, base);
        }
        if depth == 0 {
            self.language = value(attributes, "xml:lang").map(Cow::into_owned);
        }
        if has_base && name.local == "link" {
            self.resolve_link(attributes)?;
        }
        if self.entry_depth.is_none()
            && depth == root.entry().1
            && (name.space, name.local) == (Space::Tombstones, "deleted-entry")
        {
            self.deletions.add(deletion(attributes));
        }
        if let Some(own_depth) = self.entry_depth
            && self.capture.is_none()
        {
            self.open_inside(root, name, attributes, depth, own_depth);
        } else {
            self.open_captured(name, depth);
        }
        Ok(())
    }

    /// Resolves a link by a base of its own.
    fn resolve_link(&mut self, attributes: &mut [Attribute<'_>]) -> Result<(), TooCostly> {
        let base = self.bases.current()?;
        if self.bases.is_cut() {
            self.cut();
        }
        if let Some(base) = base
            && let Some(href) = value(attributes, "href").and_then(|href| base.join(&href).ok())
            && let Some((_, written)) = attributes.iter_mut().find(|(key, _)| *key == "href")
        {
            *written = Cow::Owned(href.as_str().replace('&', "&amp;"));
        }
        Ok(())
    }

    pub(super) fn begin_entry(
        &mut self,
        attributes: &[Attribute<'_>],
        depth: usize,
        at: usize,
    ) -> Result<(), TooCostly> {
        self.entry_depth = Some(depth);
        let base = self.bases.current()?;
        self.entries.push(Extras {
            span: at..at,
            about: value(attributes, "rdf:about").map(Cow::into_owned),
            guid_is_link: true,
            language: value(attributes, "xml:lang").map(Cow::into_owned),
            base,
            authors: Vec::new(),
            enclosures: Vec::new(),
            media: Vec::new(),
            caption: None,
            others: Others::default(),
            cut: self.bases.is_cut(),
            source: None,
            is_unread: false,
        });
        Ok(())
    }

    /// An element begins in one that is being captured.
    fn open_captured(&mut self, name: &Name<'_>, depth: usize) {
        match &mut self.capture {
            // A person in parts: "author" with "name", "title" and "department".
            Some((Field::Author | Field::PodcastAuthor, own, text)) if name.local == "name" => {
                *own = depth;
                text.clear();
            }
            // Markup that is not escaped, as in XHTML.
            // Beside the address of a picture: its title, its link.
            Some((Field::Picture, own, text)) if name.local == "url" => {
                *own = depth;
                text.clear();
            }
            Some((Field::Other(Other::Keywords), _, text)) => text.push(','),
            Some((Field::Other(Other::Content | Other::Summary), _, text)) => {
                text.push_str(&format!("<{}>", name.local));
            }
            _ => {}
        }
    }

    fn open_inside(
        &mut self,
        root: Root,
        name: &Name<'_>,
        attributes: &[Attribute<'_>],
        depth: usize,
        own_depth: usize,
    ) {
        let is_child = depth == own_depth + 1;
        let is_rss = matches!(root, Root::Rss | Root::Rdf);
        let field = match (name.space, name.local) {
            (Space::Document | Space::Rss, "author") if is_child && is_rss => Some(Field::Author),
            (Space::Dc | Space::DcTerms, "creator") if is_child => Some(Field::Author),
            (Space::Document | Space::Rss | Space::Other, "byline" | "creator")
                if is_child && is_rss =>
            {
                Some(Field::Author)
            }
            (Space::Media, "credit")
                if is_child
                    && value(attributes, "role").is_some_and(|role| role.trim() == "author") =>
            {
                Some(Field::Author)
            }
            (Space::Atom, "author") if is_child && is_rss => Some(Field::Author),
            (Space::Itunes, "author") if is_child => Some(Field::PodcastAuthor),
            (Space::Dc, "language") if is_child => Some(Field::Language),
            (Space::Media, "title") if is_child => Some(Field::OwnMediaTitle),
            (Space::Media, "title") => Some(Field::MediaTitle),
            (
                Space::Document | Space::Rss | Space::Other,
                "image" | "imageurl" | "image_url" | "thumbnail" | "thumb" | "picture" | "photo",
            ) if is_child && is_rss => Some(Field::Picture),
            (Space::Media, "description") => {
                let is_html = value(attributes, "type").is_some_and(|kind| kind == "html");
                Some(Field::Caption(if is_html { TextKind::Html } else { TextKind::Plain }))
            }
            (Space::Document | Space::Rss, "link") if is_child && is_rss => Some(Field::Link),
            _ if is_child => other(name)
                .filter(|_| is_rss || name.space != Space::Document && name.space != Space::Atom)
                .map(Field::Other),
            _ => None,
        };
        if let Some(field) = field {
            self.capture = Some((field, depth, String::new()));
        }
        self.open_files(name, attributes, Inside { is_child, is_rss });
    }

    /// What an element inside an entry says in its attributes: files, links, categories.
    fn open_files(&mut self, name: &Name<'_>, attributes: &[Attribute<'_>], place: Inside) {
        let Some(entry) = self.entries.last_mut() else { return };
        let Inside { is_child, is_rss } = place;
        match (name.space, name.local) {
            (Space::Document | Space::Rss, "guid") if is_child => {
                let said = value(attributes, "isPermaLink");
                entry.guid_is_link =
                    said.is_none_or(|said| !said.trim().eq_ignore_ascii_case("false"));
            }
            (Space::Document | Space::Rss, "enclosure") if is_child && is_rss => {
                push(&mut entry.enclosures, file(attributes, "url"), &mut entry.cut);
            }
            (Space::Document | Space::Atom, "link")
                if is_child && !is_rss && is_enclosure(attributes) =>
            {
                push(&mut entry.enclosures, linked_file(attributes), &mut entry.cut);
            }
            (Space::Document | Space::Rss | Space::Atom, "link") if is_child && is_rss => {
                if is_enclosure(attributes) {
                    push(&mut entry.enclosures, linked_file(attributes), &mut entry.cut);
                }
                let is_page = value(attributes, "rel").is_none_or(|rel| rel == "alternate");
                if let Some(href) = value(attributes, "href").filter(|_| is_page) {
                    entry.others.keep(Other::Link, href.trim());
                }
            }
            (Space::Document | Space::Rss | Space::Atom, "category") if is_child && is_rss => {
                let said = value(attributes, "label").or_else(|| value(attributes, "term"));
                if let Some(said) = said.filter(|said| !said.trim().is_empty()) {
                    entry.others.keep(Other::Subject, said.trim());
                }
            }
            (Space::Itunes, "image") | (Space::Document | Space::Rss, "image" | "img")
                if is_child =>
            {
                let at = ["href", "url", "src"].iter().find_map(|key| file(attributes, key));
                push(&mut entry.enclosures, at, &mut entry.cut);
            }
            (Space::Media, "content") => {
                push(&mut entry.media, media(attributes), &mut entry.cut);
            }
            (Space::Media, "thumbnail") => {
                push(&mut self.thumbnails, media(attributes), &mut entry.cut);
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

    /// An element that began at this depth ends here.
    pub(super) fn close(&mut self, depth: usize, to: usize) {
        self.bases.close(depth);
        if let Some((field, own, text)) = self.capture.take() {
            if own == depth {
                self.keep(field, text.trim());
            } else {
                self.capture = Some((field, own, text));
            }
        }
        if self.entry_depth != Some(depth) {
            return;
        }
        self.entry_depth = None;
        let thumbnails = std::mem::take(&mut self.thumbnails);
        let podcast_author = self.podcast_author.take();
        if let Some(entry) = self.entries.last_mut() {
            entry.span.end = to;
            // A thumbnail of something that is there itself adds nothing.
            if entry.media.is_empty() {
                entry.media = thumbnails;
            }
            if entry.authors.is_empty() {
                entry.authors.extend(podcast_author);
            }
            // An address beside a name names nobody.
            if entry.authors.iter().any(|author| !author.contains('@')) {
                entry.authors.retain(|author| !author.contains('@'));
            }
        }
    }

    fn keep(&mut self, field: Field, text: &str) {
        let Some(entry) = self.entries.last_mut() else { return };
        if text.is_empty() {
            return;
        }
        match field {
            Field::Author => push(&mut entry.authors, Some(person_name(text)), &mut entry.cut),
            Field::PodcastAuthor => self.podcast_author = Some(person_name(text)),
            Field::Language => {
                entry.language.get_or_insert_with(|| text.to_owned());
            }
            Field::Caption(kind) => {
                let caption = EntryText { kind, value: text.to_owned() };
                entry.caption.get_or_insert(caption);
            }
            Field::OwnMediaTitle => {
                entry.others.keep(Other::Title, text);
                if let Some(media) = entry.media.last_mut() {
                    media.title.get_or_insert_with(|| text.to_owned());
                }
            }
            Field::Picture if !text.contains(char::is_whitespace) => {
                push(&mut entry.enclosures, Some(Media::at(text.to_owned())), &mut entry.cut);
            }
            Field::Picture => {}
            Field::Link if text.contains('\n') => entry.others.keep(Other::Page, text),
            Field::Link => {}
            Field::Other(other) => entry.others.keep(other, text),
            Field::MediaTitle => {
                if let Some(media) = entry.media.last_mut() {
                    media.title.get_or_insert_with(|| text.to_owned());
                }
            }
        }
    }
}

/// Adds to a list that has a limit.
fn push<T>(list: &mut Vec<T>, one: Option<T>, cut: &mut bool) {
    match one {
        Some(one) if list.len() < LIST_MAX => list.push(one),
        Some(_) => *cut = true,
        None => {}
    }
}

pub(super) fn value<'t>(attributes: &'t [Attribute<'_>], key: &str) -> Option<Cow<'t, str>> {
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
    let trimmed = |key| value(attributes, key).map(|value| value.trim().to_owned());
    let guid = trimmed("ref").filter(|guid| !guid.is_empty()).map(limits::guid)?;
    Some(Deletion { guid, at: trimmed("when").map(limits::date) })
}

/// The file that an attribute leads to, and its type.
fn file(attributes: &[Attribute<'_>], key: &str) -> Option<Media> {
    let media_type = value(attributes, "type").map(Cow::into_owned);
    Some(Media { media_type, ..Media::at(value(attributes, key)?.trim().to_owned()) })
}

fn media(attributes: &[Attribute<'_>]) -> Option<Media> {
    let pixels = |key| value(attributes, key)?.trim().parse().ok();
    let (width, height) = (pixels("width"), pixels("height"));
    Some(Media { width, height, ..file(attributes, "url")? })
}

/// Atom's `<link rel="enclosure">`.
fn linked_file(attributes: &[Attribute<'_>]) -> Option<Media> {
    let title = value(attributes, "title").map(Cow::into_owned);
    Some(Media { title, ..file(attributes, "href")? })
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
        (Some((before, within)), _) if is_mail(within) && !before.is_empty() => before,
        (_, Some((before, within))) if is_mail(within) && !before.is_empty() => before,
        _ => match text.split_once(char::is_whitespace) {
            Some((mail, name)) if is_mail(mail) && !is_mail(name) => name,
            _ => text,
        },
    };
    without_by(name.trim().trim_matches('"')).to_owned()
}

/// Words that a byline begins with, in lower case.
const BY: [&str; 10] = ["by", "par", "von", "por", "di", "door", "oleh", "автор:", "от", "بقلم"];

/// A name without the word before it: "By Jane Doe".
fn without_by(name: &str) -> &str {
    let Some((first, rest)) = name.split_once(char::is_whitespace) else { return name };
    let rest = rest.trim_start();
    // "Di Stefano", "Von der Leyen": of two words, or before one in lower case, it is part of the name.
    let is_by = BY.contains(&first.to_lowercase().as_str());
    let is_name = |rest: &str| {
        rest.contains(char::is_whitespace) && rest.starts_with(|c: char| !c.is_lowercase())
    };
    if is_by && is_name(rest) { rest } else { name }
}
