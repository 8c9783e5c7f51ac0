//! librdkafka's own transactional producer, given the very transactions that the ledger committed:
//! read back from the topics, every byte and header made beforehand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;

use super::super::now;
use super::super::running::pause;
use super::support::PATIENCE;
use super::support::broker::Cluster;
use super::support::topic_ledger::LANE_KEY;
use super::{Deployment, TOPICS, reader};

/// As the ledger sets them (`src/ledger/kafka/settings.rs`).
const PROPERTIES: [(&str, &str); 14] = [
    ("client.id", "conflictwire"),
    ("socket.keepalive.enable", "true"),
    ("reconnect.backoff.ms", "100"),
    ("reconnect.backoff.max.ms", "2000"),
    ("transaction.timeout.ms", "15000"),
    ("message.timeout.ms", "15000"),
    ("linger.ms", "5"),
    ("compression.type", "zstd"),
    ("retry.backoff.ms", "20"),
    ("retry.backoff.max.ms", "500"),
    ("queue.buffering.max.kbytes", "32768"),
    ("queue.buffering.max.messages", "20000"),
    ("enable.idempotence", "true"),
    ("statistics.interval.ms", "15000"),
];

/// What the topics take, less a batch's framing: as the ledger learns it from the brokers.
const MESSAGE_MAX_BYTES: &str = "4193280";

/// One Kafka record.
struct Line {
    /// Its place in [`TOPICS`].
    topic: usize,
    key: Vec<u8>,
    value: Vec<u8>,
    headers: Option<OwnedHeaders>,
    timestamp: i64,
}

/// Lines of transactions by lane.
pub(super) struct Transactions {
    lanes: Vec<Vec<Vec<Line>>>,
    pub(super) lines: usize,
    pub(super) bytes: usize,
    pub(super) count: usize,
}

/// Whole transactions, in all lanes, and as long as the lane's last record says.
fn is_whole(found: &BTreeMap<(i32, i64), Vec<Line>>, articles: usize) -> bool {
    let is_article = |line: &&Line| line.topic == 0;
    let lines = || found.values().flatten();
    let promised = |line: &Line| {
        let value: Value = serde_json::from_slice(&line.value).ok()?;
        (line.key == LANE_KEY.as_bytes()).then(|| value.get("records")?.as_u64())?
    };
    let heads: Vec<u64> = lines().filter_map(promised).collect();
    let promised = heads.iter().sum::<u64>() + heads.len() as u64;
    lines().filter(is_article).count() == articles && lines().count() as u64 == promised
}

impl Transactions {
    /// Everything that a deployment has committed, which is so many articles. A transaction's
    /// records bear the time of its begin, and no two of one lane begin in the same millisecond.
    pub(super) fn read(
        cluster: &Cluster,
        deployment: &Deployment,
        articles: usize,
    ) -> anyhow::Result<Self> {
        let topics = deployment.topics();
        let consumer = reader(cluster, &topics.each_ref().map(String::as_str))?;
        let mut found: BTreeMap<(i32, i64), Vec<Line>> = BTreeMap::new();
        let started = now();
        loop {
            match consumer.poll(Duration::from_millis(300)) {
                Some(message) => {
                    let message = message?;
                    let topic = topics.iter().position(|name| name == message.topic());
                    let timestamp = message.timestamp().to_millis().context("no timestamp")?;
                    let line = Line {
                        topic: topic.context("an odd topic")?,
                        key: message.key().unwrap_or_default().to_vec(),
                        value: message.payload().unwrap_or_default().to_vec(),
                        headers: message.headers().map(|headers| headers.detach()),
                        timestamp,
                    };
                    found.entry((message.partition(), timestamp)).or_default().push(line);
                }
                None if is_whole(&found, articles) => break,
                None => ensure!(Instant::elapsed(&started) < PATIENCE, "not all can be read back"),
            }
        }
        let mut lanes: BTreeMap<i32, Vec<Vec<Line>>> = BTreeMap::new();
        let (mut lines, mut bytes, count) = (0, 0, found.len());
        for ((lane, _), mut transaction) in found {
            // Of one topic they stay in order: the lane's own record is the last.
            transaction.sort_by_key(|line| line.topic);
            lines += transaction.len();
            bytes += transaction.iter().map(|line| line.value.len()).sum::<usize>();
            lanes.entry(lane).or_default().push(transaction);
        }
        Ok(Self { lanes: lanes.into_values().collect(), lines, bytes, count })
    }
}

