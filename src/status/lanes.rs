//! What is counted of lanes that replicas share. The label `lane` is a number below `kafka.lanes`.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use cw_model::LaneState;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry, Unit};
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

type Lane = [(&'static str, String); 1];
type LaneAnd = [(&'static str, String); 2];

/// Counters and gauges by lane. Clones count together.
#[derive(Clone, Debug)]
pub struct LaneMetrics {
    state: Family<LaneAnd, Gauge>,
    transactions: Family<LaneAnd, Counter>,
    in_doubt: Family<LaneAnd, Counter>,
    fenced: Family<Lane, Counter>,
    commit_duration: Family<Lane, Histogram>,
    restore_duration: Family<Lane, Gauge<f64, AtomicU64>>,
    sequence: Family<Lane, Gauge>,
    queue: Family<Lane, Gauge>,
    written: Family<Lane, Counter>,
    unpublished: Family<Lane, Counter>,
    rebalances: Family<Lane, Counter>,
    topic_faults: Family<LaneAnd, Gauge>,
}

/// How the group changes the lanes of this replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Rebalance {
    /// It gave some.
    Assigned,
    /// It took some, and waits until they are given up.
    Revoked,
    /// It has given some to others, and does not wait.
    Lost,
}

impl Rebalance {
    fn name(self) -> &'static str {
        self.into()
    }
}

/// Where families are registered that have no values yet.
struct Families<'a>(&'a mut Registry);

impl Families<'_> {
    fn add<F: Default + Clone + Metric>(&mut self, name: &str, help: &str) -> F {
        let family = F::default();
        self.0.register(name, help, family.clone());
        family
    }

    fn add_in<F: Default + Clone + Metric>(&mut self, unit: Unit, name: &str, help: &str) -> F {
        let family = F::default();
        self.0.register_with_unit(name, help, unit, family.clone());
        family
    }
}

fn lane_label(lane: u32) -> Lane {
    [("lane", lane.to_string())]
}

