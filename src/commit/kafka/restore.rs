//! Reads a lane's partition of the state topic: feed states and `__lane`, to the end of the log.
//!
//! The end is the high watermark as a `read_uncommitted` client sees it, asked for after the lane was
//! fenced; the reading is `read_committed` and done when its *position* is there. A count of records
//! would prove nothing: aborted records and the markers of transactions have offsets too. The end of
//! a partition as the broker tells it would prove little: after a change of leaders it may lag.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::hash::HASH_VERSION;
use super::settings::KafkaSettings;
use super::wire::{HEAD_VERSION, Head};
use super::{Watcher, logged};
use crate::commit::{Past, States};
use crate::fault::{self, Point};
use crate::model::{FeedId, Timestamp};
use crate::state::{FeedState, is_readable};

/// How long one request, or one look for records, may take.
const SLICE: Duration = Duration::from_millis(500);

/// How long a lane may take to be read while nothing of it arrives.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Why a lane was not read.
#[derive(Debug)]
pub(super) enum RestoreError {
    /// Brokers are away or slow, or do not let us: may work next time.
    Away(String),
    /// The log says what it cannot say if nothing was lost: somebody must look.
    Contradiction(String),
    /// We were told to stop.
    Told,
}

/// What a lane's partition says.
#[derive(Debug, Default)]
pub(super) struct Restored {
    /// Of every feed ever committed in the lane.
    pub(super) states: States,
    /// The end of the last transaction.
    pub(super) tip: Tip,
}

/// The end of a lane's log: its last `__lane`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    /// `None`: nothing was ever committed.
    pub(super) head: Option<Head>,
    /// Where it stands in the partition; -1 if there is none.
    pub(super) offset: i64,
}

impl Default for Tip {
    fn default() -> Self {
        Self { head: None, offset: -1 }
    }
}

impl Tip {
    /// Transactions ever committed.
    pub(super) fn sequence(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.sequence)
    }

    /// How the lane stands for `instance`, which takes it up now. One without a log was never polled.
    pub(super) fn past(&self, instance: &str, now: Timestamp) -> Past {
        self.head.as_ref().map_or_else(Past::default, |head| head.past(instance, now))
    }
}

struct Context;

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        logged(level, fac, message, None);
    }

    /// Errors come with what is polled.
    fn error(&self, _error: KafkaError, _reason: &str) {}
}

impl ConsumerContext for Context {}

/// One lane's partition.
pub(super) struct Partition<'a> {
    pub(super) settings: &'a KafkaSettings,
    pub(super) watcher: &'a Watcher,
    pub(super) lane: u32,
}

