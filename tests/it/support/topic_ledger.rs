//! Reads the Kafka ledger as any consumer may, and holds its topics to what they promise.
//!
//! Faults are looked for in what is committed. What was aborted is only counted: a test that kills
//! in the middle of transactions and leaves nothing aborted has not tested much.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cw_model::state::FeedState;
use serde_json::Value;

use super::audit::{Audit, Row};
use super::broker::Cluster;
use super::daemon::BINARY;
use super::eventually;
use super::growing::Growing;
use super::ledger::RejectRow;
use super::topics::{TopicRecord, Topics};

/// The key in the state topic of what a lane says of itself: the last record of each transaction.
pub(crate) const LANE_KEY: &str = "__lane";

/// Parts of the names of the topics.
const TOPICS: [&str; 4] = ["articles", "conflict", "rejects", "state"];

/// Four topics whose names begin alike.
pub(crate) struct TopicLedger {
    topics: Topics,
    prefix: String,
}

impl TopicLedger {
    /// The ledger whose topics begin with this; they need to be there before it is read.
    pub(crate) fn at(cluster: &Cluster, prefix: &str) -> Self {
        Self { topics: cluster.topics(), prefix: prefix.to_owned() }
    }

    /// Makes the topics as an operator is told to, the state topic with a partition for each lane.
    #[track_caller]
    pub(crate) fn create(cluster: &Cluster, prefix: &str, lanes: i32, partitions: i32) -> Self {
        let ledger = Self::at(cluster, prefix);
        let names = TOPICS.map(|name| ledger.topic(name));
        let [articles, conflict, rejects, state] = names.each_ref().map(String::as_str);
        cluster.create_topics(&[
            (articles, partitions, &[]),
            (conflict, partitions, &[]),
            (rejects, partitions, &[]),
            (state, lanes, &[("cleanup.policy", "compact")]),
        ]);
        ledger
    }

    /// The name of a topic: of "articles", "conflict", "rejects" or "state".
    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// What the topics are read by.
    pub(crate) fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The committed records of "articles", "conflict", "rejects" or "state".
    #[track_caller]
    pub(crate) fn records(&self, name: &str) -> Vec<TopicRecord> {
        self.topics.read_committed(&self.topic(name))
    }

