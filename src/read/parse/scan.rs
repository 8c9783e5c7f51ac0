//! Markup as publishers write it: a text in tokens, each byte in exactly one of them. Never fails: what
//! begins no markup is text, and markup without an end ends where its writer most likely meant it to.
//!
//! Leaves to `cut` which element ends where.

use std::ops::Range;

use super::ahead::Ahead;

/// The longest name of an element, in bytes; what is longer is no tag.
const NAME_BYTES_MAX: usize = 256;

/// The longest name of a reference, in bytes: that of HTML has 31, a number may have zeros before it.
const REFERENCE_BYTES_MAX: usize = 64;

/// As long as nearly all values of attributes are, in bytes.
const VALUE_BYTES: usize = 4096;

/// A start tag, or the tag of an empty element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    /// As written, prefix and all.
    pub(super) name: &'t str,
    /// Between the brackets, without the final slash.
    pub(super) inside: &'t str,
    /// Whether it has a final slash.
    pub(super) is_empty: bool,
    /// Whether a strict parser would see its end elsewhere.
    pub(super) is_odd: bool,
}

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// Neither `<` nor `&` is in it.
    Text,
    /// A `<` or `&` that begins nothing.
    Bare,
    /// `&name;`
    Reference(&'t str),
    /// `<name …>` or `<name …/>`
    Start(Tag<'t>),
    /// `</name>`
    End(&'t str),
    /// What a CDATA section holds, and whether it has its end.
    CData(Range<usize>, bool),
    /// Markup to be left out: comments, instructions, declarations, and what looks like one of them.
    Removed,
    /// `<!DOCTYPE …>`
    Doctype,
}

/// Where the scan is.
#[derive(Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Where the next `<` stands, if it is not behind us.
    bracket: usize,
    /// The local name of an entry's element: no tag, comment or CDATA holds the end of an entry.
    entry: &'static str,
    pub(super) ahead: Ahead<'t>,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, bracket: 0, entry: "", ahead: Ahead::new(text) }
    }

    /// Sets what entries are called.
    pub(super) fn set_entry(&mut self, name: &'static str) {
        self.entry = name;
    }

    /// Where the next token begins.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Goes on from here.
    pub(super) fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The next token; `element` is the innermost open element. `None` at the end of the text.
    pub(super) fn next_token(&mut self, element: Option<&str>) -> Option<Token<'t>> {
        let rest = self.text.get(self.at..)?;
        let first = rest.as_bytes().first()?;
        let (token, bytes) = match first {
            b'<' => self.markup(rest, element),
            b'&' => reference(rest),
            _ => (Token::Text, self.text_end(rest)),
        };
        self.at += bytes;
        Some(token)
    }

    /// The bytes before the next sign. A text of many references has no bracket for long.
    fn text_end(&mut self, rest: &str) -> usize {
        if self.bracket <= self.at {
            self.bracket = self.at + rest.find('<').unwrap_or(rest.len());
        }
        let length = self.bracket - self.at;
        rest.get(..length).and_then(|text| text.find('&')).unwrap_or(length)
    }

    fn markup(&mut self, rest: &'t str, element: Option<&str>) -> (Token<'t>, usize) {
        let after = rest.get(1..).unwrap_or_default();
        match after.chars().next() {
            Some('/') => end_tag(rest),
            Some('!') => self.declaration(rest, element),
            Some('?') => self.instruction(rest),
            Some(first) if begins_name(first) => self.start_tag(rest),
            _ => (Token::Bare, 1),
        }
    }

    fn start_tag(&mut self, rest: &'t str) -> (Token<'t>, usize) {
        let Some((end, is_odd)) = self.tag_end(rest) else { return (Token::Bare, 1) };
        let inside = rest.get(1..end).unwrap_or_default();
        let (inside, is_empty) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        let name = inside.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        if !is_name(name) {
            return (Token::Bare, 1);
        }
        (Token::Start(Tag { name, inside, is_empty, is_odd }), end + 1)
    }

    /// Where the bracket is that ends a tag, and whether a strict parser would see another.
    fn tag_end(&mut self, rest: &str) -> Option<(usize, bool)> {
        let mut at = 1;
        loop {
            let sign = |byte: u8| matches!(byte, b'>' | b'<' | b'"' | b'\'');
            let found = rest.bytes().skip(at).position(sign)?;
            at += found;
            match rest.as_bytes().get(at) {
                Some(b'>') => return Some((at, false)),
                Some(b'<') | None => return None,
                Some(quote) => {
                    let end = self.quote_end(rest, at, *quote);
                    match end.filter(|end| self.is_value(rest, at..*end)) {
                        Some(end) => at = end + 1,
                        // A quotation mark of no value, or a value without an end.
                        None => {
                            let end = rest.get(at..)?.find(['>', '<'])? + at;
                            let is_bracket = rest.as_bytes().get(end) == Some(&b'>');
                            return is_bracket.then_some((end, true));
                        }
                    }
                }
            }
        }
    }

    /// Where the other quotation mark of a value is.
    fn quote_end(&mut self, rest: &str, at: usize, quote: u8) -> Option<usize> {
        let quote = if quote == b'"' { "\"" } else { "'" };
        let near = rest.get(at + 1..rest.floor_char_boundary(at + VALUE_BYTES))?;
        match near.find(quote) {
            Some(length) => Some(at + 1 + length),
            None => self.ahead.next(quote, self.at + at + 1).map(|end| end - self.at),
        }
    }

    /// Whether what stands between two quotation marks is the value of an attribute, though tags may be
    /// in it.
    fn is_value(&self, rest: &str, quotes: Range<usize>) -> bool {
        let value = rest.get(quotes.start + 1..quotes.end).unwrap_or_default();
        if !value.contains('<') {
            return true;
        }
        let before = rest.get(..quotes.start).unwrap_or_default().trim_end();
        let after = rest.as_bytes().get(quotes.end + 1);
        before.ends_with('=')
            && after.is_some_and(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))
            && !self.holds_boundary(value)
    }

    /// Whether an entry begins or ends in a piece of text.
    fn holds_boundary(&self, text: &str) -> bool {
        let mut tags = text.split('<').skip(1);
        !self.entry.is_empty()
            && tags.any(|tag| {
                let tag = tag.strip_prefix('/').unwrap_or(tag);
                let end = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/');
                let name = tag.split(end).next().unwrap_or_default();
                local_name(name).eq_ignore_ascii_case(self.entry)
            })
    }

    fn declaration(&mut self, rest: &'t str, element: Option<&str>) -> (Token<'t>, usize) {
        if rest.starts_with("<![CDATA[") {
            return self.cdata(rest, element);
        }
        if rest.starts_with("<!--") {
            let end = self.section_end("<!--", "-->", None);
            let bytes = end.map_or(past_bracket(rest), |end| end + "-->".len() - self.at);
            return (Token::Removed, bytes);
        }
        if rest.get(..9).is_some_and(|head| head.eq_ignore_ascii_case("<!doctype")) {
            return (Token::Doctype, doctype_end(rest));
        }
        let is_declaration = rest.as_bytes().get(2).is_some_and(u8::is_ascii_alphabetic);
        if is_declaration { (Token::Removed, past_bracket(rest)) } else { (Token::Bare, 1) }
    }

    fn cdata(&mut self, rest: &'t str, element: Option<&str>) -> (Token<'t>, usize) {
        const START: &str = "<![CDATA[";
        let from = self.at + START.len();
        if let Some(end) = self.section_end(START, "]]>", element) {
            return (Token::CData(from..end, true), end + "]]>".len() - self.at);
        }
        // It ends where its element does, if that ends in this entry.
        let tag = element.map(|element| format!("</{element}"));
        let own = tag.and_then(|tag| self.ahead.next(&tag, from));
        let entry = self.boundary(from);
        let end = own.filter(|own| entry.is_none_or(|entry| *own <= entry)).or(entry);
        let end = end.unwrap_or(self.at + rest.len());
        (Token::CData(from..end, false), end - self.at)
    }

    /// Where the entry that is open ends, as far as can be told.
    fn boundary(&mut self, from: usize) -> Option<usize> {
        if self.entry.is_empty() {
            return None;
        }
        let (end, start) = (format!("</{}", self.entry), format!("<{}", self.entry));
        let (end, start) = (self.ahead.next(&end, from), self.ahead.next(&start, from));
        end.into_iter().chain(start).min()
    }

    /// Where a section ends that begins here. `None` if it has no end, or the one that is found is that
    /// of another section, in another entry or after the end of the element in hand.
    fn section_end(&mut self, start: &str, end: &str, element: Option<&str>) -> Option<usize> {
        let from = self.at + start.len();
        let end = self.ahead.next(end, from)?;
        if let Some(other) = self.ahead.next(start, from).filter(|other| *other < end) {
            let between = self.text.get(from..other).unwrap_or_default();
            let tag = element.map(|element| format!("</{element}"));
            let own = tag.and_then(|tag| self.ahead.next(&tag, from));
            if self.holds_boundary(between) || own.is_some_and(|own| own < other) {
                return None;
            }
        }
        Some(end)
    }

    fn instruction(&mut self, rest: &str) -> (Token<'t>, usize) {
        let Some(end) = self.ahead.next("?>", self.at) else {
            return (Token::Removed, past_bracket(rest));
        };
        let bytes = end + "?>".len() - self.at;
        let inside = rest.get(..bytes).unwrap_or_default();
        if self.holds_boundary(inside) {
            return (Token::Removed, past_bracket(rest));
        }
        (Token::Removed, bytes)
    }
}

