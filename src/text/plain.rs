//! HTML or plain text to plain text: one line for a title, paragraphs separated by a blank line for
//! the rest; NFC; nothing invisible but what a script needs.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use cw_model::{EntryText, TextKind};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::html::{Token, Tokens, attribute};
use super::lines::Lines;
use crate::{mojibake, reference};

/// What an element is to the text in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    /// Its text is not even meant for people.
    NeverText,
    /// Its text is not the article's.
    ///
    /// A caption describes a picture that is not there, often another day's; `noscript` repeats a
    /// picture as its markup; the rest is not shown as text by any browser.
    NotTheArticle,
    /// It begins and ends a paragraph.
    Block,
    /// It begins a line, as `br` does, of which two begin a paragraph.
    Line,
    /// It stands apart from its neighbours on one line.
    Cell,
    /// It raises or lowers what it holds: a number in it is not part of the number before it.
    Raised,
    /// `br`
    Break,
    /// `img`
    Picture,
    /// Any other.
    Other,
}

/// No name of an element that means something is longer.
const NAME_BYTES_MAX: usize = 10;

impl Element {
    /// By its name, in any case.
    fn of(name: &str) -> Self {
        let mut lower = [0; NAME_BYTES_MAX];
        let Some(own) = lower.get_mut(..name.len()) else { return Self::Other };
        own.copy_from_slice(name.as_bytes());
        own.make_ascii_lowercase();
        match &*own {
            b"p" | b"div" | b"section" | b"article" | b"aside" | b"header" | b"footer"
            | b"main" | b"nav" | b"figure" | b"blockquote" | b"pre" | b"address" | b"h1"
            | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"ul" | b"ol" | b"dl" | b"table"
            | b"thead" | b"tbody" | b"form" | b"fieldset" | b"details" | b"summary" | b"hr"
            | b"center" | b"body" => Self::Block,
            b"br" => Self::Break,
            b"img" => Self::Picture,
            b"li" | b"tr" | b"dt" | b"dd" | b"caption" | b"option" => Self::Line,
            b"td" | b"th" => Self::Cell,
            b"sup" | b"sub" => Self::Raised,
            b"script" | b"style" => Self::NeverText,
            b"noscript" | b"template" | b"figcaption" | b"iframe" | b"object" | b"svg"
            | b"math" | b"audio" | b"video" | b"canvas" | b"select" | b"button" | b"textarea"
            | b"head" | b"rt" | b"rp" => Self::NotTheArticle,
            _ => Self::Other,
        }
    }
}

/// Parts of classes that mark cards of other articles, buttons to share and forms to subscribe, as systems and plug-ins
/// for publishing name them.
const CLASSES_OF_OTHERS: [&str; 31] = [
    "bookmark-card",
    "wp-embedded-content",
    "related",
    "jp-relatedposts",
    "relatedposts",
    "related_posts",
    "crp_related",
    "read-also",
    "read_also",
    "readalso",
    "also-read",
    "alsoread",
    "read-more",
    "readmore",
    "more-stories",
    "yarpp",
    "recirc",
    "recommended",
    "outbrain",
    "taboola",
    "embed-card",
    "sharedaddy",
    "addtoany",
    "addtoany_share_save_container",
    "share-buttons",
    "social-share",
    "newsletter-signup",
    "newsletter-form",
    "subscription-widget",
    "subscribe-form",
    "feedflare",
];

/// Where the address of a picture stands; the first of them that is no picture itself is the address.
const PICTURE_ADDRESSES: [&str; 5] =
    ["data-src", "data-lazy-src", "data-original", "data-orig-file", "src"];

/// How a text is to be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// All on one line.
    Line,
    /// Paragraphs separated by a blank line.
    Paragraphs,
}

/// A picture that stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// As written, references decoded: may be relative.
    pub url: String,
    /// What it shows, if the text says.
    pub title: Option<String>,
}

/// The most pictures of a text that are looked at.
const PICTURES_MAX: usize = 100;

/// What a text comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Its plain text; `None` if there is none in it.
    pub text: Option<String>,
    /// Whether it had been read in the wrong encoding before it came, and was read again in the right one.
    pub is_repaired: bool,
    /// The pictures in it, in order, without those that only count readers; the first hundred of them.
    pub pictures: Vec<Picture>,
}

