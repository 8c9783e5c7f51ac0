//! HTML or plain text to plain text: one line for a title, paragraphs separated by a blank line for
//! the rest; NFC; nothing invisible but what a script needs.

use cw_model::{EntryText, TextKind};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::html::{Token, Tokens};
use crate::reference;

/// Elements whose text is not the article's.
///
/// A caption describes a picture that is not there, often another day's; `noscript` repeats a
/// picture as its markup; the rest is not shown as text by any browser.
const SKIPPED: &str = "script style noscript template figcaption iframe object svg math audio video canvas select \
    button textarea head";

/// Those of them whose text is not even meant for people.
const NEVER_TEXT: &str = "script style";

/// Elements that begin and end a paragraph.
const BLOCKS: &str = "p div section article aside header footer main nav figure blockquote pre address h1 h2 h3 \
    h4 h5 h6 ul ol dl table thead tbody form fieldset details summary hr center body";

/// Elements that begin a line.
const LINES: &str = "br li tr dt dd caption option";

/// Elements that stand apart from their neighbours on one line.
const CELLS: &str = "td th";

/// How a text is to be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// All on one line.
    Line,
    /// Paragraphs separated by a blank line.
    Paragraphs,
}

/// The plain text of an entry's text; `None` if there is none in it.
pub fn plain_text(text: &EntryText, layout: Layout) -> Option<String> {
    let mut plain = Plain::new(layout);
    match text.kind {
        TextKind::Plain => plain.push_lines(&text.value),
        TextKind::Html => {
            // What is skipped and never ends would take the rest of the article with it.
            if push_html(&mut plain, &text.value, SKIPPED) == Skipped::ToTheEnd {
                plain = Plain::new(layout);
                push_html(&mut plain, &text.value, NEVER_TEXT);
            }
        }
    }
    let text = composed(plain.text.trim_end());
    (!text.is_empty()).then_some(text)
}

/// In normalisation form C. Nearly every text is, and to see that takes less than to make it so.
fn composed(text: &str) -> String {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text.to_owned(),
        IsNormalized::No | IsNormalized::Maybe => text.nfc().collect(),
    }
}

/// Cuts at a limit, at the end of a word if one is near. Answers with `None` if nothing was cut.
pub fn cut(text: &str, chars_max: usize) -> Option<String> {
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

fn push_html(plain: &mut Plain, html: &str, skip: &str) -> Skipped {
    let is_one =
        |names: &str, name: &str| names.split(' ').any(|own| name.eq_ignore_ascii_case(own));
    // The skipped element we are in, and how many of the same name.
    let mut skipped: Option<(&str, usize)> = None;
    for token in Tokens::new(html) {
        if let Some((name, depth)) = &mut skipped {
            match token {
                Token::Open(open) if open.eq_ignore_ascii_case(name) => *depth += 1,
                Token::Close(close) if close.eq_ignore_ascii_case(name) => *depth -= 1,
                Token::Open(_) | Token::Close(_) | Token::Text(_) => {}
            }
            if *depth == 0 {
                skipped = None;
            }
            continue;
        }
        match token {
            Token::Text(text) => plain.push(&reference::decode(text)),
            Token::Open(name) if is_one(skip, name) => skipped = Some((name, 1)),
            Token::Open(name) | Token::Close(name) => {
                if is_one(BLOCKS, name) {
                    plain.gap(Gap::Paragraph);
                } else if is_one(LINES, name) {
                    plain.gap(Gap::Line);
                } else if is_one(CELLS, name) {
                    plain.gap(Gap::Word);
                }
            }
        }
    }
    if skipped.is_some() { Skipped::ToTheEnd } else { Skipped::Whole }
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
}

impl Plain {
    fn new(layout: Layout) -> Self {
        Self { layout, text: String::new(), gap: Gap::None }
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
        for c in part.chars() {
            if c.is_whitespace() {
                self.gap = self.gap.max(Gap::Word);
            } else {
                self.push_visible(c);
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

    fn push_visible(&mut self, c: char) {
        let keep = match c {
            // Joiners shape letters in Persian and the scripts of India, and emoji.
            '\u{200C}' | '\u{200D}' => {
                self.gap == Gap::None && self.text.chars().next_back().is_some_and(joins)
            }
            c => !is_invisible(c),
        };
        if !keep {
            return;
        }
        if !self.text.is_empty() {
            match (self.gap, self.layout) {
                (Gap::None, _) => {}
                (Gap::Word, _) | (_, Layout::Line) => self.text.push(' '),
                (Gap::Line, Layout::Paragraphs) => self.text.push('\n'),
                (Gap::Paragraph, Layout::Paragraphs) => self.text.push_str("\n\n"),
            }
        }
        self.gap = Gap::None;
        self.text.push(c);
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
