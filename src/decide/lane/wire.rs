//! An outcome as Kafka records: every byte made before a transaction begins. Pure.
//!
//! Keys, headers and values are a promise to consumers (`conflictwire schema asyncapi`). Headers are
//! those of CloudEvents 1.0 in binary mode and three of ours, so that a consumer can choose without
//! reading the value.

use std::collections::BTreeSet;
use std::sync::Arc;

use cw_model::digest::refused_id;
use cw_model::record::REJECT_SCHEMA_VERSION;
use cw_model::state::{FeedState, Room, UnpackedState};
use cw_model::{ArticleId, FeedId, Outcome, Record, Reject, Route, Routed, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use super::hash::HASH_VERSION;
use super::header;
use crate::{OwnerEnd, Past};

/// What librdkafka and the broker add to a record, and then some: headers are counted apart.
const FRAMING_BYTES: usize = 1024;

/// Which partition of the data topics a record goes to (`kafka.partition_by`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionBy {
    /// Lane n to partition n modulo the partitions: few partitions in a transaction, and the
    /// records of a feed in order.
    Lane,
    /// By the article's id, as a Java producer would (murmur2): an article's revisions in order.
    Key,
}

/// Which of the topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Target {
    /// Every article revision.
    Articles,
    /// Those about conflict.
    Conflict,
    /// What could not be read.
    Rejects,
    /// Feed states and `__lane`; a partition for each lane.
    State,
}

impl Target {
    /// Its name in metrics and in AsyncAPI.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What is in it, in a few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Articles => "every revision of every article",
            Self::Conflict => {
                "those about conflict, and the revisions with which an article stops being so"
            }
            Self::Rejects => "what could not be read, and why",
            Self::State => "what the next poll of each feed must know; a partition for each lane",
        }
    }
}

/// One Kafka record to be sent.
#[derive(Clone, Debug)]
pub struct Line {
    /// To which topic.
    pub target: Target,
    /// `None`: by the key.
    pub partition: Option<i32>,
    /// The record's key: an article's or reject's id, a feed's id, or `__lane`.
    pub key: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// `None` takes the key back.
    pub value: Option<Arc<[u8]>>,
    /// Which of the outcome's records it carries, if one.
    pub record: Option<usize>,
}

impl Line {
    /// How much of `message.max.bytes` it takes at most.
    pub fn bytes(&self) -> usize {
        let headers: usize =
            // Each header has two lengths as varints of at most five bytes (record format v2).
            self.headers.iter().map(|(name, value)| name.len() + value.len() + 10).sum();
        let value = self.value.as_ref().map_or(0, |value| value.len());
        self.key.len() + value + headers + FRAMING_BYTES
    }
}

/// Where a lane's records go.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Which lane.
    pub lane: u32,
    /// How a record's partition is chosen.
    pub partition_by: PartitionBy,
    /// Partitions of the articles, conflict and rejects topics.
    pub partitions: [u32; 3],
    /// What the topics take, bytes; as assumed, where it is not known.
    pub record_bytes_max: usize,
    /// What they are known to take.
    pub known_bytes_max: Option<usize>,
}

/// Why an outcome or a state cannot be written at all.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// It has no form as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Even without the refused bytes the topics do not take a reject.
    #[error("a reject has {bytes} bytes; the topics take {limit}")]
    RejectTooLarge {
        /// What it takes.
        bytes: usize,
        /// What a record may take.
        limit: usize,
    },
    /// The topics do not take the state of the feed.
    #[error(
        "the state of feed \"{feed}\" has {bytes} bytes; the topics take {limit}; raise \
         max.message.bytes of the topics, or lower parse.entries_max"
    )]
    StateTooLarge {
        /// Whose.
        feed: FeedId,
        /// What it takes.
        bytes: usize,
        /// What a record may take.
        limit: usize,
    },
    /// A broker refused a record that nothing can stand for.
    #[error(
        "a broker refused a reject of the feed, or its state of {bytes} bytes; raise \
         max.message.bytes of the topics"
    )]
    Refused {
        /// What the state takes.
        bytes: usize,
    },
}

/// What becomes of an outcome.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// In the order they are sent.
    pub lines: Vec<Line>,
    /// The state they end with, if it is not the outcome's.
    pub state: Option<Arc<FeedState>>,
    /// What is not among them.
    pub left_out: Vec<LeftOut>,
}

/// A record that no topic takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub article: String,
    /// Which revision of it.
    pub revision: u32,
    /// What it takes, bytes.
    pub bytes: usize,
    /// Whether it is published once there is room.
    pub is_waiting: bool,
}