/// The plain text of an entry's text; `None` if there is none in it.
pub fn plain_text(text: &EntryText, layout: Layout) -> Option<String> {
    read(text, layout).text
}

/// All that an entry's text comes to.
pub fn read(text: &EntryText, layout: Layout) -> Read {
    let read = read_as_sent(text, layout);
    // White space and soft hyphens may be parts of damaged characters: then it is mended before they are left out.
    if !read.is_repaired && !read.text.as_deref().is_some_and(mojibake::may_be_damaged) {
        return read;
    }
    let sent = reference::decode_beyond_ascii(&text.value);
    match mojibake::repaired(&sent).or_else(|| mojibake::repaired_in_parts(&sent)) {
        Some(value) => {
            let mended = EntryText { kind: text.kind, value };
            Read { is_repaired: true, ..read_as_sent(&mended, layout) }
        }
        None => read,
    }
}

fn read_as_sent(text: &EntryText, layout: Layout) -> Read {
    let mut plain = Plain::new(layout, text.value.len());
    match text.kind {
        TextKind::Plain => plain.push_lines(&text.value),
        TextKind::Html => {
            let value = without_section(&text.value);
            let first = push_html(&mut plain, value, Skip::OfOthers);
            // All of it is of that kind: then it is the article.
            let is_empty = first == Skipped::Whole && plain.text.is_empty();
            let skipped = if is_empty || first == Skipped::ToTheEnd {
                plain = Plain::new(layout, value.len());
                push_html(&mut plain, value, Skip::NotTheArticle)
            } else {
                first
            };
            // What is skipped and never ends would take the rest of the article with it.
            if skipped == Skipped::ToTheEnd {
                plain = Plain::new(layout, value.len());
                push_html(&mut plain, value, Skip::NeverText);
            }
        }
    }
    let Plain { text, pictures, lines, .. } = plain;
    let mut text = without_ranges(text, |text| lines.cards(text));
    text.truncate(text.trim_end().len());
    let repaired = mojibake::repaired(&text);
    let is_repaired = repaired.is_some();
    let text = composed(repaired.unwrap_or(text));
    Read { text: (!text.is_empty()).then_some(text), is_repaired, pictures }
}

/// A text without parts of it.
fn without_ranges(text: String, ranges: impl FnOnce(&str) -> Vec<Range<usize>>) -> String {
    let ranges = ranges(&text);
    if ranges.is_empty() {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        kept.push_str(text.get(at..range.start).unwrap_or_default());
        at = range.end;
    }
    kept.push_str(text.get(at..).unwrap_or_default());
    kept
}

/// A text without the CDATA section that its publisher escaped with it.
fn without_section(text: &str) -> &str {
    let inside = text.trim().strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
    inside.unwrap_or(text)
}

/// In normalisation form C. Nearly every text is, and to see that takes less than to make it so.
fn composed(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text,
        IsNormalized::No | IsNormalized::Maybe => text.nfc().collect(),
    }
}

/// Cuts at a limit, at the end of a word if one is near. Answers with `None` if nothing was cut.
pub fn cut(text: &str, chars_max: usize) -> Option<String> {
    // A character has a byte at least.
    if text.len() <= chars_max {
        return None;
    }
    let (end, _) = text.char_indices().nth(chars_max)?;
    let (kept, after) = text.split_at(end);
    if after.starts_with(char::is_whitespace) {
        return Some(kept.trim_end().to_owned());
    }
    // A word is short; a text without spaces is cut where it is.
    let near = kept.char_indices().rev().take(40).find(|(_, c)| c.is_whitespace());
    let kept = near.map_or(kept, |(at, _)| kept.split_at(at).0);
    Some(kept.trim_end().to_owned())
}

/// How the skipping of elements came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skipped {
    Whole,
    ToTheEnd,
}

/// What of a text is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skip {
    /// What is not the article's, and what belongs to other articles by its class.
    OfOthers,
    /// What is not the article's: [`Element::NotTheArticle`].
    NotTheArticle,
    /// [`Element::NeverText`].
    NeverText,
}

