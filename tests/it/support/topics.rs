//! Reads topics as any consumer may, and writes to them as none should: for tests that tamper.
//!
//! A partition is read up to where it ended when the reading began, by position. Counting records
//! would not do: the markers that end transactions take offsets too, and are never seen.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

use super::broker::{ANSWER_TIMEOUT, Observer};
use super::{PATIENCE, eventually, wait_until};

/// How long to wait for one record before positions are looked at again.
const RECORD_TIMEOUT: Duration = Duration::from_millis(20);

/// One record of a topic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TopicRecord {
    /// Its topic.
    pub(crate) topic: String,
    /// Its partition.
    pub(crate) partition: i32,
    /// Its place in the partition.
    pub(crate) offset: i64,
    /// When, in milliseconds since 1970; by its producer's clock unless the topic says otherwise.
    pub(crate) timestamp: i64,
    /// Its key; empty if it has none.
    pub(crate) key: String,
    /// Its headers. Of two with one name, the last.
    pub(crate) headers: BTreeMap<String, String>,
    /// Its value: JSON, or a text if it is something else. `None` of a tombstone.
    pub(crate) value: Option<Value>,
}

impl TopicRecord {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        let value = message.payload().map(|payload| {
            serde_json::from_slice(payload).unwrap_or_else(|_| Value::String(text(payload)))
        });
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis().unwrap_or(-1),
            key: message.key().map(text).unwrap_or_default(),
            headers: headers
                .map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default()))
                .collect(),
            value,
        }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> (i32, i64) {
        (self.partition, self.offset)
    }

    /// A header; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// What a reader makes of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Isolation {
    Committed,
    Uncommitted,
}

impl Isolation {
    fn name(self) -> &'static str {
        match self {
            Self::Committed => "read_committed",
            Self::Uncommitted => "read_uncommitted",
        }
    }
}

/// Two clients, and what they have read so far.
struct Reading {
    /// Reads records.
    consumer: BaseConsumer,
    /// Asks where partitions end. A broker answers one request of a connection after the other, and
    /// those of the other client wait for news.
    observer: Observer,
    /// Partitions of the topics that were asked for.
    partitions: BTreeMap<String, i32>,
    records: BTreeMap<String, Vec<TopicRecord>>,
}

/// A reader of topics. What it has read it keeps, so that reading again takes only what is new;
/// what compaction took since is still there, as is a topic that was deleted.
pub(crate) struct Topics {
    client: ClientConfig,
    readings: Mutex<BTreeMap<Isolation, Reading>>,
}

impl Topics {
    /// Reads through clients so configured.
    pub(crate) fn through(client: ClientConfig) -> Self {
        Self { client, readings: Mutex::default() }
    }

    /// The records of a topic that are committed now, by partition and offset. Those after the
    /// begin of a transaction that is still open are not there yet, whoever wrote them.
    #[track_caller]
    pub(crate) fn read_committed(&self, topic: &str) -> Vec<TopicRecord> {
        self.read(topic, Isolation::Committed)
    }

    /// All records of a topic, those of open and aborted transactions too.
    #[track_caller]
    pub(crate) fn read_uncommitted(&self, topic: &str) -> Vec<TopicRecord> {
        self.read(topic, Isolation::Uncommitted)
    }

    /// The records of a topic that were aborted, or may still be.
    #[track_caller]
    pub(crate) fn aborted(&self, topic: &str) -> Vec<TopicRecord> {
        // In this order: what is committed between the two readings must not look aborted.
        let mut rest = self.read_uncommitted(topic);
        let committed = self.read_committed(topic);
        // Both are in order of place.
        rest.retain(|record| {
            committed.binary_search_by_key(&record.place(), TopicRecord::place).is_err()
        });
        rest
    }

    /// Partitions of a topic in which a transaction is open: readers of what is committed wait
    /// there.
    #[track_caller]
    pub(crate) fn open_partitions(&self, topic: &str) -> Vec<i32> {
        let committed = self.ends(topic, Isolation::Committed);
        let all = self.ends(topic, Isolation::Uncommitted);
        let open =
            committed.iter().zip(&all).zip(0..).filter(|((committed, all), _)| committed < all);
        open.map(|(_, partition)| partition).collect()
    }

    /// How far a partition can be read by one who wants what is committed, and by one who wants all.
    #[track_caller]
    pub(crate) fn ends_of(&self, topic: &str, partition: usize) -> (i64, i64) {
        let of = |isolation| self.ends(topic, isolation)[partition];
        (of(Isolation::Committed), of(Isolation::Uncommitted))
    }

    /// Waits until no transaction is open in a topic.
    #[track_caller]
    pub(crate) fn wait_until_settled(&self, topic: &str) {
        wait_until(format!("the transactions in {topic} to end"), || {
            self.open_partitions(topic).is_empty()
        });
    }

    /// How many partitions a topic has that was read.
    #[track_caller]
    pub(crate) fn partitions(&self, topic: &str) -> i32 {
        i32::try_from(self.ends(topic, Isolation::Committed).len()).unwrap()
    }

