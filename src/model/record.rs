//! The published wire form: the one place that derives `Serialize` for what we publish.
//!
//! A promise to consumers. `null` means nobody looked; `[]` means looked and found none. Within
//! version 1 changes are additive only. The doc comments here become the descriptions of the
//! published JSON Schema (`conflictwire schema article`).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tag::{Casualties, CasualtyKind, CasualtyScope, Coding, Evidence, Field, Tag};

/// Names the version of [`Record`].
pub const SCHEMA_VERSION: &str = "conflictwire.article/1";

/// What the schema of [`Record`] calls itself: the `ce_dataschema` of its Kafka records.
pub const SCHEMA_ID: &str = "https://conflictwire.example/schema/article/1";

/// One revision of one article, with what it says about conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
    /// The publisher's identifier. Null if there was none.
    pub guid: Option<String>,
    /// Headline: one line of plain text. Null if there was none.
    pub title: Option<String>,
    /// Teaser: plain text. Null if there was none, or it only repeated the body.
    pub summary: Option<String>,
    /// Full text as the feed gave it: plain text, paragraphs separated by a blank line. Null if
    /// the feed gave none.
    pub body: Option<String>,
    /// Whether `body` was cut at the configured length.
    pub truncated: bool,
    /// Names, in the publisher's order.
    pub authors: Vec<String>,
    /// The publisher's own categories, in the publisher's order.
    pub categories: Vec<String>,
    /// BCP 47 tag. Null if nobody said and it could not be told from the text.
    pub language: Option<String>,
    /// Pictures, films, sounds.
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
    /// 64-bit similarity hash of title and body, 16 hex digits: near-duplicates differ in few bits.
    #[schemars(regex(pattern = "^[0-9a-f]{16}$"))]
    pub fingerprint: String,
    /// The story this article belongs to with its near-duplicates. Null: not looked for yet.
    pub story: Option<RecordStory>,
    /// What it says about armed conflict. Null: there is no lexicon for its language.
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
pub enum RecordChange {
    /// The first revision.
    Created,
    /// A later revision: title, summary, body or link changed.
    Updated,
    /// The publisher took the article back.
    Withdrawn,
}

/// The feed an article was found in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFeed {
    /// Its id in the configuration.
    pub id: String,
    /// Its configured URL, without user-info; without its query too, which may hold a token, unless
    /// the feed is configured to publish it.
    pub url: String,
    /// Its own title. Null if it has none.
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
#[serde(deny_unknown_fields)]
pub struct RecordMedia {
    /// Absolute URL.
    pub url: String,
    /// Media type ("image/jpeg"). Null if not given.
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
#[serde(deny_unknown_fields)]
pub struct RecordDates {
    /// The date of publication exactly as written. Null if there was none.
    pub published_raw: Option<String>,
    /// What is odd about the dates; empty if nothing is.
    pub quality: Vec<RecordDateQuality>,
}

/// What can be odd about a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordDateQuality {
    /// There was none.
    Missing,
    /// It lay in the future and is null.
    Future,
    /// It named no zone; UTC was assumed.
    ZoneAssumed,
    /// It named no time of day; midnight was assumed.
    DateOnly,
    /// There was one, and it could not be read or believed.
    Unparsed,
}

/// When the article appeared in the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordObserved {
    /// The last successful poll that did not yet show it; RFC 3339, UTC. Null on a feed's first.
    #[schemars(extend("format" = "date-time"))]
    pub after: Option<String>,
    /// The poll that showed it; RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
}

/// Near-duplicates of one another share a story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordStory {
    /// The story.
    pub id: String,
    /// To the article that began the story, 0 to 1.
    pub similarity: f64,
}

/// What an article says about armed conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordConflict {
    /// Whether some tag that is not vetoed reaches the threshold.
    pub relevant: bool,
    /// Calibrated probability that the article is about armed conflict. Null: no gate yet.
    pub score: Option<f64>,
    /// Subjects, best first.
    pub tags: Vec<RecordTag>,
    /// Who. Null: not looked for yet.
    pub actors: Option<Vec<RecordActor>>,
    /// Where. Null: not looked for yet.
    pub places: Option<Vec<RecordPlace>>,
    /// How many, in order of appearance.
    pub casualties: Vec<RecordCasualties>,
    /// Why it may only look like conflict: "sport", "labour", "negated", "historical", …
    pub flags: Vec<String>,
    /// The lexicon that produced this: language, version and digest.
    pub lexicon: String,
    /// The model that produced `score`. Null: none.
    pub model: Option<String>,
}

/// One subject from the taxonomy, with the words that say so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordTag {
    /// Its id in the taxonomy: "strike.air".
    pub id: String,
    /// Its English label.
    pub label: String,
    /// How sure the rules are, 0 to 1; at least the configured threshold.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: f64,
    /// The nearest codes of public schemes; related, not equivalent.
    pub related: RecordRelated,
    /// The words that say so; never empty.
    #[schemars(length(min = 1))]
    pub evidence: Vec<RecordEvidence>,
}

/// The nearest codes of public schemes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRelated {
    /// ACLED sub-event types.
    pub acled: Vec<String>,
    /// PLOVER types and modes.
    pub plover: Vec<String>,
    /// CAMEO codes.
    pub cameo: Vec<String>,
    /// IPTC media topics.
    pub iptc: Vec<String>,
    /// GDELT GKG themes.
    pub gdelt: Vec<String>,
}

