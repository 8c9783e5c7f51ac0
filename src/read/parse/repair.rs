//! Small mendings of XML, by replacing pieces of its text in one pass: what publishers do wrong every day and
//! what feed-rs refuses or reads wrongly. Never guesses at structure; that is the parser's word.
//!
//! - a bare `&` and names only HTML knows (`&nbsp;`) become what they were meant to be
//! - references to what is no character (`&#0;`, half a surrogate pair) go; C1 ones are windows-1252
//! - `<rss>` gets the version feed-rs reads; namespaces get the names it knows; undeclared prefixes
//!   are declared
//! - markup that stands unescaped in a text is escaped, so that the text does not end there
//! - Atom text of a type that feed-rs refuses whole feeds for is read as what it most likely is
//! - declarations and document types go; people, bases and files are read in `extras`
//! - an item of RSS 1.0 without a link gets one that stands for none

use std::borrow::Cow;
use std::ops::Range;

use cw_text::reference;
use quick_xml::escape::resolve_predefined_entity;

use super::namespace::{
    Attribute, IGNORED, IGNORED_PREFIX, Name, Namespaces, Space, declared_prefix, known,
};
use super::root::Root;

/// A `&` that begins no reference.
const AMPERSAND: &str = "&amp;";

/// A link that the parser sees in each item of RSS 1.0, for it drops those without any.
const LINK_OF_NONE: &str = "<link xmlns=\"http://purl.org/rss/1.0/\">urn:conflictwire:none</link>";

/// What that link says.
pub(super) const NO_LINK: &str = "urn:conflictwire:none";

/// What an element that is mended is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An entry.
    Entry,
    /// Any other.
    Other,
}

/// What becomes of an end tag.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// It stays.
    Kept,
    /// It gets the name its start tag got.
    Renamed(String),
    /// It ends a text, in which tags are markup of HTML that its publisher forgot to escape.
    Text,
    /// It is such a tag.
    Markup,
}

/// The mended text of one document, written while the walk goes on.
#[derive(Debug)]
pub(super) struct Repair<'a> {
    xml: &'a str,
    mended: String,
    /// How much of the text is written or left out.
    done: usize,
    /// Where the root's tag ends in the mended text, without its `>`: declarations may still join it.
    root_tag_end: Option<usize>,
    /// What becomes of the end tag of every element that is open.
    ends: Vec<End>,
    /// Half a surrogate pair, and where the other half would begin.
    half: Option<(u32, usize)>,
    is_leaving_out: bool,
}

impl<'a> Repair<'a> {
    pub(super) fn new(xml: &'a str) -> Self {
        Self {
            xml,
            mended: String::with_capacity(xml.len()),
            done: 0,
            root_tag_end: None,
            ends: Vec::new(),
            half: None,
            is_leaving_out: false,
        }
    }

    /// Takes a piece out.
    pub(super) fn remove(&mut self, at: Range<usize>) {
        self.replace(at, "");
    }

    fn replace(&mut self, at: Range<usize>, with: &str) {
        if !self.is_leaving_out {
            self.write_to(at.start);
            self.mended.push_str(with);
            self.done = at.end;
        }
    }

    /// Writes what stays as it is.
    fn write_to(&mut self, to: usize) {
        self.mended.push_str(self.xml.get(self.done..to).unwrap_or_default());
        self.done = to;
    }

    /// Leaves out all from here to [`Self::end_leaving_out`].
    pub(super) fn leave_out(&mut self, from: usize) {
        self.write_to(from);
        self.is_leaving_out = true;
    }

    pub(super) fn end_leaving_out(&mut self, to: usize) {
        self.is_leaving_out = false;
        self.done = to;
    }

    /// Whether the element in hand is a text, in which tags are markup.
    pub(super) fn is_in_text(&self) -> bool {
        matches!(self.ends.last(), Some(End::Text | End::Markup))
    }

    /// Text that begins with `&` is one that begins no reference.
    pub(super) fn text(&mut self, at: usize, part: &str) {
        if part.starts_with('&') {
            self.replace(at..at + 1, AMPERSAND);
        }
    }