    /// Every article revision; those of one feed in order of commit.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.records("articles").iter().map(row).collect()
    }

    /// The article revisions of one feed.
    #[track_caller]
    pub(crate) fn rows_of(&self, feed: &str) -> Vec<Row> {
        self.rows().into_iter().filter(|row| row.feed_id == feed).collect()
    }

    /// Every refusal.
    #[track_caller]
    pub(crate) fn rejects(&self) -> Vec<RejectRow> {
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let values = self.records("rejects").into_iter().filter_map(|record| record.value);
        let row = |value: Value| RejectRow {
            feed_id: text(&value, "feed_id"),
            reason: text(&value, "reason"),
            record: value.to_string(),
        };
        values.map(row).collect()
    }

    /// Every feed's state: the last value of its key.
    #[track_caller]
    pub(crate) fn states(&self) -> BTreeMap<String, FeedState> {
        let mut states = BTreeMap::new();
        for record in self.records("state").into_iter().filter(is_of_a_feed) {
            match record.value {
                Some(value) => states
                    .insert(record.key, FeedState::parse(value.to_string().as_bytes()).unwrap()),
                None => states.remove(&record.key),
            };
        }
        states
    }

    /// One feed's state.
    #[track_caller]
    pub(crate) fn state(&self, feed: &str) -> Option<FeedState> {
        self.states().remove(feed)
    }

    /// Waits until a feed's state is as wanted, and returns it.
    #[track_caller]
    pub(crate) fn wait_for_state(
        &self,
        feed: &str,
        wanted: impl Fn(&FeedState) -> bool,
    ) -> FeedState {
        eventually(format!("a state of {feed}"), || self.state(feed).filter(|state| wanted(state)))
    }

    /// Waits until a feed has at least so many rows, and returns them.
    #[track_caller]
    pub(crate) fn wait_for_rows(&self, feed: &str, least: usize) -> Vec<Row> {
        eventually(format!("{least} rows of {feed}"), || {
            let rows = self.rows_of(feed);
            (rows.len() >= least).then_some(rows)
        })
    }

    /// How many records were aborted, of all topics, once no transaction is open any more. A producer
    /// hears that its transaction is committed when the coordinator has written that down; the marks
    /// in the partitions follow, and until they do readers see an open transaction.
    #[track_caller]
    pub(crate) fn aborted(&self) -> usize {
        self.wait_until_settled();
        TOPICS.iter().map(|name| self.topics.aborted(&self.topic(name)).len()).sum()
    }

    /// Waits until no transaction is open in any topic: every reader sees all there is.
    #[track_caller]
    pub(crate) fn wait_until_settled(&self) {
        for name in TOPICS {
            self.topics.wait_until_settled(&self.topic(name));
        }
    }

    /// Waits until no transaction is open, which after a kill takes until it times out unless a
    /// successor comes first; then holds the whole ledger against what growing feeds served, and
    /// against itself.
    #[track_caller]
    pub(crate) fn audit(&self, feeds: &[Growing]) -> Audit {
        // A transaction ends in one partition after the other: never in the middle of that.
        self.wait_until_settled();
        let mut audit = Audit::default();
        let state = self.records("state");
        let states = self.states();
        let articles = self.records("articles");
        let rows: Vec<Row> = articles.iter().map(row).collect();
        audit.hold(feeds, &rows, &states);
        audit.faults.extend(articles.iter().flat_map(article_faults));
        audit.faults.extend(conflict_faults(&articles, &self.records("conflict")));
        audit.faults.extend(state_faults(&state));
        audit
    }

    /// Articles whose value is not as the published schema says.
    #[track_caller]
    pub(crate) fn schema_faults(&self) -> Vec<String> {
        schema_faults(&self.records("articles"))
    }

    /// Faults of a ledger that places records by lane: lane n's are in partition n modulo the
    /// partitions of each topic, the lane of a feed being the partition of its state.
    #[track_caller]
    pub(crate) fn lane_faults(&self) -> Vec<String> {
        let state = self.records("state");
        let lanes: BTreeMap<&str, i32> =
            state.iter().map(|record| (record.key.as_str(), record.partition)).collect();
        let mut faults = Vec::new();
        for name in ["articles", "conflict", "rejects"] {
            let partitions = self.topics.partitions(&self.topic(name));
            for record in self.records(name) {
                let feed = feed_of(&record);
                let lane = lanes.get(feed.as_str());
                if lane.map(|lane| lane % partitions) != Some(record.partition) {
                    faults.push(format!("{}: of {feed} in lane {lane:?}", at(&record)));
                }
            }
        }
        faults
    }
}

/// Whether a record of the state topic is a feed's; the other keys are the lane's own.
pub(crate) fn is_of_a_feed(record: &TopicRecord) -> bool {
    !record.key.starts_with("__")
}

/// Where a record is, for people.
fn at(record: &TopicRecord) -> String {
    format!("{}/{}@{}", record.topic, record.partition, record.offset)
}

/// A member of a record's value; null if there is none.
fn member<'a>(record: &'a TopicRecord, pointer: &str) -> &'a Value {
    record.value.as_ref().and_then(|value| value.pointer(pointer)).unwrap_or(&Value::Null)
}

fn text<'a>(record: &'a TopicRecord, pointer: &str) -> &'a str {
    member(record, pointer).as_str().unwrap_or_default()
}

/// The feed of an article or a refusal.
fn feed_of(record: &TopicRecord) -> String {
    let feed = match text(record, "/feed/id") {
        "" => text(record, "/feed_id"),
        feed => feed,
    };
    feed.to_owned()
}

fn row(record: &TopicRecord) -> Row {
    Row {
        seq: record.offset,
        article_id: text(record, "/id").to_owned(),
        revision: u32::try_from(member(record, "/revision").as_u64().unwrap_or_default()).unwrap(),
        feed_id: feed_of(record),
        record: record.value.clone().unwrap_or_default(),
    }
}

/// Where key and headers of an article say something else than its value.
fn article_faults(record: &TopicRecord) -> Vec<String> {
    let id = text(record, "/id");
    let revision = member(record, "/revision");
    let tags: Vec<&str> = member(record, "/conflict/tags")
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tag| tag["id"].as_str())
        .collect();
    let expected = [
        ("content-type", "application/json".to_owned()),
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", format!("{id}:{revision}")),
        ("ce_source", text(record, "/feed/url").to_owned()),
        ("ce_type", format!("conflictwire.article.{}", text(record, "/change"))),
        ("ce_subject", id.to_owned()),
        ("cw_feed", text(record, "/feed/id").to_owned()),
        // Absent, which reads as empty, if there is nothing to say.
        ("cw_lang", text(record, "/language").to_owned()),
        ("cw_tags", tags.join(",")),
    ];
    let mut faults = Vec::new();
    if record.key != id {
        faults.push(format!("{}: key \"{}\" of article {id}", at(record), record.key));
    }
    for (name, expected) in expected {
        let found = record.header(name);
        if found != expected || (found.is_empty() && record.headers.contains_key(name)) {
            faults.push(format!("{}: {name} is {found:?}, not {expected:?}", at(record)));
        }
    }
    if record.header("ce_time").parse::<jiff::Timestamp>().is_err() {
        faults.push(format!("{}: ce_time is {:?}", at(record), record.header("ce_time")));
    }
    if record.header("ce_dataschema").is_empty() {
        faults.push(format!("{}: no ce_dataschema", at(record)));
    }
    faults
}

