//! Tries what the daemon will do with Kafka, so that what is missing is known by name before it runs.
//!
//! Rights cannot be asked for, so each is used: in transactions that are all aborted, a record is
//! sent to each topic and an offset to the group. No `read_committed` reader ever sees the record,
//! the offset is never there, and a group that is at work notices nothing: it is not joined. The
//! transactional id is one that no lane has, so no lane is fenced. Everything is bounded in time.

use std::time::Duration;

use cw_decide::lane::wire::Target;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::client::{Broker, Brokers, Client, LastErrors, Step};
use super::cluster::Cluster;
use super::error::{self, AccessError};
use super::settings::KafkaSettings;
use super::topics::{
    Choice, PARTITIONS, REPLICATION, TopicNow, TopicPlan, Weight, differences, plan,
};

/// How long brokers may take to answer at all.
const CONNECT_WAIT: Duration = Duration::from_secs(8);

/// How long the coordinator of transactions may take: it has something to load at first.
const COORDINATOR_WAIT: Duration = Duration::from_secs(10);

/// For each step after that.
const STEP: Duration = Duration::from_secs(5);

/// The most brokers that are tried one by one.
const BROKERS_MAX: usize = 16;

/// The key of records that nobody ever reads.
const KEY: &str = "__check";

/// What trying something came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingVerdict {
    /// It works.
    Fine,
    /// It works, and something about it is worth knowing.
    Risky,
    /// It does not.
    Broken,
}

/// Something that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What: a broker, a topic, or a right by its name.
    pub what: String,
    /// What it came to.
    pub verdict: FindingVerdict,
    /// The same, in words.
    pub text: String,
}

impl Finding {
    fn new(verdict: FindingVerdict, what: impl Into<String>, text: impl Into<String>) -> Self {
        Self { what: what.into(), verdict, text: text.into() }
    }

    fn broken(what: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(FindingVerdict::Broken, what, text)
    }

    /// A right and what using it came to: `missing` is what brokers say if it is not there.
    fn right(name: String, used: Result<(), Unused>, missing: RDKafkaErrorCode) -> Self {
        match used {
            Ok(()) => Self::new(FindingVerdict::Fine, name, "allowed"),
            Err(Unused::Error(error)) if error.rdkafka_error_code() == Some(missing) => {
                Self::broken(name, "missing: this user is not allowed to")
            }
            Err(unused) => Self::broken(name, format!("not known: {unused}")),
        }
    }
}

