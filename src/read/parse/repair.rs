//! Writes the mended text of a document, each entry by itself, by replacing pieces of its text in one pass: what
//! publishers do wrong every day and what feed-rs refuses or reads wrongly. Which element ends where is
//! for `cut` to say.
//!
//! - a bare `&` and names only HTML knows (`&nbsp;`) become what they were meant to be
//! - references to what is no character (`&#0;`, half a surrogate pair) go; C1 ones are windows-1252
//! - `<rss>` gets the version feed-rs reads; namespaces get the names it knows; undeclared prefixes
//!   are declared
//! - markup that stands unescaped in a text is escaped, so that the text does not end there
//! - Atom text of a type that feed-rs refuses whole feeds for is read as what it most likely is
//! - declarations and document types go; people, bases and files are read in `extras`
//! - end tags that are missing are written, those that end nothing are not
//! - each entry gets a link that carries its number

use std::borrow::Cow;
use std::ops::Range;

use cw_text::reference;
use quick_xml::escape::resolve_predefined_entity;

use super::entities::Entities;
use super::mended::Mended;
use super::namespace::{
    Attribute, IGNORED, IGNORED_PREFIX, Name, Namespaces, Space, declared_prefix, known,
};
use super::root::Root;
use super::scan::Tag;

/// A `&` that begins no reference.
const AMPERSAND: &str = "&amp;";

/// How the link begins that carries the number of an entry through feed-rs.
const NUMBER: &str = "urn:conflictwire:entry:";

/// The number that a link carries, if it carries one.
pub(super) fn number(link: &str) -> Option<usize> {
    link.trim().strip_prefix(NUMBER)?.parse().ok()
}

/// What an element that is mended is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An entry.
    Entry {
        /// Its number.
        number: usize,
        /// Whether it stands where its format has none.
        is_moved: bool,
    },
    /// A channel of RSS 0.9x and 2.0; of any but the first, nothing but entries is written.
    Channel {
        /// Whether it is the first.
        is_first: bool,
    },
    /// Any other.
    Other,
}

/// A start tag.
#[derive(Debug)]
pub(super) struct Start<'n> {
    /// Its name, resolved.
    pub(super) name: Name<'n>,
    /// As written.
    pub(super) attributes: &'n [Attribute<'n>],
    /// Where it stands.
    pub(super) at: Range<usize>,
    /// What its element is.
    pub(super) kind: Kind,
    /// As scanned.
    pub(super) tag: &'n Tag<'n>,
}

/// What becomes of an end tag.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// It stays.
    Kept,
    /// It gets the name its start tag got.
    Renamed(String),
    /// It is written when all entries are.
    Later,
}

/// Where the mended text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// With what is said of the feed itself.
    Head,
    /// Into the entry in hand.
    Entry,
    /// It is left out.
    Nowhere,
}

/// An element that is open.
#[derive(Debug)]
struct Open {
    end: End,
    /// Where the text around it goes.
    around: Target,
    is_entry: bool,
}

/// Writes the mended text of one document while the walk goes on.
#[derive(Debug)]
pub(super) struct Repair<'a> {
    xml: &'a str,
    mended: Mended,
    target: Target,
    /// Where text went before an element was left out.
    before_left_out: Option<Target>,
    /// How much of the text is written or left out.
    done: usize,
    /// Where the root's tag ends in the mended text, without its `>`: declarations may still join it.
    root_tag_end: usize,
    open: Vec<Open>,
    /// In a text, how many tags of markup are open.
    markup: usize,
    is_in_text: bool,
    /// Half a surrogate pair, and where the other half would begin.
    half: Option<(u32, usize)>,
}

impl<'a> Repair<'a> {
    pub(super) fn new(xml: &'a str) -> Self {
        Self {
            xml,
            mended: Mended { entries: String::with_capacity(xml.len()), ..Mended::default() },
            target: Target::Nowhere,
            before_left_out: None,
            done: 0,
            root_tag_end: 0,
            open: Vec::new(),
            markup: 0,
            is_in_text: false,
            half: None,
        }
    }

