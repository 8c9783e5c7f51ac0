//! Reads what is committed to topics, beside the daemon that writes it: for commands.
//!
//! Outside the group: partitions are assigned, nothing is committed, so no replica notices. Only what
//! is committed is seen (`read_committed`): the end of a partition is the end of the last finished
//! transaction. Partitions that a topic gets while it is followed are seen at the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cw_model::state::FeedState;
use cw_model::{FeedId, Timestamp};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message as _, Offset};
use tokio::time::Instant;

use super::client::{Client, Step};
use super::cluster::QUESTION;
use super::error::{AccessError, is_away};
use super::owners::{Owners, OwnersError};
use super::replicas::owners;
use super::settings::KafkaSettings;
use crate::ledger::filter::{Facts, Filter};

/// How long a reader waits for a first answer.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// How long nothing may arrive from a partition that has more, before its broker counts as away.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// Between two looks at what came.
const POLL: Duration = Duration::from_millis(100);

/// How long one question takes whether brokers are back. An interrupt waits for its end.
const TRY: Duration = Duration::from_millis(500);

/// How far back in each partition [`TopicReader::last`] looks for records that fit a filter.
const LOOK_BACK_MAX: i64 = 100_000;

/// The most records that [`Follower::next`] gives at once: they are some kilobytes each.
const RECORDS_MAX: usize = 500;

/// A committed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// When it was committed, milliseconds since 1970.
    pub at_ms: i64,
    /// Its place: partition and offset.
    pub place: (i32, i64),
    /// The record as it was committed: JSON.
    pub text: String,
}

/// Offsets of a partition: from the first to before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: i64,
    end: i64,
}

/// What it means that nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Nothing that fits was ever committed.
    NeverCommitted,
    /// Nothing that fits is there. Older records were there, and have been removed.
    Removed,
    /// Nothing that fits is among the last of a partition, and nobody looked further back.
    NotFound {
        /// So many of each partition were looked at.
        looked_at: u64,
    },
}

/// Reads one topic.
pub struct TopicReader {
    client: Client,
    settings: KafkaSettings,
    topic: String,
    /// What each partition held when it was opened.
    held: BTreeMap<i32, Span>,
}

impl std::fmt::Debug for TopicReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicReader").field("held", &self.held).finish_non_exhaustive()
    }
}