/// Why a right was not used.
#[derive(Debug, thiserror::Error)]
enum Unused {
    #[error("{}", error::shown(.0))]
    Error(#[from] KafkaError),
    #[error("{0}")]
    Other(String),
}

/// Tries everything, in the order in which a person would fix it. Blocks the thread that polls it.
pub async fn probe(settings: &KafkaSettings) -> Vec<Finding> {
    let (mut findings, answering) = probe_brokers(settings);
    if answering.is_empty() {
        return findings;
    }
    let cluster = match Cluster::connect(settings, CONNECT_WAIT) {
        Ok(cluster) => cluster,
        Err(error) => {
            findings.push(Finding::broken("cluster", error.to_string()));
            return findings;
        }
    };
    let replication = REPLICATION.min(u32::try_from(cluster.brokers().count()).unwrap_or(1));
    let plans = plan(settings, Choice { partitions: PARTITIONS, replication });
    let now = cluster.topics(&plans).await;
    findings.extend(plans.iter().zip(&now).map(|(plan, now)| topic_finding(plan, now)));
    let there = plans.iter().zip(&now).filter(|(_, now)| now.is_ok()).map(|(plan, _)| plan);
    let there: Vec<&TopicPlan> = there.collect();
    findings.extend(probe_rights(settings, &there));
    for (plan, now) in plans.iter().zip(&now) {
        if let Ok(TopicNow { settings: Err(why), .. }) = now {
            let what = format!("DescribeConfigs on topic {} (optional)", plan.name);
            let text = format!("settings are not checked: {why}");
            findings.push(Finding::new(FindingVerdict::Risky, what, text));
        }
    }
    findings
}

/// Tries each configured broker, then each other address that these brokers advertise. Also
/// gives those that answer.
fn probe_brokers(settings: &KafkaSettings) -> (Vec<Finding>, Vec<Broker>) {
    let configured: Vec<String> = settings.brokers.iter().take(BROKERS_MAX).cloned().collect();
    let mut findings = Vec::new();
    let mut known: Vec<Broker> = Vec::new();
    for (address, answer) in configured.iter().zip(ask_each(settings, &configured, CONNECT_WAIT)) {
        let answer = answer.map(|brokers| {
            let text = format!("answers, one of {}", brokers.there.len());
            known.extend(brokers.there);
            text
        });
        findings.push(broker_finding(format!("broker {address}"), answer));
    }
    known.sort();
    known.dedup();
    let advertised = known.iter().map(|broker| broker.address.clone());
    let advertised = advertised.filter(|address| !configured.contains(address));
    let advertised: Vec<String> = advertised.take(BROKERS_MAX).collect();
    for (address, answer) in advertised.iter().zip(ask_each(settings, &advertised, CONNECT_WAIT)) {
        let answer = answer.map(|_brokers| "answers".to_owned());
        findings.push(broker_finding(format!("broker {address} (advertised)"), answer));
    }
    (findings, known)
}

fn broker_finding(what: String, answer: Result<String, AccessError>) -> Finding {
    match answer {
        Ok(text) => Finding::new(FindingVerdict::Fine, what, text),
        Err(error) => Finding::broken(what, error.to_string()),
    }
}

/// Asks brokers side by side, each by a client that knows no other.
fn ask_each(
    settings: &KafkaSettings,
    addresses: &[String],
    wait: Duration,
) -> Vec<Result<Brokers, AccessError>> {
    let ask = |address: &String| {
        let mut config = settings.watcher();
        config.set("bootstrap.servers", address);
        let client = Client::of_command(config)?;
        client.brokers(wait).map_err(|why| match why {
            // The finding is named after the broker.
            AccessError::Unanswered(why) => {
                let text = why.strip_prefix(&format!("{address}: ")).unwrap_or(&why);
                AccessError::Unanswered(text.to_owned())
            }
            other => other,
        })
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> =
            addresses.iter().map(|address| scope.spawn(move || ask(address))).collect();
        let not_tried = |_panic| Err(AccessError::Unanswered("not tried".to_owned()));
        asking.into_iter().map(|asking| asking.join().unwrap_or_else(not_tried)).collect()
    })
}

fn topic_finding(plan: &TopicPlan, now: &Result<TopicNow, AccessError>) -> Finding {
    let what = format!("topic {}", plan.name);
    let now = match now {
        Ok(now) => now,
        Err(AccessError::Missing(_)) => {
            return Finding::broken(what, "missing; `conflictwire topics apply` creates it");
        }
        Err(AccessError::NotAllowed(_)) => {
            let rights = match plan.target {
                Target::Articles | Target::Conflict | Target::Rejects => "Write",
                Target::State => "Read and Write",
            };
            let text = format!("hidden: {rights} on {what} is missing, or there is none");
            return Finding::broken(what, text);
        }
        Err(why) => return Finding::broken(what, why.to_string()),
    };
    let found = differences(plan, now);
    let worth_knowing = found.iter().filter(|difference| difference.weight >= Weight::Risk);
    let texts: Vec<&str> = worth_knowing.map(|difference| difference.text.as_str()).collect();
    let texts = texts.join("; ");
    match found.first().map(|gravest| gravest.weight) {
        Some(Weight::Wrong) => Finding::broken(what, texts),
        Some(Weight::Risk) => Finding::new(FindingVerdict::Risky, what, texts),
        Some(Weight::Note) | None => {
            let (partitions, replication) = (now.shape.partitions, now.shape.replication);
            let text = format!("there; partitions {partitions}, replication {replication}");
            Finding::new(FindingVerdict::Fine, what, text)
        }
    }
}

