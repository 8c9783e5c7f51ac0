//! A page as blocks of text, and the elements that hold them. What it says is for others.

use cw_text::html::{Token, Tokens};
use cw_text::reference;

use super::words;

/// How many open elements are kept; what is deeper belongs to the deepest. Pages nest some forty deep.
const DEPTH_MAX: usize = 256;

/// The most blocks of a page.
const BLOCKS_MAX: usize = 20_000;

/// The most titles and scripts of data of a page.
const TITLES_MAX: usize = 8;
const LINKED_MAX: usize = 20;

/// Elements whose text nobody reads as the page's.
const NO_TEXT: &str = "script style noscript template svg math iframe object audio video canvas select button textarea \
    title figcaption";

/// Elements that stand beside the article.
const APART: &str = "nav aside footer dialog menu figure";

/// Elements that hold blocks.
const HOLDERS: &str = "html body div section article main ul ol dl table tbody tr td th header hgroup fieldset details \
    center amp-story blockquote form";

/// Elements that never have content.
const VOID: &str = "area base br col embed hr img input link meta param source track wbr";

/// What kind of text a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// Of a paragraph.
    Paragraph,
    /// A headline, or one between paragraphs.
    Heading,
    /// Of a list.
    Item,
    /// Directly in what holds blocks.
    Loose,
}

/// A piece of text that begins and ends where a line would.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) kind: BlockKind,
    /// Text, its references not decoded, and `<sup>`, `<sub>` and `<br>`.
    pub(super) html: String,
    /// Bytes of text that is no white space.
    pub(super) size: usize,
    /// Those of them in links.
    pub(super) linked: usize,
    /// What holds it.
    pub(super) holder: usize,
    pub(super) apart: Apart,
}

impl Block {
    /// Whether more of it is links than is not.
    pub(super) fn is_links(&self) -> bool {
        self.linked * 2 > self.size
    }
}

/// Whether something stands beside the article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Apart {
    No,
    /// By its class, which may be meant otherwise.
    ByClass,
    ByName,
}

/// What kind of element holds blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HolderKind {
    Plain,
    /// `<article>` or `<main>`.
    Article,
    /// It says that it is the text.
    Body,
}

/// An element that holds blocks. They are in the order in which they open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    pub(super) kind: HolderKind,
    pub(super) parent: usize,
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) blocks: Vec<Block>,
    pub(super) holders: Vec<Holder>,
    /// What it calls itself: `<title>`, `og:title`, `<h1>`.
    pub(super) titles: Vec<String>,
    /// `og:description` and the like.
    pub(super) description: Option<String>,
    /// `article:published_time`, as written.
    pub(super) published: Option<String>,
    /// `author`.
    pub(super) author: Option<String>,
    /// JSON-LD, as written.
    pub(super) linked: Vec<String>,
}

/// An open element.
#[derive(Clone, Copy, Debug)]
struct Open<'a> {
    name: &'a str,
    holder: usize,
    kind: Option<BlockKind>,
    apart: Apart,
    is_link: bool,
    has_text: bool,
}

impl Document {
    /// Reads a page, in one pass.
    pub(super) fn read(html: &str) -> Self {
        let mut walk = Walk::new();
        for token in Tokens::new(html) {
            match token {
                Token::Open(name, attributes) => walk.open(name, attributes),
                Token::Close(name) => walk.close(name),
                Token::Text(text) => walk.text(text),
            }
        }
        walk.end_block();
        walk.document
    }
}

struct Walk<'a> {
    document: Document,
    open: Vec<Open<'a>>,
    block: Option<Block>,
    /// The raw element that was opened last, whose text comes next.
    raw: Option<Raw>,
    /// A headline of the page is open.
    h1: Option<String>,
}

/// Texts that are no blocks.
#[derive(Clone, Copy, Debug)]
enum Raw {
    Title,
    Linked,
}

impl<'a> Walk<'a> {
    fn new() -> Self {
        let root = Holder { kind: HolderKind::Plain, parent: 0 };
        let document = Document { holders: vec![root], ..Document::default() };
        Self { document, open: Vec::new(), block: None, raw: None, h1: None }
    }

