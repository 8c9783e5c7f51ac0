//! What no parser may see: one linear pass over the text before any of them does.
//!
//! Names what a document is, refuses what is too deep, too wide or defines entities, and hands
//! every event to `repair`, which mends what publishers get wrong, and to `extras`, which keeps
//! what feed-rs would lose. Does not build entries.

use cw_model::{FailureClass, Steps, TooCostly};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use url::Url;

use super::document::{Deletions, ParseFailure};
use super::extras::{Extras, ExtrasReader};
use super::namespace::{Attribute, Name, Namespaces};
use super::place::{Place, Places};
use super::problems::{Problem, Problems};
use super::repair::{Kind, Repair};
use super::root::Root;

/// How deep elements may nest. Feeds nest ten deep, inline XHTML perhaps thirty; feed-rs recurses
/// and 2,000 would overflow its stack.
const DEPTH_MAX: usize = 64;

/// The most attributes on one element: parsers compare each with all before it.
const ATTRIBUTES_MAX: usize = 256;

/// The most elements in a document: a hundred for each of ten thousand entries.
const ELEMENTS_MAX: usize = 1_000_000;

/// The most direct children of one entry, and of the feed itself: each takes its reader many times
/// its own length. Galleries have a few hundred.
const CHILDREN_MAX: usize = 2000;

/// The longest name of an element, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// Steps for one event of the walk: what it costs whatever its length.
const EVENT_STEPS: usize = 20;

/// Steps for each of its bytes.
const BYTE_STEPS: usize = 2;

/// How far junk before the document is searched for its beginning.
const JUNK_BYTES_MAX: usize = 64 * 1024;

/// What a document is by its first markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// XML whose first interesting byte is here.
    Xml {
        /// In bytes.
        start: usize,
    },
    /// Begins with a brace.
    Json,
}

/// A document the parsers may see.
#[derive(Debug)]
pub struct Checked {
    /// What it is.
    pub(super) root: Root,
    /// Mended, without declaration, document type and whatever follows the root element.
    pub xml: String,
    /// What feed-rs loses, one for each entry, in document order.
    pub(super) extras: Vec<Extras>,
    /// `xml:lang` of the root element.
    pub(super) language: Option<String>,
    /// Entries that are said to be deleted.
    pub(super) deletions: Deletions,
    /// Entries that no parser will see.
    pub(super) problems: Problems,
    /// Children of the feed itself that no parser will see.
    pub(super) feed_problem: Option<Problem>,
    /// Entries past the limit.
    pub(super) over_limit: Option<Problem>,
}

/// Tells XML from JSON from what is no feed at all.
///
/// # Errors
/// [`ParseFailure`] of class `Empty`, `Html`, `NotAFeed` or `TooCostly`.
pub fn recognise(text: &str, steps: &Steps) -> Result<Shape, ParseFailure> {
    let failure = |class, detail: &str| Err(ParseFailure::whole(class, detail));
    let body = text.trim_start();
    let start = text.len() - body.len();
    if body.is_empty() {
        return failure(FailureClass::Empty, "the body is empty");
    }
    if body.starts_with(['{', '[']) {
        return Ok(Shape::Json);
    }
    let lower: String = body.chars().take(JUNK_BYTES_MAX).collect::<String>().to_ascii_lowercase();
    let is_html = lower.starts_with("<!doctype html") || lower.starts_with("<html");
    if let Some(root) = first_element(body, steps)?
        && !is_html
    {
        if Root::from_local_name(local_name(root)).is_some() {
            return Ok(Shape::Xml { start });
        }
        // Warnings of a script, a banner, a stray tag: the feed may begin after them.
        let marks = ["<?xml", "<rss", "<rdf:rdf", "<feed", "<urlset", "<sitemapindex"];
        let found = marks.iter().filter_map(|mark| lower.find(mark)).filter(|at| *at > 0).min();
        if let Some(junk) = found {
            return Ok(Shape::Xml { start: start + junk });
        }
        if !is_html_name(root) {
            let root: String = root.chars().take(NAME_BYTES_MAX).collect();
            let detail = format!("the root element <{root}> is not that of a feed");
            return failure(FailureClass::NotAFeed, &detail);
        }
    } else if !is_html && !lower.contains("<html") {
        let detail = "the body is neither XML nor JSON nor HTML";
        return failure(FailureClass::NotAFeed, detail);
    }
    failure(FailureClass::Html, "the body is an HTML page")
}

