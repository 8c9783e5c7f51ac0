//! Which librdkafka properties an operator may set, by name.
//!
//! librdkafka takes text that loads code, runs programs or writes files, some of it at the moment a
//! property is set. None of that is needed to reach a Kafka, so it is refused here, before
//! librdkafka sees it. The list was made by going through every property of librdkafka 2.12.1
//! (`CONFIGURATION.md` and the hidden ones in `rdkafka_conf.c`); go through it again when the
//! version changes.

/// Properties that the ledger sets itself, and why in a word.
const OWNED: [(&str, &str); 16] = [
    ("metadata.broker.list", "set it as kafka.brokers"),
    ("transactional.id", "made of kafka.deployment and the lane"),
    ("group.id", "it is kafka.deployment"),
    ("enable.idempotence", "a transaction needs it"),
    ("request.required.acks", "a transaction needs all of them"),
    ("isolation.level", "each reader has the one it needs"),
    ("auto.commit.enable", "no offsets are committed"),
    ("enable.auto.offset.store", "no offsets are committed"),
    ("enable.partition.eof", "reading a lane needs it"),
    ("auto.offset.reset", "a lane is read from its beginning"),
    ("statistics.interval.ms", "metrics need it"),
    ("log.queue", "logs go where all logs go"),
    ("partitioner", "set kafka.partition_by"),
    ("delivery.report.only.error", "a commit waits for every report"),
    ("enabled_events", "it decides what the ledger hears"),
    ("enable.metrics.push", "an answer of a broker to it can end the process"),
];

/// Properties that do more than describe a connection, and what; an entry that ends in a dot is
/// for all that begin with it.
const REFUSED: [(&str, &str); 13] = [
    ("plugin.library.paths", "it loads code into the process"),
    ("interceptors", "it runs code of a plugin"),
    ("ssl.engine.location", "it loads code into the process"),
    ("ssl.engine.id", "it loads code into the process"),
    ("ssl.providers", "it loads code into the process"),
    (
        "sasl.kerberos.",
        "it is run as a shell command or put into one, and Kerberos is not supported",
    ),
    (
        "sasl.oauthbearer.",
        "OAUTHBEARER is not supported, and it reads files and asks URLs; use SCRAM-SHA-512 or PLAIN over TLS",
    ),
    ("enable.sasl.oauthbearer.unsecure.jwt", "OAUTHBEARER is not supported"),
    ("offset.store.", "it writes files; no offsets are stored"),
    ("internal.termination.signal", "it sends signals to threads of the process"),
    ("enable.random.seed", "without a seed of its own, librdkafka waits for another's"),
    ("test.mock.", "it replaces Kafka by a mock inside the process, and what is committed is lost"),
    ("ut_handle_ProduceResponse", "it takes a function, not a text"),
];

/// How the names of properties end that take a function or a pointer.
const POINTERS: [&str; 4] = ["_cb", "_cmp", "opaque", "_data"];

/// SASL mechanisms that run a program or need a function.
const MECHANISMS_REFUSED: [(&str, &str); 2] = [
    ("GSSAPI", "Kerberos is not supported, and it runs `kinit` through a shell"),
    (
        "OAUTHBEARER",
        "the librdkafka built in has no OIDC, and its tokens need a function that does not exist; use \
         SCRAM-SHA-512 or PLAIN over TLS with kafka.secret_files, or a client certificate",
    ),
];