    /// What an element inside the innermost open one is, before anything is known of it.
    fn inner(&self, name: &'a str) -> Open<'a> {
        let outside = self.open.last();
        Open {
            name,
            holder: outside.map_or(0, |open| open.holder),
            kind: outside.and_then(|open| open.kind),
            apart: outside.map_or(Apart::No, |open| open.apart),
            is_link: outside.is_some_and(|open| open.is_link),
            has_text: outside.is_none_or(|open| open.has_text),
        }
    }

    fn open(&mut self, name: &'a str, attributes: &str) {
        if is_one(VOID, name) {
            return self.void(name, attributes);
        }
        let kind = kind(name);
        let holds = is_one(HOLDERS, name);
        if kind.is_some() || holds {
            self.end_block();
            // A paragraph and an item end where the next block begins.
            let ends = |open: &Open<'_>| {
                is_one("p", open.name) || (is_one("li", open.name) && is_one("li", name))
            };
            if self.open.last().is_some_and(ends) {
                self.open.pop();
            }
        }
        let mut element = self.inner(name);
        element.kind = if holds { None } else { kind.or(element.kind) };
        element.is_link |= is_one("a", name);
        element.has_text &= !is_one(NO_TEXT, name);
        let attributes = Attributes::of(attributes);
        if is_one("script", name) {
            let is_linked = attributes.kind.is_some_and(|kind| kind.contains("ld+json"));
            self.raw = is_linked.then_some(Raw::Linked);
        } else if is_one("title", name) {
            self.raw = element.has_text_around(&self.open).then_some(Raw::Title);
        } else if is_one("h1", name) {
            self.h1 = Some(String::new());
        }
        let is_body = holds && attributes.is_body();
        if is_one(APART, name) {
            element.apart = Apart::ByName;
        } else if is_one("form", name) {
            // Some systems have all of a page in one.
            element.apart = element.apart.max(Apart::ByClass);
        } else if !is_body && !is_one("html body article main", name) && attributes.is_apart() {
            element.apart = element.apart.max(Apart::ByClass);
        }
        if holds && self.open.len() < DEPTH_MAX {
            let kind = match is_body {
                true => HolderKind::Body,
                false if is_one("article main", name) => HolderKind::Article,
                false => HolderKind::Plain,
            };
            self.document.holders.push(Holder { kind, parent: element.holder });
            element.holder = self.document.holders.len() - 1;
        }
        if self.open.len() < DEPTH_MAX {
            self.open.push(element);
        }
    }

    fn void(&mut self, name: &str, attributes: &str) {
        if is_one("br hr", name) {
            if let Some(block) = &mut self.block {
                block.html.push_str("<br>");
            }
        } else if is_one("meta", name) {
            let Attributes { name, content, .. } = Attributes::of(attributes);
            let (Some(name), Some(content)) = (name, content) else { return };
            self.meta(&name.to_ascii_lowercase(), reference::decode(content));
        }
    }