/// The name of the first element, past declarations, comments and text. Looks at each byte once.
fn first_element<'t>(text: &'t str, steps: &Steps) -> Result<Option<&'t str>, TooCostly> {
    let mut rest = text;
    while let Some((before, markup)) = rest.split_once('<') {
        if markup.starts_with(|c: char| c.is_alphabetic()) {
            let end = |c: char| c.is_whitespace() || matches!(c, '>' | '/' | '<');
            return Ok(markup.split(end).next());
        }
        let Some(after) = past_markup(markup) else {
            steps.spend(rest.len())?;
            return Ok(None);
        };
        steps.spend(before.len() + 1 + markup.len() - after.len())?;
        rest = after;
    }
    steps.spend(rest.len())?;
    Ok(None)
}

/// What follows a comment, declaration or instruction, or the `<` itself if it begins none of them.
/// `None` if it never ends.
fn past_markup(markup: &str) -> Option<&str> {
    if let Some(comment) = markup.strip_prefix("!--") {
        return Some(comment.split_once("-->")?.1);
    }
    if let Some(instruction) = markup.strip_prefix('?') {
        return Some(instruction.split_once("?>")?.1);
    }
    let Some(doctype) = markup.strip_prefix('!') else { return Some(markup) };
    let (head, after) = doctype.split_once(['>', '['])?;
    // An internal subset holds markup of its own and ends with `]`.
    let is_subset = doctype.get(head.len()..)?.starts_with('[');
    if is_subset { Some(after.split_once(']')?.1) } else { Some(after) }
}

fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Whether `repair` may write a name into a tag. Where a quotation mark stands in a name, a parser takes
/// what follows for a value, and so sees other elements than were held against the limits.
fn may_be_written(name: &str) -> bool {
    !name.contains(['"', '\'', '<', '>'])
}

fn is_html_name(name: &str) -> bool {
    const NAMES: [&str; 21] = [
        "html", "head", "body", "title", "meta", "link", "script", "style", "div", "span", "p",
        "br", "b", "a", "h1", "h2", "center", "table", "font", "pre", "noscript",
    ];
    NAMES.iter().any(|html| name.eq_ignore_ascii_case(html))
}

/// Walks XML once; `start` is where it begins in `text`, `url` what a relative base resolves with.
///
/// # Errors
/// [`ParseFailure`] of class `Malformed`, `TooDeep`, `Entities`, `NotAFeed` or `TooCostly`.
pub fn check(
    text: &str,
    start: usize,
    url: &Url,
    entries_max: usize,
    steps: &Steps,
) -> Result<Checked, ParseFailure> {
    let xml = text.get(start..).unwrap_or_default();
    Walk::new(xml, start, url, entries_max, steps).run().map_err(|mut failure| {
        failure.offset = failure.offset.map(|offset| offset + start as u64);
        failure
    })
}

/// Why an element is left out with all that is in it.
#[derive(Clone, Copy, Debug)]
enum Why {
    /// An entry past the limit.
    OverLimit,
    /// No entry, though it is named like one.
    Stray(&'static str),
    /// One child too many.
    Child,
}

/// An element that is left out.
#[derive(Clone, Copy, Debug)]
struct LeftOut {
    why: Why,
    /// Where it begins.
    at: usize,
    depth: usize,
}

struct Walk<'a> {
    reader: Reader<&'a [u8]>,
    /// Where the event in hand begins.
    at: usize,
    depth: usize,
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
    repair: Repair<'a>,
    extras: ExtrasReader<'a>,
    xml: &'a str,
    /// Where the XML begins in the text.
    start: usize,
    steps: &'a Steps,
}