/// How long the refusal of a broker stands that nobody can explain.
const REFUSAL_STANDS: SignedDuration = SignedDuration::from_hours(1);

impl Layout {
    pub(super) fn partition(&self, target: Target) -> Option<i32> {
        let [articles, conflict, rejects] = self.partitions;
        let partitions = match (target, self.partition_by) {
            // Always by lane, whatever `partition_by` says: a lane is its partition, and one writer
            // is fenced for it.
            (Target::State, _) => return i32::try_from(self.lane).ok(),
            (_, PartitionBy::Key) => return None,
            (Target::Articles, PartitionBy::Lane) => articles,
            (Target::Conflict, PartitionBy::Lane) => conflict,
            (Target::Rejects, PartitionBy::Lane) => rejects,
        };
        i32::try_from(self.lane % partitions.max(1)).ok()
    }

    pub(super) fn line(&self, target: Target, key: &str, value: Vec<u8>) -> Line {
        Line {
            target,
            partition: self.partition(target),
            key: key.to_owned(),
            headers: Vec::new(),
            value: Some(value.into()),
            record: None,
        }
    }

    pub(super) fn takes(&self, line: &Line) -> bool {
        line.bytes() <= self.record_bytes_max
    }

    /// Every line of an outcome, its state last. A record that is too large, or that a broker has
    /// `refused` before, becomes a reject, once; the state remembers that its article is not
    /// published, and how much room it needs.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn draft(&self, outcome: &Outcome, refused: &BTreeSet<usize>) -> Result<Draft, Unwritable> {
        let mut lines = Vec::new();
        // Unpacked for the first record that changes it.
        let mut changed: Option<UnpackedState> = None;
        let mut left_out = Vec::new();
        for (index, Routed { record, route }) in outcome.records.iter().enumerate() {
            let article = self.article(index, record)?;
            let id = ArticleId::parse(&record.id).ok();
            if refused.contains(&index) || !self.takes(&article) {
                let state = changed.get_or_insert_with(|| outcome.state.unpack());
                let digest = id.and_then(|id| state.memory.seen.find(id)).map(|seen| seen.digest);
                let before = id.and_then(|id| state.memory.unpublished.get(&id));
                // The same revision of the article was refused before. One reject for it is enough.
                let is_told = before.is_some_and(|before| Some(before.digest) == digest);
                if !is_told {
                    let value = article.value.as_deref().unwrap_or_default();
                    lines.push(self.unpublished(record, value)?);
                }
                let (bytes, limit) = (article.bytes(), self.known_bytes_max.unwrap_or(0));
                let room = Room { bytes: bytes as u64, limit: limit as u64 };
                let is_waiting = id.is_some_and(|id| state.leave_unpublished(id, *route, room));
                let (article, revision) = (record.id.clone(), record.revision);
                left_out.push(LeftOut { article, revision, bytes, is_waiting });
                continue;
            }
            if let Some(id) = id.filter(|_| outcome.state.memory.has_unpublished()) {
                let state = changed.get_or_insert_with(|| outcome.state.unpack());
                state.memory.unpublished.remove(&id);
            }
            let is_told_there = match route {
                Route::Relevant | Route::Correction => true,
                Route::Articles => false,
            };
            if is_told_there {
                let partition = self.partition(Target::Conflict);
                // The same value in both topics: `article.clone()` shares its bytes.
                lines.push(Line { target: Target::Conflict, partition, ..article.clone() });
            }
            lines.push(article);
        }
        for reject in &outcome.rejects {
            lines.push(self.reject(reject.clone())?);
        }
        let state = changed.map(UnpackedState::pack).filter(|state| *state != *outcome.state);
        let state = state.map(Arc::new);
        lines.push(self.state(&outcome.feed_id, state.as_ref().unwrap_or(&outcome.state))?);
        Ok(Draft { lines, state, left_out })
    }

    /// A state as it is polled by, once the lane is taken up: what waited for room and has it now is
    /// tried again. What a broker refused although it should have had room is tried again too, but not
    /// each time that a lane is taken up: that costs a transaction.
    pub fn tried_again(&self, state: Arc<FeedState>, now: Timestamp) -> Arc<FeedState> {
        if !state.memory.has_unpublished() {
            return state;
        }
        let mut next = state.unpack();
        let is_tried = next.try_again(|one| {
            let has_grown = self.known_bytes_max.is_some_and(|known| known as u64 > one.room.limit);
            let is_old = now.duration_since(one.at) >= REFUSAL_STANDS;
            one.room.bytes <= self.record_bytes_max as u64 && (has_grown || is_old)
        });
        // The same allocation where nothing changed: states that are equal stay shared.
        if is_tried { next.pack().into() } else { state }
    }

    fn article(&self, index: usize, record: &Record) -> Result<Line, Unwritable> {
        let value = serde_json::to_vec(record)?;
        let line = self.line(Target::Articles, &record.id, value);
        Ok(Line { headers: header::of_article(record), record: Some(index), ..line })
    }

    /// The reject that stands for a record that no topic takes.
    fn unpublished(&self, record: &Record, value: &[u8]) -> Result<Line, Unwritable> {
        let id = refused_id(&record.feed.id, value);
        let detail = format!(
            "the record of revision {} of article \"{}\" has {} bytes; the topics take {}, or a \
             broker refused it",
            record.revision,
            record.id,
            value.len(),
            self.record_bytes_max
        );
        let reject = Reject {
            schema: REJECT_SCHEMA_VERSION.to_owned(),
            id: id.to_string(),
            feed_id: record.feed.id.clone(),
            url: record.feed.url.clone(),
            reason: "record".to_owned(),
            detail,
            offset: None,
            length: 0,
            bytes: String::new(),
            at: record.observed.at.clone(),
        };
        self.reject(reject.holding(value))
    }

    /// A reject, with as many of the refused bytes as the topic takes.
    pub(super) fn reject(&self, reject: Reject) -> Result<Line, Unwritable> {
        let line = self.reject_line(&reject)?;
        if self.takes(&line) {
            return Ok(line);
        }
        let empty = self.reject_line(&Reject { bytes: String::new(), ..reject.clone() })?;
        if !self.takes(&empty) {
            let (bytes, limit) = (empty.bytes(), self.record_bytes_max);
            return Err(Unwritable::RejectTooLarge { bytes, limit });
        }
        // Groups of four characters hold three bytes each.
        let room = self.record_bytes_max - empty.bytes();
        let bytes = reject.bytes.get(..room / 4 * 4).unwrap_or_default().to_owned();
        self.reject_line(&Reject { bytes, ..reject })
    }

    fn reject_line(&self, reject: &Reject) -> Result<Line, Unwritable> {
        let value = serde_json::to_vec(reject)?;
        let line = self.line(Target::Rejects, &reject.id, value);
        Ok(Line { headers: header::of_reject(reject), ..line })
    }

    /// A feed's state.
    ///
    /// # Errors
    /// [`Unwritable`]: it is too large.
    pub fn state(&self, feed: &FeedId, state: &FeedState) -> Result<Line, Unwritable> {
        let value = state.written()?.into_bytes();
        let line = self.line(Target::State, feed.as_str(), value);
        if self.takes(&line) {
            return Ok(line);
        }
        let (feed, bytes, limit) = (feed.clone(), line.bytes(), self.record_bytes_max);
        Err(Unwritable::StateTooLarge { feed, bytes, limit })
    }

    /// The last line of every transaction.
    pub fn head(&self, head: &Head) -> Line {
        // Texts and numbers under names that are texts: there is nothing that JSON cannot hold.
        let value = serde_json::to_vec(head).unwrap_or_default();
        self.line(Target::State, FeedId::RESERVED, value)
    }
}