/// A span of text. Offsets count Unicode code points in the named field; `end` is exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordEvidence {
    /// Which field of this record the span lies in.
    pub field: RecordField,
    /// First code point.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// The words: exactly the code points from `start` to `end`.
    pub text: String,
}

/// A text field of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordField {
    /// `title`
    Title,
    /// `summary`
    Summary,
    /// `body`
    Body,
}

/// Somebody in the article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordActor {
    /// Stable id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What they are.
    pub kind: String,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// How often.
    pub mentions: u64,
    /// The words.
    pub evidence: Vec<RecordEvidence>,
}

/// Somewhere in the article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPlace {
    /// Name.
    pub name: String,
    /// GeoNames id.
    pub geonames_id: Option<u64>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// What it is.
    pub kind: String,
    /// How often.
    pub mentions: u64,
    /// Whether it is where it happened.
    pub primary: bool,
    /// The words.
    pub evidence: Vec<RecordEvidence>,
}

/// How many, of what, in which scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordCasualties {
    /// What happened to them.
    pub kind: RecordCasualtyKind,
    /// At least. Null if only an upper bound is given.
    pub low: Option<u64>,
    /// At most. Null if only a lower bound is given.
    pub high: Option<u64>,
    /// What the number counts.
    pub scope: RecordCasualtyScope,
    /// The words; never empty.
    #[schemars(length(min = 1))]
    pub evidence: Vec<RecordEvidence>,
}

/// What happened to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordCasualtyKind {
    /// Dead.
    Killed,
    /// Hurt.
    Wounded,
    /// Unaccounted for.
    Missing,
    /// Driven from home.
    Displaced,
    /// Held.
    Detained,
}

/// What a number of casualties counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordCasualtyScope {
    /// The event the article reports.
    Event,
    /// A new total of an event reported before.
    Update,
    /// A cumulative toll given for context.
    Background,
    /// An event of the past, told again.
    Historical,
    /// Planned, feared, possible.
    Hypothetical,
    /// Said not to have happened.
    Denied,
}

/// What could not be read, and why. Written once per feed and digest of what was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
    /// The failure's class ("malformed", "html", …), "entry" for a single entry, or "record" for an
    /// article's record that the ledger could not take; then `bytes` is that record.
    pub reason: String,
    /// What is wrong, for a person; cut after some 2000 bytes.
    pub detail: String,
    /// Where in the decoded document, in bytes. Null if it is the whole document.
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

/// What the schema of [`Reject`] calls itself: the `ce_dataschema` of its Kafka records.
pub const REJECT_SCHEMA_ID: &str = "https://conflictwire.example/schema/reject/1";

impl From<&Coding> for RecordConflict {
    fn from(coding: &Coding) -> Self {
        Self {
            relevant: coding.relevant,
            score: None,
            tags: coding.tags.iter().map(RecordTag::from).collect(),
            actors: None,
            places: None,
            casualties: coding.casualties.iter().map(RecordCasualties::from).collect(),
            flags: coding.flags.clone(),
            lexicon: coding.lexicon.clone(),
            model: None,
        }
    }
}

impl From<&Tag> for RecordTag {
    fn from(tag: &Tag) -> Self {
        let related = &tag.related;
        Self {
            id: tag.id.as_str().to_owned(),
            label: tag.label.clone(),
            score: tag.score,
            related: RecordRelated {
                acled: related.acled.clone(),
                plover: related.plover.clone(),
                cameo: related.cameo.clone(),
                iptc: related.iptc.clone(),
                gdelt: related.gdelt.clone(),
            },
            evidence: tag.evidence.iter().map(RecordEvidence::from).collect(),
        }
    }
}

impl From<&Evidence> for RecordEvidence {
    fn from(evidence: &Evidence) -> Self {
        Self {
            field: match evidence.field {
                Field::Title => RecordField::Title,
                Field::Summary => RecordField::Summary,
                Field::Body => RecordField::Body,
            },
            start: evidence.start as u64,
            end: evidence.end as u64,
            text: evidence.text.clone(),
        }
    }
}

impl From<&Casualties> for RecordCasualties {
    fn from(casualties: &Casualties) -> Self {
        Self {
            kind: match casualties.kind {
                CasualtyKind::Killed => RecordCasualtyKind::Killed,
                CasualtyKind::Wounded => RecordCasualtyKind::Wounded,
                CasualtyKind::Missing => RecordCasualtyKind::Missing,
                CasualtyKind::Displaced => RecordCasualtyKind::Displaced,
                CasualtyKind::Detained => RecordCasualtyKind::Detained,
            },
            low: casualties.low,
            high: casualties.high,
            scope: match casualties.scope {
                CasualtyScope::Event => RecordCasualtyScope::Event,
                CasualtyScope::Update => RecordCasualtyScope::Update,
                CasualtyScope::Background => RecordCasualtyScope::Background,
                CasualtyScope::Historical => RecordCasualtyScope::Historical,
                CasualtyScope::Hypothetical => RecordCasualtyScope::Hypothetical,
                CasualtyScope::Denied => RecordCasualtyScope::Denied,
            },
            evidence: casualties.evidence.iter().map(RecordEvidence::from).collect(),
        }
    }
}
