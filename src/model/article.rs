//! An entry in our words.

use url::Url;

use super::{ArticleId, Digest, Media, Timestamp};

/// 64-bit similarity hash of title and body; close texts differ in few bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u64);

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