fn push_html(plain: &mut Plain, html: &str, skip: Skip) -> Skipped {
    // The skipped element we are in, and how many of the same name.
    let mut skipped: Option<(&str, usize)> = None;
    for token in Tokens::new(html) {
        if let Some((name, depth)) = &mut skipped {
            match token {
                Token::Open(open, _) if open.eq_ignore_ascii_case(name) => *depth += 1,
                Token::Close(close) if close.eq_ignore_ascii_case(name) => *depth -= 1,
                Token::Open(..) | Token::Close(_) | Token::Text(_) => {}
            }
            if *depth == 0 {
                skipped = None;
            }
            continue;
        }
        let (name, opened) = match token {
            Token::Text(text) => {
                let text = decoded(text);
                plain.push(&text);
                plain.lines.add(&text);
                continue;
            }
            Token::Open(name, attributes) => (name, Some(attributes)),
            Token::Close(name) => (name, None),
        };
        let is_of_others = |attributes: &str| {
            skip == Skip::OfOthers
                && !attributes.is_empty()
                && !is_void(name)
                && (is_of_others(attributes) || is_hidden(attributes))
        };
        if name.eq_ignore_ascii_case("a") {
            match opened {
                // The end of what is left out is not seen.
                Some(attributes)
                    if attribute(attributes, "href").is_some() && !is_of_others(attributes) =>
                {
                    plain.lines.open_link();
                }
                Some(_) => {}
                None => plain.lines.close_link(),
            }
        }
        match (Element::of(name), opened) {
            (Element::NeverText, Some(_)) => skipped = Some((name, 1)),
            (Element::NotTheArticle, Some(_)) if skip != Skip::NeverText => {
                skipped = Some((name, 1));
            }
            (_, Some(attributes)) if is_of_others(attributes) => skipped = Some((name, 1)),
            (Element::Picture, Some(attributes)) => {
                if plain.pictures.len() < PICTURES_MAX {
                    plain.pictures.extend(picture(attributes));
                }
            }
            (Element::Break, Some(_)) => plain.gap(Gap::Line),
            (Element::Raised, _) => plain.is_raised = true,
            (Element::Block, _) => plain.gap(Gap::Paragraph),
            // The end of one item and the beginning of the next are one line's end.
            (Element::Line, _) => plain.gap = plain.gap.max(Gap::Line),
            (Element::Cell, _) => plain.gap(Gap::Word),
            (Element::NeverText | Element::NotTheArticle | Element::Other, _)
            | (Element::Picture | Element::Break, None) => {}
        }
    }
    if skipped.is_some() { Skipped::ToTheEnd } else { Skipped::Whole }
}

/// The picture of an `img`. `None` if it has no address, or is one of the single points that count readers.
fn picture(attributes: &str) -> Option<Picture> {
    let is_point =
        |name| attribute(attributes, name).is_some_and(|px| matches!(px.trim(), "0" | "1"));
    if is_point("width") || is_point("height") {
        return None;
    }
    let address = |name: &&str| {
        let url = attribute(attributes, name)?.trim();
        (!url.is_empty() && !url.starts_with("data:")).then_some(url)
    };
    let url = reference::decode(PICTURE_ADDRESSES.iter().find_map(address)?);
    let title = attribute(attributes, "alt").map(str::trim).filter(|title| !title.is_empty());
    Some(Picture { url, title: title.map(str::to_owned) })
}

/// Whether an element is not shown: what it says is for search engines, or for those who cannot see the rest.
fn is_hidden(attributes: &str) -> bool {
    const CLASSES: [&str; 4] =
        ["screen-reader-text", "sr-only", "visually-hidden", "visuallyhidden"];
    // Few tags have any of it, and to see that takes little.
    let is_none = |style: &str| {
        let style = style.to_ascii_lowercase().replace(' ', "");
        style.contains("display:none") || style.contains("visibility:hidden")
    };
    (attributes.contains("hidden") && attribute(attributes, "hidden").is_some())
        || (attributes.contains("style") && attribute(attributes, "style").is_some_and(is_none))
        || (attributes.contains("class")
            && attribute(attributes, "class").is_some_and(|classes| {
                classes.split_ascii_whitespace().any(|class| CLASSES.contains(&class))
            }))
}

