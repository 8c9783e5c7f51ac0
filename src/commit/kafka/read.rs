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
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio::time::Instant;

use super::cluster::{ClusterError, find_brokers, listen};
use super::owners::{Member, Owners};
use super::settings::KafkaSettings;
use super::trouble::{self, Heard};
use crate::commit::filter::{Facts, Filter};

/// How long a reader waits for a first answer.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// For one question to brokers that have answered before.
const QUESTION: Duration = Duration::from_secs(5);

/// How long a partition that has more may give nothing, before its broker counts as away.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// Between two looks at what came.
const POLL: Duration = Duration::from_millis(100);

/// How long it is tried to learn that brokers are back, before it is looked at what came: whoever
/// interrupts waits for it.
const TRY: Duration = Duration::from_millis(500);

/// How far back in each partition [`TopicReader::last`] looks for records that fit a filter.
const LOOK_BACK_MAX: i64 = 100_000;

/// The most records that [`Follower::next`] gives at once: they are some kilobytes each.
const RECORDS_MAX: usize = 500;

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No client, or no answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No such topic.
    #[error("there is no topic \"{topic}\"; `conflictwire topics apply` creates it")]
    Missing {
        /// The topic.
        topic: String,
    },
    /// This user may not.
    #[error("not allowed: {right}")]
    NotAllowed {
        /// What would have to be allowed: "Read on topic news.articles.v1".
        right: String,
    },
    /// Anything else.
    #[error("could not read the topic \"{topic}\": {why}")]
    Unreadable {
        /// The topic.
        topic: String,
        /// What the brokers say.
        why: String,
    },
    /// A feed's state is not what this version writes, which would keep a daemon from starting too.
    #[error("the state of feed \"{feed}\" in the topic \"{topic}\" cannot be read: {why}")]
    State {
        /// The topic.
        topic: String,
        /// The record's key.
        feed: String,
        /// What is wrong.
        why: String,
    },
}

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
    consumer: BaseConsumer<Heard>,
    topic: String,
    brokers: String,
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
    /// [`ReadError`].
    pub fn open(settings: &KafkaSettings, topic: &str) -> Result<Self, ReadError> {
        let mut config = settings.reader();
        trouble::ask(&mut config);
        let consumer = BaseConsumer::from_config_and_context(&config, Heard::default())
            .map_err(|error| ClusterError::Client { why: trouble::shown(&error) })?;
        let brokers = settings.shown_brokers();
        let away = |why| ClusterError::Away { brokers: brokers.clone(), why };
        find_brokers(&consumer, CONNECT_WAIT).map_err(away)?;
        let mut reader = Self { consumer, topic: topic.to_owned(), brokers, held: BTreeMap::new() };
        for partition in reader.partitions()? {
            let marks = reader.consumer.fetch_watermarks(topic, partition, QUESTION);
            let (start, end) = marks.map_err(|error| reader.trouble(&error))?;
            reader.held.insert(partition, Span { start, end });
        }
        Ok(reader)
    }

    fn partitions(&self) -> Result<Vec<i32>, ReadError> {
        let metadata = self.consumer.fetch_metadata(Some(&self.topic), QUESTION);
        let metadata = metadata.map_err(|error| self.trouble(&error))?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        let missing = || ReadError::Missing { topic: self.topic.clone() };
        let topic = topic.ok_or_else(missing)?;
        match topic.error() {
            Some(code) => Err(self.refusal(code.into())),
            None => Ok(topic.partitions().iter().map(|partition| partition.id()).collect()),
        }
    }

    /// The last `count` that were committed and fit, oldest first. Looks at the last 100,000 records
    /// of each partition at most.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn last(&self, filter: &Filter, count: u32) -> Result<Vec<Published>, ReadError> {
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
    ) -> Result<(), ReadError> {
        let spans: BTreeMap<i32, Span> =
            spans.iter().filter(|(_, span)| span.start < span.end).map(|(p, s)| (*p, *s)).collect();
        self.assign(spans.iter().map(|(partition, span)| (*partition, span.start)))?;
        let mut unread: BTreeSet<i32> = spans.keys().copied().collect();
        let mut silent_since = Instant::now();
        while !unread.is_empty() {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    silent_since = Instant::now();
                    let partition = message.partition();
                    let Some(span) = spans.get(&partition) else { continue };
                    if message.offset() < span.end && unread.contains(&partition) {
                        take(&message);
                    }
                    if message.offset() + 1 >= span.end {
                        unread.remove(&partition);
                    }
                }
                // Past the last record there may be marks of transactions, which nobody is given.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    unread.remove(&partition);
                }
                Some(Err(error)) if error.rdkafka_error_code().is_some_and(trouble::is_away) => {}
                Some(Err(error)) => return Err(self.trouble(&error)),
                // A part that ends before the end of its partition may end with marks alone.
                None => unread.retain(|partition| !self.is_past(*partition, &spans)),
            }
            if silent_since.elapsed() > SILENCE_MAX {
                let timed_out = RDKafkaErrorCode::OperationTimedOut;
                return Err(self.trouble(&KafkaError::MessageConsumption(timed_out)));
            }
        }
        Ok(())
    }

    fn is_past(&self, partition: i32, spans: &BTreeMap<i32, Span>) -> bool {
        let Some(span) = spans.get(&partition) else { return true };
        let position = self.consumer.position().ok().and_then(|positions| {
            positions.find_partition(&self.topic, partition).map(|found| found.offset())
        });
        matches!(position, Some(Offset::Offset(offset)) if offset >= span.end)
    }

    fn assign(&self, starts: impl Iterator<Item = (i32, i64)>) -> Result<(), ReadError> {
        let mut list = TopicPartitionList::new();
        for (partition, start) in starts {
            let added = list.add_partition_offset(&self.topic, partition, Offset::Offset(start));
            added.map_err(|error| self.trouble(&error))?;
        }
        self.consumer.assign(&list).map_err(|error| self.trouble(&error))
    }

    /// Goes on with what is committed after it was opened.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn follow(self) -> Result<Follower, ReadError> {
        self.assign(self.held.iter().map(|(partition, held)| (*partition, held.end)))?;
        Ok(Follower { reader: self, is_away: false })
    }

    /// What an error of a call means.
    fn trouble(&self, error: &KafkaError) -> ReadError {
        let Some(code) = error.rdkafka_error_code() else {
            return ReadError::Unreadable { topic: self.topic.clone(), why: trouble::shown(error) };
        };
        if trouble::is_away(code) {
            listen(&self.consumer);
            let texts = self.consumer.context().texts();
            let why = if texts.is_empty() { trouble::shown(error) } else { texts.join("; ") };
            return ClusterError::Away { brokers: self.brokers.clone(), why }.into();
        }
        self.refusal(code)
    }

    fn refusal(&self, code: RDKafkaErrorCode) -> ReadError {
        let topic = self.topic.clone();
        match code {
            RDKafkaErrorCode::TopicAuthorizationFailed => {
                ReadError::NotAllowed { right: format!("Read on topic {topic}") }
            }
            RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownPartition => ReadError::Missing { topic },
            RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => {
                let why = "what comes next has been removed (retention.ms) before it was read; \
                           start again";
                ReadError::Unreadable { topic, why: why.to_owned() }
            }
            other => ReadError::Unreadable { topic, why: trouble::shown_code(other) },
        }
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

/// Whether a record fits. One that cannot be read as a record fits only if all do.
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
    /// [`ReadError`] where trying again does not help.
    pub fn next(&mut self, filter: &Filter, wait: Duration) -> Result<Vec<Followed>, ReadError> {
        let until = Instant::now() + wait;
        let mut followed = Vec::new();
        while followed.len() < RECORDS_MAX {
            let left = until.saturating_duration_since(Instant::now());
            match self.reader.consumer.poll(left.min(POLL)) {
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
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::AllBrokersDown) => {
                        if !std::mem::replace(&mut self.is_away, true) {
                            let heard = self.reader.consumer.context();
                            followed.push(Followed::Away(heard.texts().join("; ")));
                        }
                    }
                    Some(code) if trouble::is_away(code) => {}
                    Some(_) | None => return Err(self.reader.trouble(&error)),
                },
                None if left.is_zero() => break,
                None => {}
            }
        }
        // Where nothing is published, nothing comes that would say so.
        if self.is_away
            && self.reader.consumer.fetch_metadata(Some(&self.reader.topic), TRY).is_ok()
        {
            self.is_away = false;
            followed.push(Followed::Back);
        }
        Ok(followed)
    }
}

