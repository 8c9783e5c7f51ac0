//! An outcome as Kafka records: every byte made before a transaction begins. Pure.
//!
//! Keys, headers and values are a promise to consumers (`conflictwire schema asyncapi`). Headers are
//! those of CloudEvents 1.0 in binary mode and three of ours, so that a consumer can choose without
//! reading the value.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::hash::HASH_VERSION;
use super::settings::PartitionBy;
use crate::commit::{OwnerEnd, Past};
use crate::model::record::{REJECT_SCHEMA_ID, REJECT_SCHEMA_VERSION, SCHEMA_ID};
use crate::model::{ArticleId, FeedId, Outcome, Record, Reject, Route, Routed, Timestamp};
use crate::state::FeedState;

/// What librdkafka and the broker add to a record, and then some: headers are counted apart.
const FRAMING_BYTES: usize = 1024;

/// Which of the topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// Every article revision.
    Articles,
    /// Those about conflict.
    Conflict,
    /// What could not be read.
    Rejects,
    /// Feed states and `__lane`.
    State,
}

/// One Kafka record to be sent.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) target: Target,
    /// `None`: by the key.
    pub(super) partition: Option<i32>,
    pub(super) key: String,
    pub(super) headers: Vec<(&'static str, String)>,
    /// `None` takes the key back.
    pub(super) value: Option<Arc<[u8]>>,
    /// Which of the outcome's records it carries, if one.
    pub(super) record: Option<usize>,
}

impl Line {
    /// How much of `message.max.bytes` it takes at most.
    pub(super) fn bytes(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + value.len() + 10).sum();
        let value = self.value.as_ref().map_or(0, |value| value.len());
        self.key.len() + value + headers + FRAMING_BYTES
    }
}

/// Where a lane's records go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) lane: u32,
    pub(super) partition_by: PartitionBy,
    /// Partitions of the articles, conflict and rejects topics.
    pub(super) partitions: [u32; 3],
    /// What the topics take, bytes.
    pub(super) record_bytes_max: usize,
}

impl Layout {
    fn partition(&self, target: Target) -> Option<i32> {
        let [articles, conflict, rejects] = self.partitions;
        let partitions = match (target, self.partition_by) {
            (Target::State, _) => return i32::try_from(self.lane).ok(),
            (_, PartitionBy::Key) => return None,
            (Target::Articles, PartitionBy::Lane) => articles,
            (Target::Conflict, PartitionBy::Lane) => conflict,
            (Target::Rejects, PartitionBy::Lane) => rejects,
        };
        i32::try_from(self.lane % partitions.max(1)).ok()
    }

    fn line(&self, target: Target, key: &str, value: Vec<u8>) -> Line {
        Line {
            target,
            partition: self.partition(target),
            key: key.to_owned(),
            headers: Vec::new(),
            value: Some(value.into()),
            record: None,
        }
    }

    fn takes(&self, line: &Line) -> bool {
        line.bytes() <= self.record_bytes_max
    }

    /// Every line of an outcome, its state last. A record that is too large, or that a broker has
    /// `refused` before, becomes a reject; the state remembers its article as published all the
    /// same, so that it is not met again at every poll.
    ///
    /// # Errors
    /// Why the outcome cannot be written at all.
    pub(super) fn lines(
        &self,
        outcome: &Outcome,
        refused: &BTreeSet<usize>,
    ) -> Result<Vec<Line>, String> {
        let mut lines = Vec::new();
        for (index, Routed { record, route }) in outcome.records.iter().enumerate() {
            let article = self.article(index, record)?;
            if refused.contains(&index) || !self.takes(&article) {
                lines.push(self.unpublished(record, article.value.as_deref().unwrap_or_default())?);
                continue;
            }
            let is_told_there = match route {
                Route::Relevant | Route::Correction => true,
                Route::Articles => false,
            };
            if is_told_there {
                let partition = self.partition(Target::Conflict);
                lines.push(Line { target: Target::Conflict, partition, ..article.clone() });
            }
            lines.push(article);
        }
        for reject in &outcome.rejects {
            lines.push(self.reject(reject.clone())?);
        }
        lines.push(self.state(&outcome.feed_id, &outcome.state)?);
        Ok(lines)
    }

