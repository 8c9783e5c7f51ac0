//! An entry in our words.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Media, Timestamp};

/// The key of an article: the same article gets the same id on every poll.
///
/// Shape: 128 bits, written as 32 lower-case hex digits.
/// Source: made only by `normalise::identity`, from the feed id and the guid (or the link, or the
/// content, in that order).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ArticleId(pub [u8; 16]);

/// Exact hash of the parts whose change makes a revision: 64 bits, 16 hex digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 8]);

impl Digest {
    /// Of an article that was taken back: no parts have this one, so that whatever is shown again is a
    /// revision, also to versions of the program that know nothing of this.
    pub const WITHDRAWN: Self = Self([0xff; 8]);
}

/// 64-bit similarity hash of title and body; close texts differ in few bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u64);

macro_rules! hex_text {
    ($name:ident, $bytes:expr) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotHex;

            fn try_from(text: String) -> Result<Self, NotHex> {
                $name::parse(&text)
            }
        }

        impl $name {
            /// Reads one written by an earlier run.
            ///
            /// # Errors
            /// [`NotHex`] unless `text` is exactly the right number of lower-case hex digits.
            pub fn parse(text: &str) -> Result<Self, NotHex> {
                let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                if text.len() != 2 * $bytes || !text.bytes().all(lower) {
                    return Err(NotHex(text.to_owned()));
                }
                let mut bytes = [0_u8; $bytes];
                for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                    let digits = std::str::from_utf8(pair).unwrap_or_default();
                    *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
                }
                Ok(Self(bytes))
            }
        }
    };
}

hex_text!(ArticleId, 16);
hex_text!(Digest, 8);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Text that was read as hex digits of a fixed length and is not.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not lower-case hex digits of the right length")]
pub struct NotHex(String);

/// What of an entry its identity was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityRule {
    /// The publisher's identifier.
    Guid,
    /// The canonical link.
    Link,
    /// Title and text, there being neither.
    Content,
}

/// What a revision did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first revision.
    Created,
    /// A later one, with another digest.
    Updated,
    /// The publisher took it back.
    Withdrawn,
}

/// Why a date is not what a reader might think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateQuality {
    /// There was none.
    Missing,
    /// As written it lay further ahead of the poll than clocks err; null, or mended as `ZoneLearned` is.
    Future,
    /// It named no zone; UTC was assumed.
    ZoneAssumed,
    /// It claimed to be UTC, or named no zone, in a feed that writes local time: the learned offset was
    /// taken off. Not said where `Future` is.
    ZoneLearned,
    /// It named no time of day; midnight UTC was assumed.
    DateOnly,
    /// There was one, and nobody could read or believe it.
    Unparsed,
}

/// Where the body of an article is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodySource {
    /// Its feed.
    #[default]
    Feed,
    /// Its page.
    Page,
}

/// An entry after normalisation. Not serialisable: its wire form is `model::record`.
#[derive(Clone, Debug, PartialEq)]
pub struct Article {
    /// Stable identity.
    pub id: ArticleId,
    /// What `id` was made from.
    pub identity: IdentityRule,
    /// What a change of makes a revision.
    pub digest: Digest,
    /// Near-duplicates have near fingerprints; `None` if there is no word to compare, or the article is as it was
    /// seen before.
    pub fingerprint: Option<Fingerprint>,
    /// Canonical link.
    pub url: Option<Url>,
    /// The publisher's identifier.
    pub guid: Option<String>,
    /// One line of plain text.
    pub title: Option<String>,
    /// Plain text.
    pub summary: Option<String>,
    /// Plain text, paragraphs separated by a blank line.
    pub body: Option<String>,
    /// Where `body` is from.
    pub body_source: BodySource,
    /// Whether something of the entry was cut or left out because it was longer, or more, than is kept.
    pub truncated: bool,
    /// Whether one of its texts came in the wrong encoding and was read again.
    pub repaired: bool,
    /// Names.
    pub authors: Vec<String>,
    /// The publisher's own categories.
    pub categories: Vec<String>,
    /// BCP 47: the entry's word, the configuration's, the feed's, or detected. `None` also where the article is as it
    /// was seen before.
    pub language: Option<String>,
    /// Absolute URLs.
    pub media: Vec<Media>,
    /// Believed date of publication.
    pub published_at: Option<Timestamp>,
    /// Believed date of change.
    pub updated_at: Option<Timestamp>,
    /// The date of publication as written.
    pub published_raw: Option<String>,
    /// What is odd about the dates, sorted, each once.
    pub date_quality: Vec<DateQuality>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        let id = ArticleId([0xab; 16]);
        assert_eq!(ArticleId::parse(&id.to_string()).unwrap(), id);
    }

    #[test]
    fn other_text_is_not_an_id() {
        for text in ["", "AB", &"g".repeat(32), &"a".repeat(31), &"a".repeat(33), &"A".repeat(32)] {
            assert!(ArticleId::parse(text).is_err(), "{text}");
        }
    }
}
