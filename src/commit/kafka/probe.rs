//! Tries what the daemon will do with Kafka, so that what is missing is known by name before it runs.
//!
//! Rights cannot be asked for, so each is used: in transactions that are all aborted, a record is
//! sent to each topic and an offset to the group. No `read_committed` reader ever sees the record,
//! the offset is never there, and a group that is at work notices nothing: it is not joined. The
//! transactional id is one that no lane has, so no lane is fenced. Everything is bounded in time.

use std::time::Duration;

use futures_util::future::join_all;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::cluster::{Broker, Cluster, ClusterError, find_brokers};
use super::settings::KafkaSettings;
use super::topics::{
    Choice, PARTITIONS, REPLICATION, Role, TopicNow, TopicPlan, Weight, differences, plan,
};
use super::trouble::{self, Heard};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Fine(String),
    /// It works, and something about it is worth knowing.
    Risky(String),
    /// It does not.
    Broken(String),
}

/// Something that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What: a broker, a topic, or a right by its name.
    pub what: String,
    /// What it came to.
    pub verdict: Verdict,
}

impl Finding {
    fn fine(what: impl Into<String>, text: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Fine(text.into()) }
    }

    fn risky(what: impl Into<String>, text: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Risky(text.into()) }
    }

    fn broken(what: impl Into<String>, text: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Broken(text.into()) }
    }

    /// A right and what using it came to; `Err(None)` if it is missing.
    fn right(name: String, used: Result<(), Option<String>>) -> Self {
        match used {
            Ok(()) => Self::fine(name, "allowed"),
            Err(None) => Self::broken(name, "missing: this user is not allowed to"),
            Err(Some(why)) => Self::broken(name, format!("not known: {why}")),
        }
    }
}

/// Tries everything; in the order in which a person would mend it. Blocks the thread it is polled on.
pub async fn probe(settings: &KafkaSettings) -> Vec<Finding> {
    let (mut findings, answering) = probe_brokers(settings);
    if answering.is_empty() {
        return findings;
    }
    let cluster = match Cluster::connect(settings, CONNECT_WAIT) {
        Ok(cluster) => cluster,
        Err(error @ (ClusterError::Client { .. } | ClusterError::Away { .. })) => {
            findings.push(Finding::broken("cluster", error.to_string()));
            return findings;
        }
    };
    let replication = REPLICATION.min(u32::try_from(cluster.brokers().count()).unwrap_or(1));
    let plans = plan(settings, Choice { partitions: PARTITIONS, replication });
    let now = join_all(plans.iter().map(|plan| cluster.topic(&plan.name))).await;
    let mut there = Vec::new();
    for (plan, now) in plans.iter().zip(now) {
        let finding = topic_finding(plan, &now);
        findings.push(finding);
        if let Ok(now @ TopicNow::There { .. }) = now {
            there.push((plan, now));
        }
    }
    let topics: Vec<&TopicPlan> = there.iter().map(|(plan, _)| *plan).collect();
    findings.extend(probe_rights(settings, &topics));
    for (plan, now) in &there {
        if let TopicNow::There { settings: Err(why), .. } = now {
            let what = format!("DescribeConfigs on topic {} (optional)", plan.name);
            findings.push(Finding::risky(what, format!("settings are not checked: {why}")));
        }
    }
    findings
}

/// Each broker that is configured, then each that these name and that is reached elsewhere. Also
/// gives those that answer.
fn probe_brokers(settings: &KafkaSettings) -> (Vec<Finding>, Vec<Broker>) {
    let configured: Vec<String> = settings.brokers.iter().take(BROKERS_MAX).cloned().collect();
    let answers = ask_each(settings, &configured, CONNECT_WAIT);
    let mut findings = Vec::new();
    let mut known: Vec<Broker> = Vec::new();
    for (address, answer) in configured.iter().zip(answers) {
        let what = format!("broker {address}");
        findings.push(match answer {
            Ok(brokers) => {
                let count = brokers.len();
                known.extend(brokers);
                Finding::fine(what, format!("answers, one of {count}"))
            }
            Err(why) => Finding::broken(what, why),
        });
    }
    known.sort();
    known.dedup();
    let advertised: Vec<String> = known
        .iter()
        .map(|broker| broker.address.clone())
        .filter(|address| !configured.contains(address))
        .take(BROKERS_MAX)
        .collect();
    for (address, answer) in advertised.iter().zip(ask_each(settings, &advertised, CONNECT_WAIT)) {
        let what = format!("broker {address} (advertised)");
        findings.push(match answer {
            Ok(_brokers) => Finding::fine(what, "answers"),
            Err(why) => Finding::broken(what, why),
        });
    }
    (findings, known)
}