    /// Adds a record, outside any transaction.
    #[track_caller]
    pub(crate) fn produce(&self, topic: &str, partition: i32, key: &str, value: Option<&Value>) {
        self.produce_with(topic, partition, (key, value), &BTreeMap::new());
    }

    /// Adds a record with headers, outside any transaction.
    #[track_caller]
    pub(crate) fn produce_with(
        &self,
        topic: &str,
        partition: i32,
        (key, value): (&str, Option<&Value>),
        headers: &BTreeMap<String, String>,
    ) {
        let producer: BaseProducer = self.client.create().unwrap();
        send(&producer, (topic, partition), (key, value), headers);
        producer.flush(PATIENCE).unwrap();
    }

    fn read(&self, topic: &str, isolation: Isolation) -> Vec<TopicRecord> {
        self.reading(isolation, |reading| {
            let ends = reading.ends(topic);
            reading.read_to(topic, &ends);
            reading.records.get(topic).cloned().unwrap_or_default()
        })
    }

    /// Where each partition ends for a reader: the last stable offset, or the high watermark.
    fn ends(&self, topic: &str, isolation: Isolation) -> Vec<i64> {
        self.reading(isolation, |reading| reading.ends(topic))
    }

    fn reading<T>(&self, isolation: Isolation, act: impl FnOnce(&mut Reading) -> T) -> T {
        let mut readings = self.readings.lock().unwrap();
        act(readings.entry(isolation).or_insert_with(|| Reading::begin(&self.client, isolation)))
    }
}

/// Puts a record into a producer's queue; inside a transaction if the producer is.
#[track_caller]
pub(crate) fn send(
    producer: &BaseProducer,
    (topic, partition): (&str, i32),
    (key, value): (&str, Option<&Value>),
    headers: &BTreeMap<String, String>,
) {
    let text = value.map(Value::to_string);
    let owned = headers.iter().fold(OwnedHeaders::new(), |owned, (key, value)| {
        owned.insert(Header { key, value: Some(value) })
    });
    let mut record = BaseRecord::to(topic).partition(partition).key(key).headers(owned);
    if let Some(text) = &text {
        record = record.payload(text);
    }
    producer.send(record).map_err(|(err, _)| err).unwrap();
}

impl Reading {
    #[track_caller]
    fn begin(client: &ClientConfig, isolation: Isolation) -> Self {
        let mut client = client.clone();
        client
            // Wanted by the client library; nobody joins it and nothing is committed to it.
            .set("group.id", "conflictwire-tests")
            .set("enable.auto.commit", "false")
            .set("isolation.level", isolation.name())
            .set("fetch.wait.max.ms", "50");
        let consumer = client.create().unwrap();
        let observer = Observer::through(client);
        Self { consumer, observer, partitions: BTreeMap::new(), records: BTreeMap::new() }
    }

    /// How many partitions a topic has, which is read from now on.
    #[track_caller]
    fn partitions(&mut self, topic: &str) -> i32 {
        if let Some(count) = self.partitions.get(topic) {
            return *count;
        }
        let count = eventually(format!("the topic {topic}"), || {
            // By the client that will read: it then knows whom to ask, and asks at once.
            let metadata = self.consumer.fetch_metadata(Some(topic), ANSWER_TIMEOUT).ok()?;
            let count = metadata.topics().first()?.partitions().len();
            i32::try_from(count).ok().filter(|count| *count > 0)
        });
        let mut all = TopicPartitionList::new();
        for partition in 0..count {
            all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        }
        self.consumer.incremental_assign(&all).unwrap();
        self.partitions.insert(topic.to_owned(), count);
        count
    }

    #[track_caller]
    fn ends(&mut self, topic: &str) -> Vec<i64> {
        let ends = (0..self.partitions(topic)).map(|partition| {
            eventually(format!("the end of {topic}/{partition}"), || {
                // Not answered for a moment after a leader has moved.
                let ask = |client: &BaseConsumer| {
                    client.fetch_watermarks(topic, partition, ANSWER_TIMEOUT)
                };
                self.observer.ask(ask).map(|(_, end)| end)
            })
        });
        ends.collect()
    }

    #[track_caller]
    fn read_to(&mut self, topic: &str, ends: &[i64]) {
        wait_until(format!("{topic} up to {ends:?}"), || {
            while !self.has_read(topic, ends) {
                match self.consumer.poll(RECORD_TIMEOUT) {
                    Some(Ok(message)) => {
                        let record = TopicRecord::of(&message);
                        self.records.entry(record.topic.clone()).or_default().push(record);
                    }
                    // Brokers come and go in these tests; the client goes on by itself.
                    Some(Err(KafkaError::MessageConsumption(_))) => {}
                    Some(Err(err)) => panic!("cannot read {topic}: {err}"),
                    None => return false,
                }
            }
            true
        });
        if let Some(records) = self.records.get_mut(topic) {
            records.sort_by_key(TopicRecord::place);
        }
    }

    fn has_read(&self, topic: &str, ends: &[i64]) -> bool {
        let positions = self.consumer.position().unwrap();
        ends.iter().zip(0..).all(|(end, partition)| {
            let position = positions.find_partition(topic, partition).unwrap().offset();
            *end == 0 || matches!(position, Offset::Offset(position) if position >= *end)
        })
    }
}