/// A producer for each lane.
pub(super) struct Plain {
    producers: Vec<BaseProducer>,
    topics: [String; 4],
}

impl Plain {
    /// Initialised, each under an id of its own, for topics like the ledger's.
    pub(super) fn open(cluster: &Cluster, lanes: u32) -> anyhow::Result<Self> {
        let deployment = Deployment::new(cluster, "plain", lanes)?;
        let producer = |lane| {
            let mut client = rdkafka::ClientConfig::new();
            client.set("bootstrap.servers", cluster.bootstrap());
            for (property, value) in PROPERTIES {
                client.set(property, value);
            }
            client.set("message.max.bytes", MESSAGE_MAX_BYTES);
            client.set("transactional.id", format!("{}.{lane}", deployment.name));
            let producer: BaseProducer = client.create()?;
            producer.init_transactions(PATIENCE)?;
            Ok(producer)
        };
        let producers = (0..lanes).map(producer).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { producers, topics: deployment.topics() })
    }

    /// Commits every transaction, those of a lane one after the other with a wait in between: how
    /// long all took, and each.
    pub(super) fn commit(
        &self,
        transactions: &Transactions,
        between: Duration,
    ) -> anyhow::Result<(Duration, Vec<Duration>)> {
        let started = now();
        let lanes = || self.producers.iter().zip(&transactions.lanes).zip(0..);
        let each = std::thread::scope(|scope| {
            let lanes: Vec<_> = lanes()
                .map(|((producer, lane), number)| {
                    scope.spawn(move || self.commit_lane(producer, number, lane, between))
                })
                .collect();
            let each = lanes.into_iter().map(|lane| lane.join().expect("it does not panic"));
            each.collect::<anyhow::Result<Vec<_>>>()
        })?;
        Ok((Instant::elapsed(&started), each.concat()))
    }

    fn commit_lane(
        &self,
        producer: &BaseProducer,
        lane: i32,
        transactions: &[Vec<Line>],
        between: Duration,
    ) -> anyhow::Result<Vec<Duration>> {
        let mut each = Vec::new();
        for transaction in transactions {
            pause(between);
            let started = now();
            producer.begin_transaction()?;
            for line in transaction {
                self.send(producer, lane, line)?;
            }
            // Faster than `flush`, which looks ten times a second; `commit_transaction` does too if
            // anything is under way.
            while producer.in_flight_count() > 0 {
                look(producer);
            }
            producer.commit_transaction(PATIENCE)?;
            each.push(Instant::elapsed(&started));
        }
        Ok(each)
    }

    fn send(&self, producer: &BaseProducer, lane: i32, line: &Line) -> anyhow::Result<()> {
        let topic = self.topics.get(line.topic).context("one of four")?;
        let mut record = BaseRecord::to(topic)
            .partition(lane)
            .key(&line.key)
            .payload(&line.value)
            .timestamp(line.timestamp);
        record.headers.clone_from(&line.headers);
        while let Err((error, unsent)) = producer.send(record) {
            let is_full =
                matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            ensure!(is_full, "{error} ({})", TOPICS.get(line.topic).copied().unwrap_or_default());
            record = unsent;
            look(producer);
        }
        Ok(())
    }
}

/// Takes what has been reported, and waits a moment if that was nothing. Shorter waits than a
/// millisecond or two `poll` spends turning in a circle.
fn look(producer: &BaseProducer) {
    let unreported = producer.in_flight_count();
    producer.poll(Duration::ZERO);
    if producer.in_flight_count() == unreported {
        pause(Duration::from_millis(1));
    }
}
