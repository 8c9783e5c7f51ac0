//! The harness of the Kafka tests held to its own word: what it says of brokers and topics is so.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;
use serde_json::json;

use super::transactional;
use crate::support::broker::{Cluster, complete};
use crate::support::secured::{Resource, Secured, password};
use crate::support::topics::{TopicRecord, send};
use crate::support::{PATIENCE, wait_until};

/// How long a client whom nobody lets in keeps trying.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Begins a transaction with a record in it that brokers have.
fn begin(producer: &BaseProducer, topic: &str, key: &str) {
    producer.begin_transaction().unwrap();
    send(producer, (topic, 0), (key, Some(&json!({"key": key}))), &BTreeMap::new());
    producer.flush(PATIENCE).unwrap();
}

fn keys(records: &[TopicRecord]) -> Vec<&str> {
    records.iter().map(|record| record.key.as_str()).collect()
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_reader_tells_what_is_committed_from_what_is_not() {
    let cluster = Cluster::quiet();
    let topic = cluster.name("harness.readers");
    cluster.create_topic(&topic, 2, &[]);
    let topics = cluster.topics();
    assert!(topics.read_committed(&topic).is_empty());

    let producer = transactional(&cluster, &topic);
    begin(&producer, &topic, "committed");
    producer.commit_transaction(PATIENCE).unwrap();
    begin(&producer, &topic, "aborted");
    producer.abort_transaction(PATIENCE).unwrap();
    topics.wait_until_settled(&topic);
    assert_eq!(keys(&topics.read_committed(&topic)), ["committed"]);
    assert_eq!(keys(&topics.read_uncommitted(&topic)), ["committed", "aborted"]);

    begin(&producer, &topic, "open");
    topics.produce(&topic, 0, "after it", None);
    topics.produce(&topic, 1, "elsewhere", Some(&json!("a text")));
    assert_eq!(topics.open_partitions(&topic), [0]);
    assert_eq!(keys(&topics.read_committed(&topic)), ["committed", "elsewhere"]);
    assert_eq!(keys(&topics.aborted(&topic)), ["aborted", "open", "after it"]);

    producer.commit_transaction(PATIENCE).unwrap();
    topics.wait_until_settled(&topic);
    let committed = topics.read_committed(&topic);
    assert_eq!(keys(&committed), ["committed", "open", "after it", "elsewhere"]);
    assert_eq!(committed, cluster.topics().read_committed(&topic), "as one who reads it all anew");
    let values: Vec<_> = committed.into_iter().map(|record| record.value).collect();
    let expected = [
        Some(json!({"key": "committed"})),
        Some(json!({"key": "open"})),
        None,
        Some(json!("a text")),
    ];
    assert_eq!(values, expected);
}

/// A record that is committed, or the error that says why it could not be.
fn try_to_produce(secured: &Secured, user: &str, password: &str, topic: &str) -> KafkaResult<()> {
    let mut client = secured.client(user);
    client.set("sasl.password", password).set("transactional.id", topic);
    client.set("allow.auto.create.topics", "false");
    let producer: BaseProducer = client.create()?;
    producer.init_transactions(REFUSAL_TIMEOUT)?;
    producer.begin_transaction()?;
    send(&producer, (topic, 0), ("key", None), &BTreeMap::new());
    producer.commit_transaction(PATIENCE)
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_secured_cluster_lets_in_whom_it_knows_to_do_what_he_may() {
    let secured = Cluster::secured();
    let topic = secured.cluster().name("harness.secured");
    secured.cluster().create_topic(&topic, 1, &[]);
    assert!(secured.authority().exists());

    // The client library tries again and again; that it was not let in shows by time alone.
    let refused = try_to_produce(secured, "daemon", "a wrong one", &topic);
    assert_eq!(
        refused.unwrap_err().rdkafka_error_code(),
        Some(RDKafkaErrorCode::OperationTimedOut)
    );
    let stranger = || try_to_produce(secured, "stranger", &password("stranger"), &topic);
    let committed = Cell::new(0);
    let daemon = || {
        let produced = try_to_produce(secured, "daemon", &password("daemon"), &topic);
        committed.set(committed.get() + usize::from(produced.is_ok()));
        produced
    };
    wait_until("the id to be refused", || {
        let refused = daemon().unwrap_err().rdkafka_error_code();
        refused == Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed)
    });

    let id = Resource::TransactionalId(&topic);
    secured.allow("daemon", &["Write", "Describe"], id);
    assert!(daemon().is_err(), "the id may, but not to this topic");
    secured.allow("daemon", &["Write", "Describe"], Resource::Topic(&topic));
    wait_until("a record to be let in", || daemon().is_ok());
    assert!(stranger().is_err());
    secured.take_back("daemon", &["Write"], Resource::Topic(&topic));
    assert!(daemon().is_err());
    secured.cluster().topics().wait_until_settled(&topic);
    assert_eq!(secured.cluster().topics().read_committed(&topic).len(), committed.get());
}

#[test]
#[ignore = "needs Kafka: make test"]
fn rights_to_groups_and_to_the_cluster_are_given_too() {
    let secured = Cluster::secured();
    let name = secured.cluster().name("harness.rights");
    let mut client = secured.client("daemon");
    let consumer: BaseConsumer = client.set("group.id", &name).create().unwrap();
    // Here, too, that it may not shows by time alone.
    let ask = || {
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&name, 0);
        consumer.committed_offsets(asked, REFUSAL_TIMEOUT)
    };
    assert!(ask().is_err());
    secured.allow("daemon", &["Read"], Resource::Group(&name));
    wait_until("the right to be known", || ask().is_ok());

    let admin = AdminClient::from_config(&secured.client("stranger")).unwrap();
    let create = || {
        let topic = NewTopic::new(&name, 1, TopicReplication::Fixed(1));
        complete(admin.create_topics([&topic], &AdminOptions::new())).unwrap().remove(0)
    };
    assert!(create().is_err());
    secured.allow("stranger", &["Create"], Resource::Cluster);
    wait_until("the topic to be made", || match create() {
        Ok(_name) => true,
        // Made by a request whose answer came too late.
        Err((_name, code)) => code == RDKafkaErrorCode::TopicAlreadyExists,
    });
    // The cluster is all tests' own.
    secured.take_back("stranger", &["Create"], Resource::Cluster);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn an_admin_may_do_what_nobody_gave_him_a_right_to() {
    let secured = Cluster::secured();
    let topic = secured.cluster().name("harness.admin");
    secured.cluster().create_topic(&topic, 1, &[]);
    try_to_produce(secured, "admin", &password("admin"), &topic).unwrap();
    secured.cluster().delete_topic(&topic);
    wait_until("the topic to be gone", || secured.cluster().partitions(&topic).is_none());
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_killed_leader_is_followed_by_another_and_comes_back() {
    let mut cluster = Cluster::alone();
    let topic = cluster.name("harness.leaders");
    cluster.create_topic(&topic, 1, &[]);
    let topics = cluster.topics();
    topics.produce(&topic, 0, "before", None);

    let first = cluster.leader(&topic, 0);
    assert!(cluster.node_ids().contains(&first));
    cluster.kill(first);
    wait_until("another leader", || cluster.leader(&topic, 0) != first);
    topics.produce(&topic, 0, "without it", None);

    cluster.restart(first);
    cluster.wait_until_whole();
    let second = cluster.leader(&topic, 0);
    cluster.pause(second);
    wait_until("another leader", || cluster.leader(&topic, 0) != second);
    topics.produce(&topic, 0, "beside it", None);
    cluster.resume(second);
    cluster.wait_until_whole();
    assert_eq!(keys(&topics.read_committed(&topic)), ["before", "without it", "beside it"]);

    // Left as it should not be, it is mended for whoever comes next.
    cluster.kill(first);
    cluster.pause(second);
    drop(cluster);
    let cluster = Cluster::quiet();
    assert_eq!(keys(&cluster.topics().read_committed(&topic)).len(), 3);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn coordinators_are_where_kafka_says_they_are() {
    let mut cluster = Cluster::alone();
    let id = cluster.name("harness.coordinators");
    let nodes = cluster.node_ids();
    assert!(nodes.contains(&cluster.group_coordinator(&id)));

    // A transactional id whose coordinator is away is refused until it has another.
    let coordinator = cluster.transaction_coordinator(&id);
    let producer = transactional(&cluster, &id);
    drop(producer);
    cluster.pause(coordinator);
    wait_until("another coordinator", || cluster.transaction_coordinator(&id) != coordinator);
    drop(transactional(&cluster, &id));
}
