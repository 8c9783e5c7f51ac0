//! HTML as a run of tags and texts: the tokens of the living standard (13.2.5) as far as plain text
//! needs them. No tree, so depth costs nothing; attributes are passed over, so many cost nothing
//! (html5ever compares each with all before it).

use std::collections::HashSet;
use std::sync::LazyLock;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Characters, references not yet decoded.
    Text(&'a str),
    /// A start tag's name, as written, and what stands behind it.
    Open(&'a str, &'a str),
    /// An end tag's name, as written.
    Close(&'a str),
}

/// Elements whose content is text to the end tag, whatever it looks like.
const RAW: [&str; 8] =
    ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];

/// How far the end tag of an unknown element is looked for, bytes, and of how many elements of a text: a text of nothing
/// but such would cost its length a thousand times.
const CLOSE_BYTES: usize = 1000;
const LOOKS_MAX: usize = 100;

/// Elements that HTML has no empty form of, and that people who write XHTML end with their start tag.
const NEVER_EMPTY: [&str; 14] = [
    "script", "style", "iframe", "noscript", "object", "svg", "math", "audio", "video", "canvas",
    "select", "button", "template", "textarea",
];

/// Every element of HTML, and those of old that browsers know.
const ELEMENTS: &str = "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big \
    blink blockquote body br button canvas caption center cite code col colgroup content data datalist dd del \
    details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form frame frameset g h1 h2 h3 \
    h4 h5 h6 head header hgroup hr html i iframe image img input ins kbd keygen label legend li link main map mark \
    marquee math menu menuitem meta meter nav nobr noembed noframes noscript object ol optgroup option output p \
    param path picture plaintext portal pre progress q rb rp rt rtc ruby s samp script search section select slot \
    small source spacer span strike strong style sub summary sup svg table tbody td template text textarea tfoot th \
    thead time title tr track tt u ul use var video wbr xmp";

static NAMES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| ELEMENTS.split_ascii_whitespace().collect());

/// The tokens of a text, in time linear in its length.
#[derive(Debug)]
pub struct Tokens<'a> {
    rest: &'a str,
    /// The element whose end tag alone ends what follows.
    raw: Option<&'a str>,
    /// The element that ended with its start tag, as in XHTML.
    closed: Option<&'a str>,
    /// How many unknown elements may yet be looked after.
    looks: usize,
}

impl<'a> Tokens<'a> {
    /// Of this text.
    pub fn new(html: &'a str) -> Self {
        Self { rest: html, raw: None, closed: None, looks: LOOKS_MAX }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// All text to the end tag of a raw element.
    fn raw_text(&mut self, name: &str) -> &'a str {
        let is_end = |at: &usize| {
            let after = self.rest.get(at + 2..).unwrap_or_default();
            let (tag, after) = after.split_at_checked(name.len()).unwrap_or(("", ""));
            tag.eq_ignore_ascii_case(name)
                && after.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
        };
        let end = self.rest.match_indices("</").map(|(at, _)| at).find(is_end);
        self.take(end.unwrap_or(self.rest.len()))
    }

