//! A feed's memory in one allocation: what is held of the feeds that are not being polled.
//!
//! A restored daemon holds the memory of every feed and reads that of a few. As maps and strings, twenty
//! articles take some 4 kB in 60 allocations; packed they take some 950 bytes in one. States that
//! differ in their plan alone share the allocation.
//!
//! The packed form exists in RAM only, so it has no version: what a ledger keeps is
//! [`StateRecord`](super::StateRecord). It begins with what every poll needs, which is read without
//! unpacking the rest. One memory has exactly one packed form, so that equal bytes mean equal memories.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::bytes::{Bytes, Packer};
use super::{
    Character, Content, FeedMemory, Revisions, RevisionsById, Room, Seen, SeenArticle, Unpublished,
    validator,
};
use crate::{ArticleId, Digest, Timestamp, Validators};

/// Bits of the first byte of a packed memory.
mod holds {
    pub(super) const BODY_DIGEST: u8 = 1;
    pub(super) const LANGUAGE: u8 = 1 << 1;
    pub(super) const UNPUBLISHED: u8 = 1 << 2;
    pub(super) const UNKNOWN: u8 = 1 << 3;
    pub(super) const REVISIONS: u8 = 1 << 4;
    pub(super) const ALIASES: u8 = 1 << 5;
    pub(super) const READING: u8 = 1 << 6;
    pub(super) const CHARACTER: u8 = 1 << 7;
}

/// Bits of the byte that precedes each seen article.
mod article {
    /// It is in the window of the state's last poll; otherwise `last_seen` follows, counted back from the head's.
    pub(super) const IN_WINDOW: u8 = 1;
    /// Its revision is 1; otherwise the revision follows.
    pub(super) const FIRST_REVISION: u8 = 1 << 1;
    pub(super) const RELEVANCE_KNOWN: u8 = 1 << 2;
    pub(super) const RELEVANT: u8 = 1 << 3;
    /// `updated` follows.
    pub(super) const UPDATED: u8 = 1 << 4;
    /// `source` follows.
    pub(super) const SOURCE: u8 = 1 << 5;
    /// `content` follows.
    pub(super) const CONTENT: u8 = 1 << 6;
}

/// A feed's memory, packed. Cloning it shares the allocation.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedMemory(Arc<[u8]>);

/// What a packed memory begins with.
struct Head {
    holds: u8,
    body_digest: Option<Digest>,
    size: u64,
    articles: u64,
    window: u64,
    /// The last poll that saw an article which is not in the window. A feed that is polled for a year counts to 35,000: three
    /// bytes an article, and the few polls between this one and that take one.
    departed: u64,
}

impl PackedMemory {
    /// Packs the memory of a state whose last poll was `sequence`.
    pub(super) fn pack(memory: &FeedMemory, sequence: u64) -> Self {
        let mut packer = Packer::default();
        let windows =
            Windows { current: sequence, departed: last_departed(&memory.seen, sequence) };
        pack_head(&mut packer, memory, windows);
        pack_validators(&mut packer, &memory.validators);
        if let Some(language) = &memory.language {
            packer.text(language);
        }
        if let Some(character) = &memory.character {
            pack_character(&mut packer, character);
        }
        packer.number(memory.refused.len() as u64);
        memory.refused.iter().for_each(|digest| packer.array(&digest.0));
        packer.number(memory.repeated_marks.len() as u64);
        memory.repeated_marks.iter().for_each(|mark| packer.text(mark));
        if !memory.unpublished.is_empty() {
            pack_unpublished(&mut packer, &memory.unpublished);
        }
        if !memory.revisions.is_empty() {
            pack_revisions(&mut packer, &memory.revisions);
        }
        if !memory.aliases.is_empty() {
            packer.number(memory.aliases.len() as u64);
            for (alias, id) in &memory.aliases {
                packer.array(&alias.0);
                packer.array(&id.0);
            }
        }
        if memory.reading > 0 {
            packer.number(memory.reading.into());
        }
        if !memory.unknown.is_empty() {
            // Names and values that were read from JSON: there is nothing that it cannot hold.
            packer.text(&serde_json::to_string(&memory.unknown).unwrap_or_default());
        }
        memory.seen.iter().for_each(|(id, seen)| pack_article(&mut packer, *id, *seen, windows));
        Self(packer.finish())
    }

