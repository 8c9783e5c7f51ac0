//! Cuts a document into its entries, while one walk over its tokens tells which element ends where.
//!
//! Hands what it sees to `repair`, which writes the mended text of the feed's head and of each entry, and to
//! `extras`, which keeps what feed-rs would lose. Refuses what is too deep, too wide or defines more than
//! plain entities. Does not read entries. `../README.md` says where an element ends that nobody ended.

use std::time::Duration;

use cw_model::{FailureClass, HubLinks, Skips, Steps};
use quick_xml::events::attributes::Attributes;
use url::Url;

use super::document::{Deletions, ParseFailure};
use super::elements::is_child_name;
use super::entities::Entities;
use super::extras::{Extras, ExtrasReader};
use super::fields::canonical;
use super::guard::{
    ATTRIBUTES_MAX, BYTE_STEPS, CHILDREN_MAX, DEPTH_MAX, ELEMENTS_MAX, EVENT_STEPS,
};
use super::hub;
use super::mended::Mended;
use super::namespace::{Attribute, Name, Namespaces};
use super::new_url::NewUrlReader;
use super::omitted::{LeftOut, Why};
use super::pace::PaceReader;
use super::place::{Place, Places};
use super::problems::{Problem, Problems, over_limit_detail};
use super::repair::{Kind, Repair, Start};
use super::root::Root;
use super::scan::{Scanner, Tag, Token, local_name, prefix};
use super::source::{EntryInHand, KnownSources, LEFT_OUT, Sources, text_end};

/// A document in its pieces, which the parsers may see.
#[derive(Debug)]
pub struct Cut {
    /// What it is.
    pub(super) root: Root,
    /// The mended text, without declaration, document type and whatever follows the root element.
    pub(super) mended: Mended,
    /// Where each entry stands and what feed-rs loses of it, by number.
    pub(super) entries: Vec<Extras>,
    /// `xml:lang` of the root element.
    pub(super) language: Option<String>,
    /// Entries that are said to be deleted.
    pub(super) deletions: Deletions,
    /// When the feed is not to be asked.
    pub(super) skips: Skips,
    /// What the feed says of a hub.
    pub(super) links: HubLinks,
    /// Where the feed says that it lives now.
    pub(super) new_url: Option<String>,
    /// For how long the feed stays as it is, by its syndication module.
    pub(super) update_interval: Option<Duration>,
    /// Entries that no parser will see.
    pub(super) problems: Problems,
    /// Children of the feed itself that no parser will see.
    pub(super) feed_problem: Option<Problem>,
    /// Entries past the limit.
    pub(super) over_limit: Option<Problem>,
}

impl Cut {
    /// All pieces in one text, as the parsers see them.
    pub fn xml(&self) -> String {
        self.mended.pieces().concat()
    }
}

/// Cuts XML that begins at `start` in `text`; `url` is what a relative base resolves with.
///
/// # Errors
/// [`ParseFailure`] of class `Malformed` (past a limit, or no entry before the document ends), `TooDeep`,
/// `Entities`, `NotAFeed` or `TooCostly`.
pub fn cut(
    text: &str,
    start: usize,
    url: &Url,
    entries_max: usize,
    steps: &Steps,
) -> Result<Cut, ParseFailure> {
    cut_with(text, start, url, entries_max, &KnownSources::default(), steps)
}

/// The same, but that the full texts of entries with a known source are left out.
///
/// # Errors
/// As [`cut`].
pub(super) fn cut_with(
    text: &str,
    start: usize,
    url: &Url,
    entries_max: usize,
    known: &KnownSources,
    steps: &Steps,
) -> Result<Cut, ParseFailure> {
    let xml = text.get(start..).unwrap_or_default();
    let sources = Sources::new(xml, known, url);
    Walk::new(xml, start, sources, url, entries_max, steps).run().map_err(|mut failure| {
        failure.offset = failure.offset.map(|offset| offset + start as u64);
        failure
    })
}

/// An element that is open.
#[derive(Clone, Copy, Debug)]
struct Open<'a> {
    /// As written.
    name: &'a str,
    /// Whether it is a text, in which tags are markup.
    is_text: bool,
}

