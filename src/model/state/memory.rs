//! What the next document of a feed is compared with, and what is sent when it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Revisions, RevisionsById, Seen, Unpublished};
use crate::{ArticleId, Digest, Validators};

/// What a text takes in memory besides its bytes: pointer, length and capacity, and what the allocator
/// adds and rounds up.
pub const TEXT_BYTES: u64 = 56;

/// An article that a state remembers: its line of JSON, which is longer than what it takes in memory.
pub const SEEN_BYTES: u64 = 224;

/// An alias: its line of JSON.
const ALIAS_BYTES: u64 = 72;

/// Whose a feed is, by what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Character {
    /// Its title.
    pub title: Option<String>,
    /// The registrable domain that most of its links lead to.
    pub domain: Option<String>,
}

/// The memory of a feed, as it is changed. Held of feeds that are not being polled it is
/// [packed](super::PackedMemory).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedMemory {
    /// Digest of the last document read.
    pub body_digest: Option<Digest>,
    /// Validators by URL of the redirect chain; they belong to URLs, not to feeds.
    pub validators: BTreeMap<String, Validators>,
    /// The language that its texts together showed when they last left no doubt.
    pub language: Option<String>,
    /// Whose it is, as its last document said.
    pub character: Option<Character>,
    /// Articles seen.
    pub seen: Seen,
    /// Those of them whose last revision no topic took, and which wait for room.
    pub unpublished: BTreeMap<ArticleId, Unpublished>,
    /// Those of them that have been revised.
    pub revisions: RevisionsById,
    /// Digests of what was refused lately, so that a feed that stays broken writes one reject.
    pub refused: Vec<Digest>,
    /// Guids and links that more than one article has borne: they identify none.
    pub repeated_marks: BTreeSet<String>,
    /// The id by which each later mark of an article finds it, where its publisher changed its marks.
    pub aliases: BTreeMap<ArticleId, ArticleId>,
    /// The version of reading by which the digests were made; 0 for states that do not say.
    pub reading: u32,
    /// What a later version has added to the state: written again as it was.
    pub unknown: Map<String, Value>,
}

impl FeedMemory {
    /// Whether the next poll would publish the same by either, whatever it is answered.
    pub fn publishes_like(&self, other: &Self) -> bool {
        self.seen.tells_like(&other.seen)
            && self.refused == other.refused
            && self.repeated_marks == other.repeated_marks
            && self.aliases == other.aliases
            && self.reading == other.reading
            && self.language == other.language
            && self.character == other.character
            && self.revisions == other.revisions
    }

    /// What it takes unpacked or as written, whichever is more, bytes.
    pub fn size(&self) -> u64 {
        let text = |text: &String| text.len() as u64 + TEXT_BYTES;
        let texts = |texts: &Option<String>| texts.as_ref().map_or(0, text);
        let validators = self.validators.iter().map(|(url, validators)| {
            text(url) + texts(&validators.etag) + texts(&validators.last_modified)
        });
        let unknown = match self.unknown.is_empty() {
            true => 0,
            false => serde_json::to_string(&self.unknown).map_or(0, |text| text.len() as u64),
        };
        self.seen.len() as u64 * SEEN_BYTES
            + validators.sum::<u64>()
            + self.repeated_marks.iter().map(text).sum::<u64>()
            + self.aliases.len() as u64 * ALIAS_BYTES
            + texts(&self.language)
            + self.character.iter().map(|it| texts(&it.title) + texts(&it.domain)).sum::<u64>()
            + self.refused.len() as u64 * TEXT_BYTES
            + self.revisions.values().map(Revisions::size).sum::<u64>()
            + unknown
    }
}