impl Partition<'_> {
    /// Reads the whole partition. `is_told` says whether to give up.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub(super) fn restore(&self, is_told: impl Fn() -> bool) -> Result<Restored, RestoreError> {
        let mut reading = Reading::default();
        let mut states = States::new();
        self.read(Offset::Beginning, &is_told, |key, value, offset| {
            fault::point(Point::InRestore);
            if key == FeedId::RESERVED {
                return reading.head(value, offset);
            }
            if key.starts_with(FeedId::RESERVED_PREFIX) {
                // What a later version keeps there is no feed's.
                return Ok(());
            }
            let id = FeedId::parse(key).map_err(|error| format!("offset {offset}: {error}"))?;
            let Some(value) = value else {
                states.remove(&id);
                return Ok(());
            };
            let state = FeedState::parse(value)
                .map_err(|why| format!("offset {offset}, feed \"{id}\": {why}"))?;
            if let Some(earlier) = states.get(&id)
                && earlier.sequence >= state.sequence
            {
                reading.went_back(format!(
                    "the state of feed \"{id}\" goes from {} to {} at offset {offset}",
                    earlier.sequence, state.sequence
                ));
            }
            states.insert(id, state.into());
            Ok(())
        })?;
        let tip = reading.tip().map_err(|why| self.contradiction(&why))?;
        Ok(Restored { states, tip })
    }

    /// Every `__lane` after the one at `offset`, oldest first, with its offset.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub(super) fn heads_after(
        &self,
        offset: i64,
        is_told: impl Fn() -> bool,
    ) -> Result<Vec<(Head, i64)>, RestoreError> {
        let mut heads = Vec::new();
        self.read(Offset::Offset(offset.max(0)), &is_told, |key, value, at| {
            if key == FeedId::RESERVED && at > offset {
                heads.push((read_head(value, at)?, at));
            }
            Ok(())
        })?;
        Ok(heads)
    }

    /// Reads from an offset to the high watermark.
    fn read(
        &self,
        from: Offset,
        is_told: &impl Fn() -> bool,
        mut take: impl FnMut(&str, Option<&[u8]>, i64) -> Result<(), String>,
    ) -> Result<(), RestoreError> {
        let topic = &self.settings.topics.state;
        let partition = i32::try_from(self.lane).unwrap_or_default();
        let (start, end) = self.watermarks(partition, is_told)?;
        if start >= end || matches!(from, Offset::Offset(from) if from >= end) {
            return Ok(());
        }
        let away = |error: KafkaError| RestoreError::Away(format!("topic \"{topic}\": {error}"));
        let reader = BaseConsumer::from_config_and_context(&self.settings.reader(), Context)
            .map_err(away)?;
        let mut assigned = TopicPartitionList::new();
        assigned.add_partition_offset(topic, partition, from).map_err(away)?;
        reader.assign(&assigned).map_err(away)?;
        let mut heard_at = Instant::now();
        while position(&reader).unwrap_or_default() < end {
            if is_told() {
                return Err(RestoreError::Told);
            }
            match reader.poll(SLICE) {
                Some(Ok(message)) => {
                    heard_at = Instant::now();
                    let offset = message.offset();
                    let key = std::str::from_utf8(message.key().unwrap_or_default());
                    let taken = key
                        .map_err(|_not_utf8| format!("offset {offset} has a key that is no text"))
                        .and_then(|key| take(key, message.payload(), offset));
                    taken.map_err(|why| self.contradiction(&why))?;
                }
                Some(Err(KafkaError::PartitionEOF(_))) | None => {}
                Some(Err(error)) if is_out_of_range(&error) => {
                    let why = "the log does not reach back to where it was read before; was the \
                               topic deleted and made anew?";
                    return Err(self.contradiction(why));
                }
                Some(Err(error)) if is_lasting(&error) => return Err(away(error)),
                // It goes on by itself: another leader, a broker that is back.
                Some(Err(_)) => {}
            }
            if heard_at.elapsed() >= SILENCE_MAX {
                return Err(RestoreError::Away(format!(
                    "partition {partition} of topic \"{topic}\" could not be read to its end \
                     ({end}) in {SILENCE_MAX:?}; if brokers are well, a transaction that is not \
                     ours may be open in it"
                )));
            }
        }
        Ok(())
    }

    /// Low and high watermark.
    fn watermarks(
        &self,
        partition: i32,
        is_told: &impl Fn() -> bool,
    ) -> Result<(i64, i64), RestoreError> {
        let topic = &self.settings.topics.state;
        let deadline = Instant::now() + SILENCE_MAX;
        loop {
            match self.watcher.fetch_watermarks(topic, partition, 4 * SLICE) {
                Ok(watermarks) => return Ok(watermarks),
                Err(error) if is_lasting(&error) || Instant::now() >= deadline => {
                    return Err(RestoreError::Away(format!("topic \"{topic}\": {error}")));
                }
                Err(_) if is_told() => return Err(RestoreError::Told),
                // A new leader does not know its end yet; a request was lost.
                Err(_) => self.watcher.rest(),
            }
        }
    }

    fn contradiction(&self, why: &str) -> RestoreError {
        let topic = &self.settings.topics.state;
        RestoreError::Contradiction(format!("partition {} of topic \"{topic}\": {why}", self.lane))
    }
}

/// States of these feeds in any lane, and the lane of each; the newest, if several lanes have one.
///
/// # Errors
/// [`RestoreError`].
pub(super) fn find(
    settings: &KafkaSettings,
    watcher: &Watcher,
    feeds: &[FeedId],
    is_told: impl Fn() -> bool,
) -> Result<HashMap<FeedId, (u32, Arc<FeedState>)>, RestoreError> {
    let wanted: HashSet<&FeedId> = feeds.iter().collect();
    let mut found: HashMap<FeedId, (u32, Arc<FeedState>)> = HashMap::new();
    for lane in 0..settings.lanes {
        let mut of_lane = States::new();
        let partition = Partition { settings, watcher, lane };
        partition.read(Offset::Beginning, &is_told, |key, value, offset| {
            let Some(id) = FeedId::parse(key).ok().filter(|id| wanted.contains(id)) else {
                return Ok(());
            };
            match value {
                Some(value) => {
                    let state = FeedState::parse(value)
                        .map_err(|why| format!("offset {offset}, feed \"{id}\": {why}"))?;
                    of_lane.insert(id, state.into());
                }
                None => {
                    of_lane.remove(&id);
                }
            }
            Ok(())
        })?;
        for (id, state) in of_lane {
            let is_newer = |(_, known): &(u32, Arc<FeedState>)| known.sequence < state.sequence;
            if found.get(&id).is_none_or(is_newer) {
                found.insert(id, (lane, state));
            }
        }
    }
    Ok(found)
}

fn position(reader: &BaseConsumer<Context>) -> Option<i64> {
    let positions = reader.position().ok()?;
    match positions.elements().first()?.offset() {
        Offset::Offset(offset) => Some(offset),
        Offset::Beginning
        | Offset::End
        | Offset::Stored
        | Offset::Invalid
        | Offset::OffsetTail(_) => None,
    }
}

/// Whether waiting would not help: somebody has to change something.
fn is_lasting(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::Authentication
        )
    )
}

fn is_out_of_range(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}

