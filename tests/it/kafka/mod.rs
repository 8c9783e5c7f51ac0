//! What needs real Kafka: brokers that `make test` fetches and the tests start.

mod audits;
mod brokers;
mod commands;
mod copies;
mod exactly_once;
mod finding;
mod harness;
mod moves;
mod partitions;
mod refused;
mod replicas;
mod scenarios;
mod versions;
pub(crate) mod world;

use rdkafka::producer::{BaseProducer, Producer};

use crate::support::PATIENCE;
use crate::support::broker::Cluster;

/// A producer that is ready to begin transactions.
fn transactional(cluster: &Cluster, id: &str) -> BaseProducer {
    let producer: BaseProducer = cluster.client().set("transactional.id", id).create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}
