//! Describes the topics to whoever reads them: an AsyncAPI 3.0 document with Kafka bindings.
//!
//! Pure. Topics, partitions and settings are the plan's, payloads the schemas of the records
//! themselves, and headers the table that lanes write them from, so nothing is said twice.

use std::collections::BTreeSet;

use cw_decide::lane::header::{Header, Subject};
use cw_decide::lane::wire::{PartitionBy, Target};
use cw_model::{Record, Reject};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use strum::IntoEnumIterator as _;

use super::settings::KafkaSettings;
use super::topics::{Choice, PARTITIONS, REPLICATION, TopicPlan, plan};

/// The version of the Kafka bindings.
const BINDING: &str = "0.5.0";

/// What every reader must know, in Markdown.
const ABOUT: &str = "\
News articles with what they say about armed conflict, each revision exactly once.

**Read with `isolation.level=read_committed`.** Records are written in transactions, and those of a \
transaction that was aborted stay in the log. Java's default is `read_uncommitted`, which shows \
them; librdkafka's is `read_committed`.

**Offsets have gaps.** Every transaction leaves a marker in each partition it touched, and a marker \
has an offset. Lag and counts made of offsets are too high; a reader is at the end when its position \
is, not when it has counted so many records.

**Key:** the article's id, the same on every revision, restart and replica. `ce_id` names one \
revision (`{article id}:{revision}`): whoever copies these topics by at-least-once means can tell \
repeats by it.

**Order:** ";

/// Says in which order a reader sees records, for each way to choose partitions.
fn order(partition_by: PartitionBy) -> &'static str {
    match partition_by {
        PartitionBy::Lane => {
            "the records of a feed are in one partition, in the order in which they were observed. \
             The partition is not that of the key (`kafka.partition_by = \"lane\"`): joins by key \
             must repartition."
        }
        PartitionBy::Key => {
            "the revisions of an article are in one partition, in order; which is that of the key \
             (murmur2, as Java's default partitioner; `kafka.partition_by = \"key\"`)."
        }
    }
}

const ABOUT_TIME: &str = "

**Timestamp:** when the commit was made, never the publisher's date; that is `published_at` in the \
value, and null where it is missing or not believed.

**Values** are JSON in UTF-8. Within a version fields are only added, and names to lists of names: \
ignore what you do not know. Of what the publisher gives, `null` means that there was none; of what is \
found by looking at the texts, that nobody looked, and `[]` that nothing was found.

**Corrections:** the conflict channel has the relevant revisions (`conflict.relevant`), and each \
revision with which an article stops being relevant: it says `relevant: false`, or `conflict` is null, \
as in one that was withdrawn. Such a record may come once too often, of articles that an earlier version \
published; keep the newest revision of each key, and drop those that are not relevant.";

/// The document.
pub fn document(settings: &KafkaSettings) -> Value {
    let plans = plan(settings, Choice { partitions: PARTITIONS, replication: REPLICATION });
    let servers: Map<String, Value> = settings
        .brokers
        .iter()
        .enumerate()
        .map(|(index, broker)| (format!("broker{index}"), server(broker, settings)))
        .collect();
    let channels: Map<String, Value> =
        plans.iter().map(|plan| (plan.target.name().to_owned(), channel(plan))).collect();
    let operations: Map<String, Value> = plans
        .iter()
        .filter(|plan| plan.target != Target::State)
        .map(|plan| operation(plan.target))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "conflictwire",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("{ABOUT}{}{ABOUT_TIME}", order(settings.partition_by)),
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": "application/json",
        "servers": servers,
        "channels": channels,
        "operations": operations,
        "components": components(settings),
    })
}

/// The message of a channel.
fn message_name(target: Target) -> &'static str {
    match target {
        Target::Articles | Target::Conflict => "article",
        Target::Rejects => "reject",
        Target::State => "feedState",
    }
}

fn server(broker: &str, settings: &KafkaSettings) -> Value {
    let protocol = settings.properties.get("security.protocol").map(String::as_str);
    let is_secure = protocol.is_some_and(|protocol| protocol.to_ascii_uppercase().ends_with("SSL"));
    let server = json!({
        "host": broker,
        "protocol": if is_secure { "kafka-secure" } else { "kafka" },
        "description": "As configured (kafka.brokers); the others are found through it.",
    });
    if security_scheme(settings).is_none() {
        return server;
    }
    with(server, "security", json!([{ "$ref": "#/components/securitySchemes/sasl" }]))
}