/// Tries each right that the daemon needs on the topics that are there.
fn probe_rights(settings: &KafkaSettings, topics: &[&TopicPlan]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = |right: String, used, missing| {
        findings.push(Finding::right(right, used, missing));
    };
    let state = topics.iter().find(|plan| plan.target == Target::State);
    if let Some(plan) = state {
        let read = read_something(settings, &plan.name);
        let right = format!("Read on topic {}", plan.name);
        used(right, read, RDKafkaErrorCode::TopicAuthorizationFailed);
    }
    let right = format!("Write on transactional id {}.* (prefixed)", settings.deployment);
    let missing = RDKafkaErrorCode::TransactionalIdAuthorizationFailed;
    let (producer, made) = match transactional_producer(settings) {
        Ok(producer) => (Some(producer), Ok(())),
        Err(unused) => (None, Err(unused)),
    };
    used(right, made, missing);
    let Some(producer) = producer else { return findings };
    for plan in topics {
        let sent = send_and_abort(&producer, &plan.name).map_err(Unused::Error);
        let right = format!("Write on topic {}", plan.name);
        used(right, sent, RDKafkaErrorCode::TopicAuthorizationFailed);
    }
    if let Some(plan) = state {
        let sent = send_offset_and_abort(settings, &producer, &plan.name);
        let right = format!("Read on group {}", settings.deployment);
        used(right, sent, RDKafkaErrorCode::GroupAuthorizationFailed);
    }
    findings
}

/// Reads one record of a partition, or its end.
fn read_something(settings: &KafkaSettings, topic: &str) -> Result<(), Unused> {
    let client = Client::of(&settings.reader())?;
    // No offset reaches the end of this part, so an empty partition ends with `PartitionEnd`.
    let first = (0, Offset::Beginning, i64::MAX);
    let mut reading = client.read(topic, &[first], STEP)?;
    loop {
        match reading.next() {
            Step::Record(_) | Step::PartitionEnd | Step::End => return Ok(()),
            Step::Failed(error) if !error::is_away(&error) => return Err(error.into()),
            Step::Failed(_) | Step::Waiting => {}
            Step::Silent => {
                let first = client.errors().into_iter().next();
                let why = first.unwrap_or_else(|| "nothing came".to_owned());
                return Err(Unused::Other(why));
            }
        }
    }
}

