//! Apache Kafka. So far this room only knows which properties librdkafka takes; the ledger that
//! commits to topics is not in this version.
//!
//! The only folder that names rdkafka.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

/// Properties that decide who owns a lane and what a transaction is. The ledger sets them itself:
/// with others, "exactly once" would be a claim and no more.
const OWNED: [&str; 8] = [
    "transactional.id",
    "enable.idempotence",
    "acks",
    "isolation.level",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
];

/// A property that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyProblem {
    /// The property.
    pub property: String,
    /// What is wrong, for a person.
    pub text: String,
}

/// Every property that librdkafka does not take as given, or that the ledger sets itself.
///
/// Asks librdkafka, so that the answer is that of the version built in. No broker is contacted.
pub fn property_problems(properties: &BTreeMap<String, String>) -> Vec<PropertyProblem> {
    let mut problems = Vec::new();
    for (property, value) in properties {
        let problem = |text: String| PropertyProblem { property: property.clone(), text };
        if OWNED.contains(&property.as_str()) {
            problems.push(problem("it is set by the ledger itself; remove it".to_owned()));
            continue;
        }
        let mut config = ClientConfig::new();
        config.set(property, value);
        match config.create_native_config() {
            Ok(_) => {}
            Err(KafkaError::ClientConfig(_, why, _, _)) => problems.push(problem(why)),
            Err(error) => problems.push(problem(error.to_string())),
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(property: &str, value: &str, expected: Option<&str>) {
        let properties = BTreeMap::from([(property.to_owned(), value.to_owned())]);
        let problems = property_problems(&properties);
        let texts: Vec<&str> = problems.iter().map(|problem| problem.text.as_str()).collect();
        match expected {
            None => assert!(texts.is_empty(), "{texts:?}"),
            Some(part) => assert!(texts.iter().any(|text| text.contains(part)), "{texts:?}"),
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
    }
}