    /// What stands before the `>` that ends a tag: one inside quotes does not. That is passed over.
    fn attributes(&mut self) -> &'a str {
        let mut quote = None;
        let mut before = b' ';
        let end = self.rest.bytes().position(|byte| {
            match quote {
                Some(open) if open == byte => quote = None,
                Some(_) => {}
                None if byte == b'>' => return true,
                // A quote opens a value only where one begins.
                None if matches!(byte, b'"' | b'\'') && before == b'=' => quote = Some(byte),
                None => {}
            }
            if !byte.is_ascii_whitespace() {
                before = byte;
            }
            false
        });
        let tag = self.take(end.map_or(self.rest.len(), |at| at + 1));
        tag.strip_suffix('>').unwrap_or(tag)
    }

    /// Whether words in angle brackets are words: no element has the name, none of another vocabulary could, and
    /// nothing ends it; and no attribute follows, which has a value.
    fn are_words(&mut self, name: &str, attributes: &str) -> bool {
        if attributes.contains('=') || attributes.ends_with('/') {
            return false;
        }
        let is_known = NAMES.contains(name) || NAMES.contains(name.to_ascii_lowercase().as_str());
        if is_known || name.contains([':', '-']) || name.is_empty() || self.looks == 0 {
            return false;
        }
        self.looks -= 1;
        !self.closes(name)
    }

    /// Whether the end tag of an element comes soon.
    fn closes(&self, name: &str) -> bool {
        let near = self.rest.get(..self.rest.floor_char_boundary(CLOSE_BYTES)).unwrap_or_default();
        near.match_indices("</").any(|(at, _)| {
            let tag = near.get(at + 2..at + 2 + name.len()).unwrap_or_default();
            tag.eq_ignore_ascii_case(name)
        })
    }

    fn skip_past(&mut self, mark: &str) {
        let end = self.rest.find(mark).map_or(self.rest.len(), |at| at + mark.len());
        self.take(end);
    }

    /// What begins with `<`: a tag, or `None` for what is no content.
    fn markup(&mut self) -> Option<Token<'a>> {
        let is_letter = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
        let after = self.rest.get(1..).unwrap_or_default();
        if is_letter(after)
            || (after.starts_with('/') && is_letter(after.get(1..).unwrap_or_default()))
        {
            let is_end = after.starts_with('/');
            let tag = self.rest;
            self.take(if is_end { 2 } else { 1 });
            let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
            let name = self.take(self.rest.find(ends).unwrap_or(self.rest.len()));
            let attributes = self.attributes();
            if !is_end && (is_address(name, attributes) || self.are_words(name, attributes)) {
                let length = tag.len() - self.rest.len();
                return Some(Token::Text(tag.get(..length).unwrap_or_default()));
            }
            if is_end {
                return Some(Token::Close(name));
            }
            let is_one = |names: &[&str]| names.iter().any(|own| name.eq_ignore_ascii_case(own));
            if attributes.ends_with('/') && is_one(&NEVER_EMPTY) {
                self.closed = Some(name);
            } else {
                self.raw = is_one(&RAW).then_some(name);
            }
            return Some(Token::Open(name, attributes));
        }
        if let Some(comment) = after.strip_prefix("!--") {
            // `<!-->` is a whole comment.
            self.take(if comment.starts_with('>') { 4 } else { 2 });
            self.skip_past(if comment.starts_with('>') { ">" } else { "-->" });
        } else if let Some(section) = after.strip_prefix("![CDATA[") {
            // Left over where a publisher escaped what needed no escaping.
            let end = section.find("]]>").unwrap_or(section.len());
            self.take("<![CDATA[".len());
            let text = self.take(end);
            self.take("]]>".len());
            return Some(Token::Text(text));
        } else if after.starts_with(['!', '?', '/']) {
            self.skip_past(">");
        } else {
            return Some(Token::Text(self.take(1)));
        }
        None
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.closed.take() {
            return Some(Token::Close(name));
        }
        while !self.rest.is_empty() {
            if let Some(name) = self.raw.take() {
                let text = self.raw_text(name);
                if !text.is_empty() {
                    return Some(Token::Text(text));
                }
            }
            if self.rest.starts_with('<') {
                if let Some(token) = self.markup() {
                    return Some(token);
                }
                continue;
            }
            let end = self.rest.find('<').unwrap_or(self.rest.len());
            return Some(Token::Text(self.take(end)));
        }
        None
    }
}

/// Whether what stands in angle brackets is an address, as plain text has them: `<https://example.org/>`.
fn is_address(name: &str, attributes: &str) -> bool {
    ["http:", "https:"].contains(&name) && attributes.starts_with("//")
}

/// The value of an attribute of a start tag, as written: empty if it has none. `None` if the tag lacks the attribute.
pub(super) fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let first = rest.chars().next()?;
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/');
        // A sign that begins a name belongs to it.
        let after_first = rest.get(first.len_utf8()..).unwrap_or_default();
        let end = after_first.find(ends).unwrap_or(after_first.len()) + first.len_utf8();
        let (own, after) = rest.split_at_checked(end)?;
        let Some(after) = after.trim_start().strip_prefix('=') else {
            if own.eq_ignore_ascii_case(name) {
                return Some("");
            }
            rest = after;
            continue;
        };
        let after = after.trim_start();
        let (value, after) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let after = after.get(1..).unwrap_or_default();
                after.split_once(quote).unwrap_or((after, ""))
            }
            _ => {
                let end = after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len());
                after.split_at_checked(end)?
            }
        };
        if own.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after;
    }
}