/// A producer with a transactional id that no lane has.
fn transactional_producer(settings: &KafkaSettings) -> Result<BaseProducer<LastErrors>, Unused> {
    let config = settings.producer(&format!("{}.check", settings.deployment), None);
    let producer: BaseProducer<LastErrors> =
        BaseProducer::from_config_and_context(&config, LastErrors::default())?;
    match producer.init_transactions(COORDINATOR_WAIT) {
        Ok(()) => Ok(producer),
        Err(error) if error::is_away(&error) => Err(Unused::Other(
            "no coordinator of transactions answers; do the brokers have as many members as \
             transaction.state.log.replication.factor says?"
                .to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Sends one record and takes it back.
fn send_and_abort(producer: &BaseProducer<LastErrors>, topic: &str) -> KafkaResult<()> {
    producer.begin_transaction()?;
    let record: BaseRecord<'_, str, str> = BaseRecord::to(topic).partition(0).key(KEY).payload("");
    let sent = match producer.send(record) {
        Ok(()) => delivery(producer),
        Err((error, _record)) => Err(error),
    };
    // The delivery only says that the transaction failed. The commit says why, and commits nothing,
    // because the record was refused.
    let used = match sent {
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PurgeQueue) => {
            Err(producer.commit_transaction(STEP).err().unwrap_or(error))
        }
        sent => sent,
    };
    // If it does not work, the next `begin_transaction` says so.
    let _aborted = producer.abort_transaction(STEP);
    used
}

/// What becomes of the record that was sent.
fn delivery(producer: &BaseProducer<LastErrors>) -> KafkaResult<()> {
    let until = Instant::now() + STEP;
    while Instant::now() < until {
        producer.poll(Duration::from_millis(50));
        if let Some(delivered) = producer.context().take_delivered() {
            return delivered;
        }
    }
    Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut))
}

/// Adds an offset of the group to a transaction and takes it back: what joining needs, without
/// joining.
fn send_offset_and_abort(
    settings: &KafkaSettings,
    producer: &BaseProducer<LastErrors>,
    topic: &str,
) -> Result<(), Unused> {
    let client = Client::of(&settings.reader())?;
    let unknown = || Unused::Other("the client knows no group".to_owned());
    let group = client.consumer().group_metadata().ok_or_else(unknown)?;
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, 0, Offset::Offset(0))?;
    producer.begin_transaction()?;
    let used = producer.send_offsets_to_transaction(&offsets, &group, STEP);
    let _aborted = producer.abort_transaction(STEP);
    match used.as_ref().err().and_then(KafkaError::rdkafka_error_code) {
        // Brokers check the right first, so it is there. We are indeed no member of the group.
        Some(
            RDKafkaErrorCode::UnknownMemberId
            | RDKafkaErrorCode::IllegalGeneration
            | RDKafkaErrorCode::StaleMemberEpoch
            | RDKafkaErrorCode::RebalanceInProgress
            | RDKafkaErrorCode::TopicAuthorizationFailed,
        ) => Ok(()),
        Some(_) | None => Ok(used?),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ledger::kafka::topics::Shape;
    use crate::ledger::kafka::topics::tests::settings;

    #[track_caller]
    fn check(now: &Result<TopicNow, AccessError>, expected: &str) {
        let plans = plan(&settings(), Choice { partitions: PARTITIONS, replication: 3 });
        let state = plans.iter().find(|plan| plan.target == Target::State).unwrap();
        let finding = topic_finding(state, now);
        assert_eq!(finding.what, "topic news.feed-state.v1");
        assert_eq!(format!("{:?}: {}", finding.verdict, finding.text), expected);
    }

    fn there(partitions: u32, replication: u32) -> Result<TopicNow, AccessError> {
        let shape = Shape { partitions, replication, in_sync: replication };
        Ok(TopicNow { shape, settings: Ok(BTreeMap::new()) })
    }

    #[test]
    fn a_topic_is_judged_by_its_gravest_difference() {
        check(&there(16, 3), "Fine: there; partitions 16, replication 3");
        check(
            &there(16, 1),
            "Risky: replication is 1, planned 3: fewer brokers may fail before commits stop or \
             are lost",
        );
        let wrong = topic_finding(
            &plan(&settings(), Choice { partitions: 1, replication: 3 })[3],
            &there(8, 3),
        );
        assert_eq!(wrong.verdict, FindingVerdict::Broken);
        assert!(wrong.text.contains("kafka.lanes"), "{wrong:?}");
        check(
            &Err(AccessError::Missing("t".to_owned())),
            "Broken: missing; `conflictwire topics apply` creates it",
        );
    }

    #[test]
    fn a_right_that_is_missing_is_told_from_what_else_went_wrong() {
        let code = RDKafkaErrorCode::GroupAuthorizationFailed;
        let used = |error| Finding::right("Read".to_owned(), Err(Unused::Error(error)), code);
        let missing =
            Finding::new(FindingVerdict::Broken, "Read", "missing: this user is not allowed to");
        assert_eq!(used(KafkaError::Global(code)), missing);
        let other = used(KafkaError::Global(RDKafkaErrorCode::OperationTimedOut));
        assert_eq!(other, Finding::new(FindingVerdict::Broken, "Read", "not known: timed out"));
    }

    #[test]
    fn nobody_there_is_said_of_each_broker() {
        // The port of a listener that is gone: nothing else gets it at once.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let settings = KafkaSettings { brokers: vec![address], ..settings() };
        let answers = ask_each(&settings, &settings.brokers, Duration::from_millis(300));
        let text = "connection refused; nothing listens there".to_owned();
        assert_eq!(answers, [Err(AccessError::Unanswered(text))]);
    }
}
