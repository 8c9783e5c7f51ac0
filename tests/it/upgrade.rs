//! What the build before this one wrote is gone on with, and the other way round.
//!
//! `tests/fixtures/upgrade/ledger-1.sqlite` is a whole ledger of an earlier build, made by `tests/upgrade/run.sh` and
//! never changed. The tests that run an earlier build themselves need one: the same script makes it and names it in
//! `CONFLICTWIRE_TEST_BEFORE`.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use crate::kafka::world::World;
use crate::support::audit::Row;
use crate::support::broker::Cluster;
use crate::support::daemon::{BINARY, Daemon, Setup};
use crate::support::growing::{Growing, Pace};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Publisher, Reply, Request};
use crate::support::run::{atom_feed, entry};
use crate::support::{project, wait_until};

const STRIKE: &str = "Warplanes bombed the town on Monday";

const PATH: &str = "/feed.xml";

/// Where the publisher was when the fixture was made, as the fixture says: its port is put in the place of it.
const PUBLISHER: &str = "127.0.0.1:65000";

/// What the publisher shows, with what was shown last in the days of the fixture under its own `ETag`.
fn serve(publisher: &Publisher, members: &[(&str, &str)], etag: &str) {
    let members: String = members.iter().map(|(guid, title)| entry(guid, title)).collect();
    // Another document each time: one that is the same byte for byte is not read again.
    let document = atom_feed(&format!("{members}<!-- {etag} -->"));
    let reply = || Reply::feed(document.clone()).header("ETag", etag);
    let etag = etag.to_owned();
    let (reply, unchanged) = (reply(), Reply::status(304).header("ETag", &etag));
    publisher.script(PATH, move |request| {
        let is_known = request.header("if-none-match") == Some(etag.as_str());
        if is_known { unchanged.clone() } else { reply.clone() }
    });
}

const FIRST: [(&str, &str); 3] = [("1", STRIKE), ("2", "Two"), ("3", "Three")];

const SECOND: [(&str, &str); 3] = [("1", STRIKE), ("2", "Two, edited"), ("3", "Three")];

const THIRD: [(&str, &str); 4] =
    [("1", STRIKE), ("2", "Two, edited"), ("3", "Three, edited"), ("4", "Four")];

fn fixture() -> PathBuf {
    project().join("tests/fixtures/upgrade/ledger-1.sqlite")
}

fn world() -> (Publisher, Setup, Ledger) {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.feed("feed", &publisher.url(PATH)).feed("broken", &publisher.url("/broken.xml"));
    publisher.serve("/broken.xml", [Reply::feed("<rss><channel>")]);
    let ledger = Ledger::at(&setup.database());
    (publisher, setup, ledger)
}

/// Puts one publisher's place in another's, wherever a ledger names it.
fn move_publisher(ledger: &Path, from: &str, to: &str) {
    let connection = Connection::open(ledger).unwrap();
    for (table, column) in [
        ("feed_state", "state"),
        ("articles", "record"),
        ("articles", "url"),
        ("rejects", "record"),
        ("rejects", "url"),
    ] {
        let sql = format!("UPDATE {table} SET {column} = replace({column}, ?1, ?2)");
        connection.execute(&sql, [from, to]).unwrap();
    }
    connection.execute_batch("VACUUM").unwrap();
}

fn place(publisher: &Publisher) -> String {
    publisher.url("").trim_start_matches("http://").to_owned()
}

/// The earlier build, as `tests/upgrade/run.sh` names it.
#[expect(clippy::disallowed_methods, reason = "asks for the tests, not for the program")]
fn before() -> String {
    std::env::var("CONFLICTWIRE_TEST_BEFORE")
        .expect("run tests/upgrade/run.sh, which makes the build before")
}

#[track_caller]
fn start(setup: &Setup, program: &str) -> Daemon {
    let mut command = setup.command(program);
    command.arg("run").arg("--config").arg(setup.config());
    let daemon = Daemon::watch(command);
    daemon.wait_until_listening();
    daemon
}

fn told(rows: &[Row]) -> Vec<(String, u32, String)> {
    let text = |record: &Value| record["change"].as_str().unwrap().to_owned();
    rows.iter().map(|row| (row.article_id.clone(), row.revision, text(&row.record))).collect()
}

/// Makes the fixture: `CONFLICTWIRE_TEST_ACCEPT_GOLDEN=1 tests/upgrade/run.sh REVISION`.
#[test]
#[ignore = "needs the build before: tests/upgrade/run.sh"]
fn the_build_before_writes_a_ledger() {
    let (publisher, setup, ledger) = world();
    serve(&publisher, &FIRST, "\"one\"");
    let daemon = start(&setup, &before());
    ledger.wait_for_rows("feed", 3);
    serve(&publisher, &SECOND, "\"two\"");
    ledger.wait_for_rows("feed", 4);
    ledger.wait_for_state("broken", |state| state.plan.sequence > 0);
    // A request with it shows that the last is committed.
    let known = |request: &Request| request.header("if-none-match") == Some("\"two\"");
    wait_until("the second", || publisher.requests(PATH).iter().any(known));
    daemon.stop();
    #[expect(clippy::disallowed_methods, reason = "asks for the tests, not for the program")]
    let is_accepted = std::env::var_os("CONFLICTWIRE_TEST_ACCEPT_GOLDEN").is_some();
    if is_accepted {
        std::fs::copy(setup.database(), fixture()).unwrap();
        move_publisher(&fixture(), &place(&publisher), PUBLISHER);
    }
}