    /// The memory of a state whose last poll is `sequence`.
    pub(super) fn unpack(&self, sequence: u64) -> FeedMemory {
        #[cfg(any(test, feature = "samples"))]
        super::unpackings::count();
        let mut bytes = Bytes::new(&self.0);
        let head = Head::read(&mut bytes);
        let validators = unpack_validators(&mut bytes);
        let language = (head.holds & holds::LANGUAGE > 0).then(|| bytes.text());
        let character = match head.holds & holds::CHARACTER {
            0 => None,
            _ => Some(unpack_character(&mut bytes)),
        };
        let refused = (0..bytes.number()).map(|_| Digest(bytes.array())).collect();
        let repeated_marks = (0..bytes.number()).map(|_| bytes.text()).collect();
        let unpublished = match head.has_unpublished() {
            true => unpack_unpublished(&mut bytes),
            false => BTreeMap::new(),
        };
        let revisions = match head.holds & holds::REVISIONS {
            0 => RevisionsById::new(),
            _ => unpack_revisions(&mut bytes),
        };
        let aliases = match head.holds & holds::ALIASES {
            0 => BTreeMap::new(),
            _ => {
                let count = bytes.number();
                let pair = |_| (ArticleId(bytes.array()), ArticleId(bytes.array()));
                (0..count).map(pair).collect()
            }
        };
        let reading = match head.holds & holds::READING {
            0 => 0,
            _ => u32::try_from(bytes.number()).unwrap_or(u32::MAX),
        };
        let unknown = match head.holds & holds::UNKNOWN {
            0 => Map::new(),
            _ => unpack_unknown(&bytes.text()),
        };
        let windows = Windows { current: sequence, departed: head.departed };
        let seen = (0..head.articles).map(|_| unpack_article(&mut bytes, windows));
        FeedMemory {
            body_digest: head.body_digest,
            validators,
            language,
            character,
            seen: Seen::from_iter(seen),
            unpublished,
            revisions,
            refused,
            repeated_marks,
            aliases,
            reading,
            unknown,
        }
    }

    /// Digest of the last document read.
    pub fn body_digest(&self) -> Option<Digest> {
        self.head().body_digest
    }

    /// Validators by URL of the redirect chain.
    pub fn validators(&self) -> BTreeMap<String, Validators> {
        let mut bytes = Bytes::new(&self.0);
        let _head = Head::read(&mut bytes);
        unpack_validators(&mut bytes)
    }

    /// How many articles are remembered.
    pub fn articles(&self) -> u64 {
        self.head().articles
    }

    /// How many of them the last document held.
    pub fn window(&self) -> u64 {
        self.head().window
    }

    /// Whether articles wait for room.
    pub fn has_unpublished(&self) -> bool {
        self.head().has_unpublished()
    }

    /// [`FeedMemory::size`].
    pub fn size(&self) -> u64 {
        self.head().size
    }

    /// Whether the next poll would publish the same by either, whatever it is answered.
    pub fn publishes_like(&self, other: &Self) -> bool {
        // Nobody compares windows, so any sequence does.
        self.is_shared_with(other)
            || self == other
            || self.unpack(0).publishes_like(&other.unpack(0))
    }

    /// Whether both are one allocation.
    pub fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Bytes that it takes.
    pub fn packed_bytes(&self) -> usize {
        self.0.len()
    }

    fn head(&self) -> Head {
        Head::read(&mut Bytes::new(&self.0))
    }
}

impl Default for PackedMemory {
    fn default() -> Self {
        Self::pack(&FeedMemory::default(), 0)
    }
}

impl std::fmt::Debug for PackedMemory {
    /// Articles of the window show 0 as `last_seen`: the state knows which poll that was.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.unpack(0).fmt(f)
    }
}

impl Head {
    fn read(bytes: &mut Bytes<'_>) -> Self {
        let holds = bytes.byte();
        let body_digest = (holds & holds::BODY_DIGEST > 0).then(|| Digest(bytes.array()));
        let (size, articles, window) = (bytes.number(), bytes.number(), bytes.number());
        let departed = if articles > window { bytes.number() } else { 0 };
        Self { holds, body_digest, size, articles, window, departed }
    }

