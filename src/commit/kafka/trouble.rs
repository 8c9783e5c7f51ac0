//! What librdkafka says is wrong, in words that say what to do.
//!
//! A call that waits for brokers only ever says that it timed out. Why, a refused connection, a
//! certificate, a password, comes beside it through the client's error callback; this file keeps the
//! last of those texts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};
use tracing::debug;

/// The most brokers whose last text is kept.
const BROKERS_MAX: usize = 64;

/// What a client of a command has beside its own: it only asks, and wants to hear all that goes
/// wrong.
pub(super) fn ask(config: &mut ClientConfig) {
    config
        // The brokers must not create what they are asked for.
        .set("allow.auto.create.topics", "false")
        // Who hangs up tells more than who is silent.
        .set("log.connection.close", "true")
        // Where nothing gets through, that is to be known before everybody has gone.
        .set("socket.connection.setup.timeout.ms", "5000");
}

/// The context of a client of a command: keeps what it hears instead of logging it.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The last text by broker, without what changes from one try to the next.
    texts: Mutex<BTreeMap<String, String>>,
    /// Whether somebody answered, and did not let us in: waiting longer does not help.
    is_refused: AtomicBool,
    /// What became of the last record that was sent.
    delivered: Mutex<Option<Result<(), KafkaError>>>,
}

impl Heard {
    /// What was heard, a sentence for each broker, in plain words.
    pub(super) fn texts(&self) -> Vec<String> {
        let texts = locked(&self.texts);
        texts
            .iter()
            .map(
                |(broker, text)| {
                    if broker.is_empty() { text.clone() } else { format!("{broker}: {text}") }
                },
            )
            .collect()
    }

    /// The first of them.
    pub(super) fn text(&self) -> Option<String> {
        self.texts().into_iter().next()
    }

    /// Whether a password or a certificate was refused.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// What became of the last record, once that is known.
    pub(super) fn take_delivered(&self) -> Option<Result<(), KafkaError>> {
        locked(&self.delivered).take()
    }

    /// Forgets what was heard: it works now.
    pub(super) fn forget(&self) {
        locked(&self.texts).clear();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A text that a panicking thread has half written does not exist: each is put in whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for Heard {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, text: &str) {
        debug!(target: "librdkafka", "{facility} {text}");
        // That a broker hangs up is only ever logged. An error of it says more.
        if facility == "FAIL"
            && let Some((_thread, text)) = text.split_once("]: ")
        {
            let (broker, text) = in_plain_words(text);
            let mut texts = locked(&self.texts);
            if texts.len() < BROKERS_MAX {
                texts.entry(broker).or_insert(text);
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let is_summary = matches!(
            error.rdkafka_error_code(),
            // "1/1 brokers are down": the text of each broker says more.
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::PartitionEOF)
        );
        if is_summary {
            return;
        }
        if matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL)
        ) {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        let (broker, text) = in_plain_words(reason);
        let mut texts = locked(&self.texts);
        if texts.len() < BROKERS_MAX || texts.contains_key(&broker) {
            texts.insert(broker, text);
        }
    }
}

impl ConsumerContext for Heard {}

impl ProducerContext for Heard {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _opaque: ()) {
        let result = result.as_ref().map(|_record| ()).map_err(|(error, _record)| error.clone());
        *locked(&self.delivered) = Some(result);
    }
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

/// Whether brokers did not answer, rather than refused.
pub(super) fn is_away(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut
            | RDKafkaErrorCode::MessageTimedOut
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SSL
    )
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

    #[test]
    fn the_last_text_of_each_broker_is_kept() {
        let heard = Heard::default();
        let error = || KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure);
        heard.error(error(), "a:1/bootstrap: Connection refused");
        heard.error(error(), "b:1/bootstrap: Something");
        heard.error(error(), "b:1/2: Something else (after 1ms in state UP)");
        heard.error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "2/2 brokers are down");
        assert_eq!(
            heard.texts(),
            ["a:1: connection refused; nothing listens there", "b:1: something else"]
        );
        heard.forget();
        assert_eq!(heard.text(), None);
    }
}