impl TopicReader {
    /// Finds the brokers, and what each partition of a topic holds. Blocks for some seconds if they
    /// do not answer.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn open(settings: &KafkaSettings, topic: &str) -> Result<Self, AccessError> {
        let client = Client::of_command(settings.reader())?;
        client.brokers(CONNECT_WAIT).map_err(|why| why.at(settings))?;
        let shape = client.topic(topic, QUESTION).map_err(|why| why.at(settings))?;
        let (topic, settings) = (topic.to_owned(), settings.clone());
        let mut reader = Self { client, settings, topic, held: BTreeMap::new() };
        for partition in (0_i32..).take(usize::try_from(shape.partitions).unwrap_or_default()) {
            let marks = reader.client.watermarks(&reader.topic, partition, QUESTION);
            let (start, end) = marks.map_err(|error| reader.failure(&error))?;
            reader.held.insert(partition, Span { start, end });
        }
        Ok(reader)
    }

    /// The last `count` that were committed and fit, oldest first. Looks at the last 100,000 records
    /// of each partition at most.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn last(&self, filter: &Filter, count: u32) -> Result<Vec<Published>, AccessError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count == 0 {
            return Ok(Vec::new());
        }
        // Every transaction leaves a mark of its own, so half of the offsets may hold no record.
        let mut back =
            i64::try_from(count.saturating_mul(2)).unwrap_or(i64::MAX).saturating_add(16);
        let mut found: Vec<Published> = Vec::new();
        let mut spans: BTreeMap<i32, Span> = self
            .held
            .iter()
            .map(|(partition, held)| (*partition, Span { start: held.end, end: held.end }))
            .collect();
        // Looks back further and further, because nobody knows how many records of a partition fit
        // the filter.
        loop {
            for (partition, span) in &mut spans {
                let lowest = self.lowest(*partition);
                *span =
                    Span { start: span.start.saturating_sub(back).max(lowest), end: span.start };
            }
            let mut oldest: BTreeMap<i32, i64> = BTreeMap::new();
            self.read(&spans, &mut |message| {
                let published = published(message);
                let seen = oldest.entry(message.partition()).or_insert(i64::MAX);
                *seen = published.at_ms.min(*seen);
                if is_wanted(filter, &published.text) {
                    found.push(published);
                }
            })?;
            found.sort_by_key(|published| (published.at_ms, published.place));
            // Only so many are kept while reading goes on: a wide filter would hold the whole
            // topic.
            found.drain(..found.len().saturating_sub(count));
            let is_enough = found.len() == count;
            let newer_than = found.first().map_or(i64::MIN, |first| first.at_ms);
            spans.retain(|partition, span| {
                let has_more = span.start > self.lowest(*partition);
                // Timestamps of a partition grow, give or take the clocks of two replicas.
                let may_be_newer = oldest.get(partition).is_none_or(|oldest| *oldest > newer_than);
                has_more && (!is_enough || may_be_newer)
            });
            if spans.is_empty() {
                return Ok(found);
            }
            back = back.saturating_mul(4);
        }
    }

    /// What it means that [`TopicReader::last`] found nothing.
    pub fn absence(&self) -> Absence {
        let is_removed = |span: &Span| span.start > 0;
        if self.held.values().any(|span| span.end - span.start > LOOK_BACK_MAX) {
            Absence::NotFound { looked_at: LOOK_BACK_MAX.unsigned_abs() }
        } else if self.held.values().any(is_removed) {
            Absence::Removed
        } else {
            Absence::NeverCommitted
        }
    }

    /// Where looking back in a partition ends.
    fn lowest(&self, partition: i32) -> i64 {
        let held = self.held.get(&partition).copied().unwrap_or(Span { start: 0, end: 0 });
        held.start.max(held.end.saturating_sub(LOOK_BACK_MAX))
    }

    /// Reads parts of partitions, whole.
    fn read(
        &self,
        spans: &BTreeMap<i32, Span>,
        take: &mut dyn FnMut(&BorrowedMessage<'_>),
    ) -> Result<(), AccessError> {
        let part =
            |(partition, span): (&i32, &Span)| (*partition, Offset::Offset(span.start), span.end);
        let parts: Vec<_> = spans.iter().map(part).collect();
        let reading = self.client.read(&self.topic, &parts, SILENCE_MAX);
        let mut reading = reading.map_err(|error| self.failure(&error))?;
        loop {
            match reading.next() {
                Step::Record(message) => take(&message),
                Step::Failed(error) if !is_away(&error) => return Err(self.failure(&error)),
                Step::Failed(_) | Step::Waiting | Step::PartitionEnd => {}
                Step::Silent => {
                    let timed_out = RDKafkaErrorCode::OperationTimedOut;
                    return Err(self.failure(&KafkaError::MessageConsumption(timed_out)));
                }
                Step::End => return Ok(()),
            }
        }
    }

    /// Goes on with what is committed after it was opened.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn follow(self) -> Result<Follower, AccessError> {
        let starts =
            self.held.iter().map(|(partition, held)| (*partition, Offset::Offset(held.end)));
        let assigned = self.client.assign(&self.topic, starts);
        assigned.map_err(|error| self.failure(&error))?;
        Ok(Follower { reader: self, is_away: false })
    }

    /// What an error of a call means.
    fn failure(&self, error: &KafkaError) -> AccessError {
        if is_away(error) {
            return AccessError::Unanswered(self.client.why(error)).at(&self.settings);
        }
        AccessError::of_reading(&self.topic, error)
    }
}

fn published(message: &BorrowedMessage<'_>) -> Published {
    let text = String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned();
    Published {
        at_ms: message.timestamp().to_millis().unwrap_or_default(),
        place: (message.partition(), message.offset()),
        text,
    }
}

/// Whether a record matches. A value that is no record matches only the empty filter.
fn is_wanted(filter: &Filter, text: &str) -> bool {
    filter.is_empty() || Facts::of(text).is_some_and(|facts| filter.admits(&facts))
}

/// What following came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// A record.
    Published(Published),
    /// No broker answers any more; it is tried again and again.
    Away(String),
    /// One does again.
    Back,
}

/// Follows one topic. Keeps trying while brokers are away.
#[derive(Debug)]
pub struct Follower {
    reader: TopicReader,
    is_away: bool,
}

impl Follower {
    /// What came and fits, within `wait`; some at a time, those of a partition in order.
    ///
    /// # Errors
    /// [`AccessError`] where trying again does not help.
    pub fn next(&mut self, filter: &Filter, wait: Duration) -> Result<Vec<Followed>, AccessError> {
        let until = Instant::now() + wait;
        let mut followed = Vec::new();
        let consumer = self.reader.client.consumer();
        while followed.len() < RECORDS_MAX {
            let left = until.saturating_duration_since(Instant::now());
            match consumer.poll(left.min(POLL)) {
                Some(Ok(message)) => {
                    if std::mem::take(&mut self.is_away) {
                        followed.push(Followed::Back);
                    }
                    let published = published(&message);
                    if is_wanted(filter, &published.text) {
                        followed.push(Followed::Published(published));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error))
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown)
                        && !std::mem::replace(&mut self.is_away, true) =>
                {
                    followed.push(Followed::Away(consumer.context().texts().join("; ")));
                }
                Some(Err(error)) if is_away(&error) => {}
                Some(Err(error)) => return Err(self.reader.failure(&error)),
                None if left.is_zero() => break,
                None => {}
            }
        }
        // If nothing is published, no record shows that brokers are back: ask them.
        if self.is_away && consumer.fetch_metadata(Some(&self.reader.topic), TRY).is_ok() {
            self.is_away = false;
            followed.push(Followed::Back);
        }
        Ok(followed)
    }
}

