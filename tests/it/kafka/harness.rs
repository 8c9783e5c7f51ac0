//! The harness of the Kafka tests held to its own word: what it says of brokers and topics is so.

use std::collections::BTreeMap;

use rdkafka::producer::{BaseProducer, Producer};
use serde_json::json;

use crate::support::PATIENCE;
use crate::support::broker::Cluster;
use crate::support::topics::{TopicRecord, send};

/// A producer that is ready to begin transactions.
fn transactional(cluster: &Cluster, id: &str) -> BaseProducer {
    let producer: BaseProducer = cluster.client().set("transactional.id", id).create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}

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
