//! The page of an article: its text, if it is the page of that article.
//!
//! Asking for pages is the shell's, which articles want theirs `cw-decide`'s. Here a page is read without a tree: one
//! pass over its tags makes blocks of text and what holds them, so depth costs nothing and nothing calls itself.
//! Crates for this build on Servo's CSS engine, whose licence (MPL-2.0) is not among those that we build from.
//!
//! ```text
//! bytes ─ charset ─► document: blocks, containers, titles, JSON-LD
//!                        ├─► linked    articleBody, headline, date, authors, language
//!                        ├─► extract   the container that holds the article ─► its blocks ─► plain text
//!                        └─► agrees    is it this article, in full, and no wall?
//! ```

mod agrees;
mod document;
mod extract;
mod linked;
mod words;

use cw_model::{EntryText, PageRefusal, Steps, TextKind, Timestamp};
use cw_text::charset;
use cw_text::html::looks_like_html;
use cw_text::plain::{Layout, cut, plain_text};

use self::agrees::{Claims, likeness};
use self::document::Document;
use self::linked::Linked;
use crate::normalise::boilerplate;

/// Steps for each byte of a page: decoded, tokenised, and its text looked at a few times.
const BYTE_STEPS: usize = 60;

/// The least text of an article, letters: less is a caption or a notice.
const LETTERS_MIN: usize = 120;

/// How much longer than the feed's text a page's must be, in tenths: less is the same teaser with a line around it.
const LONGER_TENTHS: usize = 12;

/// How much of the extracted text the `articleBody` must hold to be the same text.
const SAME_TEXT: f64 = 0.5;

/// How many times the letters of the extraction an `articleBody` must have to take its place: below, it is the same text
/// without its paragraphs.
const BODY_LONGER_TENTHS: usize = 11;

/// What the feed says of an article: what its page must agree with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Headline.
    pub title: Option<String>,
    /// Teaser, or whatever text the feed gave.
    pub teaser: Option<String>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// BCP 47.
    pub language: Option<String>,
    /// Names.
    pub authors: Vec<String>,
    /// The most characters that are kept.
    pub text_chars_max: usize,
}

/// The text of an article, from its page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageText {
    /// Plain text, paragraphs separated by a blank line.
    pub body: String,
    /// Whether only its beginning is kept.
    pub is_cut: bool,
}

/// Reads the page of an article.
///
/// # Errors
/// [`PageRefusal`] if it is not the page of this article, or has no more of it than the feed.
pub fn read_page(
    bytes: &[u8],
    content_type: Option<&str>,
    expected: &Expected,
    steps: &Steps,
) -> Result<PageText, PageRefusal> {
    if !is_html(bytes, content_type) {
        return Err(PageRefusal::NotAPage);
    }
    steps.spend(bytes.len().saturating_mul(BYTE_STEPS))?;
    let text = charset::decode(bytes, declared(bytes, content_type).as_deref());
    let document = Document::read(&text);
    let linked = Linked::of(&document.linked, steps)?;
    let title = expected.title.as_deref().unwrap_or_default();
    let extracted = extract::text(&document, title).and_then(boilerplate::without);
    let whole = linked.body.as_deref().and_then(plain).and_then(boilerplate::without);
    let Some(body) = fuller(extracted, whole) else {
        let is_wall = agrees::is_wall(&document.titles, "");
        return Err(if is_wall { PageRefusal::Wall } else { PageRefusal::NoText });
    };
    steps.spend(body.len().saturating_mul(BYTE_STEPS))?;
    agrees::check(expected, &Claims { document: &document, linked: &linked, body: &body })?;
    let own = expected.teaser.as_deref().map_or(0, letters);
    if letters(&body) * 10 <= own * LONGER_TENTHS {
        return Err(PageRefusal::NotLonger);
    }
    let shortened = cut(&body, expected.text_chars_max);
    Ok(PageText { is_cut: shortened.is_some(), body: shortened.unwrap_or(body) })
}

/// Of what was extracted and what the page says its text is, the fuller one; `None` if neither is a text.
fn fuller(extracted: Option<String>, whole: Option<String>) -> Option<String> {
    let is_text = |text: &String| letters(text) >= LETTERS_MIN;
    match (extracted.filter(is_text), whole.filter(is_text)) {
        (Some(extracted), Some(whole)) => {
            let is_longer = letters(&whole) * 10 >= letters(&extracted) * BODY_LONGER_TENTHS;
            let takes_place = is_longer && likeness(&extracted, &whole) >= SAME_TEXT;
            Some(if takes_place { whole } else { extracted })
        }
        (extracted, whole) => whole.or(extracted),
    }
}

fn plain(text: &str) -> Option<String> {
    let kind = if looks_like_html(text) { TextKind::Html } else { TextKind::Plain };
    plain_text(&EntryText { kind, value: text.to_owned() }, Layout::Paragraphs)
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

fn is_html(bytes: &[u8], content_type: Option<&str>) -> bool {
    let essence = content_type.unwrap_or("text/html").split(';').next().unwrap_or_default();
    let is_of_kind = ["html", "xml", "text/plain"]
        .iter()
        .any(|kind| essence.to_ascii_lowercase().contains(kind));
    is_of_kind && bytes.iter().take(1024).any(|byte| *byte == b'<')
}

/// How far into a page its encoding may be declared (HTML, 13.2.3.2).
const META_BYTES: usize = 1024;

/// The content type with the encoding that the page declares, if the header has none.
fn declared(bytes: &[u8], content_type: Option<&str>) -> Option<String> {
    let sent = content_type.unwrap_or("text/html");
    if sent.to_ascii_lowercase().contains("charset") {
        return Some(sent.to_owned());
    }
    let head = String::from_utf8_lossy(bytes.get(..META_BYTES.min(bytes.len()))?);
    let head = head.to_ascii_lowercase();
    let (_, rest) = head.split_once("charset=")?;
    let ends = |c: char| matches!(c, '"' | '\'' | ';' | '>' | '/') || c.is_whitespace();
    let label = rest.trim_start_matches(['"', '\'']).split(ends).next().unwrap_or_default();
    Some(format!("{sent}; charset={label}"))
}

#[cfg(test)]
mod tests;
