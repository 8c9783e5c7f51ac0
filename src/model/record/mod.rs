//! The published wire form: the one place that derives `Serialize` for what we publish.
//!
//! A promise to consumers, held by `tests/golden`. Within version 1 changes are additive only: fields
//! and names in lists of names are added, none goes or comes to mean something else. So readers,
//! ours too, ignore what they do not know: no type here denies unknown fields, and each list of names
//! has an `Other` that is read and never written. Nothing stands here that nothing produces.
//!
//! The doc comments here become the descriptions of the published JSON Schema (`conflictwire schema
//! article`). Each says what `null` means: of what the publisher gave, that there was none; of what
//! is found by looking at texts, that nobody looked (`[]`: looked and found none).

mod conflict;
mod names;

use std::sync::Arc;

pub use conflict::{
    RecordActor, RecordActorKind, RecordCasualties, RecordCasualtyKind, RecordCasualtyScope,
    RecordCasualtySide, RecordClaim, RecordClaimStatus, RecordConflict, RecordEvidence,
    RecordField, RecordPlace, RecordPlaceKind, RecordRelated, RecordRole, RecordRoleKind,
    RecordTag,
};
use names::open_names;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names the version of [`Record`].
pub const SCHEMA_VERSION: &str = "conflictwire.article/1";

/// What the schema of [`Record`] calls itself: the `ce_dataschema` of its Kafka records. A name, not
/// an address: `conflictwire schema article` prints the schema.
pub const SCHEMA_ID: &str = "urn:conflictwire:schema:article:1";

/// One revision of one article, with what it says about conflict.
///
/// Within version 1 fields are only added, and names to lists of names: ignore those that you do not
/// know. Null means that the publisher gave nothing, or, in what is found by looking at the texts,
/// that nobody looked; an empty list means that there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "conflictwire article", extend("$id" = SCHEMA_ID))]
pub struct Record {
    /// Always "conflictwire.article/1".
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema: String,
    /// The article: the same on every revision, restart, replica and ledger. 32 hex digits.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    pub id: String,
    /// 1 for the first version of the article, then 2, 3, …
    #[schemars(range(min = 1))]
    pub revision: u32,
    /// What this revision did.
    pub change: RecordChange,
    /// The feed it was found in.
    // One for all records of a document: a copy for each made a gigabyte of a long feed title.
    #[serde(with = "shared")]
    #[schemars(with = "RecordFeed")]
    pub feed: Arc<RecordFeed>,
    /// Canonical link, without tracking parameters. Null if the publisher gave none.
    pub url: Option<String>,
    /// The publisher's identifier, verbatim but for white space around it: it may hold any character.
    /// The beginning and a hash of one that is longer than 4 KiB. Null if there was none.
    pub guid: Option<String>,
    /// Headline: one line of plain text. Null if there was none.
    pub title: Option<String>,
    /// Teaser: plain text. Null if there was none, or it only repeated the body.
    pub summary: Option<String>,
    /// Full text as the feed gave it: plain text, paragraphs separated by a blank line. Null if
    /// the feed gave none.
    pub body: Option<String>,
    /// Where `body` is from, if not from the feed, whose configuration asks for that. Left out where it is from the feed, or
    /// there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_source: Option<RecordBodySource>,
    /// Whether `summary` or `body` was cut at the configured length, or the entry held more than is
    /// read of one: a longer headline, link or name, or more of them. A headline or date longer than
    /// 1,000 characters is cut; a longer name, category or caption, a link over 4 KiB, and what is past
    /// 100 different names, categories or files is left out.
    pub truncated: bool,
    /// True if the headline, `summary` or `body` came in the wrong encoding (`armyâ€™s`) and was read again: its
    /// letters are our reading. Absent if none did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repaired: bool,
    /// Names, in the publisher's order. Empty if the publisher named nobody.
    pub authors: Vec<String>,
    /// The publisher's own categories, in the publisher's order. Empty if there were none.
    pub categories: Vec<String>,
    /// BCP 47 tag, told from the text. What the publisher and the configuration declare decides only
    /// where the text is too short to tell. Null if neither tells.
    pub language: Option<String>,
    /// Pictures, films, sounds. Empty if there were none.
    pub media: Vec<RecordMedia>,
    /// When the publisher says it was published; RFC 3339, UTC. Null if missing or not believed.
    #[schemars(extend("format" = "date-time"))]
    pub published_at: Option<String>,
    /// When the publisher says it was last changed; RFC 3339, UTC. Null if missing or not believed.
    #[schemars(extend("format" = "date-time"))]
    pub updated_at: Option<String>,
    /// How far `published_at` and `updated_at` can be trusted.
    pub dates: RecordDates,
    /// The article appeared in the feed between these two instants, whatever it says itself.
    pub observed: RecordObserved,
    /// 64-bit similarity hash of title and body (summary, where there is no body), 16 hex digits:
    /// near-duplicates differ in few bits. Null if there is no word in them.
    #[schemars(regex(pattern = "^[0-9a-f]{16}$"))]
    pub fingerprint: Option<String>,
    /// What it says about armed conflict. Null: nobody looked; there is no lexicon for its language,
    /// which `language` names, nobody could tell its language, or there is no text, as in a withdrawn
    /// revision.
    pub conflict: Option<RecordConflict>,
}

