//! Versions take turns on the same topics, and what publishers take back is told once, whatever happens.
//!
//! As `versions` does it for SQLite.

use std::process::Command;

use conflictwire::fault::Point;
use rdkafka::producer::Producer as _;
use serde_json::json;

use super::transactional;
use super::world::{HOSTS, LANES, use_kafka, wait_for_lanes};
use crate::support::broker::Cluster;
use crate::support::daemon::{BINARY, Setup};
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{atom_feed, deleted_entry, entry};
use crate::support::topic_ledger::{LANE_KEY, TopicLedger};
use crate::support::topics::{TopicRecord, send};
use crate::support::{PATIENCE, later, wait_until};

const STRIKE: &str = "Warplanes bombed the town on Monday";

/// A publisher of one feed, "feed", and the configuration of replicas that poll it.
struct World {
    publisher: Publisher,
    setup: Setup,
    ledger: TopicLedger,
}

impl World {
    fn new(cluster: &Cluster) -> Self {
        let publisher = Publisher::start();
        let mut setup = Setup::new();
        setup.resolve(HOSTS[0]).feed("feed", &publisher.url_at(HOSTS[0], "/feed.xml"));
        let ledger = new_topics(cluster, &mut setup);
        Self { publisher, setup, ledger }
    }

    fn serve(&self, members: &[String]) {
        self.publisher.serve("/feed.xml", [Reply::feed(atom_feed(&members.concat()))]);
    }