/// A text with its references decoded; once more if it then holds references that nobody prints.
fn decoded(text: &str) -> Cow<'_, str> {
    const NEVER_PRINTED: [&str; 10] = [
        "&nbsp;", "&rsquo;", "&lsquo;", "&ldquo;", "&rdquo;", "&ndash;", "&mdash;", "&hellip;",
        "&quot;", "&#",
    ];
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let once = reference::decode(text);
    if once.contains('&') && NEVER_PRINTED.iter().any(|reference| once.contains(reference)) {
        return Cow::Owned(reference::decode(&once));
    }
    Cow::Owned(once)
}

/// Whether an element never has content.
fn is_void(name: &str) -> bool {
    const VOID: [&str; 6] = ["br", "img", "hr", "input", "wbr", "embed"];
    VOID.iter().any(|void| name.eq_ignore_ascii_case(void))
}

/// Whether the class or the id of an element says that what it holds is no part of the article: a card that leads to
/// another one, buttons to share it, a form to subscribe.
fn is_of_others(attributes: &str) -> bool {
    ["class", "id"].iter().any(|name| {
        attributes.contains(name) && attribute(attributes, name).is_some_and(names_others)
    })
}

fn names_others(value: &str) -> bool {
    value.split_ascii_whitespace().filter(|class| may_be_of_others(class)).any(|class| {
        let class = class.to_ascii_lowercase();
        CLASSES_OF_OTHERS.iter().any(|part| holds_words(&class, part))
    })
}

/// Whether a class has the first word of one that is looked for: few have, and to see that takes little.
fn may_be_of_others(class: &str) -> bool {
    static FIRST_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let first = |class: &&'static str| class.split(['-', '_']).next();
        CLASSES_OF_OTHERS.iter().filter_map(first).collect()
    });
    let mut words = class.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| {
        FIRST_WORDS.contains(word) || FIRST_WORDS.contains(word.to_ascii_lowercase().as_str())
    })
}

/// Whether a class holds words, and not only parts of longer ones.
fn holds_words(class: &str, words: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    class.match_indices(words).any(|(at, _)| {
        let (before, rest) = class.split_at_checked(at).unwrap_or_default();
        let after = rest.get(words.len()..).unwrap_or_default();
        !is_letter(before.chars().next_back()) && !is_letter(after.chars().next())
    })
}

/// What separates the text so far from what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Word,
    Line,
    Paragraph,
}

/// Plain text as it grows.
#[derive(Debug)]
struct Plain {
    layout: Layout,
    text: String,
    gap: Gap,
    /// Whether what comes next is raised, or was until here.
    is_raised: bool,
    pictures: Vec<Picture>,
    lines: Lines,
}

impl Plain {
    /// Nothing yet, with room for so many bytes.
    fn new(layout: Layout, bytes: usize) -> Self {
        let text = String::with_capacity(bytes);
        let (pictures, lines) = (Vec::new(), Lines::default());
        Self { layout, text, gap: Gap::None, is_raised: false, pictures, lines }
    }

    fn gap(&mut self, gap: Gap) {
        // Two line breaks are what many write for a paragraph.
        self.gap = match (self.gap, gap) {
            (Gap::Line, Gap::Line) => Gap::Paragraph,
            (before, gap) => before.max(gap),
        };
    }

    /// Adds text in which white space is only white space.
    fn push(&mut self, part: &str) {
        let mut rest = part;
        while let Some(c) = rest.chars().next() {
            let (_, after) = rest.split_at(c.len_utf8());
            rest = after;
            if c.is_whitespace() {
                self.gap = self.gap.max(Gap::Word);
            } else if self.push_visible(c) {
                // What follows a visible character at once stays as it is, and most of a text does.
                let (run, after) = rest.split_at(steady_bytes(rest));
                self.text.push_str(run);
                rest = after;
            }
        }
    }

    /// Adds text in which line ends count.
    fn push_lines(&mut self, part: &str) {
        for (place, line) in part.lines().enumerate() {
            if place > 0 {
                self.gap(Gap::Line);
            }
            self.push(line);
        }
    }