/// A feed's state as the state topic has it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredState {
    /// The lane that has it: not that of its host, if its URL had another one before.
    pub lane: u32,
    /// The state.
    pub state: Arc<FeedState>,
    /// When it was committed. What happened since is not written yet, or nobody has polled.
    pub written_at: Timestamp,
}

/// What the state topic says, and who writes it.
#[derive(Debug)]
pub struct Stored {
    /// Of every feed ever committed, whichever lane it is in.
    pub states: BTreeMap<FeedId, StoredState>,
    /// Who has the lanes now, or why that is not known.
    pub owners: Result<Owners, OwnersError>,
    /// Lanes whose log has lost its beginning: if a feed has no state there, nobody knows whether
    /// it was polled.
    pub cut_lanes: BTreeSet<u32>,
}

/// The newest value of a key in one partition.
struct Newest {
    at_ms: i64,
    value: Vec<u8>,
}

/// The state of every feed that the state topic knows, and who has the lanes.
///
/// # Errors
/// [`AccessError`].
pub fn read_states(settings: &KafkaSettings) -> Result<Stored, AccessError> {
    let reader = TopicReader::open(settings, &settings.topics.state)?;
    // By partition: earlier versions moved a feed to another lane and took it back in the one it left,
    // and the partitions come in no order.
    let mut newest: BTreeMap<(i32, Vec<u8>), Option<Newest>> = BTreeMap::new();
    reader.read(&reader.held, &mut |message| {
        if let Some(key) = message.key().filter(is_of_a_feed) {
            let at_ms = message.timestamp().to_millis().unwrap_or_default();
            let value = message.payload().map(|value| Newest { at_ms, value: value.to_vec() });
            newest.insert((message.partition(), key.to_vec()), value);
        }
    })?;
    let mut states: BTreeMap<FeedId, StoredState> = BTreeMap::new();
    for ((partition, key), value) in newest {
        let Some(Newest { at_ms, value }) = value else { continue };
        let (feed, state) = state(&settings.topics.state, &key, &value)?;
        let written_at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
        let known = states.get(&feed);
        if known.is_none_or(|known| known.state.plan.sequence < state.plan.sequence) {
            let lane = u32::try_from(partition).unwrap_or_default();
            states.insert(feed, StoredState { lane, state, written_at });
        }
    }
    let owners = reader.owners();
    let is_cut = |(partition, span): (&i32, &Span)| {
        u32::try_from(*partition).ok().filter(|_| span.start > 0)
    };
    let cut_lanes = reader.held.iter().filter_map(is_cut).collect();
    Ok(Stored { states, owners, cut_lanes })
}

impl TopicReader {
    /// Which members of the group have which partitions of the topic.
    pub(super) fn owners(&self) -> Result<Owners, OwnersError> {
        owners(&self.client, &self.settings, QUESTION)
    }
}

/// Whether a key of the state topic is not one of ours.
fn is_of_a_feed(key: &&[u8]) -> bool {
    !key.starts_with(FeedId::RESERVED_PREFIX.as_bytes())
}

/// One feed's state.
fn state(topic: &str, key: &[u8], value: &[u8]) -> Result<(FeedId, Arc<FeedState>), AccessError> {
    let key = String::from_utf8_lossy(key);
    let wrong = |why: &dyn std::fmt::Display| AccessError::State {
        topic: topic.to_owned(),
        feed: key.to_string(),
        why: why.to_string(),
    };
    let feed = FeedId::parse(&key).map_err(|error| wrong(&error))?;
    let state = FeedState::parse(value).map_err(|error| wrong(&error))?;
    Ok((feed, state.into()))
}

#[cfg(test)]
mod tests {
    use cw_model::samples::tagged;

    use super::*;

    #[test]
    fn what_cannot_be_read_fits_only_if_all_do() {
        let record = serde_json::to_string(&tagged(1, "x", "strike.air")).unwrap();
        let strikes = Filter { tags: vec!["strike".to_owned()], ..Filter::default() };
        for (filter, text, expected) in [
            (&strikes, record.as_str(), true),
            (&strikes, "no record", false),
            (&Filter::default(), "no record", true),
        ] {
            assert_eq!(is_wanted(filter, text), expected, "{text}");
        }
    }

    #[test]
    fn a_state_is_read_under_its_feeds_id() {
        let (feed, read) = state("t", b"a", br#"{"version":1,"sequence":7}"#).unwrap();
        assert_eq!((feed.as_str(), read.plan.sequence), ("a", 7));
        assert!(is_of_a_feed(&b"a".as_slice()) && !is_of_a_feed(&b"__poison".as_slice()));
        for (key, value) in [("Not An Id", b"{}".as_slice()), ("a", b"[")] {
            let error = state("t", key.as_bytes(), value).unwrap_err();
            assert!(matches!(error, AccessError::State { feed, .. } if feed == key));
        }
    }
}