    /// Writes something else in place of a text.
    pub(super) fn leave_out_text(&mut self, at: Range<usize>, with: &str) {
        self.replace(at, with);
    }

    /// Takes a piece out.
    pub(super) fn remove(&mut self, at: Range<usize>) {
        self.replace(at, "");
    }

    fn replace(&mut self, at: Range<usize>, with: &str) {
        self.write_to(at.start);
        self.write(with);
        self.done = at.end;
    }

    fn write(&mut self, text: &str) {
        match self.target {
            Target::Head => self.mended.head.push_str(text),
            Target::Entry => self.mended.entries.push_str(text),
            Target::Nowhere => {}
        }
    }

    /// Writes what stays as it is.
    fn write_to(&mut self, to: usize) {
        let text = self.xml.get(self.done..to).unwrap_or_default();
        self.write(text);
        self.done = to;
    }

    /// Leaves out all from here to [`Self::end_leaving_out`].
    pub(super) fn leave_out(&mut self, from: usize) {
        self.write_to(from);
        self.before_left_out = Some(std::mem::replace(&mut self.target, Target::Nowhere));
    }

    pub(super) fn end_leaving_out(&mut self, to: usize) {
        self.write_to(to);
        self.target = self.before_left_out.take().unwrap_or(self.target);
    }