/// An object with one more member.
fn with(mut object: Value, name: &str, member: Value) -> Value {
    if let Value::Object(members) = &mut object {
        members.insert(name.to_owned(), member);
    }
    object
}

/// AsyncAPI's name for the way a client logs in; `None` if it has no name for it.
fn security_scheme(settings: &KafkaSettings) -> Option<&'static str> {
    let property = |name: &str| settings.properties.get(name).map(|it| it.to_ascii_uppercase());
    if !property("security.protocol")?.starts_with("SASL") {
        return None;
    }
    let mechanism = property("sasl.mechanism").or_else(|| property("sasl.mechanisms"))?;
    match mechanism.as_str() {
        "PLAIN" => Some("plain"),
        "SCRAM-SHA-256" => Some("scramSha256"),
        "SCRAM-SHA-512" => Some("scramSha512"),
        "GSSAPI" => Some("gssapi"),
        _ => None,
    }
}

fn channel(plan: &TopicPlan) -> Value {
    let message = message_name(plan.target);
    let internal = match plan.target {
        Target::State => " Internal: its form may change with any version; do not build on it.",
        Target::Articles | Target::Conflict | Target::Rejects => "",
    };
    json!({
        "address": plan.name,
        "title": plan.target.name(),
        "summary": plan.target.text(),
        "description": format!("{}.{internal}", capitalised(plan.target.text())),
        "messages": { message: { "$ref": format!("#/components/messages/{message}") } },
        "bindings": { "kafka": {
            "topic": plan.name,
            "partitions": plan.partitions,
            "replicas": plan.replication,
            "topicConfiguration": topic_configuration(plan),
            "bindingVersion": BINDING,
        }},
        "x-internal": plan.target == Target::State,
    })
}

/// The settings that the Kafka bindings know. The bindings write numbers as numbers.
fn topic_configuration(plan: &TopicPlan) -> Value {
    let known = ["cleanup.policy", "retention.ms", "delete.retention.ms", "max.message.bytes"];
    plan.settings
        .iter()
        .filter(|setting| known.contains(&setting.key))
        .map(|setting| {
            let value = match setting.value.parse::<u64>() {
                Ok(number) => json!(number),
                Err(_) => json!([setting.value]),
            };
            (setting.key.to_owned(), value)
        })
        .collect::<Map<_, _>>()
        .into()
}

fn operation(target: Target) -> (String, Value) {
    let (channel, message) = (target.name(), message_name(target));
    let operation = json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{channel}") },
        "title": format!("Publish {channel}"),
        "summary": target.text(),
        "messages": [{ "$ref": format!("#/channels/{channel}/messages/{message}") }],
    });
    (format!("publish{}", capitalised(channel)), operation)
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn components(settings: &KafkaSettings) -> Value {
    let mut generator = SchemaSettings::draft07()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            // AsyncAPI's own schemas are a superset of draft 7, so `$schema` is not needed.
            settings.meta_schema = None;
        })
        .into_generator();
    let _articles = generator.subschema_for::<Record>();
    let _rejects = generator.subschema_for::<Reject>();
    let mut schemas = generator.take_definitions(true);
    for published in ["Record", "Reject"] {
        // `$ref`s inside a schema would be resolved against its `$id`.
        schemas.get_mut(published).and_then(Value::as_object_mut).map(|one| one.remove("$id"));
    }
    let components = json!({
        "messages": {
            "article": message(Subject::Article),
            "reject": message(Subject::Reject),
            "feedState": feed_state(),
        },
        "schemas": schemas,
    });
    match security_scheme(settings) {
        Some(scheme) => with(components, "securitySchemes", json!({ "sasl": { "type": scheme } })),
        None => components,
    }
}