    /// Adds a character, unless it is one that nobody sees; answers with whether it did.
    fn push_visible(&mut self, c: char) -> bool {
        let keep = match c {
            // Joiners shape letters in Persian and the scripts of India, and emoji.
            '\u{200C}' | '\u{200D}' => {
                self.gap == Gap::None && self.text.chars().next_back().is_some_and(joins)
            }
            c => !is_invisible(c),
        };
        if !keep {
            return false;
        }
        // "12<sup>1</sup> dead" are twelve.
        if std::mem::take(&mut self.is_raised)
            && c.is_numeric()
            && self.text.chars().next_back().is_some_and(char::is_numeric)
        {
            self.gap = self.gap.max(Gap::Word);
        }
        if !self.text.is_empty() {
            match (self.gap, self.layout) {
                (Gap::None, _) => {}
                (Gap::Word, _) | (_, Layout::Line) => self.text.push(' '),
                (Gap::Line, Layout::Paragraphs) => self.text.push('\n'),
                (Gap::Paragraph, Layout::Paragraphs) => self.text.push_str("\n\n"),
            }
            if self.gap >= Gap::Line && self.layout == Layout::Paragraphs {
                self.lines.begin(self.text.len());
            }
        }
        self.gap = Gap::None;
        self.text.push(c);
        true
    }
}

/// How many bytes of a text that follows a visible character are laid out as they stand: visible characters of the
/// scripts of most texts, and single spaces between them.
fn steady_bytes(text: &str) -> usize {
    // No white space, no joiner, and nothing that `is_invisible`.
    let is_steady = |c: &char| {
        matches!(c, '\u{A1}'..='\u{AC}' | '\u{AE}'..='\u{34E}' | '\u{370}'..='\u{61B}'
            | '\u{620}'..='\u{167F}' | '\u{2010}'..='\u{2027}' | '\u{3001}'..='\u{D7FF}')
    };
    let bytes = text.as_bytes();
    let visible_bytes = |at: usize| match bytes.get(at) {
        Some(b'!'..=b'~') => 1,
        Some(0x80..) => {
            let c = text.get(at..).and_then(|rest| rest.chars().next()).filter(is_steady);
            c.map_or(0, char::len_utf8)
        }
        Some(_) | None => 0,
    };
    let mut steady = 0;
    loop {
        let space = usize::from(bytes.get(steady) == Some(&b' '));
        match visible_bytes(steady + space) {
            0 => return steady,
            length => steady += space + length,
        }
    }
}

/// Whether a joiner after this character can change how text looks.
fn joins(c: char) -> bool {
    matches!(c, '\u{0600}'..='\u{08FF}' | '\u{0900}'..='\u{0DFF}' | '\u{0F00}'..='\u{109F}'
        | '\u{1780}'..='\u{18AF}' | '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{FE0F}')
}

/// Controls, marks of direction, soft hyphens, zero-width spaces, byte order marks, tags: a reader
/// sees none of them, a search trips over all.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Character by character, with no run that is copied as it stands.
    fn one_by_one(part: &str, layout: Layout) -> String {
        let mut plain = Plain::new(layout, 0);
        for c in part.chars() {
            if c.is_whitespace() {
                plain.gap = plain.gap.max(Gap::Word);
            } else {
                plain.push_visible(c);
            }
        }
        plain.text
    }

    fn as_a_whole(part: &str, layout: Layout) -> String {
        let mut plain = Plain::new(layout, 0);
        plain.push(part);
        plain.text
    }

    #[test]
    fn every_character_is_laid_out_in_a_run_as_it_is_alone() {
        for c in '\0'..=char::MAX {
            for text in [format!("a{c}b"), format!("a {c} b"), format!("é{c}{c}")] {
                let own = as_a_whole(&text, Layout::Paragraphs);
                assert_eq!(own, one_by_one(&text, Layout::Paragraphs), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn runs_are_laid_out_as_their_characters_are(text in "[a-c1 \t\n\u{A0}\u{AD}é“\u{200C}\u{200D}\u{202A}ف、]{0,40}") {
            for layout in [Layout::Line, Layout::Paragraphs] {
                prop_assert_eq!(as_a_whole(&text, layout), one_by_one(&text, layout));
            }
        }
    }

    #[test]
    fn an_element_is_known_in_any_case() {
        for (name, element) in [
            ("P", Element::Block),
            ("Br", Element::Break),
            ("figCaption", Element::NotTheArticle),
            ("blockquote", Element::Block),
            ("blockquotes", Element::Other),
            ("", Element::Other),
            ("й", Element::Other),
        ] {
            assert_eq!(Element::of(name), element, "{name}");
        }
    }
}