    fn has_unpublished(&self) -> bool {
        self.holds & holds::UNPUBLISHED > 0
    }
}

fn pack_head(packer: &mut Packer, memory: &FeedMemory, windows: Windows) {
    let bit = |is_there: bool, bit: u8| if is_there { bit } else { 0 };
    packer.byte(
        bit(memory.body_digest.is_some(), holds::BODY_DIGEST)
            | bit(memory.language.is_some(), holds::LANGUAGE)
            | bit(!memory.unpublished.is_empty(), holds::UNPUBLISHED)
            | bit(!memory.unknown.is_empty(), holds::UNKNOWN)
            | bit(!memory.revisions.is_empty(), holds::REVISIONS)
            | bit(!memory.aliases.is_empty(), holds::ALIASES)
            | bit(memory.reading > 0, holds::READING)
            | bit(memory.character.is_some(), holds::CHARACTER),
    );
    if let Some(digest) = memory.body_digest {
        packer.array(&digest.0);
    }
    packer.number(memory.size());
    let (articles, window) = (memory.seen.len() as u64, memory.seen.window(windows.current));
    packer.number(articles);
    packer.number(window);
    if articles > window {
        packer.number(windows.departed);
    }
}

/// The last poll that saw an article which that of `sequence` did not see.
fn last_departed(seen: &Seen, sequence: u64) -> u64 {
    let departed = seen.iter().filter(|(_, article)| article.last_seen != sequence);
    departed.map(|(_, article)| article.last_seen).max().unwrap_or_default()
}

fn pack_validators(packer: &mut Packer, validators: &BTreeMap<String, Validators>) {
    packer.number(validators.len() as u64);
    for (url, Validators { etag, last_modified }) in validators {
        packer.text(url);
        packer.byte(u8::from(etag.is_some()) | u8::from(last_modified.is_some()) << 1);
        etag.iter().chain(last_modified).for_each(|text| validator::pack(packer, text));
    }
}

fn unpack_validators(bytes: &mut Bytes<'_>) -> BTreeMap<String, Validators> {
    let count = bytes.number();
    let one = |_| {
        let url = bytes.text();
        let holds = bytes.byte();
        let etag = (holds & 1 > 0).then(|| validator::unpack(bytes));
        let last_modified = (holds & 2 > 0).then(|| validator::unpack(bytes));
        (url, Validators { etag, last_modified })
    };
    (0..count).map(one).collect()
}

fn pack_character(packer: &mut Packer, Character { title, domain }: &Character) {
    packer.byte(u8::from(title.is_some()) | u8::from(domain.is_some()) << 1);
    title.iter().chain(domain).for_each(|text| packer.text(text));
}

fn unpack_character(bytes: &mut Bytes<'_>) -> Character {
    let holds = bytes.byte();
    let title = (holds & 1 > 0).then(|| bytes.text());
    let domain = (holds & 2 > 0).then(|| bytes.text());
    Character { title, domain }
}

fn pack_unpublished(packer: &mut Packer, unpublished: &BTreeMap<ArticleId, Unpublished>) {
    packer.number(unpublished.len() as u64);
    for (id, Unpublished { room, digest, at }) in unpublished {
        packer.array(&id.0);
        packer.array(&digest.0);
        packer.number(room.bytes);
        packer.number(room.limit);
        pack_time(packer, *at);
    }
}

fn pack_time(packer: &mut Packer, at: Timestamp) {
    packer.array(&at.as_second().to_le_bytes());
    packer.array(&at.subsec_nanosecond().to_le_bytes());
}

fn unpack_time(bytes: &mut Bytes<'_>) -> Timestamp {
    let (second, nanosecond) =
        (i64::from_le_bytes(bytes.array()), i32::from_le_bytes(bytes.array()));
    Timestamp::new(second, nanosecond).unwrap_or_default()
}

fn pack_revisions(packer: &mut Packer, revisions: &RevisionsById) {
    packer.number(revisions.len() as u64);
    for (id, Revisions { earlier, back, at, published_in, said, words, changing }) in revisions {
        packer.array(&id.0);
        packer.number(earlier.len() as u64);
        earlier.iter().for_each(|digest| packer.array(&digest.0));
        packer.byte(u8::from(said.is_some()) | u8::from(back.is_some()) << 1);
        if let Some((digest, times)) = back {
            packer.array(&digest.0);
            packer.number((*times).into());
        }
        said.iter().for_each(|digest| packer.array(&digest.0));
        pack_time(packer, *at);
        packer.number(*published_in);
        packer.number(words.len() as u64);
        words.iter().for_each(|word| packer.array(&word.to_le_bytes()));
        packer.number((*changing).into());
    }
}

