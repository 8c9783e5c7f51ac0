//! Scenarios on real brokers, by the clients that the ledger works with.

use std::collections::BTreeMap;
use std::time::Duration;

use conflictwire::ledger::KafkaSettings;
use conflictwire::ledger::kafka::by_hand::{LaneClients, LaneProducer};
use conflictwire::ledger::kafka::settings::TopicNames;
use cw_decide::lane::log::Restored;
use cw_decide::lane::wire::{Head, Line, PartitionBy};
use cw_decide::lane::{Batching, Failure, Undone};
use cw_model::Timestamp;
use rdkafka::producer::{BaseProducer, Producer as _};
use serde_json::Value;
use tokio::time::Instant;

use super::log::Failed;
use super::run::foreign;
use super::{Foreign, Scenario, Step, Verdict, Why};
use crate::support::PATIENCE;
use crate::support::broker::Cluster;
use crate::support::topics::{Topics, send as send_record};

/// How long the stranger's transaction may be open: longer than the steps take for which it must be. A
/// lane that is taken up waits for its end.
const STRANGER_TIMEOUT_MS: &str = "75000";

/// How long a transaction of the lane may be open where no step waits for the end of that: brokers and
/// readers may be slow between two steps.
const LONG_TIMEOUT_MS: &str = "120000";

/// Within what time real brokers come to what they must: a marker is written, the log is compacted.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// So that segments of the log end with every transaction, and nothing in them is too old to be kept: the
/// clock of scenarios is not that of brokers.
const UNCOMPACTED: &[(&str, &str)] = &[("segment.ms", "1"), ("retention.ms", "-1")];

const COMPACTED: &[(&str, &str)] = &[
    ("segment.ms", "1"),
    ("retention.ms", "-1"),
    ("cleanup.policy", "compact"),
    ("min.cleanable.dirty.ratio", "0"),
];

/// Topics of their own on a cluster.
pub(crate) struct Real<'a> {
    cluster: &'a Cluster,
    topics: TopicNames,
    clients: LaneClients,
    stranger: Option<BaseProducer>,
}

pub(super) type Producer = LaneProducer;

impl<'a> Real<'a> {
    #[track_caller]
    pub(crate) fn of(cluster: &'a Cluster, scenario: &Scenario) -> Self {
        let name = cluster.name("scenario");
        let topic = |of: &str| format!("{name}.{of}");
        let topics = TopicNames {
            articles: topic("articles"),
            conflict: topic("conflict"),
            rejects: topic("rejects"),
            state: topic("state"),
        };
        let bytes = scenario.record_bytes_max.map(|bytes| bytes.to_string());
        let limit: Vec<_> =
            bytes.iter().map(|bytes| ("max.message.bytes", bytes.as_str())).collect();
        cluster.create_topics(&[
            (&topics.articles, 1, &limit),
            (&topics.conflict, 1, &[]),
            (&topics.rejects, 1, &[]),
            (&topics.state, 1, UNCOMPACTED),
        ]);
        // A record is as large for a broker as it is.
        let mut properties = BTreeMap::from([("compression.type", "none")]);
        if !scenario.steps.iter().any(|(step, _)| matches!(step, Step::TimeOut)) {
            properties.insert("transaction.timeout.ms", LONG_TIMEOUT_MS);
        }
        let properties = properties.into_iter();
        let settings = KafkaSettings {
            brokers: cluster.bootstrap().split(',').map(str::to_owned).collect(),
            deployment: name,
            lanes: 1,
            commit_interval: Duration::from_secs(1),
            leave_patience: Duration::from_secs(5),
            partition_by: PartitionBy::Lane,
            topics: topics.clone(),
            properties: properties
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            secrets: BTreeMap::new(),
            advertise: None,
        };
        let clients = LaneClients::new(settings, 0).unwrap();
        Self { cluster, topics, clients, stranger: None }
    }

    pub(super) fn fence(&mut self, batching: Batching) -> Result<Producer, Undone> {
        self.clients.fence(batching)
    }

    pub(super) fn restore(&mut self) -> Result<Restored, Undone> {
        self.clients.restore()
    }

    pub(super) fn heads_after(&mut self, offset: i64) -> Result<Vec<(Head, i64)>, Undone> {
        self.clients.heads_after(offset)
    }

    pub(super) fn stranger_opens(&mut self, record: Foreign) {
        let producer: BaseProducer = self
            .cluster
            .client()
            .set("transactional.id", format!("{}.stranger", self.topics.state))
            .set("transaction.timeout.ms", STRANGER_TIMEOUT_MS)
            .set("message.timeout.ms", STRANGER_TIMEOUT_MS)
            .create()
            .unwrap();
        producer.init_transactions(PATIENCE).unwrap();
        producer.begin_transaction().unwrap();
        let Line { key, value, .. } = foreign(record);
        let value: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        send_record(&producer, (&self.topics.state, 0), (&key, Some(&value)), &BTreeMap::new());
        producer.flush(PATIENCE).unwrap();
        self.stranger = Some(producer);
    }

    pub(super) fn stranger_commits(&mut self) {
        self.stranger.take().unwrap().commit_transaction(PATIENCE).unwrap();
    }

    pub(super) fn time_out(&mut self) {
        self.cluster.topics().wait_until_settled(&self.topics.state);
    }

    pub(super) fn compact(&mut self) {
        self.cluster.configure_topic(&self.topics.state, COMPACTED);
        // The segment that is written to is not compacted: another begins.
        self.stranger_opens(Foreign::Other);
        self.stranger_commits();
    }

    pub(super) fn read(&self) -> Verdict {
        // One that has read nothing yet sees what compaction took as gone.
        let reader = self.cluster.topics();
        let state = reader.read_committed(&self.topics.state);
        let articles = reader.read_committed(&self.topics.articles);
        let title = |value: Option<Value>| value.unwrap()["title"].as_str().unwrap().to_owned();
        Verdict::Seen {
            state: state.into_iter().map(|record| record.key).collect(),
            articles: articles.into_iter().map(|record| title(record.value)).collect(),
        }
    }

    pub(super) fn offsets(&self) -> Verdict {
        let reader: Topics = self.cluster.topics();
        let (stable, high_watermark) = reader.ends_of(&self.topics.state, 0);
        Verdict::Offsets { high_watermark, stable }
    }
}

pub(super) fn send(producer: &Producer, lines: &[Line], now: Timestamp) -> Result<(), Failed> {
    let lines: Vec<&Line> = lines.iter().collect();
    producer.send(&lines, now).map_err(|failure| failed(producer, failure))
}

pub(super) fn commit(producer: &Producer) -> Result<i64, Failed> {
    producer.commit().map_err(|failure| failed(producer, failure))
}

fn failed(producer: &Producer, failure: Failure) -> Failed {
    let why = if producer.is_fenced() {
        Why::Fenced
    } else if !failure.refused.is_empty() {
        Why::TooLarge
    } else {
        Why::Other
    };
    Failed { failure, why }
}

/// What brokers come to: what is expected, or, after a long time, what they say then.
pub(super) fn settled(expected: &[Verdict], mut look: impl FnMut() -> Verdict) -> Verdict {
    let until = Instant::now() + SETTLED_WITHIN;
    loop {
        let seen = look();
        if expected == [seen.clone()] || Instant::now() >= until {
            return seen;
        }
    }
}