/// Asks brokers side by side, each by a client that knows no other.
fn ask_each(
    settings: &KafkaSettings,
    addresses: &[String],
    wait: Duration,
) -> Vec<Result<Vec<Broker>, String>> {
    let ask = |address: &String| {
        let mut config = settings.watcher();
        config.set("bootstrap.servers", address);
        trouble::ask(&mut config);
        let watcher = BaseConsumer::from_config_and_context(&config, Heard::default())
            .map_err(|error| trouble::shown(&error))?;
        let prefix = format!("{address}: ");
        find_brokers(&watcher, wait)
            .map(|brokers| brokers.there)
            .map_err(|why| why.strip_prefix(&prefix).map_or(why.clone(), str::to_owned))
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> =
            addresses.iter().map(|address| scope.spawn(move || ask(address))).collect();
        asking
            .into_iter()
            .map(|asking| asking.join().unwrap_or_else(|_panic| Err("not tried".to_owned())))
            .collect()
    })
}

fn topic_finding(plan: &TopicPlan, now: &Result<TopicNow, String>) -> Finding {
    let what = format!("topic {}", plan.name);
    match now {
        Ok(TopicNow::Missing) => {
            Finding::broken(what, "missing; `conflictwire topics apply` creates it")
        }
        Ok(TopicNow::Hidden) => {
            let rights = match plan.role {
                Role::Articles | Role::Conflict | Role::Rejects => "Write",
                Role::State => "Read and Write",
            };
            let text =
                format!("hidden: {rights} on topic {} is missing, or there is none", plan.name);
            Finding::broken(what, text)
        }
        Ok(there @ TopicNow::There { partitions, replication, .. }) => {
            let found = differences(plan, there);
            let is_worth_knowing = |weight| weight >= Weight::Risk;
            let texts: Vec<_> = found
                .iter()
                .filter(|difference| is_worth_knowing(difference.weight))
                .map(|difference| difference.text.as_str())
                .collect();
            match found.first().map(|gravest| gravest.weight) {
                Some(Weight::Wrong) => Finding::broken(what, texts.join("; ")),
                Some(Weight::Risk) => Finding::risky(what, texts.join("; ")),
                Some(Weight::Note) | None => Finding::fine(
                    what,
                    format!("there; partitions {partitions}, replication {replication}"),
                ),
            }
        }
        Err(why) => Finding::broken(what, why.clone()),
    }
}

/// Tries each right that the daemon needs on the topics that are there.
fn probe_rights(settings: &KafkaSettings, topics: &[&TopicPlan]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let state = topics.iter().find(|plan| plan.role == Role::State);
    if let Some(plan) = state {
        let used = read_something(settings, &plan.name);
        findings.push(Finding::right(format!("Read on topic {}", plan.name), used));
    }
    let right = format!("Write on transactional id {}.* (prefixed)", settings.deployment);
    let producer = match transactional_producer(settings) {
        Ok(producer) => {
            findings.push(Finding::right(right, Ok(())));
            producer
        }
        Err(refusal) => {
            findings.push(Finding::right(right, Err(refusal)));
            return findings;
        }
    };
    for plan in topics {
        let used = send_and_abort(&producer, &plan.name);
        findings.push(Finding::right(format!("Write on topic {}", plan.name), used));
    }
    if let Some(plan) = state {
        let used = send_offset_and_abort(settings, &producer, &plan.name);
        findings.push(Finding::right(format!("Read on group {}", settings.deployment), used));
    }
    findings
}

/// Reads one record of a partition, or its end.
fn read_something(settings: &KafkaSettings, topic: &str) -> Result<(), Option<String>> {
    let other = |error: &KafkaError| refusal(error, RDKafkaErrorCode::TopicAuthorizationFailed);
    let reader: BaseConsumer<Heard> =
        BaseConsumer::from_config_and_context(&settings.reader(), Heard::default())
            .map_err(|error| other(&error))?;
    let mut first = TopicPartitionList::new();
    first.add_partition_offset(topic, 0, Offset::Beginning).map_err(|error| other(&error))?;
    reader.assign(&first).map_err(|error| other(&error))?;
    let until = Instant::now() + STEP;
    while Instant::now() < until {
        match reader.poll(Duration::from_millis(100)) {
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => return Ok(()),
            Some(Err(error)) if error.rdkafka_error_code().is_some_and(trouble::is_away) => {}
            Some(Err(error)) => return Err(other(&error)),
            None => {}
        }
    }
    Err(Some(reader.context().text().unwrap_or_else(|| "nothing came".to_owned())))
}

/// A producer with a transactional id that no lane has.
fn transactional_producer(settings: &KafkaSettings) -> Result<BaseProducer<Heard>, Option<String>> {
    let id = format!("{}.check", settings.deployment);
    let other =
        |error: &KafkaError| refusal(error, RDKafkaErrorCode::TransactionalIdAuthorizationFailed);
    let config = settings.producer(&id, None);
    let producer: BaseProducer<Heard> =
        BaseProducer::from_config_and_context(&config, Heard::default())
            .map_err(|error| other(&error))?;
    match producer.init_transactions(COORDINATOR_WAIT) {
        Ok(()) => Ok(producer),
        Err(error) if error.rdkafka_error_code().is_some_and(trouble::is_away) => Err(Some(
            "no coordinator of transactions answers; do the brokers have as many members as \
             transaction.state.log.replication.factor says?"
                .to_owned(),
        )),
        Err(error) => Err(other(&error)),
    }
}