fn unpack_revisions(bytes: &mut Bytes<'_>) -> RevisionsById {
    let count = bytes.number();
    let one = |_| {
        let id = ArticleId(bytes.array());
        let earlier = (0..bytes.number()).map(|_| Digest(bytes.array())).collect();
        let holds = bytes.byte();
        let back = (holds & 2 > 0).then(|| {
            let digest = Digest(bytes.array());
            (digest, u32::try_from(bytes.number()).unwrap_or(u32::MAX))
        });
        let said = (holds & 1 > 0).then(|| Digest(bytes.array()));
        let (at, published_in) = (unpack_time(bytes), bytes.number());
        let words = (0..bytes.number()).map(|_| u32::from_le_bytes(bytes.array())).collect();
        let changing = u32::try_from(bytes.number()).unwrap_or(u32::MAX);
        (id, Revisions { earlier, back, at, published_in, said, words, changing })
    };
    (0..count).map(one).collect()
}

fn unpack_unpublished(bytes: &mut Bytes<'_>) -> BTreeMap<ArticleId, Unpublished> {
    let count = bytes.number();
    let one = |_| {
        let (id, digest) = (ArticleId(bytes.array()), Digest(bytes.array()));
        let room = Room { bytes: bytes.number(), limit: bytes.number() };
        (id, Unpublished { room, digest, at: unpack_time(bytes) })
    };
    (0..count).map(one).collect()
}

fn unpack_unknown(text: &str) -> Map<String, Value> {
    // Our own text, of the line above that made it.
    serde_json::from_str(text).unwrap_or_default()
}

/// Which poll an article was last seen in, mostly.
#[derive(Clone, Copy)]
struct Windows {
    /// That of the state.
    current: u64,
    /// See [`Head::departed`].
    departed: u64,
}

fn pack_article(packer: &mut Packer, id: ArticleId, seen: SeenArticle, windows: Windows) {
    let SeenArticle { digest, revision, last_seen, relevant, updated, content, source } = seen;
    let (is_in_window, is_first) = (last_seen == windows.current, revision == 1);
    let bit = |is_so: bool, bit: u8| if is_so { bit } else { 0 };
    packer.byte(
        bit(is_in_window, article::IN_WINDOW)
            | bit(is_first, article::FIRST_REVISION)
            | bit(relevant.is_some(), article::RELEVANCE_KNOWN)
            | bit(relevant == Some(true), article::RELEVANT)
            | bit(updated.is_some(), article::UPDATED)
            | bit(content.is_some(), article::CONTENT)
            | bit(source.is_some(), article::SOURCE),
    );
    packer.array(&id.0);
    packer.array(&digest.0);
    if !is_first {
        packer.number(revision.into());
    }
    if !is_in_window {
        packer.number(windows.departed.saturating_sub(last_seen));
    }
    if let Some(updated) = updated {
        packer.array(&updated.to_le_bytes());
    }
    if let Some(Content(content)) = content {
        packer.array(&content);
    }
    if let Some(Digest(source)) = source {
        packer.array(&source);
    }
}