fn read_head(value: Option<&[u8]>, offset: i64) -> Result<Head, String> {
    let value = value.ok_or_else(|| format!("offset {offset} takes `__lane` back"))?;
    let head: Head = serde_json::from_slice(value)
        .map_err(|error| format!("`__lane` at offset {offset}: {error}"))?;
    if !is_readable(head.version, head.readable_from, HEAD_VERSION) {
        let version = head.version;
        return Err(format!("a newer conflictwire wrote `__lane` (version {version})"));
    }
    if head.hash != HASH_VERSION {
        return Err(format!(
            "hosts were dealt out by hash {}, this conflictwire uses {HASH_VERSION}",
            head.hash
        ));
    }
    Ok(head)
}

/// `__lane` records as they come by.
///
/// Sequences grow along the log. One that goes back says that the log lost something, or was written
/// to by somebody else; a later one above all before it says that somebody has looked and decided to
/// go on.
#[derive(Debug, Default)]
struct Reading {
    tip: Tip,
    highest: u64,
    problem: Option<String>,
}

impl Reading {
    fn head(&mut self, value: Option<&[u8]>, offset: i64) -> Result<(), String> {
        let head = read_head(value, offset)?;
        if head.sequence > self.highest {
            self.highest = head.sequence;
            self.problem = None;
        } else {
            self.went_back(format!(
                "its sequence goes from {} to {} at offset {offset}",
                self.highest, head.sequence
            ));
        }
        self.tip = Tip { head: Some(head), offset };
        Ok(())
    }

    fn went_back(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    fn tip(self) -> Result<Tip, String> {
        match self.problem {
            None => Ok(self.tip),
            Some(problem) => Err(format!(
                "{problem}: records were lost, or written by something else; nothing of this lane \
                 is polled until a `__lane` with a sequence above {} stands in the log",
                self.highest
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::samples::now;

    fn head(sequence: u64) -> Vec<u8> {
        let head = Head::after(sequence - 1, ("here", 1), 3, now());
        serde_json::to_vec(&head).unwrap()
    }

    fn read(sequences: &[u64]) -> Result<u64, String> {
        let mut reading = Reading::default();
        for (offset, sequence) in (0_i64..).zip(sequences) {
            reading.head(Some(&head(*sequence)), offset)?;
        }
        reading.tip().map(|tip| tip.sequence())
    }

    #[test]
    fn sequences_grow_also_where_compaction_took_some() {
        assert_eq!(read(&[]), Ok(0));
        assert_eq!(read(&[1, 2, 3]), Ok(3));
        assert_eq!(read(&[7, 9]), Ok(9));
    }

    #[test]
    fn a_sequence_that_goes_back_is_a_contradiction_until_somebody_has_looked() {
        let why = read(&[1, 2, 42, 17]).unwrap_err();
        assert!(why.starts_with("its sequence goes from 42 to 17 at offset 3"), "{why}");
        assert!(read(&[1, 2, 2]).is_err(), "twice the same");
        assert!(read(&[42, 17, 18]).is_err(), "still below");
        assert_eq!(read(&[42, 17, 43]), Ok(43));
    }

    #[test]
    fn a_lane_is_left_cleanly_only_by_the_word_of_its_last_owner() {
        let now = now();
        let left = |text: &str| {
            read_head(Some(text.as_bytes()), 0).unwrap().past("b", now).left_uncleanly_at
        };
        let of = |more: &str| {
            format!(
                r#"{{"version":1,"sequence":7,"instance":"a","term":1,"records":2,"hash":1,"at":""{more}}}"#
            )
        };
        assert_eq!(left(&of(r#","ended":true"#)), None);
        assert_eq!(left(&of(r#","ended":false"#)), Some(now));
        // As the first programs wrote it.
        assert_eq!(left(&of("")), Some(now));
        let since = r#","ended":true,"left_uncleanly_at":"2026-01-02T00:00:00Z""#;
        assert_eq!(left(&of(since)), "2026-01-02T00:00:00Z".parse().ok());
        assert_eq!(Tip::default().past("b", now), Past::default());
        // Lost and taken up again by the same process, which lives.
        let ours = read_head(Some(of(r#","ended":false"#).as_bytes()), 0).unwrap();
        assert_eq!(ours.past("a", now), Past::default());
    }

    #[test]
    fn a_head_of_another_hash_or_a_newer_version_is_refused() {
        let mut other = Head::after(0, ("here", 1), 3, now());
        other.hash = HASH_VERSION + 1;
        let text = serde_json::to_vec(&other).unwrap();
        assert!(read_head(Some(&text), 0).unwrap_err().contains("hash 2"));
        other = Head { version: HEAD_VERSION + 1, hash: HASH_VERSION, ..other };
        let text = serde_json::to_vec(&other).unwrap();
        assert!(read_head(Some(&text), 0).unwrap_err().contains("newer"));
        let mut later = serde_json::to_value(&other).unwrap();
        later["readable_from"] = HEAD_VERSION.into();
        later["zone"] = "x".into();
        assert_eq!(read_head(Some(later.to_string().as_bytes()), 0).unwrap().sequence, 1);
        assert!(read_head(None, 5).unwrap_err().contains("offset 5"));
    }
}
