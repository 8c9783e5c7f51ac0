//! The commands that ask Kafka: what they say is so, and they leave nothing behind.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rdkafka::producer::Producer;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::transactional;
use crate::support::broker::Cluster;
use crate::support::daemon::BINARY;
use crate::support::secured::Resource;
use crate::support::topics::send;
use crate::support::{PATIENCE, project, wait_until};

/// The four topics, as their names end.
const TOPICS: [&str; 4] = ["articles", "conflict", "rejects", "state"];

/// A configuration of the Kafka ledger whose topics, group and ids begin with `prefix`.
struct Configured {
    folder: TempDir,
    prefix: String,
}

/// What a command came to.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Configured {
    fn new(properties: &[(&str, String)], prefix: &str, lanes: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let configured = Self { folder, prefix: prefix.to_owned() };
        configured.write(properties, lanes);
        configured
    }

    /// On the shared cluster.
    fn on(cluster: &Cluster, prefix: &str, lanes: u32) -> Self {
        Self::new(&[("bootstrap.servers", cluster.bootstrap().to_owned())], prefix, lanes)
    }

    fn write(&self, properties: &[(&str, String)], lanes: u32) {
        let (brokers, properties): (Vec<_>, Vec<_>) =
            properties.iter().partition(|(property, _)| *property == "bootstrap.servers");
        let brokers: Vec<&str> = brokers.iter().flat_map(|(_, value)| value.split(',')).collect();
        let topics: BTreeMap<_, _> = TOPICS.iter().map(|name| (name, self.topic(name))).collect();
        let properties: BTreeMap<_, _> = properties.into_iter().cloned().collect();
        let config = json!({
            "ledger": { "kind": "kafka" },
            "kafka": {
                "brokers": brokers,
                "deployment": self.prefix,
                "lanes": lanes,
                "topics": topics,
                "properties": properties,
            },
            // Nothing listens there: only Kafka is looked at here.
            "feed": [{ "id": "a", "url": "http://127.0.0.1:1/feed" }],
        });
        std::fs::create_dir_all(self.folder.path().join("config")).unwrap();
        let text = toml::to_string(&config).unwrap();
        std::fs::write(self.folder.path().join("config/conflictwire.toml"), text).unwrap();
    }

    fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Creates the topics, as an operator does.
    #[track_caller]
    fn apply(&self) -> Ran {
        let ran = self.run(&["topics", "apply", "--partitions", "3"]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        ran
    }
}