fn unpack_article(bytes: &mut Bytes<'_>, windows: Windows) -> (ArticleId, SeenArticle) {
    let bits = bytes.byte();
    let is = |bit: u8| bits & bit > 0;
    let (id, digest) = (ArticleId(bytes.array()), Digest(bytes.array()));
    let revision = match is(article::FIRST_REVISION) {
        true => 1,
        false => u32::try_from(bytes.number()).unwrap_or(u32::MAX),
    };
    let last_seen = match is(article::IN_WINDOW) {
        true => windows.current,
        false => windows.departed.saturating_sub(bytes.number()),
    };
    let relevant = is(article::RELEVANCE_KNOWN).then_some(is(article::RELEVANT));
    let updated = is(article::UPDATED).then(|| u32::from_le_bytes(bytes.array()));
    let content = is(article::CONTENT).then(|| Content(bytes.array()));
    let source = is(article::SOURCE).then(|| Digest(bytes.array()));
    (id, SeenArticle { digest, revision, last_seen, relevant, updated, content, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{FeedState, UnpackedState};

    /// Bytes that the memory of a newspaper's feed may take: twenty articles, an `ETag` and a date.
    ///
    /// With the counts of its `Arc` it is a piece of at most 1,024 bytes then; the allocator's next larger one has 1,280.
    const TWENTY_ARTICLES_MAX: usize = 980;

    /// Polls of a feed that is asked each quarter of an hour, after a year.
    const POLLS: u64 = 35_000;

    /// The two counts of an `Arc`.
    const ARC_BYTES: usize = 16;

    /// A state as `forget_departed` leaves it: a window of thirty, and who left it.
    fn memory(articles: u16) -> FeedMemory {
        let seen = |number: u16| {
            let [high, low] = number.to_be_bytes();
            let (id, digest) =
                (ArticleId([[high; 8], [low; 8]].concat().try_into().unwrap()), Digest([low; 8]));
            let relevant = Some(number.is_multiple_of(2));
            let content = (number < 130).then_some(Content([high ^ low; 8]));
            let source = (number < 30).then_some(Digest([high | low; 8]));
            let (revision, updated) = (1, None);
            let last_seen = if number < 30 { POLLS } else { POLLS - u64::from(number) };
            (id, SeenArticle { digest, revision, last_seen, relevant, updated, content, source })
        };
        let validators = Validators {
            etag: Some("\"5f0c8e7a1b2c3d4e5f0c8e7a1b2c3d4e\"".to_owned()),
            last_modified: Some("Sun, 01 Mar 2026 12:00:00 GMT".to_owned()),
        };
        FeedMemory {
            body_digest: Some(Digest([1; 8])),
            validators: BTreeMap::from([(
                "https://news.example/feeds/world.rss".to_owned(),
                validators,
            )]),
            language: Some("en".to_owned()),
            seen: (0..articles).map(seen).collect(),
            ..FeedMemory::default()
        }
    }

    #[test]
    fn twenty_articles_take_as_little_as_they_may() {
        let packed = PackedMemory::pack(&memory(20), POLLS);
        assert!(packed.packed_bytes() <= TWENTY_ARTICLES_MAX, "{} bytes", packed.packed_bytes());
        let each = packed.packed_bytes() - PackedMemory::pack(&memory(19), POLLS).packed_bytes();
        assert_eq!(each, 41, "an article: id, digest, content, source and one byte");
    }

    #[test]
    fn a_state_takes_six_kilobytes_with_thirty_articles_and_twenty_with_all_it_may_remember() {
        for (articles, bytes_max) in [(30, 6 << 10), (530, 20 << 10)] {
            let packed = PackedMemory::pack(&memory(articles), POLLS).packed_bytes();
            let bytes = size_of::<FeedState>() + packed;
            assert!(bytes <= bytes_max, "{bytes} bytes with {articles} articles");
            // The allocator's next larger pieces have a quarter more.
            assert!(packed <= (16 << 10) - ARC_BYTES, "{packed} bytes with {articles} articles");
        }
    }

    #[test]
    fn a_state_without_its_memory_takes_as_little_as_it_may() {
        let bytes = size_of::<FeedState>() + ARC_BYTES;
        assert!(bytes <= 640, "{bytes} bytes, and the allocator's next larger piece has 768");
    }

    #[test]
    fn what_every_poll_needs_is_read_without_unpacking() {
        let state = UnpackedState { memory: memory(20), ..UnpackedState::default() }.pack();
        let unpacked = super::super::unpackings::during(|| {
            let copy = FeedState::clone(&state);
            assert!(copy.memory.is_shared_with(&state.memory) && copy.publishes_like(&state));
            assert_eq!(copy.memory.validators().len(), 1);
            assert_eq!((copy.memory.articles(), copy.memory.window()), (20, 0));
            assert!(copy.memory.body_digest().is_some() && !copy.memory.has_unpublished());
        });
        assert_eq!(unpacked, 0);
        assert_eq!(super::super::unpackings::during(|| drop(state.unpack())), 1);
    }
}
