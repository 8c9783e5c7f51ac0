//! The settings of the Kafka ledger, and the librdkafka configuration made of them.
//!
//! Every librdkafka property passes through but those that decide who owns a lane and what a
//! transaction is (with others, "exactly once" would be a claim and no more), and those that load
//! code or run programs: `properties` names both.

use std::collections::BTreeMap;
use std::time::Duration;

use cw_decide::lane::wire::{PartitionBy, Target};
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use super::properties;

/// The longest a transaction stays open, here and at the coordinator. A replica that dies inside
/// one holds back every `read_committed` reader of its partitions until a successor comes or this
/// is over; and half of it must do for a slow broker to acknowledge.
pub(super) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a replica may be silent before its lanes move. With the second that a lane takes to be
/// restored this keeps a take-over well under 15 s; brokers refuse less than 6 s by default.
const SESSION_TIMEOUT_MS: &str = "8000";

/// What a reader has fetched and not handed out yet, kilobytes: a batch or two.
const READER_QUEUE_KB: &str = "1024";

/// The `[kafka.topics]` table: the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicNames {
    /// Every article revision.
    pub articles: String,
    /// Those that are about conflict.
    pub conflict: String,
    /// What could not be read.
    pub rejects: String,
    /// Feed state, compacted; a partition for each lane.
    pub state: String,
}

impl TopicNames {
    /// The name of one.
    pub fn of(&self, target: Target) -> &str {
        match target {
            Target::Articles => &self.articles,
            Target::Conflict => &self.conflict,
            Target::Rejects => &self.rejects,
            Target::State => &self.state,
        }
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text to itself.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What stands between the id of a group's client and the address that it tells the others.
pub(super) const ADDRESS_MARK: char = '@';

/// The `[kafka]` table, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct KafkaSettings {
    /// Where Kafka answers, `host:port` each.
    pub brokers: Vec<String>,
    /// Names the consumer group; transactional ids begin with it.
    pub deployment: String,
    /// How many lanes the feeds are shared out to: the partitions of the state topic.
    pub lanes: u32,
    /// How long outcomes of a lane may wait to be committed together.
    pub commit_interval: Duration,
    /// How long a lane that is to end goes on trying to commit what it has.
    pub leave_patience: Duration,
    /// Which partition a record goes to.
    pub partition_by: PartitionBy,
    /// The topics.
    pub topics: TopicNames,
    /// librdkafka's properties, verbatim.
    pub properties: BTreeMap<String, String>,
    /// The same, whose values came from files.
    pub secrets: BTreeMap<String, Secret>,
    /// Where the admin server of this replica is reached, `host:port` (`admin.advertise`).
    pub advertise: Option<String>,
}

impl KafkaSettings {
    /// The transactional id of a lane: the fence around it.
    pub fn transactional_id(&self, lane: u32) -> String {
        format!("{}.lane.{lane}", self.deployment)
    }

    /// Where Kafka answers, for people.
    pub fn shown_brokers(&self) -> String {
        self.brokers.join(",")
    }