/// Reads and writes what records share as if each had its own.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        shared: &Arc<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        shared.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}

/// What a revision did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordChange {
    /// The first revision.
    Created,
    /// A later revision: title, summary, body or link changed, or a withdrawn article is back.
    Updated,
    /// The publisher took the article back (RFC 6721). Of the article only `id` and `guid` are given;
    /// its texts, link, language and `conflict` are null, its lists empty, `updated_at` is when the
    /// publisher says that it was taken back.
    Withdrawn,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

impl RecordChange {
    /// Its name, as in a record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Withdrawn => "withdrawn",
            Self::Other => "other",
        }
    }
}

/// Where the body of a record is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordBodySource {
    /// The page of the article; the feed is configured for it (`fulltext`), and gave a teaser alone.
    Page,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// The feed an article was found in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordFeed {
    /// Its id in the configuration.
    pub id: String,
    /// Its configured URL, without user-info; without its query too, which may hold a token, unless
    /// the feed is configured to publish it.
    pub url: String,
    /// Its own title, one line of plain text. Null if it has none.
    pub title: Option<String>,
    /// The publisher, as configured. Null if not configured.
    pub publisher: Option<String>,
    /// ISO 3166-1 alpha-2, as configured. Null if not configured.
    pub country: Option<String>,
    /// BCP 47, as configured, else as the feed says. Null if neither.
    pub language: Option<String>,
}

/// A picture, film or sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordMedia {
    /// Absolute URL.
    pub url: String,
    /// Media type ("image/jpeg"), without parameters. Null if not given, or none.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// Pixels. Null if not given.
    pub width: Option<u32>,
    /// Pixels. Null if not given.
    pub height: Option<u32>,
    /// Caption. Null if not given.
    pub title: Option<String>,
}

/// How far the dates can be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordDates {
    /// The date of publication, verbatim: it may hold any character. At most 1,000 of them. Null if
    /// there was none.
    pub published_raw: Option<String>,
    /// What is odd about the dates; empty if nothing is.
    pub quality: Vec<RecordDateQuality>,
}

/// What can be odd about a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordDateQuality {
    /// There was none.
    Missing,
    /// As written it lay in the future. It is null, unless the feed is known to write local time: then the offset
    /// that its entries have shown was taken off.
    Future,
    /// It named no zone; UTC was assumed.
    ZoneAssumed,
    /// It claimed to be UTC, or named no zone, but the feed writes local time: the offset that its entries have
    /// shown was taken off. Of one that lay in the future as written, `future` says it.
    ZoneLearned,
    /// It named no time of day; midnight was assumed.
    DateOnly,
    /// There was one, and it could not be read or believed.
    Unparsed,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// When the article appeared in the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordObserved {
    /// The last successful poll that did not yet show it; RFC 3339, UTC. Null on a feed's first, and on
    /// the first under another URL: nobody had looked there before.
    #[schemars(extend("format" = "date-time"))]
    pub after: Option<String>,
    /// The poll that showed it; RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
}

/// What could not be read, and why. Written once per feed and digest of what was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "conflictwire reject", extend("$id" = REJECT_SCHEMA_ID))]
pub struct Reject {
    /// Always "conflictwire.reject/1".
    pub schema: String,
    /// First 128 bits of SHA-256 over feed id and refused bytes: the same refusal has the same id.
    pub id: String,
    /// The feed's id.
    pub feed_id: String,
    /// The URL that served it; its query as in an article's `feed.url`.
    pub url: String,
    /// The failure's class ("malformed", "html", …), "entry" for an entry, "feed" for something of the
    /// feed itself (a title that is cut, children past the limit), `over_limit` for the first of
    /// the entries past `parse.entries_max`, "record" for an article's record that the ledger
    /// could not take; then `bytes` is that record. "gap" if the document lists nothing of the one before,
    /// so that entries between them may have been missed; then `bytes` is when, as `after/at`.
    pub reason: String,
    /// What is wrong, for a person, one line; cut after some 2000 bytes.
    pub detail: String,
    /// Where in the decoded document, in bytes. Null if it is the whole document, or nobody knows.
    pub offset: Option<u64>,
    /// Length of what was refused, in bytes.
    pub length: u64,
    /// The first of them, base64: as many as keep the whole reject within 64 KiB, some 46000.
    pub bytes: String,
    /// When; RFC 3339, UTC.
    pub at: String,
}

/// Names the version of [`Reject`].
pub const REJECT_SCHEMA_VERSION: &str = "conflictwire.reject/1";

/// What the schema of [`Reject`] calls itself: the `ce_dataschema` of its Kafka records. A name, not
/// an address: `conflictwire schema reject` prints the schema.
pub const REJECT_SCHEMA_ID: &str = "urn:conflictwire:schema:reject:1";
