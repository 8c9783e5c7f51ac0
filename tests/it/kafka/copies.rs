//! A SQLite ledger moved into Kafka's topics: the daemon on Kafka goes on where the one on SQLite ended.

use std::process::Output;

use conflictwire::fault::Point;
use serde_json::Value;

use super::world::{HOSTS, LANES, World, use_kafka, wait_for_lanes};
use crate::support::broker::Cluster;
use crate::support::daemon::{BINARY, Daemon, Setup};
use crate::support::growing::Growing;
use crate::support::ledger::Ledger;
use crate::support::publisher::Reply;
use crate::support::topic_ledger::{LANE_KEY, TopicLedger};
use crate::support::wait_until;

/// What a run of the command with these options does; it may be killed by a fault.
fn copy(setup: &Setup, options: &[&str], fault: Option<&str>) -> Output {
    let mut command = setup.command(BINARY);
    command.args(["ledger", "copy"]).args(options).arg("--config").arg(setup.config());
    command.envs(fault.map(|fault| ("CONFLICTWIRE_FAULT", fault)));
    command.output().unwrap()
}

/// What it says of a copy that was made.
#[track_caller]
fn copied(setup: &Setup, options: &[&str]) -> String {
    let output = copy(setup, options, None);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it says of why there is none.
#[track_caller]
fn refused(setup: &Setup, options: &[&str]) -> String {
    let output = copy(setup, options, None);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Lets a daemon poll all feeds on SQLite for some versions, and stops it.
#[track_caller]
fn poll_on_sqlite(world: &mut World) -> Ledger {
    world.setup.set("ledger.kind", "sqlite");
    let ledger = Ledger::at(&world.setup.database());
    let daemon = world.setup.start();
    world.wait_for_versions(4);
    daemon.stop();
    ledger
}

/// Goes on with Kafka, and holds all that was ever served against the topics.
#[track_caller]
fn go_on(world: &mut World, fault: &str, faults: u64) {
    world.setup.set("ledger.kind", "kafka");
    let daemon = world.recover();
    daemon.stop();
    world.audit(fault, faults);
}

/// Id and revision of all that is in the ledger before, in its order; those of a feed.
fn told_before(ledger: &Ledger, feed: &Growing) -> Vec<(String, u32, Value)> {
    let rows = ledger.rows_of(&feed.name).into_iter();
    rows.map(|row| (row.article_id, row.revision, row.record)).collect()
}

fn told_after(ledger: &TopicLedger, feed: &Growing) -> Vec<(String, u32, Value)> {
    let rows = ledger.rows_of(&feed.name).into_iter();
    rows.map(|row| (row.article_id, row.revision, row.record)).collect()
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_ledger_that_is_copied_to_kafka_goes_on_there_and_tells_nothing_twice() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    // Something that cannot be read, so that there are rejects.
    world.publisher.serve("/broken.xml", [Reply::feed("<rss><channel>")]);
    world.setup.feed("broken", &world.publisher.url_at(HOSTS[1], "/broken.xml"));
    let before = poll_on_sqlite(&mut world);
    let rejects = before.rejects().len();
    assert!(rejects > 0);

    let said = copied(&world.setup, &["--dry-run"]);
    assert!(said.starts_with("would copy "), "{said}");
    assert!(world.ledger.records("state").is_empty(), "a dry run writes nothing");

    let said = copied(&world.setup, &[]);
    assert!(said.contains("the state of 9 feeds"), "{said}");
    world.ledger.wait_until_settled();
    for feed in &world.feeds {
        let (before, after) = (told_before(&before, feed), told_after(&world.ledger, feed));
        assert!(before.len() >= 3);
        assert_eq!(after, before, "the same records in the same order");
        assert_eq!(world.ledger.state(&feed.name), before_state(&world, feed));
    }
    assert_eq!(world.ledger.rejects().len(), rejects);

    // All is there: a second run does nothing.
    let records = world.ledger.records("state").len();
    assert!(copied(&world.setup, &[]).contains("has been copied"), "once");
    assert_eq!(world.ledger.records("state").len(), records);
    go_on(&mut world, "SQLite copied to Kafka", 0);
    // And never again, over what has become of it.
    let error = refused(&world.setup, &["--states-only"]);
    assert!(error.contains("holds a state of feed"), "{error}");
}

fn before_state(world: &World, feed: &Growing) -> Option<cw_model::state::FeedState> {
    Ledger::at(&world.setup.database()).state(&feed.name)
}

/// It dies again and again: between any two transactions, and at every step of one.
#[test]
#[ignore = "needs Kafka: make test"]
fn a_copy_that_is_killed_is_gone_on_with_and_doubles_nothing() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    poll_on_sqlite(&mut world);
    // Four lanes are marked and then copied: the first four transactions are marks.
    let points = [
        (Point::AfterCommit, 2),
        (Point::BeforeCommit, 3),
        (Point::AfterBegin, 2),
        (Point::AfterFirstReport, 1),
        (Point::AfterLaneSent, 1),
        (Point::AfterCommit, 2),
        (Point::BeforeCommit, 1),
    ];
    for (point, times) in points {
        use std::os::unix::process::ExitStatusExt as _;
        let output = copy(&world.setup, &[], Some(&format!("{}:{times}", point.name())));
        assert_eq!(output.status.signal(), Some(9), "{}: {output:?}", point.name());
    }
    // A daemon that is started too early tells nothing: its lanes wait.
    world.setup.set("ledger.kind", "kafka");
    let daemon = world.setup.start();
    wait_until("a lane to say what it waits for", || {
        daemon.ask("/readyz").is_some_and(|(status, body)| {
            status == 503 && body.contains("conflictwire ledger copy")
        })
    });
    let error = refused(&world.setup, &[]);
    assert!(error.contains("stop every daemon first"), "{error}");
    daemon.stop();

    copied(&world.setup, &[]);
    assert!(world.ledger.aborted() > 0, "something was cut off in its middle");
    let kills = u64::try_from(points.len()).unwrap();
    go_on(&mut world, "SQLite copied to Kafka, killed", kills);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn what_is_in_use_or_was_changed_since_is_not_copied() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    world.setup.set("ledger.kind", "sqlite");
    assert!(refused(&world.setup, &[]).contains("there is no database"));
    let daemon: Daemon = world.setup.start();
    world.wait_for_versions(2);
    let error = refused(&world.setup, &[]);
    assert!(error.contains("is in use by another conflictwire"), "{error}");
    daemon.stop();

    // Another's records are in the topics.
    let article = world.ledger.topic("articles");
    cluster.topics().produce(&article, 0, "x", Some(&serde_json::json!({ "id": "x" })));
    let error = refused(&world.setup, &[]);
    assert!(error.contains("has records already") && error.contains("--states-only"), "{error}");

    // Its first half is of a ledger that a daemon has written to since.
    let output = copy(&world.setup, &["--states-only"], Some("after_commit:2"));
    assert!(!output.status.success());
    let error = refused(&world.setup, &[]);
    assert!(error.contains("is of another ledger, or of this one as it stood before"), "{error}");

    // The states alone do for a daemon.
    assert!(copied(&world.setup, &["--states-only"]).contains("copied the state of"));
    assert_eq!(world.ledger.rows().len(), 1);
    let marked: Vec<i32> = world
        .ledger
        .records("state")
        .into_iter()
        .filter(|record| record.key == LANE_KEY)
        .map(|record| record.partition)
        .collect();
    assert!((0..4).all(|lane| marked.contains(&lane)), "{marked:?}");
    let asked = world.publisher.log().len();
    world.setup.set("ledger.kind", "kafka");
    let daemon = world.setup.start();
    wait_for_lanes(&daemon, LANES);
    wait_until("requests", || world.publisher.log().len() > asked);
    daemon.stop();
}

#[test]
#[ignore = "needs Kafka: make test"]
fn a_lane_that_was_not_given_back_is_not_copied_to() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    poll_on_sqlite(&mut world);
    // Another deployment's daemon on the same topics, with another feed, is killed.
    let mut other = Setup::new();
    use_kafka(&mut other, cluster.bootstrap(), &world.name);
    other.resolve(HOSTS[0]).feed("other", &world.publisher.url_at(HOSTS[0], "/other.xml"));
    let killed = other.start();
    wait_for_lanes(&killed, LANES);
    drop(killed);
    wait_until("the group to have nobody", || {
        refused(&world.setup, &[]).contains("was not given back by whoever had it last")
    });
    // As it says: started and stopped, it is.
    let daemon = other.start();
    wait_for_lanes(&daemon, LANES);
    daemon.stop();
    copied(&world.setup, &[]);
    go_on(&mut world, "SQLite copied beside other feeds", 1);
}