    /// Escapes a sign that begins nothing; answers with it.
    pub(super) fn bare(&mut self, at: Range<usize>) -> &'a str {
        let sign = self.xml.get(at.clone()).unwrap_or_default();
        self.replace(at, if sign == "&" { AMPERSAND } else { "&lt;" });
        sign
    }

    /// Closes a CDATA section that was never closed.
    pub(super) fn close_cdata(&mut self, at: Range<usize>, inside: Range<usize>) {
        let text = self.xml.get(inside).unwrap_or_default();
        self.write_to(at.start);
        for piece in ["<![CDATA[", text, "]]>"] {
            self.write(piece);
        }
        self.done = at.end;
    }

    /// Mends a reference; answers with the text it stands for.
    pub(super) fn reference(
        &mut self,
        at: Range<usize>,
        name: &str,
        entities: &Entities,
    ) -> Cow<'static, str> {
        let defined = entities.text(name).map(str::to_owned);
        if self.is_in_text && self.markup > 0 && defined.is_none() {
            // HTML's to decode, with the tags around it.
            self.replace(at.start..at.start + 1, AMPERSAND);
            return Cow::Borrowed("");
        }
        if let Some(predefined) = resolve_predefined_entity(name) {
            return Cow::Borrowed(predefined);
        }
        let Some(number) = name.strip_prefix('#') else {
            let Some(text) = defined.or_else(|| reference::named(name)) else {
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
            (Some(code), _) => reference::character_or_byte(code),
            (None, _) => None,
        };
        let text = text.map(String::from).unwrap_or_default();
        self.replace(at, &escaped(&text));
        Cow::Owned(text)
    }

    /// Escapes a tag of markup that stands unescaped in a text. All of it: its attributes may hold tags, which
    /// would be elements outside of it.
    pub(super) fn open_markup(&mut self, tag: &Tag<'_>, at: Range<usize>) {
        let is_void = matches!(tag.name, "br" | "hr" | "img" | "wbr" | "input" | "link" | "meta");
        self.markup += usize::from(!tag.is_empty && !is_void);
        let tag = self.xml.get(at.clone()).unwrap_or_default();
        self.replace(at, &tag.replace('&', AMPERSAND).replace('<', "&lt;"));
    }

    /// Escapes an end tag of such markup.
    pub(super) fn close_markup(&mut self, at: Range<usize>) {
        self.markup = self.markup.saturating_sub(1);
        self.replace(at.start..at.start + 1, "&lt;");
    }

    /// Mends a start tag; answers with whether its element is a text.
    pub(super) fn open(&mut self, root: Root, start: &Start<'_>, namespaces: &Namespaces) -> bool {
        let Start { name, attributes, at, kind, tag } = start;
        let depth = self.open.len();
        let new_name = new_name(root, start, depth);
        let mended = mended_attributes(root, name, attributes, depth);
        let is_entry = matches!(kind, Kind::Entry { .. });
        let is_around = (depth == 0 && !is_entry) || matches!(kind, Kind::Channel { .. });
        let is_text = new_name.is_none() && is_text(root, name, attributes);
        let around = self.turn(at.start, *kind, depth);
        let own_name = || match tag.name.split_once(':').unwrap_or(("", tag.name)) {
            own if own == (name.prefix, name.local) => Cow::Borrowed(tag.name),
            _ => Cow::Owned(qualified(name.prefix, name.local)),
        };
        let new_name = new_name.map_or_else(own_name, Cow::Owned);
        let is_new = new_name != tag.name || mended.is_some() || tag.is_odd;
        if depth == 0 || is_around || is_entry || is_new {
            let mended = mended.unwrap_or_else(|| attributes.to_vec());
            self.write_tag(root, start, &new_name, &mended, namespaces);
        }
        if is_around && self.target == Target::Head {
            self.mended.tail.insert_str(0, &format!("</{new_name}>"));
        }
        if is_around && root == Root::Rss && depth == 0 {
            // Until its channel begins.
            self.target = Target::Nowhere;
        }
        let is_renamed = is_new && new_name != tag.name;
        let end = match (is_around, is_renamed) {
            (true, _) => End::Later,
            (false, true) => End::Renamed(new_name.into_owned()),
            (false, false) => End::Kept,
        };
        self.is_in_text = is_text;
        self.open.push(Open { end, around, is_entry });
        is_text
    }

    /// Turns to where an element is written; answers with where the text around it goes.
    fn turn(&mut self, at: usize, kind: Kind, depth: usize) -> Target {
        let around = self.target;
        let target = match kind {
            _ if self.before_left_out.is_some() => around,
            Kind::Entry { .. } => Target::Entry,
            Kind::Channel { is_first: true } => Target::Head,
            Kind::Channel { is_first: false } => Target::Nowhere,
            Kind::Other if depth == 0 => Target::Head,
            Kind::Other => around,
        };
        if target != around {
            self.write_to(at);
            self.target = target;
        }
        if matches!(kind, Kind::Entry { .. }) {
            let begin = self.mended.entries.len();
            self.mended.spans.push(begin..begin);
        }
        around
    }

    fn write_tag(
        &mut self,
        root: Root,
        start: &Start<'_>,
        name: &str,
        attributes: &[Attribute<'_>],
        namespaces: &Namespaces,
    ) {
        let depth = self.open.len();
        let mut tag = format!("<{name}");
        for (key, value) in attributes {
            let value = value.replace('"', "&quot;").replace('<', "&lt;");
            tag.push_str(&format!(" {key}=\"{value}\""));
        }
        let mut link = String::new();
        if let Kind::Entry { number, is_moved } = start.kind {
            link = numbered_link(root, number);
            if is_moved {
                for (prefix, uri) in namespaces.around(depth) {
                    let key = format!("xmlns:{prefix}");
                    if !attributes.iter().any(|(own, _)| *own == key) {
                        let uri = uri.replace('"', "&quot;").replace('<', "&lt;");
                        tag.push_str(&format!(" {key}=\"{uri}\""));
                    }
                }
            }
        }
        let is_entry = matches!(start.kind, Kind::Entry { .. });
        let is_around = (depth == 0 && !is_entry) || matches!(start.kind, Kind::Channel { .. });
        self.replace(start.at.clone(), &tag);
        if depth == 0 {
            let written = if is_entry { &self.mended.entries } else { &self.mended.head };
            self.root_tag_end = written.len();
        }
        match start.tag.is_empty && !is_around {
            true if link.is_empty() => self.write("/>"),
            true => self.write(&format!(">{link}</{name}>")),
            false => self.write(&format!(">{link}")),
        }
        if is_around && self.target == Target::Head {
            self.mended.tags = self.mended.head.len();
        }
    }

    /// Mends the end tag of the element of this name. It stands nowhere if it is missing.
    pub(super) fn close(&mut self, at: Range<usize>, name: &str) {
        let Some(open) = self.open.pop() else { return };
        let tag = self.xml.get(at.clone()).unwrap_or_default();
        let written = tag.strip_prefix("</").and_then(|tag| tag.strip_suffix('>'));
        match &open.end {
            End::Later => self.replace(at.clone(), ""),
            End::Renamed(name) => self.replace(at.clone(), &format!("</{name}>")),
            End::Kept if written == Some(name) => {}
            End::Kept => self.replace(at.clone(), &format!("</{name}>")),
        }
        self.end(&open, at.end);
    }

    /// An element ends that has no end tag.
    pub(super) fn close_empty(&mut self, at: usize) {
        if let Some(open) = self.open.pop() {
            self.end(&open, at);
        }
    }

    fn end(&mut self, open: &Open, at: usize) {
        self.is_in_text = false;
        self.markup = 0;
        if open.is_entry {
            self.write_to(at);
            let end = self.mended.entries.len();
            if let Some(span) = self.mended.spans.last_mut() {
                span.end = end;
            }
        }
        if self.before_left_out.is_none() && self.target != open.around {
            self.write_to(at);
            self.target = open.around;
        }
    }

    /// Takes back the entry that was written last.
    pub(super) fn drop_last_entry(&mut self) {
        if let Some(span) = self.mended.spans.pop() {
            self.mended.entries.truncate(span.start);
        }
    }

    /// The mended text, up to `to`.
    pub(super) fn finish(mut self, namespaces: &Namespaces, root: Root, to: usize) -> Mended {
        self.write_to(to);
        let mut declarations = format!(" xmlns:{IGNORED_PREFIX}=\"{IGNORED}\"");
        for (prefix, uri) in namespaces.missing_declarations() {
            declarations.push_str(&format!(" xmlns:{prefix}=\"{uri}\""));
        }
        let mut mended = self.mended;
        mended.declare(self.root_tag_end, &declarations);
        let is_without_channel = !mended.tail.contains("channel>");
        if root == Root::Rss && is_without_channel {
            mended.head.push_str("<channel>");
            mended.tags = mended.head.len();
            mended.tail.insert_str(0, "</channel>");
        }
        mended
    }
}