/// The headers of records about something.
fn headers(subject: Subject) -> Value {
    let names = |headers: &[Header]| headers.iter().map(|one| one.name()).collect::<BTreeSet<_>>();
    let described = |one: Header| Some((one.name().to_owned(), one.schema(subject)?));
    let properties: Map<String, Value> = Header::iter().filter_map(described).collect();
    let required: Vec<Header> = Header::iter().filter(|one| one.is_required()).collect();
    json!({ "type": "object", "required": names(&required), "properties": properties })
}

fn key(description: &str) -> Value {
    json!({ "kafka": {
        "key": { "type": "string", "pattern": "^[0-9a-f]{32}$", "description": description },
        "bindingVersion": BINDING,
    }})
}

/// The message of records that are published.
fn message(subject: Subject) -> Value {
    let (name, title, summary, payload, key_text) = match subject {
        Subject::Article => (
            "article",
            "Article revision",
            "One revision of one article, with what it says about conflict.",
            "Record",
            "The article's id.",
        ),
        Subject::Reject => {
            ("reject", "Reject", "What could not be read, and why.", "Reject", "The reject's id.")
        }
    };
    json!({
        "name": name,
        "title": title,
        "summary": summary,
        "contentType": "application/json",
        "headers": headers(subject),
        "payload": { "$ref": format!("#/components/schemas/{payload}") },
        "bindings": key(key_text),
    })
}

fn feed_state() -> Value {
    json!({
        "name": "feedState",
        "title": "Feed state (internal)",
        "summary": "What the next poll of a feed must know, or where a lane stands.",
        "contentType": "application/json",
        "payload": { "type": "object", "description": "Internal." },
        "bindings": { "kafka": {
            "key": { "type": "string", "description":
                "The feed's id, or \"__lane\" for the lane's own record." },
            "bindingVersion": BINDING,
        }},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::kafka::topics::tests::settings;

    /// Every `$ref` in a document.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(target) if name == "$ref" => found.push(target.clone()),
                        _ => references(member, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document(&settings());
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }

    #[test]
    fn channels_are_the_topics_as_planned() {
        let document = document(&settings());
        let channels = document["channels"].as_object().unwrap();
        assert_eq!(channels.len(), 4);
        let state = &channels["state"];
        assert_eq!(state["address"], "news.feed-state.v1");
        assert_eq!(state["bindings"]["kafka"]["partitions"], 16);
        assert_eq!(state["x-internal"], true);
        let articles = &channels["articles"]["bindings"]["kafka"]["topicConfiguration"];
        assert_eq!(articles["retention.ms"], 2_592_000_000_u64);
        assert_eq!(articles["cleanup.policy"], json!(["delete"]));
    }

    #[test]
    fn readers_are_told_what_surprises_them() {
        let document = document(&settings());
        let about = document["info"]["description"].as_str().unwrap();
        let words = ["read_committed", "read_uncommitted", "Offsets have gaps", "Key", "Timestamp"];
        for word in words.into_iter().chain(["Corrections", "ignore what you do not know"]) {
            assert!(about.contains(word), "{word}");
        }
        let by_key = KafkaSettings { partition_by: PartitionBy::Key, ..settings() };
        let document = super::document(&by_key);
        assert!(document["info"]["description"].as_str().unwrap().contains("murmur2"));
    }

    #[test]
    fn a_server_says_how_to_log_in() {
        let mut settings = settings();
        assert_eq!(document(&settings)["servers"]["broker0"]["protocol"], "kafka");
        for (property, value) in
            [("security.protocol", "SASL_SSL"), ("sasl.mechanism", "SCRAM-SHA-512")]
        {
            settings.properties.insert(property.to_owned(), value.to_owned());
        }
        let document = document(&settings);
        assert_eq!(document["servers"]["broker0"]["protocol"], "kafka-secure");
        assert_eq!(document["components"]["securitySchemes"]["sasl"]["type"], "scramSha512");
    }

    #[test]
    fn the_schema_that_a_header_names_is_the_published_one() {
        let document = document(&settings());
        for (message, schema) in
            [("article", schemars::schema_for!(Record)), ("reject", schemars::schema_for!(Reject))]
        {
            let pointer =
                format!("/components/messages/{message}/headers/properties/ce_dataschema/const");
            assert_eq!(document.pointer(&pointer).unwrap(), schema.get("$id").unwrap());
        }
    }
}
