//! A client that asks brokers and reads what they have, outside the group, and keeps what goes wrong.
//!
//! A call that waits for brokers only ever says that it timed out. Why (a refused connection, a
//! certificate, a password) comes beside it, through the client's error callback: the context keeps
//! the last of those texts for each broker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::metadata::{Metadata, MetadataBroker, MetadataTopic};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::{ClientConfig, ClientContext, Message as _, Offset, TopicPartitionList};
use tokio::time::Instant;

use super::error::{self, AccessError};
use super::topics::Shape;
use super::{lock, logged};

/// The most brokers whose last text is kept.
const BROKERS_MAX: usize = 64;

/// How long one try to get an answer takes. After each try the client checks what went wrong: a refused
/// password will not be accepted after a longer wait.
const TRY: Duration = Duration::from_secs(1);

/// How long one poll for records takes. Readers check after each poll whether to give up.
const POLL: Duration = Duration::from_millis(100);

/// The context of a client: the last error of each broker.
#[derive(Debug, Default)]
pub(super) struct LastErrors {
    /// The text by broker, without the parts that change with each try.
    texts: Mutex<BTreeMap<String, String>>,
    /// Whether a broker refused the password or the certificate: waiting longer does not help.
    is_refused: AtomicBool,
    /// What became of the last record that was sent.
    delivered: Mutex<Option<KafkaResult<()>>>,
}

impl LastErrors {
    /// A sentence for each broker, in plain words.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |(broker, text): (&String, &String)| match broker.as_str() {
            "" => text.clone(),
            broker => format!("{broker}: {text}"),
        };
        lock(&self.texts).iter().map(text).collect()
    }

    /// What became of the last record, once that is known.
    pub(super) fn take_delivered(&self) -> Option<KafkaResult<()>> {
        lock(&self.delivered).take()
    }
}

impl ClientContext for LastErrors {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        logged(level, facility, text, None);
        // librdkafka only logs that a broker hangs up. If there is an error too, the error says more.
        if facility == "FAIL"
            && let Some((_thread, text)) = text.split_once("]: ")
        {
            let (broker, text) = error::in_plain_words(text);
            let mut texts = lock(&self.texts);
            if texts.len() < BROKERS_MAX {
                texts.entry(broker).or_insert(text);
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // "1/1 brokers are down": the text of each broker says more.
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::PartitionEOF) => return,
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL) => {
                self.is_refused.store(true, Ordering::Relaxed);
            }
            Some(_) | None => {}
        }
        let (broker, text) = error::in_plain_words(reason);
        let mut texts = lock(&self.texts);
        if texts.len() < BROKERS_MAX || texts.contains_key(&broker) {
            texts.insert(broker, text);
        }
    }
}

impl ConsumerContext for LastErrors {}

impl ProducerContext for LastErrors {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _opaque: ()) {
        let result = result.as_ref().map(|_record| ()).map_err(|(error, _record)| error.clone());
        *lock(&self.delivered) = Some(result);
    }
}

/// A broker as the others know it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broker {
    /// Its number.
    pub id: i32,
    /// Where it says it can be reached: its `advertised.listeners`.
    pub address: String,
}

/// The brokers of a Kafka, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brokers {
    /// Those that are there, by number.
    pub there: Vec<Broker>,
    /// Numbers of others that have copies of topics: they are away. One that has none is not known of.
    pub away: BTreeSet<i32>,
}

impl Brokers {
    fn of(metadata: &Metadata) -> Self {
        let broker = |broker: &MetadataBroker| Broker {
            id: broker.id(),
            address: format!("{}:{}", broker.host(), broker.port()),
        };
        let mut there: Vec<Broker> = metadata.brokers().iter().map(broker).collect();
        there.sort();
        let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
        let copies = partitions.flat_map(|partition| partition.replicas());
        let is_away = |id: &i32| there.iter().all(|broker| broker.id != *id);
        let away = copies.copied().filter(is_away).collect();
        Self { there, away }
    }

    /// How many there are, those that are away too.
    pub fn count(&self) -> usize {
        self.there.len() + self.away.len()
    }
}