/// The version of [`Head`].
pub const HEAD_VERSION: u32 = 1;

/// The value of `__lane`: what the last transaction of a lane was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Of this form, [`HEAD_VERSION`].
    pub version: u32,
    /// The first version that reads it, if that is not `version`: of later versions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_from: Option<u32>,
    /// Transactions ever committed in the lane, this one included.
    pub sequence: u64,
    /// The process that wrote it.
    pub instance: String,
    /// Under which lease of that process: later ones have higher numbers.
    #[serde(rename = "term")]
    pub epoch: u64,
    /// Lines of the transaction before this one.
    pub records: u64,
    /// Which hash gave the lane its hosts.
    pub hash: u32,
    /// When; RFC 3339.
    pub at: String,
    /// Whether the writer gave the lane back with it. Programs that do not write it do not say how
    /// they ended, which counts as no clean end.
    #[serde(default)]
    pub ended: bool,
    /// When it was last found that the lane had been left uncleanly, while that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_uncleanly_at: Option<Timestamp>,
}

impl Head {
    /// The one that follows `sequence`.
    pub fn after(sequence: u64, writer: (&str, u64), records: usize, at: Timestamp) -> Self {
        Self {
            version: HEAD_VERSION,
            readable_from: None,
            sequence: sequence.saturating_add(1),
            instance: writer.0.to_owned(),
            epoch: writer.1,
            records: records as u64,
            hash: HASH_VERSION,
            at: format!("{at:.3}"),
            ended: false,
            left_uncleanly_at: None,
        }
    }