struct Walk<'a> {
    scanner: Scanner<'a>,
    /// Where the token in hand begins.
    at: usize,
    open: Vec<Open<'a>>,
    elements: usize,
    root: Option<Root>,
    places: Places,
    /// Of the entry in hand, or of the feed.
    children: usize,
    feed_children: usize,
    leaving_out: Option<LeftOut>,
    problems: Problems,
    /// The first child of the feed that is left out.
    feed_problem: Option<Problem>,
    over_limit: Option<Problem>,
    entries_max: usize,
    namespaces: Namespaces,
    entities: Entities,
    repair: Repair<'a>,
    extras: ExtrasReader<'a>,
    pace: PaceReader,
    links: HubLinks,
    new_url: NewUrlReader,
    sources: Sources<'a>,
    /// The entry that is open.
    entry: Option<EntryInHand<'a>>,
    xml: &'a str,
    /// Where the XML begins in the text.
    start: usize,
    steps: &'a Steps,
}

impl<'a> Walk<'a> {
    fn new(
        xml: &'a str,
        start: usize,
        sources: Sources<'a>,
        url: &'a Url,
        entries_max: usize,
        steps: &'a Steps,
    ) -> Self {
        Self {
            scanner: Scanner::new(xml),
            at: 0,
            open: Vec::new(),
            elements: 0,
            root: None,
            places: Places::default(),
            children: 0,
            feed_children: 0,
            leaving_out: None,
            problems: Problems::default(),
            feed_problem: None,
            over_limit: None,
            entries_max,
            namespaces: Namespaces::default(),
            entities: Entities::default(),
            repair: Repair::new(xml),
            extras: ExtrasReader::new(url, steps),
            pace: PaceReader::default(),
            links: HubLinks::default(),
            new_url: NewUrlReader::default(),
            sources,
            entry: None,
            xml,
            start,
            steps,
        }
    }

    fn run(mut self) -> Result<Cut, ParseFailure> {
        loop {
            self.at = self.scanner.position();
            let element = self.open.last().map(|open| open.name);
            let Some(token) = self.scanner.next_token(element) else { return self.end_of_text() };
            let to = self.scanner.position();
            let looked_at = to.saturating_sub(self.at) + self.scanner.ahead.take_unpaid();
            self.steps.spend(EVENT_STEPS + looked_at * BYTE_STEPS)?;
            match token {
                Token::Start(tag) => self.start_tag(&tag, to)?,
                Token::End(name) => self.end_tag(name, to),
                other => self.no_tag(other, to)?,
            }
            // What follows the root element concerns nobody.
            if self.open.is_empty()
                && let Some(root) = self.root
            {
                return Ok(self.finish(root, to));
            }
        }
    }

    fn no_tag(&mut self, token: Token<'a>, to: usize) -> Result<(), ParseFailure> {
        match token {
            Token::Text => self.text(self.xml.get(self.at..to).unwrap_or_default()),
            Token::Bare => {
                let sign = self.repair.bare(self.at..to);
                self.text(sign);
            }
            Token::Reference(name) => {
                let text = self.repair.reference(self.at..to, name, &self.entities);
                self.text(&text);
            }
            Token::CData(inside, is_closed) => {
                if !is_closed {
                    self.repair.close_cdata(self.at..to, inside.clone());
                }
                self.text(self.xml.get(inside).unwrap_or_default());
            }
            Token::Doctype => {
                let doctype = self.xml.get(self.at..to).unwrap_or_default();
                if self.root.is_none() && self.entities.define(doctype).is_none() {
                    let detail = "the document type defines entities that are more than a short \
                                  plain text";
                    return Err(self.refused(FailureClass::Entities, detail.to_owned()));
                }
                self.repair.remove(self.at..to);
            }
            Token::Removed => self.repair.remove(self.at..to),
            // Tags are no tokens of this kind.
            Token::Start(_) | Token::End(_) => {}
        }
        Ok(())
    }

    fn text(&mut self, part: &str) {
        if self.leaving_out.is_none() {
            self.extras.text(part);
            self.pace.text(part);
            self.new_url.text(part);
        }
    }

    fn refused(&self, class: FailureClass, detail: String) -> ParseFailure {
        ParseFailure::at(class, detail, self.at as u64)
    }

