//! The Kafka ledger on three real brokers on loopback, three copies of everything, two of them
//! acknowledged: throughput beside librdkafka's own producer, latency, take-over, restore, memory.
//!
//! The brokers and the real daemon are the tests' own. `conflictwire topics apply` makes the topics.

mod daemons;
mod driven;
mod latency;
mod plain;
mod takeover;
mod throughput;

// What the tests stand on, and only some of it is needed here.
#[path = "../../../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[expect(clippy::unwrap_used, reason = "a harness that cannot go on says so by failing")]
#[expect(clippy::indexing_slicing, reason = "a harness that cannot go on says so by failing")]
#[expect(clippy::string_slice, reason = "the texts cut here are ours")]
mod support;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use conflictwire::ledger::KafkaSettings;
use conflictwire::ledger::kafka::settings::TopicNames;
use cw_decide::lane::wire::PartitionBy;
use cw_model::Outcome;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use self::support::broker::Cluster;
use self::support::daemon::{BINARY, Setup};
use super::{corpus, load, parsing};

/// Outcomes that are committed over and over, each of another feed.
const OUTCOMES: u64 = 1_000;

/// The topics, in the order of [`Deployment::topics`].
const TOPICS: [&str; 4] = ["articles", "conflict", "rejects", "state"];

/// All of it, or the parts that are `wanted`: their names with commas between.
pub(crate) fn measure(wanted: &str) -> anyhow::Result<()> {
    let cluster = Cluster::quiet();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcomes = outcomes()?;
    let mut table = Table::default();
    println!("## Kafka\n");
    let is_wanted = |part: &str| {
        let all = ["", "only"].contains(&wanted);
        all || wanted.split(',').any(|wanted| wanted == part)
    };
    if is_wanted("throughput") {
        throughput::measure(&cluster, &runtime, &outcomes, &mut table)?;
    }
    if is_wanted("latency") {
        latency::measure(&cluster, &runtime, &outcomes, &mut table)?;
    }
    if is_wanted("takeover") {
        takeover::measure(&cluster, &mut table)?;
    }
    if is_wanted("sweep") {
        daemons::end_to_end(&cluster, &mut table)?;
    }
    if is_wanted("idle") {
        daemons::idle(&cluster, &mut table)?;
    }
    if is_wanted("restore") {
        daemons::restore(&cluster, &runtime, &mut table)?;
    }
    table.print();
    Ok(())
}

/// What was measured, with the load of the machine just then.
#[derive(Default)]
struct Table {
    rows: Vec<(String, String, String)>,
}

impl Table {
    fn row(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        let row = (what.into(), figure.into(), load());
        // Also at once: the whole takes minutes.
        eprint_row(&row);
        self.rows.push(row);
    }

    fn print(&self) {
        println!("| | | load |\n|---|---:|---:|");
        for (what, figure, load) in &self.rows {
            println!("| {what} | {figure} | {load} |");
        }
        println!();
    }
}

#[expect(clippy::print_stderr, reason = "progress, beside the table on standard output")]
fn eprint_row((what, figure, load): &(String, String, String)) {
    eprintln!("kafka: {what}: {figure} (load {load})");
}

/// The polls of so many newspapers: twenty articles each, processed and tagged.
fn outcomes() -> anyhow::Result<Vec<Arc<Outcome>>> {
    let tagger = parsing::tagger()?;
    let outcome = |number| {
        let poll = parsing::Poll::new(&corpus::feed(number))?;
        Ok(Arc::new(poll.outcome(&tagger, parsing::poll_time())))
    };
    (0..OUTCOMES).map(outcome).collect()
}

/// Topics, a group and transactional ids of one measurement's own.
struct Deployment {
    name: String,
    lanes: u32,
    brokers: Vec<String>,
    setup: Setup,
}

impl Deployment {
    /// The ledger with its default settings, its topics as `topics apply` makes them; feeds that are asked for once and then left alone.
    fn new(cluster: &Cluster, what: &str, lanes: u32) -> anyhow::Result<Self> {
        let name = cluster.name(&format!("bench-{what}"));
        let brokers: Vec<String> = cluster.bootstrap().split(',').map(str::to_owned).collect();
        let mut setup = Setup::new();
        setup.set("ledger.kind", "kafka").set("kafka.brokers", brokers.clone());
        setup.set("kafka.deployment", name.as_str()).set("kafka.lanes", i64::from(lanes));
        for topic in TOPICS {
            setup.set(&format!("kafka.topics.{topic}"), format!("{name}.{topic}"));
        }
        setup.set("schedule.interval_min", "4h").set("schedule.interval_max", "4h");
        setup.set("fetch.host_concurrency", 2).set("log.level", "info");
        let deployment = Self { name, lanes, brokers, setup };
        let status = deployment
            .setup
            .command(BINARY)
            .args(["topics", "apply", "--config"])
            .arg(deployment.setup.config())
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "topics apply: {status}");
        Ok(deployment)
    }

    fn topics(&self) -> [String; 4] {
        TOPICS.map(|topic| format!("{}.{topic}", self.name))
    }

    /// What the daemon would make of that configuration.
    fn settings(&self, commit_interval: Duration) -> KafkaSettings {
        let [articles, conflict, rejects, state] = self.topics();
        KafkaSettings {
            brokers: self.brokers.clone(),
            deployment: self.name.clone(),
            lanes: self.lanes,
            commit_interval,
            leave_patience: Duration::from_secs(5),
            partition_by: PartitionBy::Lane,
            topics: TopicNames { articles, conflict, rejects, state },
            properties: BTreeMap::new(),
            secrets: BTreeMap::new(),
            advertise: None,
        }
    }
}

/// A reader of what is committed in topics, from their beginning on.
fn reader(cluster: &Cluster, topics: &[&str]) -> anyhow::Result<BaseConsumer> {
    let mut client = cluster.client();
    // Wanted by the client library; nobody joins it and nothing is committed to it.
    client.set("group.id", "conflictwire-bench").set("enable.auto.commit", "false");
    client.set("isolation.level", "read_committed");
    let consumer: BaseConsumer = client.create()?;
    let mut all = TopicPartitionList::new();
    for topic in topics {
        let partitions = cluster.partitions(topic).with_context(|| format!("no topic {topic}"))?;
        for partition in 0..partitions {
            all.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
    }
    consumer.assign(&all)?;
    Ok(consumer)
}

/// The value that this share of all values does not exceed.
fn quantile(values: &[Duration], share: f64) -> Duration {
    let mut values = values.to_vec();
    values.sort_unstable();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "few values")]
    #[expect(clippy::cast_sign_loss, reason = "a share of a count")]
    let place = (values.len() as f64 * share).ceil() as usize;
    values.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

/// "12 / 34 ms": median and 99th percentile.
fn shown_quantiles(values: &[Duration]) -> String {
    let [middle, high] = [0.5, 0.99].map(|share| quantile(values, share).as_secs_f64() * 1000.0);
    format!("{middle:.0} / {high:.0} ms")
}