impl<'a> Walk<'a> {
    fn new(xml: &'a str, start: usize, url: &'a Url, entries_max: usize, steps: &'a Steps) -> Self {
        let mut reader = Reader::from_str(xml);
        // Publishers forget to escape; `repair` puts the reference there.
        reader.config_mut().allow_dangling_amp = true;
        Self {
            reader,
            at: 0,
            depth: 0,
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
            repair: Repair::new(xml),
            extras: ExtrasReader::new(url, steps),
            xml,
            start,
            steps,
        }
    }

    fn run(mut self) -> Result<Checked, ParseFailure> {
        loop {
            self.at = self.position();
            let event = self.reader.read_event().map_err(|err| {
                let offset = self.reader.error_position();
                ParseFailure::at(FailureClass::Malformed, err.to_string(), offset)
            })?;
            let to = self.position();
            self.steps.spend(EVENT_STEPS + to.saturating_sub(self.at) * BYTE_STEPS)?;
            match event {
                Event::Start(tag) => self.open(&tag, to)?,
                Event::Empty(tag) => {
                    self.open(&tag, to)?;
                    self.close(to, to);
                }
                Event::End(_) => self.close(self.at, to),
                Event::Text(part) => {
                    self.text(&part);
                    self.repair.text(self.at, &part);
                }
                Event::CData(part) => self.text(&part),
                Event::GeneralRef(reference) => {
                    let mended = self.repair.reference(self.at..to, &reference);
                    self.text(&mended);
                }
                Event::Decl(_) => self.repair.remove(self.at..to),
                Event::DocType(doctype) => {
                    if doctype.to_ascii_uppercase().contains("<!ENTITY") {
                        let detail = "the document type defines entities".to_owned();
                        return Err(self.refused(FailureClass::Entities, detail));
                    }
                    self.repair.remove(self.at..to);
                }
                Event::Eof => {
                    let detail = "the document ends before its root element does".to_owned();
                    return Err(self.refused(FailureClass::Malformed, detail));
                }
                Event::Comment(_) | Event::PI(_) => {}
            }
            // What follows the root element concerns nobody.
            if self.depth == 0
                && let Some(root) = self.root
            {
                return Ok(self.finish(root, to));
            }
        }
    }

    fn text(&mut self, part: &str) {
        if self.leaving_out.is_none() {
            self.extras.text(part);
        }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn refused(&self, class: FailureClass, detail: String) -> ParseFailure {
        ParseFailure::at(class, detail, self.at as u64)
    }

    fn open(&mut self, tag: &BytesStart<'_>, to: usize) -> Result<(), ParseFailure> {
        let mut attributes = self.attributes(tag)?;
        let qualified = tag.name();
        let qualified = qualified.as_ref();
        let root = self.check_place(qualified)?;
        if !may_be_written(qualified) && !self.repair.is_in_text() {
            let detail = "an element's name holds a quotation mark or a bracket".to_owned();
            return Err(self.refused(FailureClass::Malformed, detail));
        }
        if self.namespaces.open(&attributes, self.depth).is_none() {
            let detail = "more namespaces are declared than any feed needs".to_owned();
            return Err(self.refused(FailureClass::Malformed, detail));
        }
        // Here and by the parser, names are looked up among the declarations in force when an element
        // begins and when it ends, attributes among each other.
        self.steps.spend(3 * self.namespaces.len() + attributes.len() * attributes.len())?;
        let name = self.namespaces.resolve(qualified);
        let mut is_entry = false;
        if self.leaving_out.is_none() {
            let place = self.place(root, &name);
            is_entry = place.is_ok_and(|place| place == Place::Entry);
            self.leaving_out =
                place.err().map(|why| LeftOut { why, at: self.at, depth: self.depth });
            if self.leaving_out.is_some() {
                self.repair.leave_out(self.at);
            } else {
                self.extras.open(root, &name, &mut attributes, self.depth)?;
                if is_entry {
                    self.extras.begin_entry(&attributes, self.depth, self.start + self.at)?;
                }
            }
        }
        let kind = if is_entry { Kind::Entry } else { Kind::Other };
        self.repair.open(root, &name, &attributes, self.at..to, kind);
        self.depth += 1;
        Ok(())
    }

    /// What an element is to the list of entries, or why it is left out.
    fn place(&mut self, root: Root, name: &Name<'_>) -> Result<Place, Why> {
        if self.repair.is_in_text() {
            // Markup that somebody forgot to escape.
            return Ok(Place::Other);
        }
        let place = self.places.open(root, name, self.depth);
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
            Place::Other => Ok(place),
        }
    }