/// A feed's state as the state topic has it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredState {
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
    pub owners: Result<Owners, String>,
    /// Lanes whose log has lost what was written first: of a feed without a state nobody knows whether
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
/// [`ReadError`].
pub fn read_states(settings: &KafkaSettings) -> Result<Stored, ReadError> {
    let reader = TopicReader::open(settings, &settings.topics.state)?;
    // By partition: a feed that has moved to another lane is taken back in the one it left, and the
    // partitions come in no order.
    let mut newest: BTreeMap<(i32, Vec<u8>), Option<Newest>> = BTreeMap::new();
    reader.read(&reader.held, &mut |message| {
        if let Some(key) = message.key().filter(is_of_a_feed) {
            let at_ms = message.timestamp().to_millis().unwrap_or_default();
            let value = message.payload().map(|value| Newest { at_ms, value: value.to_vec() });
            newest.insert((message.partition(), key.to_vec()), value);
        }
    })?;
    let mut states: BTreeMap<FeedId, StoredState> = BTreeMap::new();
    for ((_, key), value) in newest {
        let Some(Newest { at_ms, value }) = value else { continue };
        let (feed, state) = state(&key, &value).map_err(|(feed, why)| ReadError::State {
            topic: settings.topics.state.clone(),
            feed,
            why,
        })?;
        let written_at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
        let known = states.get(&feed);
        if known.is_none_or(|known| known.state.sequence < state.sequence) {
            states.insert(feed, StoredState { state, written_at });
        }
    }
    let owners = reader.owners(&settings.deployment);
    let is_cut = |(partition, span): (&i32, &Span)| {
        u32::try_from(*partition).ok().filter(|_| span.start > 0)
    };
    let cut_lanes = reader.held.iter().filter_map(is_cut).collect();
    Ok(Stored { states, owners, cut_lanes })
}