/// A client without a group.
pub(super) struct Client(BaseConsumer<LastErrors>);

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// Sets it up; it has asked nobody yet.
    ///
    /// # Errors
    /// What librdkafka says of the configuration.
    pub(super) fn of(config: &ClientConfig) -> KafkaResult<Self> {
        BaseConsumer::from_config_and_context(config, LastErrors::default()).map(Self)
    }

    /// The client of a command. It only asks questions, and reports everything that goes wrong.
    ///
    /// # Errors
    /// [`AccessError::Client`].
    pub(super) fn of_command(mut config: ClientConfig) -> Result<Self, AccessError> {
        config
            // The brokers must not create what they are asked for.
            .set("allow.auto.create.topics", "false")
            // A broker that hangs up tells more than one that is silent.
            .set("log.connection.close", "true")
            // A connection that cannot be made must be reported before the command gives up.
            .set("socket.connection.setup.timeout.ms", "5000");
        Self::of(&config).map_err(|error| AccessError::Client(error::shown(&error)))
    }

    /// librdkafka's own.
    pub(super) fn consumer(&self) -> &BaseConsumer<LastErrors> {
        &self.0
    }

    /// Waits a moment and takes the events of librdkafka.
    pub(super) fn rest(&self) {
        // No partition is assigned, so there are only errors and logs.
        let _nothing = self.0.poll(POLL);
    }

    /// The last error of each broker, a sentence each. librdkafka reports errors only to polls.
    pub(super) fn errors(&self) -> Vec<String> {
        // A poll gives one event, and there are few.
        for _event in 0..100 {
            if self.0.poll(Duration::from_millis(1)).is_none() {
                break;
            }
        }
        self.0.context().texts()
    }

    /// The last errors of the brokers; if there are none, the error of the call.
    pub(super) fn why(&self, error: &KafkaError) -> String {
        let texts = self.errors();
        if texts.is_empty() { error::shown(error) } else { texts.join("; ") }
    }

    /// Asks for metadata. After an answer the earlier errors are forgotten.
    fn metadata(&self, topic: Option<&str>, wait: Duration) -> KafkaResult<Metadata> {
        let metadata = self.0.fetch_metadata(topic, wait)?;
        // Events of librdkafka pile up unless they are taken.
        let _nothing = self.0.poll(Duration::ZERO);
        // Only an answer clears them: what went wrong before it was over by then.
        lock(&self.0.context().texts).clear();
        Ok(metadata)
    }

    /// Finds the brokers, and gives up early where waiting does not help.
    ///
    /// # Errors
    /// [`AccessError::Unanswered`].
    pub(super) fn brokers(&self, wait: Duration) -> Result<Brokers, AccessError> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let error = match self.metadata(None, left.min(TRY)) {
                Ok(metadata) => return Ok(Brokers::of(&metadata)),
                Err(error) => error,
            };
            let texts = self.errors();
            let is_refused = self.0.context().is_refused.load(Ordering::Relaxed);
            // A refused password is refused for all brokers alike, and each further try counts
            // against the account.
            if is_refused || Instant::now() >= until {
                return Err(AccessError::Unanswered(if texts.is_empty() {
                    let shown = error::shown(&error);
                    format!("{shown} after {wait:?}, and nothing more is known")
                } else {
                    texts.join("; ")
                }));
            }
        }
    }

    /// What metadata say of a topic.
    ///
    /// # Errors
    /// [`AccessError`]: that there is none, or that nobody answers, or what else they say.
    pub(super) fn topic(&self, name: &str, wait: Duration) -> Result<Shape, AccessError> {
        let answer = self.metadata(Some(name), wait);
        let metadata = answer.map_err(|error| AccessError::Unanswered(self.why(&error)))?;
        let missing = || AccessError::Missing(name.to_owned());
        let topic = metadata.topics().iter().find(|topic| topic.name() == name);
        let topic = topic.ok_or_else(missing)?;
        match topic.error().map(RDKafkaErrorCode::from) {
            None if !topic.partitions().is_empty() => {}
            // A leader is missing, but the topic is there and its partitions are known.
            Some(RDKafkaErrorCode::LeaderNotAvailable) if !topic.partitions().is_empty() => {}
            None
            | Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                return Err(missing());
            }
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                return Err(AccessError::NotAllowed(name.to_owned()));
            }
            Some(code) => {
                let (topic, why) = (name.to_owned(), error::shown_code(code));
                return Err(AccessError::Unreadable { topic, why });
            }
        }
        // For a partition without a leader Kafka names the last in-sync replicas, which may be away.
        let is_there = |id: &&i32| metadata.brokers().iter().any(|broker| broker.id() == **id);
        let partitions = || topic.partitions().iter();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let copies = partitions().map(|partition| partition.replicas().len());
        // The worst partition speaks for the topic: a transaction touches all of them in time.
        let in_sync = partitions().map(|partition| partition.isr().iter().filter(is_there).count());
        Ok(Shape {
            partitions: number(partitions().count()),
            replication: number(copies.min().unwrap_or(0)),
            in_sync: number(in_sync.min().unwrap_or(0)),
        })
    }

    /// Whether the brokers of this client know the topic and all of its leaders.
    pub(super) fn knows(&self, topic: &str) -> bool {
        self.metadata(Some(topic), TRY).is_ok_and(|found| {
            found.topics().iter().any(|topic| {
                topic.error().is_none()
                    && !topic.partitions().is_empty()
                    && topic.partitions().iter().all(|partition| partition.leader() >= 0)
            })
        })
    }

    /// Low and high watermark. For a `read_committed` client the high one is the last stable offset.
    ///
    /// # Errors
    /// What the brokers say.
    pub(super) fn watermarks(
        &self,
        topic: &str,
        partition: i32,
        wait: Duration,
    ) -> KafkaResult<(i64, i64)> {
        self.0.fetch_watermarks(topic, partition, wait)
    }

    /// Assigns partitions of a topic from these offsets on, and no others.
    ///
    /// # Errors
    /// What librdkafka says.
    pub(super) fn assign(
        &self,
        topic: &str,
        starts: impl IntoIterator<Item = (i32, Offset)>,
    ) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        for (partition, start) in starts {
            list.add_partition_offset(topic, partition, start)?;
        }
        self.0.assign(&list)
    }

    /// Reads parts of partitions of a topic: the partition, the first offset, and the offset after the
    /// last.
    ///
    /// # Errors
    /// What librdkafka says.
    pub(super) fn read(
        &self,
        topic: &str,
        parts: &[(i32, Offset, i64)],
        silence_max: Duration,
    ) -> KafkaResult<TopicReading<'_>> {
        let has_more = |(_, from, end): &&_| !matches!(from, Offset::Offset(at) if at >= end);
        let parts = || parts.iter().filter(has_more);
        self.assign(topic, parts().map(|(partition, from, _)| (*partition, *from)))?;
        let unread = parts().map(|(partition, _, end)| (*partition, *end)).collect();
        Ok(TopicReading { client: self, unread, silence_max, silent_since: Instant::now() })
    }
}