    /// Holds one element against the limits; answers with the document's root.
    fn check_place(&mut self, qualified: &str) -> Result<Root, ParseFailure> {
        self.elements += 1;
        if self.depth >= DEPTH_MAX {
            let detail = format!("elements nest deeper than {DEPTH_MAX}");
            return Err(self.refused(FailureClass::TooDeep, detail));
        }
        if self.elements > ELEMENTS_MAX {
            let detail = format!("there are more than {ELEMENTS_MAX} elements");
            return Err(self.refused(FailureClass::Malformed, detail));
        }
        if qualified.len() > NAME_BYTES_MAX {
            let detail = format!("an element's name is longer than {NAME_BYTES_MAX} bytes");
            return Err(self.refused(FailureClass::Malformed, detail));
        }
        if let Some(root) = self.root {
            return Ok(root);
        }
        let root = Root::from_local_name(local_name(qualified)).ok_or_else(|| {
            let detail = format!("the root element <{qualified}> is not that of a feed");
            self.refused(FailureClass::NotAFeed, detail)
        })?;
        self.root = Some(root);
        Ok(root)
    }

    /// The attributes as written; quotes may be missing, as in HTML.
    fn attributes<'t>(&self, tag: &'t BytesStart<'_>) -> Result<Vec<Attribute<'t>>, ParseFailure> {
        let mut attributes = Vec::new();
        let mut raw = tag.html_attributes();
        // quick-xml would compare each with all before it.
        for attribute in raw.with_checks(false).flatten() {
            if attributes.len() >= ATTRIBUTES_MAX {
                let detail = format!("an element has more than {ATTRIBUTES_MAX} attributes");
                return Err(self.refused(FailureClass::Malformed, detail));
            }
            if may_be_written(attribute.key.0) {
                attributes.push((attribute.key.0, attribute.value));
            }
        }
        Ok(attributes)
    }

    fn close(&mut self, at: usize, to: usize) {
        self.depth = self.depth.saturating_sub(1);
        self.namespaces.close(self.depth);
        self.repair.close(at..to);
        self.places.close(self.depth);
        match self.leaving_out {
            None => self.extras.close(self.depth, self.start + to),
            Some(left_out) if left_out.depth == self.depth => {
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

    fn finish(self, root: Root, to: usize) -> Checked {
        let left_out = self.feed_children.saturating_sub(CHILDREN_MAX);
        let detail = format!(
            "{left_out} children of the feed are past the {CHILDREN_MAX} that are read; the first is here"
        );
        let feed_problem = self.feed_problem.map(|problem| Problem { detail, ..problem });
        Checked {
            root,
            xml: self.repair.finish(&self.namespaces, to),
            extras: self.extras.entries,
            language: self.extras.language,
            deletions: self.extras.deletions,
            problems: self.problems,
            feed_problem,
            over_limit: self.over_limit,
        }
    }
}

/// What is said of the first entry past the limit.
pub(super) fn over_limit_detail(entries_max: usize) -> String {
    format!(
        "the document has more than {entries_max} entries, the most that are read of one; those \
         past them are left out, of which this is the first. Raise parse.entries_max to read more"
    )
}