impl TopicReader {
    /// Which members of the group have which partitions of the topic.
    fn owners(&self, group: &str) -> Result<Owners, String> {
        let groups = self.consumer.fetch_group_list(Some(group), QUESTION);
        let groups = groups.map_err(|error| trouble::shown(&error))?;
        let Some(group) = groups.groups().iter().find(|found| found.name() == group) else {
            return Ok(Owners::default());
        };
        let members = group.members().iter().map(|member| Member {
            name: format!("{} at {}", member.client_id(), member.client_host()),
            assignment: member.assignment().unwrap_or_default(),
        });
        Owners::of(group.state(), &self.topic, members)
    }
}

/// Whether a key of the state topic is not one of ours.
fn is_of_a_feed(key: &&[u8]) -> bool {
    !key.starts_with(FeedId::RESERVED_PREFIX.as_bytes())
}

/// One feed's state, or its key and what is wrong.
fn state(key: &[u8], value: &[u8]) -> Result<(FeedId, Arc<FeedState>), (String, String)> {
    let key = String::from_utf8_lossy(key);
    let feed = FeedId::parse(&key).map_err(|error| (key.to_string(), error.to_string()))?;
    match FeedState::parse(value) {
        Ok(state) => Ok((feed, Arc::new(state))),
        Err(error) => Err((key.to_string(), error.to_string())),
    }
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
        let (feed, read) = state(b"a", br#"{"version":1,"sequence":7}"#).unwrap();
        assert_eq!((feed.as_str(), read.sequence), ("a", 7));
        assert!(is_of_a_feed(&b"a".as_slice()) && !is_of_a_feed(&b"__poison".as_slice()));
        assert_eq!(state(b"Not An Id", b"{}").unwrap_err().0, "Not An Id");
        assert_eq!(state(b"a", b"[").unwrap_err().0, "a");
    }
}