    /// Mends a reference; answers with the text it stands for.
    pub(super) fn reference(&mut self, at: Range<usize>, name: &str) -> Cow<'static, str> {
        if self.ends.last() == Some(&End::Markup) {
            // HTML's to decode, with the tags around it.
            self.replace(at.start..at.start + 1, AMPERSAND);
            return Cow::Borrowed("");
        }
        if let Some(predefined) = resolve_predefined_entity(name) {
            return Cow::Borrowed(predefined);
        }
        let Some(number) = name.strip_prefix('#') else {
            let Some(text) = reference::named(name) else {
                self.replace(at.start..at.start + 1, AMPERSAND);
                return Cow::Owned(format!("&{name};"));
            };
            self.replace(at, &escaped(&text));
            return Cow::Owned(text);
        };
        let code = reference::number(number);
        let half = self.half.take().filter(|(_, next)| *next == at.start);
        let text = match (code, half) {
            (Some(low @ 0xDC00..=0xDFFF), Some((high, _))) => {
                reference::character(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
            }
            (Some(high @ 0xD800..=0xDBFF), _) => {
                self.half = Some((high, at.end));
                None
            }
            (Some(code), _) => reference::character(code),
            (None, _) => None,
        };
        let text = text.map(String::from).unwrap_or_default();
        self.replace(at, &escaped(&text));
        Cow::Owned(text)
    }