impl LaneMetrics {
    /// Registers everything; there are no values until there are lanes.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let mut all = Families(registry);
        let metrics = Self {
            state: all.add(
                "lane_state",
                "1 for the state a lane of this replica is in, 0 for the others: state = fencing, \
                 restoring, owned, fenced, in_doubt, quarantined",
            ),
            transactions: all.add(
                "lane_transactions",
                "Kafka transactions: outcome = committed, failed (nothing is lost: it is tried again)",
            ),
            in_doubt: all.add(
                "lane_in_doubt",
                "Transactions whose end was looked up in the log: found = committed, aborted, taken",
            ),
            fenced: all
                .add("lane_fenced", "Times that another replica took a lane this one still held"),
            commit_duration: {
                // 1 ms to about 33 s.
                let buckets = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
                let family = Family::new_with_constructor(buckets as fn() -> Histogram);
                let help = "One Kafka transaction, from its begin to its end";
                let name = "lane_commit_duration";
                all.0.register_with_unit(name, help, Unit::Seconds, family.clone());
                family
            },
            restore_duration: all.add_in(
                Unit::Seconds,
                "lane_restore_duration",
                "The last restore of a lane, from its assignment to its first poll",
            ),
            sequence: all
                .add("lane_sequence", "Transactions ever committed in a lane, by its log"),
            queue: all.add_in(
                Unit::Bytes,
                "lane_producer_queue",
                "What the Kafka client of a lane holds, as of its last report",
            ),
            written: all.add_in(
                Unit::Bytes,
                "lane_written",
                "What committed transactions of a lane added to the topics, before compression",
            ),
            unpublished: all.add(
                "lane_unpublished",
                "Records that no topic takes, as they are too large or a broker refused them: each is \
                 a reject instead",
            ),
            rebalances: all.add(
                "kafka_rebalances",
                "Changes of lanes by the group: kind = assigned, revoked, lost",
            ),
            topic_faults: all.add(
                "kafka_topic_faults",
                "In what a topic is not as it must be, as of the last look; absent while brokers do \
                 not answer: topic = articles, conflict, rejects, state; kind = wrong (nothing is \
                 polled), risk, unseen (its settings were not looked at)",
            ),
        };
        for kind in Rebalance::iter() {
            metrics.rebalances.get_or_create(&[("kind", kind.name().to_owned())]).inc_by(0);
        }
        metrics
    }

    /// Shows which lane is in which state.
    pub(super) fn show(&self, lanes: impl Iterator<Item = (u32, LaneState)>) {
        self.state.clear();
        for (lane, now) in lanes {
            for state in LaneState::iter() {
                let labels = [("lane", lane.to_string()), ("state", state.name().to_owned())];
                self.state.get_or_create(&labels).set(i64::from(state == now));
            }
        }
    }

    /// A lane is not this replica's any more.
    pub fn gone(&self, lane: u32) {
        let label = lane_label(lane);
        self.sequence.remove(&label);
        self.queue.remove(&label);
        self.restore_duration.remove(&label);
    }

    /// A transaction was committed.
    pub fn committed(&self, lane: u32, took: Duration, sequence: u64) {
        self.ended(lane, "committed");
        self.commit_duration.get_or_create(&lane_label(lane)).observe(took.as_secs_f64());
        self.reached(lane, sequence);
    }

    /// A committed transaction had so many bytes.
    pub fn written(&self, lane: u32, bytes: usize) {
        self.written.get_or_create(&lane_label(lane)).inc_by(bytes as u64);
    }

    /// In a committed transaction so many rejects stood for records.
    pub fn unpublished(&self, lane: u32, records: usize) {
        self.unpublished.get_or_create(&lane_label(lane)).inc_by(records as u64);
    }

    /// A transaction came to nothing, or nobody knows yet to what.
    pub fn failed(&self, lane: u32) {
        self.ended(lane, "failed");
    }

    fn ended(&self, lane: u32, outcome: &str) {
        let labels = [("lane", lane.to_string()), ("outcome", outcome.to_owned())];
        self.transactions.get_or_create(&labels).inc();
    }

    /// What became of a transaction in doubt.
    pub fn resolved(&self, lane: u32, found: &'static str) {
        let labels = [("lane", lane.to_string()), ("found", found.to_owned())];
        self.in_doubt.get_or_create(&labels).inc();
    }

    /// Another replica took the lane.
    pub fn fenced(&self, lane: u32) {
        self.fenced.get_or_create(&lane_label(lane)).inc();
    }

    /// A lane's states are read.
    pub fn restored(&self, lane: u32, took: Duration, sequence: u64) {
        self.restore_duration.get_or_create(&lane_label(lane)).set(took.as_secs_f64());
        self.reached(lane, sequence);
    }

    fn reached(&self, lane: u32, sequence: u64) {
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        self.sequence.get_or_create(&lane_label(lane)).set(sequence);
    }

    /// What a lane's producer holds.
    pub fn queued(&self, lane: u32, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.queue.get_or_create(&lane_label(lane)).set(bytes);
    }

    /// What is the matter with a topic: how much is wrong, a risk, not looked at.
    pub fn topic_judged(&self, topic: &'static str, [wrong, risks, unseen]: [usize; 3]) {
        for (kind, count) in [("wrong", wrong), ("risk", risks), ("unseen", unseen)] {
            let labels = [("topic", topic.to_owned()), ("kind", kind.to_owned())];
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.topic_faults.get_or_create(&labels).set(count);
        }
    }

    /// Nobody can look at the topics.
    pub fn topics_unseen(&self) {
        self.topic_faults.clear();
    }

    /// The group gave or took lanes.
    pub fn rebalanced(&self, kind: Rebalance) {
        self.rebalances.get_or_create(&[("kind", kind.name().to_owned())]).inc();
    }
}