    fn start_tag(&mut self, tag: &Tag<'a>, to: usize) -> Result<(), ParseFailure> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            let detail = format!("there are more than {ELEMENTS_MAX} elements");
            return Err(self.refused(FailureClass::Malformed, detail));
        }
        let root = self.root;
        self.end_what_cannot_hold(root, tag.name);
        let is_in_text = self.open.last().is_some_and(|open| open.is_text);
        if self.open.len() >= DEPTH_MAX {
            let detail = format!("elements nest deeper than {DEPTH_MAX}");
            return Err(self.refused(FailureClass::TooDeep, detail));
        }
        if is_in_text {
            self.repair.open_markup(tag, self.at..to);
            return Ok(());
        }
        // A void element is written anew, with the slash that it lacks.
        let is_void = !tag.is_empty && self.is_void(tag, to);
        let tag = if is_void { Tag { is_empty: true, is_odd: true, ..*tag } } else { *tag };
        self.open_element(root, &tag, to)?;
        if tag.is_empty {
            self.close_empty(to);
        }
        Ok(())
    }

    /// Whether an element of XHTML is empty by its name, as in HTML, and has no end tag.
    fn is_void(&mut self, tag: &Tag<'a>, to: usize) -> bool {
        let is_end =
            |rest: &str| rest.strip_prefix("</").is_some_and(|end| end.starts_with(tag.name));
        matches!(tag.name, "br" | "hr" | "img" | "wbr" | "input")
            && self.places.is_in_entry()
            && !self.xml.get(to..).is_some_and(|rest| is_end(rest.trim_start()))
            && !self.scanner.ahead.closes(tag.name, to)
    }

    /// Ends elements that were never ended: those in which this one cannot lie.
    fn end_what_cannot_hold(&mut self, root: Option<Root>, name: &str) {
        let Some(root) = root else { return };
        let container = self.places.container(root);
        let is_entry = local_name(name).eq_ignore_ascii_case(root.entry().0)
            && self.is_of_the_feed(name, container);
        let outermost = self.open.get(container + 1).map(|open| open.name);
        // Of another vocabulary than the feed's, it lies in its own: a picture in a gallery.
        let is_foreign = |outermost: &&str| {
            let prefix = prefix(name);
            prefix.is_empty() || prefix != self::prefix(outermost) || is_entry
        };
        if let Some(outermost) = outermost.filter(is_foreign)
            && (is_entry || is_child_name(root, name))
            && !self.scanner.ahead.closes(outermost, self.at)
        {
            self.close_to(container + 1);
        }
        // An entry in an entry: the first was never ended. A lone one has none beside it.
        let is_beside =
            container > 0 && self.places.is_in_entry() && self.open.len() == container + 1;
        if is_entry && is_beside {
            self.close_to(container);
        }
    }

    /// Whether a name has the prefix of the entry in hand, if one is.
    fn is_of_the_feed(&self, name: &str, container: usize) -> bool {
        let own = self.open.get(container).filter(|_| self.places.is_in_entry());
        own.is_none_or(|own| prefix(own.name) == prefix(name))
    }

    /// Ends elements that were never ended, until so many are open.
    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            self.close(self.at, self.at);
        }
    }

    fn open_element(
        &mut self,
        root: Option<Root>,
        tag: &Tag<'a>,
        to: usize,
    ) -> Result<(), ParseFailure> {
        let depth = self.open.len();
        let root = match root {
            Some(root) => root,
            None => self.begin(tag.name, to)?,
        };
        let mut attributes = self.attributes(tag)?;
        if self.namespaces.open(&attributes, depth).is_none() {
            let detail = "more namespaces are declared than any feed needs".to_owned();
            return Err(self.refused(FailureClass::Malformed, detail));
        }
        // Here and by the parser, names are looked up among the declarations in force when an element
        // begins and when it ends, attributes among each other.
        self.steps.spend(3 * self.namespaces.len() + attributes.len() * attributes.len())?;
        let name = canonical(self.namespaces.resolve(tag.name));
        let mut kind = Kind::Other;
        if self.leaving_out.is_none() {
            let place = self.place(root, &name);
            self.leaving_out = place.err().map(|why| LeftOut { why, at: self.at, depth });
            if self.leaving_out.is_some() {
                self.repair.leave_out(self.at);
            } else {
                self.extras.open(root, &name, &mut attributes, depth)?;
                if self.extras.is_outside() {
                    self.pace.open(&name, depth);
                    self.new_url.open(&name, depth);
                    hub::add(&mut self.links, &name, &attributes);
                }
                kind = match place {
                    Ok(Place::Entry) => {
                        self.extras.begin_entry(&attributes, depth, self.start + self.at)?;
                        let base = self.extras.entries.last().and_then(|own| own.base.as_deref());
                        let (at, around) = (self.at..to, (depth, base));
                        let ahead = &mut self.scanner.ahead;
                        self.entry = Some(self.sources.open(tag.name, at, around, ahead));
                        let number = self.extras.entries.len() - 1;
                        Kind::Entry { number, is_moved: self.places.is_moved(root, depth) }
                    }
                    Ok(Place::Channel { is_first }) => Kind::Channel { is_first },
                    Ok(Place::Child | Place::Other | Place::Stray(_)) | Err(_) => Kind::Other,
                };
            }
        }
        let start = Start { name, attributes: &attributes, at: self.at..to, kind, tag };
        let is_full_text = matches!(start.name.local, "encoded" | "content");
        let is_text = self.repair.open(root, &start, &self.namespaces);
        self.open.push(Open { name: tag.name, is_text });
        if is_text && is_full_text && !tag.is_empty && self.leaving_out.is_none() {
            self.leave_out_known_text(tag.name, depth, to);
        }
        Ok(())
    }

    /// Passes over the text of an element that begins here, if the source of its entry is known.
    fn leave_out_known_text(&mut self, name: &str, depth: usize, from: usize) {
        let is_known = |entry: &EntryInHand<'_>| entry.is_known() && depth == entry.depth + 1;
        if !self.entry.as_ref().is_some_and(is_known) {
            return;
        }
        let Some(end) = text_end(self.xml, from, name, &mut self.scanner.ahead) else { return };
        self.repair.leave_out_text(from..end, LEFT_OUT);
        self.scanner.skip_to(end);
        if let Some(entry) = self.extras.last_entry() {
            entry.is_unread = true;
        }
    }

    /// The root element begins.
    fn begin(&mut self, name: &str, to: usize) -> Result<Root, ParseFailure> {
        let root = Root::from_local_name(local_name(name)).ok_or_else(|| {
            let detail = format!("the root element <{name}> is not that of a feed");
            self.refused(FailureClass::NotAFeed, detail)
        })?;
        self.root = Some(root);
        self.sources.begin(to);
        self.scanner.set_entry(root.entry().0);
        Ok(root)
    }

    /// What an element is to the list of entries, or why it is left out.
    fn place(&mut self, root: Root, name: &Name<'_>) -> Result<Place, Why> {
        let place = self.places.open(root, name, self.open.len());
        match place {
            Place::Entry if self.extras.entries.len() >= self.entries_max => Err(Why::OverLimit),
            Place::Entry => {
                self.children = 0;
                Ok(place)
            }
            Place::Stray(what) => Err(Why::Stray(what)),
            Place::Child => {
                let is_feeds = self.extras.is_outside();
                let children = if is_feeds { &mut self.feed_children } else { &mut self.children };
                *children += 1;
                if *children > CHILDREN_MAX { Err(Why::Child) } else { Ok(place) }
            }
            Place::Channel { .. } | Place::Other => Ok(place),
        }
    }

    /// The attributes as written; quotes may be missing, as in HTML.
    fn attributes(&self, tag: &Tag<'a>) -> Result<Vec<Attribute<'a>>, ParseFailure> {
        let mut attributes = Vec::new();
        let mut raw = Attributes::html(tag.inside, tag.name.len());
        // quick-xml would compare each with all before it.
        for attribute in raw.with_checks(false).flatten() {
            if attributes.len() >= ATTRIBUTES_MAX {
                let detail = format!("an element has more than {ATTRIBUTES_MAX} attributes");
                return Err(self.refused(FailureClass::Malformed, detail));
            }
            if !attribute.key.0.contains(['"', '\'', '<', '>']) {
                attributes.push((attribute.key.0, attribute.value));
            }
        }
        Ok(attributes)
    }

    /// An end tag ends the innermost element of its name, and what is open inside.
    fn end_tag(&mut self, name: &'a str, to: usize) {
        let is_of = |open: &Open<'_>| open.name.eq_ignore_ascii_case(name);
        let Some(depth) = self.open.iter().rposition(is_of) else {
            self.stray_end(to);
            return;
        };
        if let Some(text) = self.open.last().filter(|open| open.is_text).copied()
            && depth + 1 < self.open.len()
            && self.scanner.ahead.closes(text.name, to)
        {
            self.repair.close_markup(self.at..to);
            return;
        }
        self.close_to(depth + 1);
        self.close(self.at, to);
    }

    /// One that ends nothing.
    fn stray_end(&mut self, to: usize) {
        if self.open.last().is_some_and(|open| open.is_text) {
            self.repair.close_markup(self.at..to);
        } else {
            self.repair.remove(self.at..to);
        }
    }

    /// The innermost element ends, with the tag that stands here or without one.
    fn close(&mut self, at: usize, to: usize) {
        if let Some(open) = self.open.pop() {
            self.namespaces.close(self.open.len());
            self.repair.close(at..to, open.name);
            self.closed(to);
        }
    }

    /// The innermost element ends with its start tag.
    fn close_empty(&mut self, to: usize) {
        if self.open.pop().is_some() {
            self.namespaces.close(self.open.len());
            self.repair.close_empty(to);
            self.closed(to);
        }
    }

    /// An element has ended here.
    fn closed(&mut self, to: usize) {
        let depth = self.open.len();
        self.places.close(depth);
        match self.leaving_out {
            None => {
                self.extras.close(depth, self.start + to);
                if let Some(entry) = self.entry.take_if(|entry| entry.depth == depth) {
                    let source = self.sources.close(&entry, to, &mut self.scanner.ahead);
                    if let Some(extras) = self.extras.last_entry() {
                        extras.source = source;
                    }
                }
                self.pace.close(depth);
                self.new_url.close(depth);
            }
            Some(left_out) if left_out.depth == depth => {
                self.leaving_out = None;
                self.repair.end_leaving_out(to);
                self.left_out(left_out, to);
            }
            Some(_) => {}
        }
    }

    /// Remembers what was left out and ends here.
    fn left_out(&mut self, LeftOut { why, at, .. }: LeftOut, to: usize) {
        let problem = |detail, is_kept| {
            let element = self.xml.get(at..to).filter(|_| is_kept).unwrap_or_default();
            Problem::new(detail, self.start + at, element)
        };
        match why {
            Why::Child if self.extras.is_outside() => {
                let one = || Problem { entries: 0, ..problem(String::new(), true) };
                self.feed_problem.get_or_insert_with(one);
            }
            Why::Child => self.extras.cut(),
            Why::Stray(what) => {
                let detail = format!("this element is named like an entry, but {what}");
                let is_kept = self.problems.has_room();
                self.problems.push(problem(detail, is_kept));
            }
            Why::OverLimit => {
                let left_out = self.over_limit.get_or_insert_with(|| Problem {
                    entries: 0,
                    ..problem(over_limit_detail(self.entries_max), true)
                });
                left_out.entries += 1;
            }
        }
    }

    /// The document ends before its root element does. An entry in which it ends is no article: half a text
    /// or half an identifier would be another one when the rest is there.
    fn end_of_text(mut self) -> Result<Cut, ParseFailure> {
        let failure = |detail: &str| {
            let end = self.xml.len() as u64;
            Err(ParseFailure::at(FailureClass::Malformed, detail.to_owned(), end))
        };
        let Some(root) = self.root else {
            return failure("the document ends before its root element begins");
        };
        let in_hand = self.extras.entry_in_hand();
        let is_over_limit = self.over_limit.is_some();
        if self.extras.entries.len() == usize::from(in_hand.is_some()) && !is_over_limit {
            return failure("the document ends before its root element does");
        }
        self.at = self.xml.len();
        self.close_to(0);
        if let Some(begin) = in_hand {
            self.extras.entries.pop();
            self.repair.drop_last_entry();
            let detail = "the document ends inside this entry".to_owned();
            let entry = self.xml.get(begin.saturating_sub(self.start)..);
            let entry = entry.filter(|_| self.problems.has_room()).unwrap_or_default();
            self.problems.push(Problem::new(detail, begin, entry));
        }
        let to = self.at;
        Ok(self.finish(root, to))
    }

    fn finish(self, root: Root, to: usize) -> Cut {
        let left_out = self.feed_children.saturating_sub(CHILDREN_MAX);
        let detail = format!(
            "{left_out} children of the feed are past the {CHILDREN_MAX} that are read; the first is here"
        );
        let feed_problem = self.feed_problem.map(|problem| Problem { detail, ..problem });
        let (skips, update_interval) = self.pace.finish();
        let new_url = self.new_url.finish();
        Cut {
            root,
            mended: self.repair.finish(&self.namespaces, root, to),
            entries: self.extras.entries,
            language: self.extras.language,
            deletions: self.extras.deletions,
            skips,
            links: self.links,
            new_url,
            update_interval,
            problems: self.problems,
            feed_problem,
            over_limit: self.over_limit,
        }
    }
}
