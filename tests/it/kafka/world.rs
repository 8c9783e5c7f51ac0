//! Publishers, feeds on four lanes, topics and the configuration of replicas that share them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use cw_model::state::FeedState;
use serde_json::Value;

use crate::support::broker::Cluster;
use crate::support::daemon::{Daemon, Setup, field};
use crate::support::growing::{Growing, Pace};
use crate::support::publisher::Publisher;
use crate::support::topic_ledger::{LANE_KEY, TopicLedger, is_of_a_feed};
use crate::support::topics::TopicRecord;
use crate::support::wait_until;

/// How many lanes there are.
pub(super) const LANES: usize = 4;

/// One host for each lane, in order of the lanes.
pub(super) const HOSTS: [&str; LANES] =
    ["press0.test", "press1.test", "press6.test", "press3.test"];

/// What a round came to, for the table of faults.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Times something was killed, stopped or cut.
    pub(super) faults: u64,
    /// Article revisions committed.
    pub(super) delivered: usize,
    /// Records of transactions that were aborted.
    pub(super) aborted: usize,
}

/// Everything but the brokers.
pub(crate) struct World {
    pub(super) publisher: Publisher,
    pub(super) feeds: Vec<Growing>,
    pub(crate) setup: Setup,
    pub(super) ledger: TopicLedger,
    /// Names the deployment, and what the topics' names begin with.
    pub(super) name: String,
}

impl World {
    /// Two feeds on each lane, one patient, one restless; topics with four partitions each.
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let name = cluster.name("world");
        let ledger = TopicLedger::create(cluster, &name, 4, 4);
        let mut world = Self {
            publisher: Publisher::start(),
            feeds: Vec::new(),
            setup: Setup::new(),
            ledger,
            name,
        };
        use_kafka(&mut world.setup, cluster.bootstrap(), &world.name);
        for (lane, host) in HOSTS.iter().enumerate() {
            world.setup.resolve(host);
            for (pace, kind) in [(Pace::Patient, "patient"), (Pace::Restless, "restless")] {
                let name = format!("{kind}-{lane}");
                let feed = Growing::publish(&world.publisher, &name, host, pace);
                world.setup.feed(&feed.name, &feed.url);
                world.feeds.push(feed);
            }
        }
        world
    }

    /// The transactional id of a lane.
    pub(super) fn transactional_id(&self, lane: usize) -> String {
        format!("{}.lane.{lane}", self.name)
    }

    /// Waits until each feed has been served so many versions more than now.
    #[track_caller]
    pub(crate) fn wait_for_versions(&self, more: usize) {
        let served: Vec<usize> = self.feeds.iter().map(|feed| feed.served().len()).collect();
        wait_until(format!("{more} more versions of each feed"), || {
            self.feeds
                .iter()
                .zip(&served)
                .all(|(feed, served)| feed.served().len() >= served + more)
        });
    }

    /// Waits until every lane has committed something.
    #[track_caller]
    pub(super) fn wait_until_committed(&self, rows: usize) {
        wait_until(format!("{rows} rows of each feed"), || {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for row in self.ledger.rows() {
                *counts.entry(row.feed_id).or_default() += 1;
            }
            self.feeds.iter().all(|feed| counts.get(&feed.name).is_some_and(|count| *count >= rows))
        });
    }

    /// Starts a replica again after all were killed, and lets every feed catch up. The first request
    /// of a feed must be as its last committed state says: conditional, with those validators.
    #[track_caller]
    pub(crate) fn recover(&self) -> Daemon {
        let asked: BTreeMap<&str, usize> = self
            .feeds
            .iter()
            .map(|feed| (feed.path.as_str(), self.publisher.requests(&feed.path).len()))
            .collect();
        let daemon = self.setup.start();
        self.wait_for_versions(2);
        self.catch_up();
        let line = daemon.wait_for_line("looking for the group that gives lanes");
        let instance = field(&line, "ledger.instance").and_then(Value::as_str).unwrap();
        let states = restored(&self.ledger.records("state"), instance);
        for feed in &self.feeds {
            let first = asked[feed.path.as_str()];
            let requests = self.publisher.wait_for_requests(&feed.path, first + 1);
            let expected = states.get(&feed.name).and_then(|state| etag_of(state, &feed.url));
            assert_eq!(
                requests[first].header("if-none-match"),
                expected.as_deref(),
                "the first request of {} after the restart",
                feed.name
            );
        }
        daemon
    }

    /// Lets every feed bring its last version out and waits until that is acknowledged.
    #[track_caller]
    pub(super) fn catch_up(&self) {
        self.feeds.iter().for_each(Growing::settle);
        wait_until("every feed to catch up", || self.feeds.iter().all(Growing::is_caught_up));
    }

    /// Holds every topic against what was served, and prints the row of a table. Nothing may run
    /// any more.
    #[track_caller]
    pub(crate) fn audit(&self, fault: &str, faults: u64) -> Row {
        let audit = self.ledger.audit(&self.feeds);
        let row = Row { faults, delivered: audit.committed, aborted: self.ledger.aborted() };
        let line = format!(
            "exactly once on Kafka | {fault:<34} | {:>3} faults | {:>5} delivered | {:>4} aborted | \
             {} lost | {} twice\n",
            row.faults, row.delivered, row.aborted, audit.lost, audit.twice,
        );
        // Past the capture of the test harness: the figures are the point.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        audit.assert_clean();
        assert_eq!(self.ledger.lane_faults(), Vec::<String>::new());
        assert_eq!(self.ledger.schema_faults(), Vec::<String>::new());
        let partitions: BTreeSet<i32> =
            self.ledger.records("state").iter().map(|record| record.partition).collect();
        assert_eq!(partitions.len(), LANES, "every lane carried feeds");
        row
    }
}