    /// Mends a start tag.
    pub(super) fn open(
        &mut self,
        root: Root,
        name: &Name<'_>,
        attributes: &[Attribute<'_>],
        at: Range<usize>,
        kind: Kind,
    ) {
        let depth = self.ends.len();
        if self.is_in_text() {
            self.ends.push(End::Markup);
            // All of it: its attributes may hold tags, which would be elements outside of it.
            let tag = self.xml.get(at.clone()).unwrap_or_default();
            self.replace(at, &tag.replace('&', AMPERSAND).replace('<', "&lt;"));
            return;
        }
        let new_name = new_name(root, name, attributes, depth);
        let mended = mended_attributes(root, name, attributes, depth);
        self.ends.push(match &new_name {
            Some(name) => End::Renamed(name.clone()),
            None if is_text(root, name, attributes) => End::Text,
            None => End::Kept,
        });
        let needs_link = root == Root::Rdf && kind == Kind::Entry;
        if depth > 0 && new_name.is_none() && mended.is_none() && !needs_link {
            return;
        }
        let mended = mended.unwrap_or_else(|| attributes.to_vec());
        let new_name = new_name.unwrap_or_else(|| qualified(name.prefix, name.local));
        let mut tag = format!("<{new_name}");
        for (key, value) in mended {
            let value = value.replace('"', "&quot;").replace('<', "&lt;");
            tag.push_str(&format!(" {key}=\"{value}\""));
        }
        let is_empty = self.xml.get(at.clone()).is_some_and(|tag| tag.ends_with("/>"));
        if depth == 0 {
            self.replace(at.start..at.start, &tag);
            self.root_tag_end = Some(self.mended.len());
            tag.clear();
        }
        match (is_empty, needs_link) {
            (true, true) => tag.push_str(&format!(">{LINK_OF_NONE}</{new_name}>")),
            (true, false) => tag.push_str("/>"),
            (false, true) => tag.push_str(&format!(">{LINK_OF_NONE}")),
            (false, false) => tag.push('>'),
        }
        self.replace(at, &tag);
    }

    /// Mends an end tag, or none if the element was empty.
    pub(super) fn close(&mut self, at: Range<usize>) {
        let end = self.ends.pop();
        if at.is_empty() {
            return;
        }
        match end {
            Some(End::Renamed(name)) => self.replace(at, &format!("</{name}>")),
            Some(End::Markup) => self.replace(at.start..at.start + 1, "&lt;"),
            Some(End::Kept | End::Text) | None => {}
        }
    }

    /// The mended text, up to `to`.
    pub(super) fn finish(mut self, namespaces: &Namespaces, to: usize) -> String {
        self.write_to(to);
        if let Some(end) = self.root_tag_end {
            let mut declarations = format!(" xmlns:{IGNORED_PREFIX}=\"{IGNORED}\"");
            for (prefix, uri) in namespaces.missing_declarations() {
                declarations.push_str(&format!(" xmlns:{prefix}=\"{uri}\""));
            }
            self.mended.insert_str(end, &declarations);
        }
        self.mended
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn qualified(prefix: &str, local: &str) -> String {
    if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") }
}

/// What an element is to be called instead, if its own name would mislead feed-rs.
fn new_name(
    root: Root,
    name: &Name<'_>,
    attributes: &[Attribute<'_>],
    depth: usize,
) -> Option<String> {
    let ignored = || Some(format!("{IGNORED_PREFIX}:{}", name.local));
    let is_root = depth == 0;
    match (root, name.space, name.local) {
        (Root::Rss, _, "rss") | (Root::Rdf, _, "RDF") | (Root::Atom, _, "feed") if is_root => None,
        (Root::Rss, _, _) if is_root => Some("rss".to_owned()),
        (Root::Rdf, _, _) if is_root => Some("rdf:RDF".to_owned()),
        (Root::Atom, _, _) if is_root => Some(qualified(name.prefix, "feed")),
        // feed-rs cuts names at byte offsets and panics; `extras` reads them.
        (
            Root::Rss | Root::Rdf,
            Space::Document | Space::Rss,
            "author" | "managingEditor" | "webMaster" | "enclosure",
        )
        | (Root::Rss | Root::Rdf, Space::Dc, "creator") => ignored(),
        (Root::Atom | Root::AtomEntry, Space::Document | Space::Atom, "link")
            if is_enclosure(attributes) =>
        {
            ignored()
        }
        // Atom 0.3.
        (Root::Atom, Space::Document | Space::Atom, "issued") => {
            Some(qualified(name.prefix, "published"))
        }
        (Root::Atom, Space::Document | Space::Atom, "modified") => {
            Some(qualified(name.prefix, "updated"))
        }
        // Content that is elsewhere, or no text: feed-rs refuses the whole feed for some of these.
        (Root::Atom | Root::AtomEntry, Space::Document | Space::Atom, "content")
            if attributes.iter().any(|(key, _)| *key == "src")
                || text_type(attributes).is_some_and(|text_type| text_type.is_none()) =>
        {
            ignored()
        }
        _ => None,
    }
}

/// Whether a link leads to a file that goes with its entry; `extras` reads those.
pub(super) fn is_enclosure(attributes: &[Attribute<'_>]) -> bool {
    let relation = attributes.iter().find(|(key, _)| *key == "rel");
    relation.is_some_and(|(_, relation)| relation.eq_ignore_ascii_case("enclosure"))
}

/// Whether an element holds text, or HTML escaped as text, and so no elements.
fn is_text(root: Root, name: &Name<'_>, attributes: &[Attribute<'_>]) -> bool {
    match (root, name.space, name.local) {
        (Root::Rss | Root::Rdf, Space::Document | Space::Rss, "title" | "description")
        | (_, Space::Content, "encoded") => true,
        (
            Root::Atom | Root::AtomEntry,
            Space::Document | Space::Atom,
            "title" | "summary" | "content",
        ) => text_type(attributes) == Some(Some("html")),
        _ => false,
    }
}

/// How feed-rs is to read Atom text: the outer `None` if no type is given, the inner if it is not
/// text at all.
fn text_type(attributes: &[Attribute<'_>]) -> Option<Option<&'static str>> {
    let (_, value) = attributes.iter().find(|(key, _)| *key == "type")?;
    let value = value.trim().to_ascii_lowercase();
    Some(match value.as_str() {
        "" | "text" | "plain" | "text/plain" => Some("text"),
        "html" | "text/html" => Some("html"),
        "xhtml" => Some("xhtml"),
        xml if xml.ends_with("/xml") || xml.ends_with("+xml") => Some("xhtml"),
        text if text.starts_with("text/") || !text.contains('/') => Some("html"),
        _ => None,
    })
}

/// The attributes as they should be, or `None` if they are.
fn mended_attributes<'t>(
    root: Root,
    name: &Name<'_>,
    attributes: &[Attribute<'t>],
    depth: usize,
) -> Option<Vec<Attribute<'t>>> {
    let is_atom_text = matches!(root, Root::Atom | Root::AtomEntry)
        && matches!(name.space, Space::Document | Space::Atom)
        && matches!(name.local, "title" | "summary" | "content" | "rights" | "subtitle");
    let is_rss = depth == 0 && root == Root::Rss;
    let mut mended: Vec<Attribute<'t>> = Vec::with_capacity(attributes.len());
    let mut is_mended = false;
    for (key, value) in attributes {
        let new = match declared_prefix(key) {
            Some("")
                if depth <= 1 && known(value).is_none_or(|(space, _)| space != Space::Xhtml) =>
            {
                None
            }
            Some(_) => Some(known(value).map_or(value.clone(), |(_, uri)| Cow::Borrowed(uri))),
            // `extras` reads them; the parser would join each with every link.
            None if *key == "xml:base" => None,
            None if *key == "version" && is_rss => None,
            None if *key == "type" && is_atom_text => {
                text_type(attributes).flatten().map(Cow::Borrowed)
            }
            None => Some(value.clone()),
        };
        is_mended |= new.as_ref() != Some(value);
        if let Some(new) = new
            && !mended.iter().any(|(seen, _)| seen == key)
        {
            mended.push((*key, new));
        }
    }
    if is_rss {
        mended.push(("version", Cow::Borrowed("2.0")));
    }
    (is_mended || is_rss).then_some(mended)
}