/// An end tag. One without a bracket ends where the next tag begins.
fn end_tag(rest: &str) -> (Token<'_>, usize) {
    let inside = rest.get(2..).unwrap_or_default();
    let length = inside.find(['>', '<']).unwrap_or(inside.len());
    let name = inside.get(..length).unwrap_or_default().trim();
    let has_bracket = inside.as_bytes().get(length) == Some(&b'>');
    let bytes = 2 + length + usize::from(has_bracket);
    if name.is_empty() {
        return (Token::Removed, bytes);
    }
    if !name.starts_with(begins_name) || !is_name(name) {
        return (Token::Bare, 1);
    }
    (Token::End(name), bytes)
}

fn reference(rest: &str) -> (Token<'_>, usize) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"#_-.:".contains(byte);
    let after = rest.get(1..).unwrap_or_default();
    let length = after.bytes().take(REFERENCE_BYTES_MAX).take_while(is_part).count();
    match after.get(..length) {
        Some(name) if length > 0 && after.as_bytes().get(length) == Some(&b';') => {
            (Token::Reference(name), length + 2)
        }
        _ => (Token::Bare, 1),
    }
}

/// The bytes up to the bracket that ends what never ends as it should, and with it; or up to the next tag.
fn past_bracket(rest: &str) -> usize {
    let end = rest.get(1..).and_then(|rest| rest.find(['>', '<'])).map(|end| end + 1);
    end.map_or(
        rest.len(),
        |end| if rest.as_bytes().get(end) == Some(&b'>') { end + 1 } else { end },
    )
}