#[test]
#[ignore = "needs Kafka: make test"]
fn topics_that_are_missing_are_created_and_others_left_alone() {
    let cluster = Cluster::quiet();
    let here = Configured::on(&cluster, &cluster.name("commands.topics"), 4);
    // One is there already, and not as planned.
    cluster.create_topic(&here.topic("rejects"), 1, &[("retention.ms", "3600000")]);
    let planned = here.run(&["topics", "plan"]);
    assert_eq!(planned.stdout.matches("now: missing").count(), 3, "{}", planned.stdout);
    assert!(planned.stdout.contains("retention.ms is 3600000 (1h)"), "{}", planned.stdout);
    assert_eq!(cluster.partitions(&here.topic("state")), None, "a plan creates nothing");

    let applied = here.apply();
    assert_eq!(applied.stdout.matches("created,").count(), 3, "{}", applied.stdout);
    let partitions = TOPICS.map(|name| cluster.partitions(&here.topic(name)));
    assert_eq!(partitions, [Some(3), Some(3), Some(1), Some(4)]);
    let again = here.apply();
    assert_eq!(again.stdout.matches("created,").count(), 0, "{}", again.stdout);
    assert_eq!(again.stdout.matches("as planned").count(), 3, "{}", again.stdout);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn another_number_of_lanes_is_refused_by_name() {
    let cluster = Cluster::quiet();
    let here = Configured::on(&cluster, &cluster.name("commands.lanes"), 2);
    here.apply();
    here.write(&[("bootstrap.servers", cluster.bootstrap().to_owned())], 3);
    for command in [["topics", "apply"], ["check", "--connect"]] {
        let ran = here.run(&command);
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        assert!(ran.stdout.contains("lanes are fixed for a deployment"), "{}", ran.stdout);
        assert!(ran.stdout.contains("set kafka.lanes = 2"), "{}", ran.stdout);
    }
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_check_leaves_nothing_that_a_reader_of_committed_records_sees() {
    let cluster = Cluster::quiet();
    let here = Configured::on(&cluster, &cluster.name("commands.check"), 2);
    here.apply();
    let ran = here.run(&["check", "--connect"]);
    assert!(
        ran.stdout.contains("Kafka: ") && ran.stdout.contains(" fine, 0 not"),
        "{}",
        ran.stdout
    );
    let topics = cluster.topics();
    for topic in TOPICS.map(|name| here.topic(name)) {
        topics.wait_until_settled(&topic);
        assert!(topics.read_committed(&topic).is_empty(), "{topic}");
        assert_eq!(topics.aborted(&topic).len(), 1, "{topic} was tried");
    }
}

/// The answer in the row of a right.
#[track_caller]
fn answer<'a>(ran: &'a Ran, right: &str) -> &'a str {
    let found = ran.stdout.lines().find_map(|line| line.strip_prefix(right));
    found.unwrap_or_else(|| panic!("no {right:?} in\n{}", ran.stdout)).trim()
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_check_names_the_rights_that_are_missing() {
    let secured = Cluster::secured();
    let prefix = secured.cluster().name("commands.rights");
    Configured::on(secured.cluster(), &prefix, 2).apply();
    let here = Configured::new(&secured.client_properties("daemon"), &prefix, 2);
    let [articles, conflict, _, state] = TOPICS.map(|name| here.topic(name));
    let ids = format!("Write on transactional id {prefix}.* (prefixed)");

    let ran = here.run(&["check", "--connect"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(answer(&ran, &format!("topic {articles}")).contains("Write on topic"));
    assert!(answer(&ran, &ids).starts_with("missing"));

    secured.allow("daemon", &["Write", "Describe"], Resource::TransactionalId(&prefix));
    secured.allow("daemon", &["Describe"], Resource::Topic(&prefix));
    secured.allow("daemon", &["Write"], Resource::Topic(&articles));
    secured.allow("daemon", &["Describe"], Resource::Group(&prefix));
    let ran = here.run(&["check", "--connect"]);
    assert_eq!(answer(&ran, &ids), "allowed");
    assert_eq!(answer(&ran, &format!("Write on topic {articles}")), "allowed");
    for right in [
        format!("Write on topic {conflict}"),
        format!("Read on topic {state}"),
        format!("Read on group {prefix}"),
    ] {
        assert!(answer(&ran, &right).starts_with("missing"), "{}", ran.stdout);
    }
    assert!(here.run(&["tail", "--once"]).stderr.contains(&format!("Read on topic {articles}")));

    secured.allow("daemon", &["Read", "Write"], Resource::Topic(&prefix));
    secured.allow("daemon", &["Read"], Resource::Group(&prefix));
    let ran = here.run(&["check", "--connect"]);
    assert!(ran.stdout.contains(" fine, 0 not"), "{}", ran.stdout);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_password_that_is_refused_is_said_to_be() {
    let secured = Cluster::secured();
    let mut properties = secured.client_properties("daemon");
    for (property, value) in &mut properties {
        if *property == "sasl.password" {
            "a wrong one".clone_into(value);
        }
    }
    let here = Configured::new(&properties, &secured.cluster().name("commands.password"), 2);
    let ran = here.run(&["check", "--connect"]);
    assert!(ran.stdout.contains("user or password refused (SASL)"), "{}", ran.stdout);
    let ran = here.run(&["topics", "apply"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("user or password refused (SASL)"), "{}", ran.stderr);
}

/// One broker of three is away: that is said, and what is planned and made is for three.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_plan_knows_of_brokers_that_are_away() {
    let mut cluster = Cluster::alone();
    let here = Configured::on(&cluster, &cluster.name("commands.away"), 2);
    here.apply();
    let all = here.run(&["topics", "plan"]).stdout;
    assert!(all.contains("\n3 brokers at "), "{all}");
    assert!(!all.contains("up to date"), "{all}");
    let node = cluster.node_ids()[1];
    cluster.kill(node);
    let mut plan = String::new();
    wait_until("the broker to be missed", || {
        plan = here.run(&["topics", "plan"]).stdout;
        plan.contains(&format!("2 of 3 brokers ({node} away)"))
    });
    wait_until("its copies to be missed", || {
        plan = here.run(&["topics", "plan"]).stdout;
        let behind = "only 2 of 3 copies are up to date, and a broker is away";
        plan.matches(behind).count() == TOPICS.len()
    });
    assert!(!plan.contains("WARNING: replication"), "{plan}");
    assert!(!plan.contains("replication is 3, planned"), "{plan}");
    let there = Configured::on(&cluster, &cluster.name("commands.few"), 2);
    let ran = there.run(&["topics", "apply"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout.matches("created,").count(), 4, "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("only 2 of 3 copies").count(), 4, "{}", ran.stdout);
    cluster.restart(node);
    cluster.wait_until_whole();
    let again = here.run(&["topics", "plan"]).stdout;
    assert!(again.contains("\n3 brokers at ") && !again.contains("up to date"), "{again}");
}

/// Nothing is published meanwhile, so nothing but a question tells that brokers are back.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_tail_says_when_brokers_go_away_and_when_they_are_back() {
    let mut cluster = Cluster::alone();
    let here = Configured::on(&cluster, &cluster.name("commands.back"), 2);
    here.apply();
    cluster.topics().produce(&here.topic("articles"), 0, "key", Some(&records()[0]));
    let said = here.folder.path().join("said");
    let mut command = here.command(&["tail", "--json"]);
    command.stdout(Stdio::piped()).stderr(std::fs::File::create(&said).unwrap());
    let mut tail = command.spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let has_said = |text: &str| std::fs::read_to_string(&said).unwrap().contains(text);
    for node in cluster.node_ids() {
        cluster.kill(node);
    }
    wait_until("the tail to miss brokers", || has_said("Kafka does not answer"));
    assert!(!has_said("answers again"));
    for node in cluster.node_ids() {
        cluster.restart(node);
    }
    cluster.wait_until_whole();
    wait_until("the tail to say that Kafka is back", || has_said("answers again"));
    tail.kill().unwrap();
    tail.wait().unwrap();
}

/// What was committed and is not there any more was not "never committed", and nobody knows of a feed
/// whose state may have been removed that it is new.
#[test]
#[ignore = "needs Kafka: make test"]
fn what_retention_has_removed_is_not_said_never_to_have_been() {
    let cluster = Cluster::quiet();
    let here = Configured::on(&cluster, &cluster.name("commands.removed"), 2);
    here.apply();
    let [articles, state] = ["articles", "state"].map(|name| here.topic(name));
    let ran = here.run(&["tail", "--once"]);
    assert!(ran.stderr.contains("nothing that fits has been committed yet"), "{}", ran.stderr);
    assert!(here.run(&["feeds", "list"]).stdout.contains("not polled yet"));

    let topics = cluster.topics();
    topics.produce(&articles, 0, "key", Some(&records()[0]));
    for lane in 0..2 {
        let polled = json!({ "version": 1, "sequence": 7, "standing": "fine" });
        topics.produce(&state, lane, "a", Some(&polled));
    }
    assert!(!here.run(&["tail", "--once"]).stdout.is_empty());
    assert!(here.run(&["feeds", "explain", "a"]).stdout.contains("after 7 polls"));
    // Kafka removes nothing from a topic that is compacted only.
    cluster.configure_topic(&state, &[("cleanup.policy", "delete")]);
    cluster.remove_records(&articles);
    cluster.remove_records(&state);
    let ran = here.run(&["tail", "--once"]);
    assert!(ran.stderr.contains("nothing that fits is there"), "{}", ran.stderr);
    assert!(ran.stderr.contains("has been removed"), "{}", ran.stderr);
    let ran = here.run(&["feeds", "list"]);
    assert!(ran.stdout.contains("not known: its state may have been removed"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("has lost what was written first, in lanes 0, 1"),
        "{}",
        ran.stderr
    );
    let ran = here.run(&["feeds", "explain", "a"]);
    assert!(ran.stdout.contains("next poll: not known; its lane has lost"), "{}", ran.stdout);
}

/// Records in wire form, as `poll` prints them.
fn records() -> Vec<Value> {
    let feed = project().join("tests/fixtures/feeds/rss-2.0.xml");
    let output = Command::new(BINARY).args(["poll", "--json"]).arg(feed).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn titles(lines: &str) -> Vec<String> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["title"].to_string())
        .collect()
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_tail_shows_what_was_committed_last_and_then_what_comes() {
    let cluster = Cluster::quiet();
    let here = Configured::on(&cluster, &cluster.name("commands.tail"), 2);
    here.apply();
    let (topic, topics) = (here.topic("articles"), cluster.topics());
    let record = records().remove(0);
    let titled = |title: String| {
        let mut record = record.clone();
        record["title"] = json!(title);
        record
    };
    let producer = transactional(&cluster, &topic);
    // Round after round, each in another partition and followed by one that is taken back.
    for round in 0..9 {
        let place = (topic.as_str(), round % 3);
        let texts = [format!("kept {round}"), format!("dropped {round}")];
        producer.begin_transaction().unwrap();
        send(&producer, place, ("key", Some(&titled(texts[0].clone()))), &BTreeMap::new());
        producer.commit_transaction(PATIENCE).unwrap();
        producer.begin_transaction().unwrap();
        send(&producer, place, ("key", Some(&titled(texts[1].clone()))), &BTreeMap::new());
        producer.flush(PATIENCE).unwrap();
        producer.abort_transaction(PATIENCE).unwrap();
    }
    topics.wait_until_settled(&topic);
    let ran = here.run(&["tail", "--once", "--json", "-n", "4"]);
    let expected = [5, 6, 7, 8].map(|round| format!("\"kept {round}\""));
    assert_eq!(titles(&ran.stdout), expected, "{}", ran.stderr);
    let ran = here.run(&["tail", "--once", "--json", "-n", "100"]);
    assert_eq!(titles(&ran.stdout).len(), 9);
    let ran = here.run(&["tail", "--once", "--json", "--feed", "another"]);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("nothing that fits"), "{}", ran.stderr);

    let mut tail =
        here.command(&["tail", "--json", "-n", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains("kept 8"));
    topics.produce(&topic, 1, "key", Some(&titled("comes".to_owned())));
    assert!(lines.next().unwrap().contains("comes"));
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
#[ignore = "needs Kafka: make test"]
fn feeds_stand_as_the_state_topic_says() {
    let cluster = Cluster::quiet();
    let here = Configured::on(&cluster, &cluster.name("commands.feeds"), 2);
    assert!(here.run(&["feeds", "list"]).stdout.contains("not polled yet"), "no topics yet");
    here.apply();
    let (topic, topics) = (here.topic("state"), cluster.topics());
    let state = |standing: &str, sequence: u32| json!({ "version": 1, "sequence": sequence, "standing": standing });
    topics.produce(&topic, 1, "a", Some(&state("new", 1)));
    topics.produce(&topic, 1, "a", Some(&state("gone", 7)));
    topics.produce(&topic, 1, "__lane", Some(&json!({ "version": 1, "sequence": 2 })));
    // A transaction that is open must not be waited for.
    let producer = transactional(&cluster, &topic);
    producer.begin_transaction().unwrap();
    send(&producer, (&topic, 1), ("a", Some(&state("fine", 8))), &BTreeMap::new());
    producer.flush(PATIENCE).unwrap();
    let ran = here.run(&["feeds", "list"]);
    assert!(ran.stdout.contains("withdrawn by its publisher"), "{}{}", ran.stdout, ran.stderr);
    let ran = here.run(&["feeds", "explain", "a"]);
    assert!(ran.stdout.contains("after 7 polls"), "{}{}", ran.stdout, ran.stderr);
    producer.abort_transaction(PATIENCE).unwrap();

    topics.produce(&topic, 0, "b", Some(&json!({ "version": 99 })));
    let ran = here.run(&["feeds", "list"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the state of feed \"b\""), "{}", ran.stderr);
}