/// Sends one record and takes it back.
fn send_and_abort(producer: &BaseProducer<Heard>, topic: &str) -> Result<(), Option<String>> {
    let other = |error: &KafkaError| refusal(error, RDKafkaErrorCode::TopicAuthorizationFailed);
    producer.begin_transaction().map_err(|error| other(&error))?;
    let record: BaseRecord<'_, str, str> = BaseRecord::to(topic).partition(0).key(KEY).payload("");
    let sent = match producer.send(record) {
        Ok(()) => delivery(producer),
        Err((error, _record)) => Err(error),
    };
    // The record is refused, so there is nothing that could be committed; asking for it is the only
    // way to hear why: the delivery itself says that the transaction failed, no more.
    let used = match sent {
        Ok(()) => Ok(()),
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PurgeQueue) => {
            let why = producer.commit_transaction(STEP).err().unwrap_or(error);
            Err(other(&why))
        }
        Err(error) => Err(other(&error)),
    };
    // If it does not work, the next `begin_transaction` says so.
    let _aborted = producer.abort_transaction(STEP);
    used
}

/// What becomes of the record that was sent.
fn delivery(producer: &BaseProducer<Heard>) -> Result<(), KafkaError> {
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
    producer: &BaseProducer<Heard>,
    topic: &str,
) -> Result<(), Option<String>> {
    let other = |error: &KafkaError| refusal(error, RDKafkaErrorCode::GroupAuthorizationFailed);
    let reader: BaseConsumer<Heard> =
        BaseConsumer::from_config_and_context(&settings.reader(), Heard::default())
            .map_err(|error| other(&error))?;
    let unknown = || Some("the client knows no group".to_owned());
    let group = reader.group_metadata().ok_or_else(unknown)?;
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, 0, Offset::Offset(0)).map_err(|error| other(&error))?;
    producer.begin_transaction().map_err(|error| other(&error))?;
    let used = producer.send_offsets_to_transaction(&offsets, &group, STEP);
    let _aborted = producer.abort_transaction(STEP);
    match used {
        Ok(()) => Ok(()),
        // The right was there: it is looked at first. That we are no member of the group is true.
        Err(error)
            if matches!(
                error.rdkafka_error_code(),
                Some(
                    RDKafkaErrorCode::UnknownMemberId
                        | RDKafkaErrorCode::IllegalGeneration
                        | RDKafkaErrorCode::StaleMemberEpoch
                        | RDKafkaErrorCode::RebalanceInProgress
                        | RDKafkaErrorCode::TopicAuthorizationFailed
                )
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(other(&error)),
    }
}

/// `None` if an error says that the right is missing, else what it says.
fn refusal(error: &KafkaError, missing: RDKafkaErrorCode) -> Option<String> {
    (error.rdkafka_error_code() != Some(missing)).then(|| trouble::shown(error))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::commit::kafka::topics::tests::settings;

    #[track_caller]
    fn check(now: &Result<TopicNow, String>, expected: &str) {
        let plans = plan(&settings(), Choice { partitions: PARTITIONS, replication: 3 });
        let state = plans.iter().find(|plan| plan.role == Role::State).unwrap();
        let finding = topic_finding(state, now);
        assert_eq!(finding.what, "topic news.feed-state.v1");
        assert_eq!(format!("{:?}", finding.verdict), expected);
    }

    fn there(partitions: u32, replication: u32) -> Result<TopicNow, String> {
        let settings = Ok(BTreeMap::new());
        Ok(TopicNow::There { partitions, replication, in_sync: replication, settings })
    }

    #[test]
    fn a_topic_is_judged_by_its_gravest_difference() {
        check(&there(16, 3), "Fine(\"there; partitions 16, replication 3\")");
        check(
            &there(16, 1),
            "Risky(\"replication is 1, planned 3: fewer brokers may fail before commits stop or \
             are lost\")",
        );
        let wrong = topic_finding(
            &plan(&settings(), Choice { partitions: 1, replication: 3 })[3],
            &there(8, 3),
        );
        assert!(matches!(wrong.verdict, Verdict::Broken(text) if text.contains("kafka.lanes")));
        check(
            &Ok(TopicNow::Missing),
            "Broken(\"missing; `conflictwire topics apply` creates it\")",
        );
    }

    #[test]
    fn a_right_that_is_missing_is_told_from_what_else_went_wrong() {
        let code = RDKafkaErrorCode::GroupAuthorizationFailed;
        let missing = KafkaError::Global(code);
        assert_eq!(refusal(&missing, code), None);
        let other = KafkaError::Global(RDKafkaErrorCode::OperationTimedOut);
        assert!(refusal(&other, code).is_some());
    }

    #[test]
    fn nobody_there_is_said_of_each_broker() {
        // The port of a listener that is gone: nothing else gets it at once.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let settings = KafkaSettings { brokers: vec![address], ..settings() };
        let answers = ask_each(&settings, &settings.brokers, Duration::from_millis(300));
        assert_eq!(answers, [Err("connection refused; nothing listens there".to_owned())]);
    }
}