/// Parts of partitions that are being read.
///
/// A part is read when the consumer's *position* is at its end. Counting records would not do: aborted
/// records and the markers of transactions have offsets too, and are not delivered.
pub(super) struct TopicReading<'a> {
    client: &'a Client,
    /// The end of each partition that is not read to its end yet.
    unread: BTreeMap<i32, i64>,
    silence_max: Duration,
    silent_since: Instant,
}

/// The result of one poll.
pub(super) enum Step<'a> {
    Record(BorrowedMessage<'a>),
    /// Nothing for now.
    Waiting,
    /// The same, and a partition has no more for now.
    PartitionEnd,
    Failed(KafkaError),
    /// Nothing has come for as long as that may be.
    Silent,
    /// Everything is read.
    End,
}

impl<'a> TopicReading<'a> {
    /// Looks for the next record.
    pub(super) fn next(&mut self) -> Step<'a> {
        if self.unread.is_empty() {
            return Step::End;
        }
        match self.client.0.poll(POLL) {
            Some(Ok(message)) => {
                self.silent_since = Instant::now();
                let (partition, next) = (message.partition(), message.offset() + 1);
                let end = self.unread.get(&partition).copied();
                if end.is_some_and(|end| next >= end) {
                    self.unread.remove(&partition);
                }
                // What was committed since the end was asked for comes too, and is left for the
                // next reading.
                if end.is_some_and(|end| next <= end) {
                    return Step::Record(message);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => {
                self.leave_what_is_passed();
                return Step::PartitionEnd;
            }
            None => self.leave_what_is_passed(),
            // Errors do not end the silence: a broker that is away gives one each second.
            Some(Err(error)) if self.silent_since.elapsed() < self.silence_max => {
                return Step::Failed(error);
            }
            Some(Err(_)) => {}
        }
        if self.silent_since.elapsed() >= self.silence_max { Step::Silent } else { Step::Waiting }
    }

    /// The last offsets of a part may be markers of transactions, which are not delivered.
    fn leave_what_is_passed(&mut self) {
        let Ok(positions) = self.client.0.position() else { return };
        for position in positions.elements() {
            let end = self.unread.get(&position.partition());
            if let (Some(end), Offset::Offset(at)) = (end, position.offset())
                && at >= *end
            {
                self.unread.remove(&position.partition());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_text_of_each_broker_is_kept() {
        let last = LastErrors::default();
        let error = || KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure);
        last.error(error(), "a:1/bootstrap: Connection refused");
        last.error(error(), "b:1/bootstrap: Something");
        last.error(error(), "b:1/2: Something else (after 1ms in state UP)");
        last.error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "2/2 brokers are down");
        assert_eq!(
            last.texts(),
            ["a:1: connection refused; nothing listens there", "b:1: something else"]
        );
    }
}