    /// What every client has: brokers, our defaults, then the operator's properties over them.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = self.defaults([
            ("client.id", "conflictwire"),
            ("socket.keepalive.enable", "true"),
            ("reconnect.backoff.ms", "100"),
            // A broker that is back is noticed this soon.
            ("reconnect.backoff.max.ms", "2000"),
            // One text in our own logs says that brokers are away; librdkafka's say it again and
            // again.
            ("log.connection.close", "false"),
        ]);
        // A broker that answers a client's offer of metrics with a list of no length ends the
        // process (librdkafka 2.12.1 takes it for a number of bytes), and nothing here reads them.
        config.set("enable.metrics.push", "false");
        if self.trusts_the_machine() {
            // Without this librdkafka uses the default paths of OpenSSL. Those of the built-in OpenSSL
            // do not exist on this machine, so no authority would be trusted.
            config.set("ssl.ca.location", "probe");
        }
        config.set_log_level(RDKafkaLogLevel::Info);
        config
    }

    /// Whether brokers prove who they are, and the operator does not say to whom.
    fn trusts_the_machine(&self) -> bool {
        let protocol = self.properties.get("security.protocol");
        let is_tls = protocol.is_some_and(|protocol| protocol.to_lowercase().ends_with("ssl"));
        let set = self.properties.keys().chain(self.secrets.keys());
        is_tls && !set.into_iter().any(|set| set.starts_with("ssl.ca."))
    }

    /// The client that watches topics and watermarks. It has no group, and sees what is not
    /// committed: only so a watermark is the end of the log.
    pub(super) fn watcher(&self) -> ClientConfig {
        let mut config = self.client();
        // A broker that hangs looks like a slow one: ask another soon.
        self.default(&mut config, "socket.timeout.ms", "10000");
        self.default(&mut config, "socket.connection.setup.timeout.ms", "5000");
        config.set("isolation.level", "read_uncommitted");
        config.set("allow.auto.create.topics", "false");
        config
    }

    /// A reader that is assigned partitions by us and stands outside the group.
    pub(super) fn reader(&self) -> ClientConfig {
        let mut config = self.client();
        for (property, value) in [
            // Every lane is read at the same time by a reader of its own. What all of them have
            // fetched and not parsed yet is most of the peak of memory at a start.
            ("queued.max.messages.kbytes", READER_QUEUE_KB),
            ("fetch.message.max.bytes", "262144"),
            // By default a reader whose queue was full waits a second before it fetches again.
            ("fetch.queue.backoff.ms", "10"),
            ("fetch.wait.max.ms", "100"),
        ] {
            self.default(&mut config, property, value);
        }
        config
            // It never joins, but librdkafka reads nothing without one.
            .set("group.id", &self.deployment)
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error");
        config
    }

    /// The member of the group that lanes are given to.
    pub(super) fn member(&self) -> ClientConfig {
        let mut config = self.client();
        let is_new_protocol =
            self.properties.get("group.protocol").is_some_and(|protocol| protocol == "consumer");
        // The new protocol leaves these to the broker, and librdkafka refuses them beside it.
        if !is_new_protocol {
            self.default(&mut config, "partition.assignment.strategy", "cooperative-sticky");
            self.default(&mut config, "session.timeout.ms", SESSION_TIMEOUT_MS);
            self.default(&mut config, "heartbeat.interval.ms", "2000");
        }
        self.default(&mut config, "topic.metadata.refresh.interval.ms", "30000");
        // That of the group's member alone: quotas of brokers go by the ids of those that send and read.
        if let Some(address) = &self.advertise {
            let id = config.get("client.id").unwrap_or_default();
            let id = format!("{id}{ADDRESS_MARK}{address}");
            config.set("client.id", id);
        }
        config
            .set("group.id", &self.deployment)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "latest");
        config
    }

    /// The producer of a lane. `record_bytes_max` is what every topic takes, if that is known.
    pub(super) fn producer(
        &self,
        transactional_id: &str,
        record_bytes_max: Option<usize>,
    ) -> ClientConfig {
        let mut config = self.client();
        let timeout = TRANSACTION_TIMEOUT.as_millis().to_string();
        for (property, value) in [
            ("transaction.timeout.ms", timeout.as_str()),
            ("message.timeout.ms", timeout.as_str()),
            // Every record of a transaction is there before the first is sent.
            ("linger.ms", "5"),
            ("compression.type", "zstd"),
            ("retry.backoff.ms", "20"),
            ("retry.backoff.max.ms", "500"),
            // The memory limit of a lane. One transaction needs far less.
            ("queue.buffering.max.kbytes", "32768"),
            ("queue.buffering.max.messages", "20000"),
        ] {
            self.default(&mut config, property, value);
        }
        if let Some(bytes) = record_bytes_max {
            let bytes = self.record_bytes_max().map_or(bytes, |theirs| theirs.min(bytes));
            config.set("message.max.bytes", bytes.to_string());
        }
        config
            .set("transactional.id", transactional_id)
            .set("enable.idempotence", "true")
            // The partitioner of Java, for records that go by key; librdkafka's default is another.
            .set("partitioner", "murmur2_random")
            .set("statistics.interval.ms", "15000");
        config
    }

    /// The most bytes of a record, if the operator says (`message.max.bytes`).
    pub(super) fn record_bytes_max(&self) -> Option<usize> {
        self.properties.get("message.max.bytes").and_then(|bytes| bytes.parse().ok())
    }

    fn defaults<const N: usize>(&self, defaults: [(&str, &str); N]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.shown_brokers());
        for (property, value) in defaults {
            config.set(property, value);
        }
        for (property, value) in &self.properties {
            config.set(property, value);
        }
        for (property, Secret(value)) in &self.secrets {
            config.set(property, value);
        }
        config
    }

    /// Sets what the operator has not set.
    fn default(&self, config: &mut ClientConfig, property: &str, value: &str) {
        let name = properties::canonical(property);
        let set = self.properties.keys().chain(self.secrets.keys());
        if !set.map(|set| properties::canonical(set)).any(|set| set == name) {
            config.set(property, value);
        }
    }
}

/// The client library that is linked, and its version ("librdkafka 2.12.1").
pub fn library_version() -> String {
    format!("librdkafka {}", rdkafka::util::get_rdkafka_version().1)
}