/// Where a value is not as the published schema says.
fn schema_faults(articles: &[TopicRecord]) -> Vec<String> {
    let output = Command::new(BINARY).args(["schema", "article"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults = |record: &TopicRecord| -> Vec<String> {
        let value = record.value.clone().unwrap_or_default();
        let place = at(record);
        validator.iter_errors(&value).map(|error| format!("{place}: {error}")).collect()
    };
    articles.iter().flat_map(faults).collect()
}

/// What makes two records one: all but their place.
fn content(record: &TopicRecord) -> String {
    format!("{} {:?} {:?}", record.key, record.headers, record.value)
}

/// Where the conflict topic is something else than the relevant records of the articles topic and
/// the revisions with which an article stops being so, each once.
fn conflict_faults(articles: &[TopicRecord], conflict: &[TopicRecord]) -> Vec<String> {
    let is_relevant =
        |record: &&TopicRecord| *member(record, "/conflict/relevant") == Value::Bool(true);
    let mut in_order: Vec<&TopicRecord> = articles.iter().collect();
    in_order.sort_by_key(|record| (&record.key, member(record, "/revision").as_u64()));
    let mut expected = BTreeSet::new();
    let mut before: Option<&TopicRecord> = None;
    for record in in_order {
        let was_relevant =
            before.is_some_and(|before| before.key == record.key && is_relevant(&before));
        if is_relevant(&record) || was_relevant {
            expected.insert(content(record));
        }
        before = Some(record);
    }
    let mut found = BTreeSet::new();
    let mut faults = Vec::new();
    for record in conflict {
        let content = content(record);
        if !expected.contains(&content) {
            faults.push(format!("{}: no relevant article is so: {content}", at(record)));
        }
        if !found.insert(content) {
            faults.push(format!("{}: there before", at(record)));
        }
    }
    let missing = expected.difference(&found);
    faults.extend(missing.map(|content| format!("not in the conflict topic: {content}")));
    faults
}

/// Where the state topic is not what one writer after another makes: each feed in one lane, its
/// sequence never lower; each transaction ended by one record of the lane, numbered one higher than
/// the last. A lane is the only writer of its partition, so a transaction's records stand side by
/// side, and the marker that ends it takes the offset after them. Compaction takes records away
/// and would look like a fault; these topics are young.
fn state_faults(state: &[TopicRecord]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last_of_lane: BTreeMap<i32, u64> = BTreeMap::new();
    let mut last_of_feed: BTreeMap<&str, (i32, u64)> = BTreeMap::new();
    for (index, record) in state.iter().enumerate() {
        let next = state.get(index + 1).filter(|next| next.partition == record.partition);
        let goes_on = next.is_some_and(|next| next.offset == record.offset + 1);
        let sequence = member(record, "/sequence").as_u64();
        if record.key == LANE_KEY {
            if goes_on {
                faults.push(format!("{}: {LANE_KEY} is not the last of a transaction", at(record)));
            }
            let Some(sequence) = sequence else {
                faults.push(format!("{}: {LANE_KEY} without a sequence", at(record)));
                continue;
            };
            let last = last_of_lane.insert(record.partition, sequence);
            if last.is_some_and(|last| sequence != last + 1) {
                faults.push(format!("{}: sequence {sequence} after {last:?}", at(record)));
            }
            continue;
        }
        if !goes_on {
            faults.push(format!("{}: a transaction without {LANE_KEY} at its end", at(record)));
        }
        let Some(sequence) = sequence else { continue };
        let last = last_of_feed.insert(&record.key, (record.partition, sequence));
        if last.is_some_and(|(lane, last)| lane != record.partition || last > sequence) {
            let place = at(record);
            faults.push(format!("{place}: {} with sequence {sequence} after {last:?}", record.key));
        }
    }
    faults
}
