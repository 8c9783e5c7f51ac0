//! What needs real Kafka: brokers that `make test` fetches and the tests start.

mod harness;
