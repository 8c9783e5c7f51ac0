//! Apache Kafka: topics, one transaction a commit, any number of replicas.
//!
//! The only folder that names rdkafka.

pub mod asyncapi;
pub mod cluster;
pub mod probe;
pub mod read;
pub mod settings;
pub mod topics;
mod trouble;