    fn article(&self, index: usize, record: &Record) -> Result<Line, String> {
        let value = serde_json::to_vec(record).map_err(|err| err.to_string())?;
        let mut headers = cloud_event(CloudEvent {
            id: format!("{}:{}", record.id, record.revision),
            source: &record.feed.url,
            kind: format!("conflictwire.article.{}", record.change.name()),
            time: &record.observed.at,
            subject: &record.id,
            schema: SCHEMA_ID,
        });
        headers.push(("cw_feed", record.feed.id.clone()));
        headers.extend(record.language.clone().map(|language| ("cw_lang", language)));
        let tags = record.conflict.iter().flat_map(|conflict| &conflict.tags);
        let tags = tags.map(|tag| tag.id.as_str()).collect::<Vec<_>>().join(",");
        if !tags.is_empty() {
            headers.push(("cw_tags", tags));
        }
        let line = self.line(Target::Articles, &record.id, value);
        Ok(Line { headers, record: Some(index), ..line })
    }

    /// The reject that stands for a record that no topic takes.
    fn unpublished(&self, record: &Record, value: &[u8]) -> Result<Line, String> {
        let mut hash = Sha256::new();
        hash.update((record.feed.id.len() as u64).to_be_bytes());
        hash.update(&record.feed.id);
        hash.update(value);
        let id = ArticleId(hash.finalize().first_chunk().copied().unwrap_or_default());
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
    fn reject(&self, reject: Reject) -> Result<Line, String> {
        let line = self.reject_line(&reject)?;
        if self.takes(&line) {
            return Ok(line);
        }
        let line = self.reject_line(&Reject { bytes: String::new(), ..reject })?;
        if self.takes(&line) { Ok(line) } else { Err(self.too_large("a reject", &line)) }
    }

    fn reject_line(&self, reject: &Reject) -> Result<Line, String> {
        let value = serde_json::to_vec(reject).map_err(|err| err.to_string())?;
        let mut headers = cloud_event(CloudEvent {
            id: reject.id.clone(),
            source: &reject.url,
            kind: "conflictwire.reject.created".to_owned(),
            time: &reject.at,
            subject: &reject.id,
            schema: REJECT_SCHEMA_ID,
        });
        headers.push(("cw_feed", reject.feed_id.clone()));
        let line = self.line(Target::Rejects, &reject.id, value);
        Ok(Line { headers, ..line })
    }

    /// A feed's state.
    pub(super) fn state(&self, feed: &FeedId, state: &FeedState) -> Result<Line, String> {
        let value = serde_json::to_vec(state).map_err(|err| err.to_string())?;
        let line = self.line(Target::State, feed.as_str(), value);
        if self.takes(&line) {
            return Ok(line);
        }
        let what = format!("the state of feed \"{feed}\"");
        Err(format!(
            "{}; raise max.message.bytes of the topics, or lower parse.entries_max",
            self.too_large(&what, &line)
        ))
    }

    /// A feed's state has moved here from another lane: there it is taken back, so that it is not found
    /// again should the feed return.
    pub(super) fn left(&self, feed: &FeedId, lane: u32) -> Line {
        let line = self.line(Target::State, feed.as_str(), Vec::new());
        Line { partition: i32::try_from(lane).ok(), value: None, ..line }
    }

    fn too_large(&self, what: &str, line: &Line) -> String {
        format!("{what} has {} bytes; the topics take {}", line.bytes(), self.record_bytes_max)
    }

    /// The last line of every transaction.
    pub(super) fn head(&self, head: &Head) -> Result<Line, String> {
        let value = serde_json::to_vec(head).map_err(|err| err.to_string())?;
        Ok(self.line(Target::State, FeedId::RESERVED, value))
    }
}

/// The version of [`Head`].
pub(super) const HEAD_VERSION: u32 = 1;

/// The value of `__lane`: what the last transaction of a lane was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Of this form, [`HEAD_VERSION`].
    pub(super) version: u32,
    /// Transactions ever committed in the lane, this one included.
    pub(super) sequence: u64,
    /// The process that wrote it.
    pub(super) instance: String,
    /// Which of the times that process had the lane.
    pub(super) term: u64,
    /// Lines of the transaction before this one.
    pub(super) records: u64,
    /// Which hash gave the lane its hosts.
    pub(super) hash: u32,
    /// When; RFC 3339.
    pub(super) at: String,
    /// Whether the writer gave the lane back with it. Programs that do not write it do not say how
    /// they ended, which counts as no clean end.
    #[serde(default)]
    pub(super) ended: bool,
    /// When it was last found that the lane had been left uncleanly, while that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) left_uncleanly_at: Option<Timestamp>,
}