/// Two names of one property each: the other name, and the one that librdkafka itself uses.
const ALIASES: [(&str, &str); 10] = [
    ("bootstrap.servers", "metadata.broker.list"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("sasl.mechanism", "sasl.mechanisms"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("linger.ms", "queue.buffering.max.ms"),
    ("retries", "message.send.max.retries"),
    ("compression.type", "compression.codec"),
    ("acks", "request.required.acks"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("enable.auto.commit", "auto.commit.enable"),
];

/// The one name of a property that has two.
pub(super) fn canonical(property: &str) -> &str {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == property);
    alias.map_or(property, |(_, name)| name)
}

/// Why a property is not the operator's to set; `None` if librdkafka may judge it.
pub(super) fn refusal(property: &str, value: &str) -> Option<String> {
    let name = canonical(property);
    if let Some((_, why)) = OWNED.iter().find(|(owned, _)| *owned == name) {
        return Some(format!("it is set by the ledger itself ({why}); remove it"));
    }
    let is_refused =
        |refused: &str| name == refused || refused.ends_with('.') && name.starts_with(refused);
    if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| is_refused(refused)) {
        return Some(format!("it is refused ({why}); remove it"));
    }
    if POINTERS.iter().any(|ending| name.ends_with(ending)) {
        return Some("it is refused (it takes a function, not a text); remove it".to_owned());
    }
    if name == "sasl.mechanisms" {
        let asked = |mechanism: &str| {
            value.split(',').any(|part| part.trim().eq_ignore_ascii_case(mechanism))
        };
        let (mechanism, why) = MECHANISMS_REFUSED.iter().find(|(name, _)| asked(name))?;
        return Some(format!(
            "{mechanism} is refused ({why}); use SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN, or a \
             client certificate"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_more_than_describe_a_connection_is_refused() {
        let file = "/tmp/evil.so";
        for (property, value, why) in [
            ("plugin.library.paths", file, "loads code"),
            ("ssl.engine.location", file, "loads code"),
            ("ssl.engine.id", file, "loads code"),
            ("ssl.providers", file, "loads code"),
            ("interceptors", "monitoring", "plugin"),
            // It runs a program, or is put into its command.
            ("sasl.kerberos.kinit.cmd", "touch /tmp/pwned", "shell command"),
            ("sasl.kerberos.principal", "x; touch /tmp/pwned", "shell command"),
            ("sasl.kerberos.keytab", "$(touch /tmp/pwned)", "shell command"),
            ("sasl.mechanism", "GSSAPI", "kinit"),
            ("sasl.mechanisms", "PLAIN, gssapi", "kinit"),
            // It reads or writes other files.
            ("offset.store.path", "/etc", "writes files"),
            ("offset.store.method", "file", "writes files"),
            ("sasl.oauthbearer.assertion.file", "/etc/shadow", "OAUTHBEARER"),
            ("sasl.oauthbearer.method", "oidc", "OAUTHBEARER"),
            ("sasl.oauthbearer.token.endpoint.url", "http://169.254.169.254/", "OAUTHBEARER"),
            ("sasl.mechanism", "OAUTHBEARER", "function that does not exist"),
            // It ends or replaces the client.
            ("internal.termination.signal", "9", "signals"),
            ("test.mock.num.brokers", "3", "mock"),
            ("enable.metrics.push", "true", "can end the process"),
            ("enable.metrics.push", "false", "can end the process"),
            // It takes a function.
            ("open_cb", "1", "takes a function"),
            ("socket_cb", "1", "takes a function"),
            ("log_cb", "1", "takes a function"),
            ("msg_order_cmp", "1", "takes a function"),
            ("opaque", "1", "takes a function"),
            ("ssl_engine_callback_data", "1", "takes a function"),
            // It is the ledger's own, also by its other name.
            ("request.required.acks", "1", "set by the ledger"),
            ("auto.commit.enable", "true", "set by the ledger"),
            ("delivery.report.only.error", "true", "every report"),
        ] {
            let refused = refusal(property, value);
            assert!(refused.as_ref().is_some_and(|text| text.contains(why)), "{refused:?}");
        }
    }

    #[test]
    fn another_name_of_an_owned_property_is_owned_too() {
        for (alias, name) in ALIASES {
            assert_eq!(refusal(alias, "1"), refusal(name, "1"), "{alias} and {name}");
        }
    }

    #[test]
    fn what_describes_a_connection_is_the_operators() {
        for (property, value) in [
            ("security.protocol", "SASL_SSL"),
            ("ssl.ca.location", "/etc/ssl/certs/ca.pem"),
            ("ssl.key.location", "/run/secrets/key.pem"),
            ("ssl.crl.location", "/etc/ssl/crl.pem"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", "conflictwire"),
            ("socket.timeout.ms", "5000"),
        ] {
            assert_eq!(refusal(property, value), None, "{property}");
        }
    }
}
