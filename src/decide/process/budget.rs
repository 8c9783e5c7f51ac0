//! What an outcome holds, counted while it is made: past its limit nothing more is made of a document.

use cw_model::state::{FeedPlan, TEXT_BYTES};
use cw_model::{Feed, Record, Reject};

/// What an outcome may hold for each entry that its feed may have: a short article with many tags,
/// their codes and their evidence.
const OUTCOME_PER_ENTRY: u64 = 8 << 10;

/// What it may hold besides for each byte of the document: a control character is six bytes in JSON,
/// and the same words may be evidence of several tags.
const OUTCOME_PER_BODY_BYTE: u64 = 16;

/// What any outcome may hold: a state with all that a feed can make it remember, and a few rejects.
const OUTCOME_FLOOR: u64 = 1 << 20;

/// No outcome holds more than this many times `fetch.body_limit`: of prose dense with conflict, whose
/// every tag has all the evidence it may have, some two and a half are made.
const OUTCOME_PER_BODY_LIMIT: u64 = 4;

/// The texts that every record has.
const RECORD_TEXTS: u64 = 16;

/// The most that all of an outcome may hold, made of a body of so many bytes: records, rejects and
/// state, in memory or as written, whichever is more.
pub fn outcome_bytes_max(feed: &Feed, body_bytes: usize) -> u64 {
    let body = u64::try_from(body_bytes).unwrap_or(u64::MAX);
    let entries = u64::try_from(feed.entries_max).unwrap_or(u64::MAX);
    let grown = OUTCOME_FLOOR
        .saturating_add(entries.saturating_mul(OUTCOME_PER_ENTRY))
        .saturating_add(body.saturating_mul(OUTCOME_PER_BODY_BYTE));
    grown.min(outcome_bytes_limit(feed.body_limit))
}

/// The most that any outcome of a feed may hold whose bodies have this limit.
pub fn outcome_bytes_limit(body_limit: u64) -> u64 {
    OUTCOME_FLOOR.max(body_limit.saturating_mul(OUTCOME_PER_BODY_LIMIT))
}

/// More was made of a document than an outcome may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent {
    /// What it may hold.
    pub(super) bytes_max: u64,
}

/// What an outcome may hold, and what it holds so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    bytes_max: u64,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, bytes: 0 }
    }

    /// What it holds so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts what is about to be added.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), Spent> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.bytes_max { Err(Spent { bytes_max: self.bytes_max }) } else { Ok(()) }
    }
}

/// What a record takes, in memory or as written, whichever is more.
pub(super) fn record_bytes(record: &Record) -> u64 {
    let tags = record.conflict.iter().flat_map(|conflict| &conflict.tags);
    let of_tags = tags.map(|tag| {
        let related = &tag.related;
        // One text for each code and each name: what the allocator adds to a text is more than most
        // of them have.
        let codes =
            [&related.acled, &related.plover, &related.cameo, &related.iptc, &related.gdelt];
        let roles = tag.roles.as_ref().map_or(0, Vec::len);
        4 + codes.into_iter().flatten().map(Vec::len).sum::<usize>() + roles + tag.evidence.len()
    });
    let actors = record.conflict.iter().flat_map(|conflict| &conflict.actors).flatten();
    let of_actors = actors.map(|actor| 4 + actor.evidence.len());
    let places = record.conflict.iter().flat_map(|conflict| &conflict.places).flatten();
    let of_places = places.map(|place| 4 + place.evidence.len());
    let casualties = record.conflict.iter().flat_map(|conflict| &conflict.casualties).flatten();
    let of_casualties = casualties.map(|casualties| 1 + casualties.evidence.len());
    let listed = record.authors.len() + record.categories.len() + 4 * record.media.len();
    let texts = listed
        + of_tags.sum::<usize>()
        + of_actors.sum::<usize>()
        + of_places.sum::<usize>()
        + of_casualties.sum::<usize>();
    // Written into a counter: nothing is allocated for what may be refused.
    json_bytes(|length| serde_json::to_writer(length, record))
        .saturating_add(RECORD_TEXTS * TEXT_BYTES)
        .saturating_add(texts as u64 * TEXT_BYTES)
}

/// What a reject takes.
pub(super) fn reject_bytes(reject: &Reject) -> u64 {
    json_bytes(|length| serde_json::to_writer(length, reject)).saturating_add(8 * TEXT_BYTES)
}

/// What a state takes whose memory takes so much.
pub(super) fn state_bytes(plan: &FeedPlan, memory: u64) -> u64 {
    let text = |text: &str| text.len() as u64 + TEXT_BYTES;
    let failure = plan.last_failure.as_ref().map(|failure| failure.detail.as_str());
    let texts = [plan.url.as_deref(), plan.moved_to.as_deref(), failure];
    let hub = plan.subscription.as_ref().map_or(0, |hub| hub.size() as u64 + TEXT_BYTES);
    memory + hub + texts.into_iter().flatten().map(text).sum::<u64>()
}

/// How long a value is as JSON. What cannot be written has no length here; the ledger refuses it.
fn json_bytes(write: impl FnOnce(&mut Length) -> serde_json::Result<()>) -> u64 {
    let mut length = Length(0);
    match write(&mut length) {
        Ok(()) | Err(_) => length.0,
    }
}

/// Counts what is written to it.
struct Length(u64);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