impl Head {
    /// The one that follows `sequence`.
    pub(super) fn after(sequence: u64, writer: (&str, u64), records: usize, at: Timestamp) -> Self {
        Self {
            version: HEAD_VERSION,
            sequence: sequence.saturating_add(1),
            instance: writer.0.to_owned(),
            term: writer.1,
            records: records as u64,
            hash: HASH_VERSION,
            at: format!("{at:.3}"),
            ended: false,
            left_uncleanly_at: None,
        }
    }

    /// How the lane stands for `instance`, which takes it up now, after this. A process that lost the
    /// lane and has it again has not ended.
    pub(super) fn past(&self, instance: &str, now: Timestamp) -> Past {
        let past = Past { left_uncleanly_at: self.left_uncleanly_at };
        let is_clean = self.ended || self.instance == instance;
        past.after(if is_clean { OwnerEnd::Clean } else { OwnerEnd::Unclean }, now)
    }

    /// Whether both were written by the same attempt.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        (self.sequence, &self.instance, self.term) == (other.sequence, &other.instance, other.term)
    }
}

/// What the headers are made of.
struct CloudEvent<'a> {
    id: String,
    source: &'a str,
    kind: String,
    time: &'a str,
    subject: &'a str,
    schema: &'a str,
}

/// CloudEvents 1.0, binary mode of the Kafka binding.
fn cloud_event(event: CloudEvent<'_>) -> Vec<(&'static str, String)> {
    vec![
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", event.id),
        ("ce_source", event.source.to_owned()),
        ("ce_type", event.kind),
        ("ce_time", event.time.to_owned()),
        ("ce_subject", event.subject.to_owned()),
        ("ce_dataschema", event.schema.to_owned()),
        ("content-type", "application/json".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::samples::{outcome, record, reject, tagged};

    fn layout(partition_by: PartitionBy, record_bytes_max: usize) -> Layout {
        Layout { lane: 5, partition_by, partitions: [12, 4, 1], record_bytes_max }
    }

    fn lines(layout: Layout, outcome: &Outcome) -> Vec<Line> {
        layout.lines(outcome, &BTreeSet::new()).unwrap()
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

    #[test]
    fn a_record_that_a_broker_refused_is_a_reject() {
        let outcome = outcome("a", 1, vec![record(1, "one"), record(2, "two")]);
        let layout = layout(PartitionBy::Lane, 1 << 20);
        let lines = layout.lines(&outcome, &BTreeSet::from([1])).unwrap();
        let targets: Vec<_> = lines.iter().map(|line| line.target).collect();
        assert_eq!(targets, [Target::Articles, Target::Rejects, Target::State]);
    }

    #[test]
    fn a_state_that_is_too_large_is_no_outcome() {
        let outcome = outcome("a", 1, Vec::new());
        let refused = layout(PartitionBy::Lane, 100).lines(&outcome, &BTreeSet::new());
        let why = refused.unwrap_err();
        assert!(why.starts_with("the state of feed \"a\" has "), "{why}");
        assert!(why.contains("parse.entries_max"), "{why}");
    }
}