/// Why a property cannot be used; `None` if it can.
///
/// Asks librdkafka, so that the answer is that of the version built in. No broker is contacted. The
/// text never holds the value of a secret.
pub fn property_problem(property: &str, value: &Secret) -> Option<String> {
    // Before librdkafka sees it: setting `plugin.library.paths` loads the library at once.
    if let Some(why) = properties::refusal(property, &value.0) {
        return Some(why);
    }
    let mut config = ClientConfig::new();
    config.set(property, &value.0);
    match config.create_native_config() {
        Ok(_) => None,
        Err(KafkaError::ClientConfig(_, why, _, _)) => Some(why),
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(property: &str, value: &str, expected: Option<&str>) {
        let problem = property_problem(property, &Secret::new(value.to_owned()));
        match expected {
            None => assert_eq!(problem, None),
            Some(part) => {
                assert!(problem.as_ref().is_some_and(|text| text.contains(part)), "{problem:?}")
            }
        }
    }

    #[test]
    fn librdkafka_says_what_it_takes() {
        check("security.protocol", "SASL_SSL", None);
        check("sasl.mechanism", "SCRAM-SHA-512", None);
        check("compression.type", "zstd", None);
        check("ssl.ca.location", "/etc/ssl/certs/ca.pem", None);
        check("security.protocol", "SSLISH", Some("security.protocol"));
        check("securty.protocol", "SSL", Some("No such configuration property"));
        check("linger.ms", "soon", Some("Invalid value"));
    }

    #[test]
    fn what_makes_a_lane_safe_is_not_for_the_operator_to_set() {
        check("acks", "1", Some("set by the ledger"));
        check("transactional.id", "mine", Some("set by the ledger"));
        check("partitioner", "random", Some("kafka.partition_by"));
    }

    #[test]
    fn what_goes_by_its_key_goes_where_java_would_put_it() {
        let producer = crate::ledger::kafka::topics::tests::settings().producer("mine", None);
        assert_eq!(producer.get("partitioner"), Some("murmur2_random"));
    }

    #[test]
    fn only_the_member_of_the_group_says_where_it_is_reached() {
        let mut settings = crate::ledger::kafka::topics::tests::settings();
        assert_eq!(settings.member().get("client.id"), Some("conflictwire"));
        settings.advertise = Some("10.0.0.7:9273".to_owned());
        assert_eq!(settings.member().get("client.id"), Some("conflictwire@10.0.0.7:9273"));
        assert_eq!(settings.producer("mine", None).get("client.id"), Some("conflictwire"));
        settings.properties.insert("client.id".to_owned(), "news@home".to_owned());
        assert_eq!(settings.member().get("client.id"), Some("news@home@10.0.0.7:9273"));
    }

    #[test]
    fn no_client_offers_metrics_to_a_broker() {
        let settings = crate::ledger::kafka::topics::tests::settings();
        for client in [
            settings.client(),
            settings.watcher(),
            settings.reader(),
            settings.member(),
            settings.producer("mine", None),
        ] {
            assert_eq!(client.get("enable.metrics.push"), Some("false"));
        }
    }

    #[test]
    fn a_broker_is_trusted_as_the_machine_trusts_unless_the_operator_says_whom() {
        let trusts = |properties: &[(&str, &str)]| {
            let mut settings = crate::ledger::kafka::topics::tests::settings();
            for (property, value) in properties {
                settings.properties.insert((*property).to_owned(), (*value).to_owned());
            }
            settings.client().get("ssl.ca.location").map(str::to_owned)
        };
        assert_eq!(trusts(&[("security.protocol", "SASL_SSL")]).as_deref(), Some("probe"));
        assert_eq!(trusts(&[("security.protocol", "ssl")]).as_deref(), Some("probe"));
        assert_eq!(trusts(&[("security.protocol", "sasl_plaintext")]), None);
        assert_eq!(trusts(&[("security.protocol", "ssl"), ("ssl.ca.pem", "PEM")]), None);
        let own = [("security.protocol", "ssl"), ("ssl.ca.location", "/ca.pem")];
        assert_eq!(trusts(&own).as_deref(), Some("/ca.pem"));
    }

    #[test]
    fn the_operators_word_counts_under_either_name_of_a_property() {
        let mut settings = crate::ledger::kafka::topics::tests::settings();
        settings.properties.insert("compression.codec".to_owned(), "lz4".to_owned());
        let producer = settings.producer("mine", None);
        assert_eq!(producer.get("compression.codec"), Some("lz4"));
        assert_eq!(producer.get("compression.type"), None);
    }

    #[test]
    fn sixteen_readers_at_once_hold_little_and_the_operator_may_let_them_hold_more() {
        let mut settings = crate::ledger::kafka::topics::tests::settings();
        let number = |settings: &KafkaSettings, property: &str| -> usize {
            settings.reader().get(property).unwrap().parse().unwrap()
        };
        let queue = number(&settings, "queued.max.messages.kbytes") * 1024;
        // librdkafka fetches once more while the queue is nearly full.
        let fetched = number(&settings, "fetch.message.max.bytes");
        assert!(16 * (queue + fetched) <= 32 << 20, "{queue} and {fetched} bytes each");
        assert!(number(&settings, "fetch.queue.backoff.ms") <= 100, "a queue that is full waits");
        settings.properties.insert("max.partition.fetch.bytes".to_owned(), "1048576".to_owned());
        assert_eq!(settings.reader().get("fetch.message.max.bytes"), None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "[redacted]");
    }
}