    fn meta(&mut self, name: &str, content: String) {
        let document = &mut self.document;
        match name {
            "og:title" | "twitter:title" if document.titles.len() < TITLES_MAX => {
                document.titles.push(content);
            }
            "og:description" | "description" => {
                document.description.get_or_insert(content);
            }
            "article:published_time" | "og:published_time" | "datepublished" => {
                document.published.get_or_insert(content);
            }
            "author" | "article:author" if !content.contains("://") => {
                document.author.get_or_insert(content);
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if is_one("h1", name)
            && let Some(title) = self.h1.take()
            && self.document.titles.len() < TITLES_MAX
        {
            self.document.titles.push(title);
        }
        if kind(name).is_some() || is_one(HOLDERS, name) || is_one(APART, name) {
            self.end_block();
        }
        // An end tag ends nothing outside of what holds it, unless it is such itself.
        let crosses = is_one(HOLDERS, name) || is_one(APART, name);
        let stops = |open: &Open<'_>| !crosses && is_one(HOLDERS, open.name);
        let mut innermost = self.open.iter().rev().take_while(|open| !stops(open));
        let place = innermost.position(|open| open.name.eq_ignore_ascii_case(name));
        if let Some(place) = place {
            self.open.truncate(self.open.len() - 1 - place);
        }
    }

    fn text(&mut self, text: &str) {
        match self.raw.take() {
            Some(Raw::Title) if self.document.titles.len() < TITLES_MAX => {
                self.document.titles.push(reference::decode(text).trim().to_owned());
            }
            Some(Raw::Linked) if self.document.linked.len() < LINKED_MAX => {
                self.document.linked.push(text.to_owned());
            }
            Some(_) | None => {}
        }
        let place = self.inner("");
        if !place.has_text {
            return;
        }
        if let Some(title) = &mut self.h1 {
            title.push_str(&reference::decode(text));
        }
        let size = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).count();
        if size == 0 {
            if let Some(block) = &mut self.block {
                block.html.push(' ');
            }
            return;
        }
        let kind = place.kind.unwrap_or(BlockKind::Loose);
        let block = self.block.get_or_insert_with(|| Block {
            kind,
            html: String::new(),
            size: 0,
            linked: 0,
            holder: place.holder,
            apart: place.apart,
        });
        let written = self.open.last().map(|open| open.name).filter(|name| is_one("sup sub", name));
        written.iter().for_each(|name| block.html.push_str(&format!("<{name}>")));
        // A lone sign is text; what is written here is read again as HTML.
        block.html.push_str(&text.replace('<', "&lt;"));
        written.iter().for_each(|name| block.html.push_str(&format!("</{name}>")));
        block.size += size;
        block.linked += if place.is_link { size } else { 0 };
        block.apart = block.apart.min(place.apart);
    }

    fn end_block(&mut self) {
        if let Some(block) = self.block.take()
            && self.document.blocks.len() < BLOCKS_MAX
        {
            self.document.blocks.push(block);
        }
    }
}

impl Open<'_> {
    /// Whether it stands where text of the page is: a `<title>` inside a picture is not the page's.
    fn has_text_around(&self, around: &[Open<'_>]) -> bool {
        around.last().is_none_or(|open| open.has_text)
    }
}

fn kind(name: &str) -> Option<BlockKind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "p" | "pre" => BlockKind::Paragraph,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => BlockKind::Heading,
        "li" | "dt" | "dd" => BlockKind::Item,
        _ => return None,
    })
}

fn is_one(names: &str, name: &str) -> bool {
    names.split_ascii_whitespace().any(|own| own.eq_ignore_ascii_case(name))
}

/// What is read of the attributes of an element.
#[derive(Clone, Copy, Debug, Default)]
struct Attributes<'a> {
    class: &'a str,
    id: &'a str,
    itemprop: &'a str,
    role: &'a str,
    style: &'a str,
    is_hidden: bool,
    /// `type`
    kind: Option<&'a str>,
    /// `name`, or `property`, or `itemprop` of a `<meta>`.
    name: Option<&'a str>,
    content: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    fn of(text: &'a str) -> Self {
        let mut all = Self::default();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let value = after.trim_start().strip_prefix('=').map(str::trim_start);
            let (value, next) = match value {
                None => ("", after),
                Some(value) => match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                    Some(quote) => {
                        let value = value.get(1..).unwrap_or_default();
                        value.split_once(quote).unwrap_or((value, ""))
                    }
                    None => {
                        let end = value.find(char::is_whitespace).unwrap_or(value.len());
                        value.split_at_checked(end).unwrap_or((value, ""))
                    }
                },
            };
            if name.is_empty() && next.len() >= rest.len() {
                return all;
            }
            all.keep(name, value);
            rest = next;
        }
    }

    fn keep(&mut self, name: &str, value: &'a str) {
        match name.to_ascii_lowercase().as_str() {
            "class" => self.class = value,
            "id" => self.id = value,
            "itemprop" => {
                self.itemprop = value;
                self.name = self.name.or(Some(value));
            }
            "role" => self.role = value,
            "style" => self.style = value,
            "hidden" => self.is_hidden = true,
            "type" => self.kind = Some(value),
            "name" | "property" => self.name = Some(value),
            "content" => self.content = Some(value),
            _ => {}
        }
    }

    fn is_body(&self) -> bool {
        self.itemprop.split_ascii_whitespace().any(|own| own == "articleBody" || own == "text")
            || words::is_body(self.class)
            || words::is_body(self.id)
    }

    fn is_apart(&self) -> bool {
        let is_aside = is_one("navigation complementary banner contentinfo search", self.role);
        let is_invisible = self.is_hidden || self.style.replace(' ', "").contains("display:none");
        is_aside || is_invisible || words::is_apart(self.class) || words::is_apart(self.id)
    }
}