/// The bytes of a document type. Quotation marks and comments in its subset may hold brackets.
fn doctype_end(rest: &str) -> usize {
    let (mut at, mut is_subset) = (1, false);
    let signs = ['>', '[', ']', '"', '\'', '<'];
    while let Some(found) = rest.get(at..).and_then(|rest| rest.find(signs)) {
        at += found;
        let here = rest.get(at..).unwrap_or_default();
        let skipped = match here.as_bytes().first() {
            Some(b'>') if !is_subset => return at + 1,
            Some(b'[') => {
                is_subset = true;
                1
            }
            Some(b']') => {
                is_subset = false;
                1
            }
            Some(quote @ (b'"' | b'\'')) => {
                let quote = char::from(*quote);
                here.get(1..).and_then(|rest| rest.find(quote)).map_or(1, |end| end + 2)
            }
            Some(b'<') if here.starts_with("<!--") => {
                here.find("-->").map_or(1, |end| end + "-->".len())
            }
            _ => 1,
        };
        at += skipped;
    }
    past_bracket(rest)
}

/// Whether a name may begin so.
fn begins_name(first: char) -> bool {
    first.is_alphabetic() || matches!(first, '_' | ':')
}

/// Whether a name may be written into a tag. Where a quotation mark stands in one, a strict parser takes what
/// follows for a value, and so sees other elements than are held against the limits.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.contains(['"', '\'', '<', '>', '=', '&'])
}

/// A name without its prefix.
pub(super) fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The prefix of a name as written, with its colon; empty if it has none.
pub(super) fn prefix(name: &str) -> &str {
    name.strip_suffix(local_name(name)).unwrap_or_default()
}