/// Whether text of an undeclared kind is meant as HTML: it holds a tag or a reference.
pub fn looks_like_html(text: &str) -> bool {
    let last_end = text.rfind('>').unwrap_or(0);
    let holds_tag = text.match_indices('<').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        at < last_end && rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!')
    });
    let holds_reference = || {
        text.match_indices('&').any(|(at, _)| {
            let rest = text.get(at + 1..).unwrap_or_default();
            let name = |c: char| c.is_ascii_alphanumeric() || c == '#';
            rest.starts_with(name) && rest.trim_start_matches(name).starts_with(';')
        })
    };
    holds_tag || holds_reference()
}

#[cfg(test)]
mod tests {
    use super::Token::{Close, Open, Text};
    use super::*;

    #[track_caller]
    fn check(html: &str, tokens: &[Token<'_>]) {
        assert_eq!(Tokens::new(html).collect::<Vec<_>>(), tokens, "{html}");
    }

    #[test]
    fn tags_and_texts_come_in_order() {
        check("a<b>c</b >d", &[Text("a"), Open("b", ""), Text("c"), Close("b"), Text("d")]);
        check("<br/><IMG src=x>", &[Open("br", "/"), Open("IMG", " src=x")]);
    }

    #[test]
    fn an_attribute_is_found_however_it_is_written() {
        for (attributes, value) in [
            (" src=\"a b\" alt='c'", Some("a b")),
            (" data-src=x SRC = y", Some("y")),
            (" alt=\"src='z'\" src=a/b.jpg /", Some("a/b.jpg")),
            (" src", Some("")),
            (" =src=x", None),
            (" src='never ended", Some("never ended")),
            ("", None),
        ] {
            assert_eq!(attribute(attributes, "src"), value, "{attributes}");
        }
    }

    #[test]
    fn a_mark_inside_quotes_ends_no_tag() {
        check("<a title=\"x > y\" b='>'>z", &[Open("a", " title=\"x > y\" b='>'"), Text("z")]);
        check("<a title=it's>z", &[Open("a", " title=it's"), Text("z")]);
    }

    #[test]
    fn an_element_may_end_with_its_start_tag() {
        check(
            "<iframe src=x />a<script/>b",
            &[
                Open("iframe", " src=x /"),
                Close("iframe"),
                Text("a"),
                Open("script", "/"),
                Close("script"),
                Text("b"),
            ],
        );
    }

    #[test]
    fn a_word_in_angle_brackets_is_a_word() {
        check("<UPDATED> x", &[Text("<UPDATED>"), Text(" x")]);
        check("<we will not leave> x", &[Text("<we will not leave>"), Text(" x")]);
        check("<https://a.example/b>", &[Text("<https://a.example/b>")]);
        check("<b now>x<foo bar=1>", &[Open("b", " now"), Text("x"), Open("foo", " bar=1")]);
        check("<story>x</story>", &[Open("story", ""), Text("x"), Close("story")]);
        check("<o:p>x<amp-img>", &[Open("o:p", ""), Text("x"), Open("amp-img", "")]);
    }

    #[test]
    fn a_less_than_sign_may_be_one() {
        check("3 < 5", &[Text("3 "), Text("<"), Text(" 5")]);
        check("<3", &[Text("<"), Text("3")]);
    }

    #[test]
    fn comments_and_instructions_are_nothing() {
        check(
            "a<!-- <b> > -->b<?php x ?>c<!doctype html>d<!-->e",
            &[Text("a"), Text("b"), Text("c"), Text("d"), Text("e")],
        );
        check("<!-- never closed", &[]);
        check("x<![CDATA[y < z]]>", &[Text("x"), Text("y < z")]);
    }

    #[test]
    fn a_script_is_text_to_its_end_tag() {
        check(
            "<script>if (a<b) '</p>'</SCRIPT>x",
            &[Open("script", ""), Text("if (a<b) '</p>'"), Close("SCRIPT"), Text("x")],
        );
    }
}
