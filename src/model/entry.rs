//! An entry in the publisher's words, whatever format they came in.

use std::ops::Range;
use std::sync::Arc;

use url::Url;

use crate::Digest;

/// What kind of text a publisher sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// As it is; `<` is a less-than sign.
    Plain,
    /// Markup to be stripped, references to be decoded.
    Html,
}

/// A text as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryText {
    /// How to read `value`.
    pub kind: TextKind,
    /// The text, decoded to Unicode and unescaped once by the XML or JSON reader.
    pub value: String,
}

/// A picture, film, sound or other file that goes with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// As sent; may be relative.
    pub url: String,
    /// Media type ("image/jpeg").
    pub media_type: Option<String>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Caption or alternative text.
    pub title: Option<String>,
}

impl Media {
    /// A file of which nothing else is known.
    pub fn at(url: String) -> Self {
        Self { url, media_type: None, width: None, height: None, title: None }
    }
}

/// One `<item>`, `<entry>`, JSON Feed item or sitemap `<url>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The publisher's identifier; `None` if there was none (never one that a library made up).
    pub guid: Option<String>,
    /// The link to the article, as sent; may be relative.
    pub link: Option<String>,
    /// The page itself, where `link` leads over a counter of readers; as sent.
    pub page: Option<String>,
    /// What `link` and `media` are relative to, if the document says (`xml:base`); entries share it.
    pub base: Option<Arc<Url>>,
    /// Headline.
    pub title: Option<EntryText>,
    /// Teaser.
    pub summary: Option<EntryText>,
    /// Full text.
    pub content: Option<EntryText>,
    /// Names, in document order.
    pub authors: Vec<String>,
    /// The publisher's own categories.
    pub categories: Vec<String>,
    /// BCP 47, if the entry says.
    pub language: Option<String>,
    /// The date of publication, as written.
    pub published: Option<String>,
    /// The date of the last change, as written.
    pub updated: Option<String>,
    /// Pictures and other files.
    pub media: Vec<Media>,
    /// Where the entry stands in the decoded document, in bytes, if known.
    pub span: Option<Range<usize>>,
    /// Whether something of it was longer, or more, than is kept.
    pub cut: bool,
    /// Of its bytes and of all else in the document that its texts depend on, if that is known.
    pub source: Option<Digest>,
    /// Whether its full text was left out, because its source is known.
    pub is_unread: bool,
}
