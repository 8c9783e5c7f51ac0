//! What goes wrong with a Kafka, and librdkafka's words for it in plain ones.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::settings::KafkaSettings;

/// Why a question to Kafka has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// librdkafka does not take the properties.
    #[error("the Kafka client cannot be made: {0}")]
    Client(String),
    /// Nothing answered, or nobody let us in.
    #[error("Kafka did not answer at {brokers}: {why}")]
    Away {
        /// As configured.
        brokers: String,
        /// What each said last.
        why: String,
    },
    /// This one question was not answered.
    #[error("{0}")]
    Unanswered(String),
    /// No such topic.
    #[error("there is no topic \"{0}\"; `conflictwire topics apply` creates it")]
    Missing(String),
    /// This user must not see or read the topic.
    #[error("not allowed: Read on topic {0}")]
    NotAllowed(String),
    /// The brokers tell no setting of a topic, and the client drops why. Mostly a right is missing.
    #[error(
        "the brokers tell none of them; DescribeConfigs on topic {0} is missing, or the topic is new"
    )]
    Undescribed(String),
    /// Anything else that keeps a topic from being read.
    #[error("could not read the topic \"{topic}\": {why}")]
    Unreadable {
        /// The topic.
        topic: String,
        /// What the brokers say.
        why: String,
    },
    /// A feed's state is not what this version writes, which would keep a daemon from starting too.
    #[error("the state of feed \"{feed}\" in the topic \"{topic}\" cannot be read: {why}")]
    State {
        /// The topic.
        topic: String,
        /// The record's key.
        feed: String,
        /// What is wrong.
        why: String,
    },
}

impl AccessError {
    /// The same of a question that any of the configured brokers might have answered.
    pub(super) fn at(self, settings: &KafkaSettings) -> Self {
        match self {
            Self::Unanswered(why) => Self::Away { brokers: settings.shown_brokers(), why },
            other => other,
        }
    }

    /// An error of a call that read a topic.
    pub(super) fn of_reading(topic: &str, error: &KafkaError) -> Self {
        let unreadable = |why| Self::Unreadable { topic: topic.to_owned(), why };
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => Self::NotAllowed(topic.to_owned()),
            Some(
                RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownPartition,
            ) => Self::Missing(topic.to_owned()),
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                let why = "what comes next has been removed (retention.ms) before it was read; \
                           start again";
                unreadable(why.to_owned())
            }
            Some(_) | None => unreadable(shown(error)),
        }
    }
}

/// Whether brokers did not answer, rather than refused.
pub(super) fn is_away(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::MessageTimedOut
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SSL
        )
    )
}

/// A text of librdkafka as broker and plain words:
/// `sasl_ssl://kafka:9093/bootstrap: Connect to ipv4#10.0.0.1:9093 failed: Connection refused (after
/// 0ms in state CONNECT)` is (`kafka:9093`, `connection refused; nothing listens there`).
pub(super) fn in_plain_words(text: &str) -> (String, String) {
    let (broker, text) = match text.split_once(": ") {
        Some((name, rest)) if name.contains('/') && !name.contains(' ') => {
            let address = name.split_once("://").map_or(name, |(_scheme, address)| address);
            (address.split('/').next().unwrap_or_default(), rest)
        }
        Some(_) | None => ("", text),
    };
    // "(after 5ms in state AUTH_REQ, 3 identical error(s) suppressed)" differs every time.
    let text = text.split(" (after ").next().unwrap_or_default().trim();
    let meaning = |part: &str| text.contains(part);
    let plain = if meaning("Connection refused") {
        "connection refused; nothing listens there".to_owned()
    } else if meaning("Failed to resolve") {
        "the name has no address; see kafka.brokers, or the brokers' advertised.listeners"
            .to_owned()
    } else if meaning("invalid credentials") || meaning("Authentication failed") {
        format!("user or password refused (SASL): {}", lowered(text))
    } else if meaning("certificate verify failed") {
        format!(
            "its certificate is not trusted (TLS); name the authority as \
             kafka.properties.\"ssl.ca.location\": {}",
            lowered(text)
        )
    } else if meaning("SSL handshake failed") {
        format!("no TLS session; see kafka.properties.\"security.protocol\": {}", lowered(text))
    } else if meaning("Unsupported SASL mechanism") || meaning("mechanism handshake failed") {
        format!("see kafka.properties.\"sasl.mechanism\": {}", lowered(text))
    } else if text.starts_with("Disconnected") || meaning("connecting to a SSL") {
        "it hangs up; see kafka.properties.\"security.protocol\": a listener that wants TLS \
         or SASL does so"
            .to_owned()
    } else {
        lowered(text)
    };
    (broker.to_owned(), plain)
}

fn lowered(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // "SASL authentication error" keeps its capitals.
        Some(first) if chars.clone().next().is_none_or(char::is_lowercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        Some(_) | None => text.to_owned(),
    }
}

/// An error of a call, for a person: what librdkafka says of its code.
pub(super) fn shown(error: &KafkaError) -> String {
    match (error, error.rdkafka_error_code()) {
        (KafkaError::Transaction(error), _) => lowered(&error.string()),
        // The one kind whose code the wrapper does not give.
        (KafkaError::AdminOp(code), _) => shown_code(*code),
        (_, Some(code)) => shown_code(code),
        (_, None) => lowered(&error.to_string()),
    }
}

/// A code, for a person: `UnknownTopic (Broker: Unknown topic)` is "unknown topic".
pub(super) fn shown_code(code: RDKafkaErrorCode) -> String {
    let text = code.to_string();
    let inner = text.split_once(" (").and_then(|(_, inner)| inner.strip_suffix(')'));
    let inner = inner.unwrap_or(&text);
    let said = inner.split_once(": ").map_or(inner, |(_who, said)| said);
    lowered(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, broker: &str, plain: &str) {
        assert_eq!(in_plain_words(text), (broker.to_owned(), plain.to_owned()));
    }

    #[test]
    fn a_text_of_librdkafka_is_said_in_plain_words() {
        check(
            "sasl_ssl://kafka:9093/bootstrap: Connect to ipv4#10.0.0.1:9093 failed: Connection \
             refused (after 0ms in state CONNECT)",
            "kafka:9093",
            "connection refused; nothing listens there",
        );
        check(
            "nowhere.example:9092/bootstrap: Failed to resolve 'nowhere.example:9092': Name or \
             service not known (after 2ms in state CONNECT)",
            "nowhere.example:9092",
            "the name has no address; see kafka.brokers, or the brokers' advertised.listeners",
        );
        check(
            "sasl_plaintext://127.0.0.1:9092/1: SASL authentication error: Authentication failed \
             during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256 \
             (after 7ms in state AUTH_REQ, 3 identical error(s) suppressed)",
            "127.0.0.1:9092",
            "user or password refused (SASL): SASL authentication error: Authentication failed \
             during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256",
        );
        check("Something New", "", "something New");
    }

    #[test]
    fn a_code_is_said_in_words() {
        assert_eq!(shown_code(RDKafkaErrorCode::PolicyViolation), "policy violation");
        let timed_out = KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut);
        assert_eq!(shown(&timed_out), "timed out");
    }
}