#[test]
fn a_ledger_of_an_earlier_build_goes_on_and_tells_nothing_twice() {
    let (publisher, setup, ledger) = world();
    std::fs::create_dir_all(setup.database().parent().unwrap()).unwrap();
    std::fs::copy(fixture(), setup.database()).unwrap();
    move_publisher(&setup.database(), PUBLISHER, &place(&publisher));
    let before = ledger.rows();
    assert_eq!(before.len(), 4, "{before:?}");
    let rejects = ledger.rejects().len();
    assert!(rejects > 0);

    // What it saw last is what there is: nothing comes of it.
    serve(&publisher, &SECOND, "\"two\"");
    let daemon = start(&setup, BINARY);
    let requests = publisher.wait_for_requests(PATH, 3);
    assert_eq!(requests[0].header("if-none-match"), Some("\"two\""), "it knows what it saw");
    assert_eq!(ledger.rows(), before);

    // The first document that a build reads in another way than the one before is taken for what was told: what
    // changed by the other way of reading cannot be told from what the publisher changed.
    serve(&publisher, &SECOND, "\"again\"");
    wait_until("the second to be read again", || {
        let requests = publisher.requests(PATH);
        requests.iter().any(|request| request.header("if-none-match") == Some("\"again\""))
    });
    assert_eq!(ledger.rows(), before);

    // The same again, one edited, one new.
    serve(&publisher, &THIRD, "\"three\"");
    ledger.wait_for_rows("feed", 6);
    let asked = publisher.requests(PATH).len();
    publisher.wait_for_requests(PATH, asked + 3);
    daemon.stop();
    let after = ledger.rows();
    assert_eq!(after[..4], before, "what was told stays as it was");
    let third = before.iter().find(|row| row.record["title"] == "Three").unwrap();
    let mut new = told(&after[4..]);
    new.sort_by_key(|(_, revision, _)| *revision);
    assert_eq!(new.len(), 2, "{new:?}");
    assert_eq!((new[0].1, new[0].2.as_str()), (1, "created"));
    assert_eq!(new[1], (third.article_id.clone(), 2, "updated".to_owned()));
    assert_eq!(ledger.rejects().len(), rejects, "nor is a refusal told twice");

    // Commands find what the earlier build wrote.
    let mut search = setup.command(BINARY);
    search.args(["search", "--json", "--feed", "feed", "bombed"]);
    let found = search.arg("--config").arg(setup.config()).output().unwrap();
    assert_eq!(String::from_utf8(found.stdout).unwrap().lines().count(), 1);
}

/// The rule of a rollback: a build that does not know the form of a ledger says so and touches nothing.
#[test]
fn a_ledger_of_a_later_form_is_refused_by_name_and_left_as_it_is() {
    let (_publisher, setup, _ledger) = world();
    std::fs::create_dir_all(setup.database().parent().unwrap()).unwrap();
    std::fs::copy(fixture(), setup.database()).unwrap();
    Connection::open(setup.database()).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    let bytes = std::fs::read(setup.database()).unwrap();
    let mut daemon = setup.spawn();
    assert!(!daemon.wait_for_end().success());
    let said = "a newer conflictwire made it (form 2, this one knows up to 1)";
    assert!(daemon.text().contains(said), "{}", daemon.text());
    for args in [
        ["search", "bombed"].as_slice(),
        &["tail", "--once"],
        &["feeds", "list"],
        &["ledger", "backup", "copy.sqlite"],
        &["ledger", "copy", "--dry-run"],
    ] {
        let mut command: Command = setup.command(BINARY);
        let output = command.args(args).arg("--config").arg(setup.config()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(said), "{args:?}: {error}");
    }
    assert!(!setup.path("copy.sqlite").exists());
    assert!(std::fs::read(setup.database()).unwrap() == bytes, "nothing was written to it");
}

/// Forwards, back, and forwards again on one file; each build after the other's edits.
#[test]
#[ignore = "needs the build before: tests/upgrade/run.sh"]
fn builds_take_turns_on_one_sqlite_file() {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    let feeds = [("patient", Pace::Patient), ("restless", Pace::Restless)];
    let feeds = feeds.map(|(name, pace)| Growing::publish(&publisher, name, "127.0.0.1", pace));
    for feed in &feeds {
        setup.feed(&feed.name, &feed.url);
    }
    let ledger = Ledger::at(&setup.database());
    let before = before();
    for program in [before.as_str(), BINARY, before.as_str(), BINARY, before.as_str(), BINARY] {
        let daemon = start(&setup, program);
        let rows = ledger.rows().len();
        wait_until("each to commit", || ledger.rows().len() >= rows + 8);
        daemon.stop();
    }
    let daemon = start(&setup, BINARY);
    feeds.iter().for_each(Growing::settle);
    wait_until("all to be read", || feeds.iter().all(Growing::is_caught_up));
    daemon.stop();
    ledger.audit(&feeds, &[]).assert_clean();
}

/// Replicas are exchanged one by one, forwards, back and forwards, while feeds are polled: no lane stops.
#[test]
#[ignore = "needs the build before and Kafka: tests/upgrade/run.sh"]
fn builds_share_the_lanes_of_one_deployment() {
    let cluster = Cluster::quiet();
    let world = World::new(&cluster);
    let before = before();
    let mut running = start(&world.setup, &before);
    for program in [BINARY, before.as_str(), BINARY] {
        world.wait_for_versions(2);
        let joined = start(&world.setup, program);
        world.wait_for_versions(2);
        std::mem::replace(&mut running, joined).stop();
        world.wait_for_versions(2);
    }
    running.stop();
    world.recover().stop();
    world.audit("builds take turns", 3);
}