    /// How the lane stands for `instance`, which takes it up now, after this. A process that lost the
    /// lane and has it again has not ended.
    pub fn past(&self, instance: &str, now: Timestamp) -> Past {
        let past = Past { left_uncleanly_at: self.left_uncleanly_at };
        let is_clean = self.ended || self.instance == instance;
        past.after(if is_clean { OwnerEnd::Clean } else { OwnerEnd::Unclean }, now)
    }

    /// Whether both were written by the same attempt.
    pub fn is_of(&self, other: &Self) -> bool {
        (self.sequence, &self.instance, self.epoch)
            == (other.sequence, &other.instance, other.epoch)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use cw_model::Digest;
    use cw_model::record::SCHEMA_ID;
    use cw_model::samples::{now, outcome, record, reject, tagged};
    use cw_model::state::SeenArticle;

    use super::*;

    fn layout(partition_by: PartitionBy, record_bytes_max: usize) -> Layout {
        let known_bytes_max = Some(record_bytes_max);
        Layout { lane: 5, partition_by, partitions: [12, 4, 1], record_bytes_max, known_bytes_max }
    }

    fn lines(layout: Layout, outcome: &Outcome) -> Vec<Line> {
        layout.draft(outcome, &BTreeSet::new()).unwrap().lines
    }

    fn header<'a>(line: &'a Line, name: &str) -> Option<&'a str> {
        line.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_relevant_record_goes_to_both_topics_and_the_state_comes_last() {
        let mut outcome = outcome("a", 3, vec![record(1, "one"), tagged(2, "two", "strike.air")]);
        outcome.rejects.push(reject(9));
        let lines = lines(layout(PartitionBy::Lane, 1 << 20), &outcome);
        let places: Vec<_> = lines.iter().map(|line| (line.target, line.partition)).collect();
        assert_eq!(
            places,
            [
                (Target::Articles, Some(5)),
                (Target::Conflict, Some(1)),
                (Target::Articles, Some(5)),
                (Target::Rejects, Some(0)),
                (Target::State, Some(5)),
            ]
        );
        assert_eq!(lines[1].value, lines[2].value);
        assert_eq!(lines[4].key, "a");
        assert_eq!(FeedState::parse(lines[4].value.as_deref().unwrap()).unwrap(), *outcome.state);
    }