    /// What a command says of the topics as they are.
    #[track_caller]
    fn run(&self, args: &[&str]) -> String {
        self.setup.write();
        let mut command = Command::new(BINARY);
        let output = command.args(args).arg("--config").arg(self.setup.config()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

/// Makes topics and lets a daemon use them.
fn new_topics(cluster: &Cluster, setup: &mut Setup) -> TopicLedger {
    let name = cluster.name("versions");
    use_kafka(setup, cluster.bootstrap(), &name);
    TopicLedger::create(cluster, &name, i32::try_from(LANES).unwrap(), 2)
}

/// Id, revision and kind of all that a topic says.
fn told(ledger: &TopicLedger, topic: &str) -> Vec<(String, u64, String)> {
    let told = |record: TopicRecord| {
        let value = record.value.unwrap();
        let change = value["change"].as_str().unwrap().to_owned();
        (record.key, value["revision"].as_u64().unwrap(), change)
    };
    ledger.records(topic).into_iter().map(told).collect()
}

/// Writes to other topics, lane by lane, what a later version would have written instead.
#[track_caller]
fn copy_as_a_later_version(cluster: &Cluster, from: &TopicLedger, to: &TopicLedger) {
    let producer = transactional(cluster, &to.topic("copy"));
    producer.begin_transaction().unwrap();
    for topic in ["articles", "conflict", "rejects", "state"] {
        for record in from.records(topic) {
            let mut value = record.value;
            match (topic, record.key.as_str()) {
                ("state", LANE_KEY) => value.iter_mut().for_each(later::change_head),
                ("state", _) => value.iter_mut().for_each(later::change_state),
                (_, _) => value.iter_mut().for_each(later::change_record),
            }
            let place = (to.topic(topic), record.partition);
            let content = (record.key.as_str(), value.as_ref());
            send(&producer, (&place.0, place.1), content, &record.headers);
        }
    }
    let state = to.topic("state");
    for lane in 0..i32::try_from(LANES).unwrap() {
        let value = json!({ "what": "is not known here" });
        send(&producer, (&state, lane), ("__later", Some(&value)), &Default::default());
    }
    producer.commit_transaction(PATIENCE).unwrap();
}

#[test]
#[ignore = "needs Kafka: make test"]
fn after_a_downgrade_no_article_is_numbered_anew_and_none_is_told_twice() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    world.serve(&[entry("1", STRIKE), entry("2", "Two")]);
    let daemon = world.setup.start();
    let first = world.ledger.wait_for_rows("feed", 2);
    daemon.stop();
    world.ledger.wait_until_settled();
    let second = first.iter().find(|row| row.text("title") == "Two").unwrap().article_id.clone();

    let later = new_topics(&cluster, &mut world.setup);
    copy_as_a_later_version(&cluster, &world.ledger, &later);
    world.ledger = later;
    let tail = world.run(&["tail", "--once", "--json"]);
    assert_eq!(tail.lines().count(), 2, "{tail}");
    assert!(world.run(&["feeds", "list"]).contains("feed"));
    world.serve(&[entry("1", STRIKE), entry("2", "Two, edited"), entry("3", "Three")]);
    let daemon = world.setup.start();
    world.ledger.wait_for_rows("feed", 4);
    // Polled on, and restarted: nothing more comes of it.
    let asked = world.publisher.log().len();
    wait_until("three polls more", || world.publisher.log().len() >= asked + 3);
    daemon.stop();
    let daemon = world.setup.start();
    wait_for_lanes(&daemon, LANES);
    let asked = world.publisher.log().len();
    wait_until("three polls more", || world.publisher.log().len() >= asked + 3);
    daemon.stop();
    world.ledger.wait_until_settled();

    let told = told(&world.ledger, "articles");
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told.contains(&(second, 2, "updated".to_owned())), "{told:?}");
    let created = told.iter().filter(|(_, revision, change)| *revision == 1 && change == "created");
    assert_eq!(created.count(), 3, "{told:?}");
    // What was added is still there in the states that were written since, and in no other way.
    let newest = world.ledger.records("state").into_iter().rfind(|record| record.key == "feed");
    assert_eq!(newest.unwrap().value.unwrap()["added"], later::added());
}

/// A replica dies around the commit in which it says that an article was taken back.
#[track_caller]
fn check_a_withdrawal(cluster: &Cluster, point: Point) {
    let world = World::new(cluster);
    world.serve(&[entry("1", STRIKE)]);
    let daemon = world.setup.start();
    world.ledger.wait_for_rows("feed", 1);
    daemon.stop();
    let reading = [deleted_entry("1"), entry("2", "Two")];
    world.serve(&reading);
    world.setup.spawn_armed(&format!("{}:1", point.name())).wait_for_death();
    let daemon = world.setup.start();
    world.ledger.wait_for_rows("feed", 3);
    // Nothing more comes of reading the same tombstone again.
    let [gone, second] = reading;
    world.serve(&[gone, second, entry("3", "Three")]);
    world.ledger.wait_for_rows("feed", 4);
    daemon.stop();
    world.ledger.wait_until_settled();

    for (topic, count) in [("articles", 4), ("conflict", 2)] {
        let told = told(&world.ledger, topic);
        let withdrawn: Vec<_> =
            told.iter().filter(|(_, _, change)| change == "withdrawn").collect();
        let of_point = format!("{} to {topic}: {told:?}", point.name());
        assert_eq!((told.len(), withdrawn.len()), (count, 1), "{of_point}");
        let (id, revision, _) = withdrawn[0];
        assert_eq!((id, *revision), (&told[0].0, 2), "{of_point}");
    }
    // Elsewhere it depends on the moment.
    let is_within = !matches!(point, Point::AfterProcess | Point::AfterBegin | Point::AfterCommit);
    assert!(!is_within || world.ledger.aborted() > 0, "{}: the fault was none", point.name());
}

#[test]
#[ignore = "needs Kafka: make test"]
fn what_was_taken_back_is_told_once_wherever_a_replica_dies() {
    let cluster = Cluster::quiet();
    for point in [
        Point::AfterProcess,
        Point::AfterBegin,
        Point::AfterFirstReport,
        Point::AfterStateSent,
        Point::AfterLaneSent,
        Point::BeforeCommit,
        Point::AfterCommit,
    ] {
        check_a_withdrawal(&cluster, point);
    }
}