/// A link that carries the number of an entry: the first child of each.
fn numbered_link(root: Root, number: usize) -> String {
    match root {
        Root::Rss | Root::Rdf => {
            format!("<link xmlns=\"http://purl.org/rss/1.0/\">{NUMBER}{number}</link>")
        }
        Root::Atom | Root::AtomEntry => {
            format!("<link xmlns=\"http://www.w3.org/2005/Atom\" href=\"{NUMBER}{number}\"/>")
        }
        Root::DeletedEntry | Root::Urlset | Root::SitemapIndex => String::new(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn qualified(prefix: &str, local: &str) -> String {
    if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") }
}

/// What an element is to be called instead, if its own name would mislead feed-rs.
fn new_name(root: Root, start: &Start<'_>, depth: usize) -> Option<String> {
    let Start { name, attributes, kind, .. } = start;
    let ignored = || Some(format!("{IGNORED_PREFIX}:{}", name.local));
    let is_root = depth == 0;
    let entry = root.entry().0;
    if matches!(kind, Kind::Entry { .. }) && name.local != entry {
        return Some(qualified(name.prefix, entry));
    }
    if matches!(kind, Kind::Channel { .. }) && name.local != "channel" {
        return Some(qualified(name.prefix, "channel"));
    }
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
    if attributes.is_empty() && !is_rss {
        return None;
    }
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
