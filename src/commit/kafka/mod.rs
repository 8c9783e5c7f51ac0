//! Apache Kafka: topics, one transaction a commit, any number of replicas.
//!
//! The only folder that names rdkafka.

pub mod settings;