    #[test]
    fn headers_say_what_the_value_is() {
        let outcome = outcome("a", 1, vec![tagged(2, "two", "strike.air")]);
        let line = lines(layout(PartitionBy::Key, 1 << 20), &outcome).remove(1);
        assert_eq!((line.partition, line.key.len()), (None, 32));
        let id = format!("{}:1", line.key);
        for (name, value) in [
            ("ce_specversion", "1.0"),
            ("ce_id", id.as_str()),
            ("ce_source", "https://example.org/rss"),
            ("ce_type", "conflictwire.article.created"),
            ("ce_time", "2026-01-02T03:04:05Z"),
            ("ce_subject", line.key.as_str()),
            ("ce_dataschema", SCHEMA_ID),
            ("content-type", "application/json"),
            ("cw_feed", "a"),
            ("cw_lang", "en"),
            ("cw_tags", "strike.air"),
        ] {
            assert_eq!(header(&line, name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_record_that_is_too_large_is_a_reject_and_its_neighbours_are_not() {
        let long = "x".repeat(8000);
        let outcome = outcome("a", 1, vec![record(1, &long), record(2, "two")]);
        let lines = lines(layout(PartitionBy::Lane, 16_000 / 2 + 1024), &outcome);
        let targets: Vec<_> = lines.iter().map(|line| line.target).collect();
        assert_eq!(targets, [Target::Rejects, Target::Articles, Target::State]);
        let reject: Reject = serde_json::from_slice(lines[0].value.as_deref().unwrap()).unwrap();
        assert_eq!((reject.reason.as_str(), reject.feed_id.as_str()), ("record", "a"));
        assert!(reject.detail.contains("revision 1 of article"), "{}", reject.detail);
        assert!(lines.iter().all(|line| line.bytes() <= 16_000 / 2 + 1024));
    }

    /// An outcome whose state has seen its records, as `process` makes it.
    fn seen(records: Vec<Record>) -> Outcome {
        let mut outcome = outcome("a", 4, records);
        let mut state = outcome.state.unpack();
        state.plan.polled_at = Some(now());
        for Routed { record, .. } in &outcome.records {
            let id = ArticleId::parse(&record.id).unwrap();
            let (digest, revision) = (Digest([9; 8]), record.revision);
            let seen = SeenArticle {
                digest,
                revision,
                last_seen: 4,
                relevant: None,
                updated: None,
                content: None,
                source: None,
            };
            state.memory.seen.remember(id, seen);
        }
        outcome.state = state.pack().into();
        outcome
    }

    #[test]
    fn what_does_not_fit_waits_for_room_and_is_then_the_revision_it_was() {
        let small = layout(PartitionBy::Lane, 6000);
        let outcome = seen(vec![record(1, &"x".repeat(8000)), record(2, "two")]);
        let draft = small.draft(&outcome, &BTreeSet::new()).unwrap();
        let state = draft.state.unwrap();
        let (one, two) = (
            ArticleId::parse(&outcome.records[0].record.id).unwrap(),
            outcome.records[1].record.id.clone(),
        );
        assert_eq!(state.unpacked_memory().seen.find(one).unwrap().revision, 0);
        assert_eq!(
            state.unpacked_memory().seen.find(ArticleId::parse(&two).unwrap()).unwrap().revision,
            1
        );
        assert!(draft.left_out[0].is_waiting && draft.left_out[0].bytes > 8000);

        // The same room: neither tried nor told again, and an hour changes nothing.
        let later = now() + SignedDuration::from_hours(9);
        assert!(Arc::ptr_eq(&small.tried_again(Arc::clone(&state), later), &state));
        let mut again = Outcome { state: Arc::clone(&state), ..outcome.clone() };
        again.records.truncate(1);
        let told = small.draft(&again, &BTreeSet::new()).unwrap();
        assert_eq!(told.lines.len(), 1, "no second reject: {:?}", told.lines);

        let large = layout(PartitionBy::Lane, 1 << 20);
        let tried = large.tried_again(Arc::clone(&state), now());
        assert_ne!(
            tried.unpacked_memory().seen.find(one).unwrap().digest,
            Digest([9; 8]),
            "looks changed"
        );
        let draft = large.draft(&Outcome { state: tried, ..again }, &BTreeSet::new()).unwrap();
        assert!(draft.state.unwrap().unpacked_memory().unpublished.is_empty());
        assert_eq!(draft.lines.len(), 2, "article and state");
    }

    #[test]
    fn a_refusal_that_nobody_can_explain_stands_for_an_hour() {
        let unknown = Layout { known_bytes_max: None, ..layout(PartitionBy::Lane, 1 << 20) };
        let outcome = seen(vec![record(1, "one")]);
        let state = unknown.draft(&outcome, &BTreeSet::from([0])).unwrap().state.unwrap();
        assert!(Arc::ptr_eq(&unknown.tried_again(Arc::clone(&state), now()), &state));
        let later = now() + SignedDuration::from_hours(1);
        assert!(!Arc::ptr_eq(&unknown.tried_again(Arc::clone(&state), later), &state));
        // Somebody has let us see what topics take: that is more than was known.
        let known = Layout { known_bytes_max: Some(1 << 20), ..unknown };
        assert!(!Arc::ptr_eq(&known.tried_again(Arc::clone(&state), now()), &state));
    }

    #[test]
    fn a_reject_holds_as_many_bytes_as_fit() {
        let refusal = Reject { bytes: "QUJD".repeat(5000), length: 15_000, ..reject(9) };
        let layout = layout(PartitionBy::Lane, 6000);
        let line = layout.reject(refusal).unwrap();
        let written: Reject = serde_json::from_slice(line.value.as_deref().unwrap()).unwrap();
        assert!(layout.takes(&line) && line.bytes() > 6000 - 8, "{}", line.bytes());
        assert!(STANDARD.decode(&written.bytes).unwrap().len() > 1000);
        assert_eq!(written.length, 15_000, "of all there was");
    }

    #[test]
    fn a_record_that_a_broker_refused_is_a_reject() {
        let outcome = outcome("a", 1, vec![record(1, "one"), record(2, "two")]);
        let layout = layout(PartitionBy::Lane, 1 << 20);
        let lines = layout.draft(&outcome, &BTreeSet::from([1])).unwrap().lines;
        let targets: Vec<_> = lines.iter().map(|line| line.target).collect();
        assert_eq!(targets, [Target::Articles, Target::Rejects, Target::State]);
    }

    #[test]
    fn a_state_that_is_too_large_is_no_outcome() {
        let outcome = outcome("a", 1, Vec::new());
        let refused = layout(PartitionBy::Lane, 100).draft(&outcome, &BTreeSet::new());
        let why = refused.unwrap_err().to_string();
        assert!(why.starts_with("the state of feed \"a\" has "), "{why}");
        assert!(why.contains("parse.entries_max"), "{why}");
    }
}