/// Lets a configuration commit to topics whose names begin so.
pub(super) fn use_kafka(setup: &mut Setup, bootstrap: &str, name: &str) {
    let brokers: Vec<toml::Value> = bootstrap.split(',').map(toml::Value::from).collect();
    setup.set("ledger.kind", "kafka").set("kafka.brokers", brokers);
    setup.set("kafka.deployment", name).set("kafka.lanes", i64::try_from(LANES).unwrap());
    setup.set("kafka.commit_interval", "50ms");
    for topic in ["articles", "conflict", "rejects", "state"] {
        setup.set(&format!("kafka.topics.{topic}"), format!("{name}.{topic}"));
    }
    // The shortest that brokers allow here: most of the time of these tests is waiting for it.
    set_properties(setup, &[("session.timeout.ms", "3000"), ("heartbeat.interval.ms", "500")]);
}

/// Gives replicas a session that no slow machine ends: for tests that let nobody die, and hold that
/// nothing is aborted.
pub(super) fn use_long_sessions(setup: &mut Setup) {
    set_properties(setup, &[("session.timeout.ms", "45000"), ("heartbeat.interval.ms", "3000")]);
}

/// Sets librdkafka's properties.
pub(super) fn set_properties(setup: &mut Setup, properties: &[(&str, &str)]) {
    let table: toml::Table =
        properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    setup.set("kafka.properties", table);
}

/// How many lanes a replica owns, as it counts itself. `None` if it does not answer.
pub(super) fn lanes_owned(daemon: &Daemon) -> Option<usize> {
    let (_, text) = daemon.ask("/metrics").filter(|(status, _)| *status == 200)?;
    let owned = |line: &&str| {
        line.starts_with("conflictwire_lane_state{") && line.ends_with("state=\"owned\"} 1")
    };
    Some(text.lines().filter(owned).count())
}

/// Waits until a replica owns so many lanes.
#[track_caller]
pub(super) fn wait_for_lanes(daemon: &Daemon, lanes: usize) {
    wait_until(format!("{lanes} lanes owned"), || lanes_owned(daemon) == Some(lanes));
}

/// Waits until the scheduler of a replica has put down every lane that it was given: it starts no poll
/// from then on. "Not owned" would not do: the feeds of a lane whose last commit is in doubt are still
/// polled, until each waits for a commit.
#[track_caller]
pub(super) fn wait_until_all_lanes_are_taken(daemon: &Daemon) {
    wait_until("all lanes to be taken", || {
        let mut held = BTreeSet::new();
        for line in daemon.lines() {
            let lane = field(&line, "lane.number").and_then(Value::as_u64);
            match field(&line, "message").and_then(Value::as_str) {
                Some("lane given") => drop(held.insert(lane)),
                Some("lane taken") => drop(held.remove(&lane)),
                Some(_) | None => {}
            }
        }
        held.is_empty()
    });
}

/// Waits for four poll intervals, and asserts that no poll began meanwhile. One that was under way
/// before may still ask, once.
#[track_caller]
pub(super) fn check_that_nobody_is_asked(daemon: &Daemon, publisher: &Publisher) {
    let asked = || {
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for exchange in publisher.log() {
            *asked.entry(exchange.request.path).or_default() += 1;
        }
        asked
    };
    let before = asked();
    let turned = "conflictwire_scheduler_turned_timestamp_seconds";
    // As `Setup::new` has it, an interval is a second.
    daemon.wait_for_metric(turned, "", daemon.metric(turned, "") + 4.0);
    for (path, times) in asked() {
        let before = before.get(&path).copied().unwrap_or_default();
        assert!(times <= before + 1, "{path}: asked {before} times before and {times} after");
    }
}

/// Waits until a replica says that it is not ready, with every one of these words; it lives on.
#[track_caller]
pub(super) fn wait_until_unready(daemon: &Daemon, words: &[&str]) {
    wait_until(format!("/readyz to say {words:?}"), || {
        daemon.ask("/readyz").is_some_and(|(status, body)| {
            status == 503 && words.iter().all(|word| body.contains(word))
        })
    });
    assert_eq!(daemon.ask("/livez").unwrap().0, 200);
}

/// Waits until a replica says that it is ready.
#[track_caller]
pub(super) fn wait_until_ready(daemon: &Daemon) {
    wait_until("/readyz to say 200", || {
        daemon.ask("/readyz").is_some_and(|(status, _)| status == 200)
    });
}

/// The states that an instance found when it took up each lane: those before its first transaction
/// there. When they were committed nobody outside can tell from a clock: what a killed replica had
/// sent may have been committed after it was dead.
fn restored(records: &[TopicRecord], instance: &str) -> BTreeMap<String, FeedState> {
    let mut found = BTreeMap::new();
    for partition in 0..i32::try_from(LANES).unwrap() {
        let mut states = Vec::new();
        for record in records.iter().filter(|record| record.partition == partition) {
            let value = record.value.clone().unwrap();
            if record.key != LANE_KEY && !is_of_a_feed(record) {
                continue;
            }
            if is_of_a_feed(record) {
                states.push((
                    record.key.clone(),
                    FeedState::parse(value.to_string().as_bytes()).unwrap(),
                ));
                continue;
            }
            // Each transaction ends with a record of the lane.
            if value["instance"] == instance {
                break;
            }
            found.extend(states.drain(..));
        }
    }
    found
}

fn etag_of(state: &FeedState, url: &str) -> Option<String> {
    state.memory.validators().get(url).and_then(|validators| validators.etag.clone())
}
