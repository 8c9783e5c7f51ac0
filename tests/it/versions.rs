//! Versions take turns on one ledger, and what publishers take back is told once whatever happens.

use conflictwire::fault::Point;
use serde_json::Value;

use crate::support::daemon::Setup;
use crate::support::later;
use crate::support::ledger::Ledger;
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{atom_feed, deleted_entry, entry};

const PATH: &str = "/feed.xml";

const STRIKE: &str = "Warplanes bombed the town on Monday";

/// An answer of an Atom feed with these members.
fn atom(members: &str) -> Reply {
    Reply::feed(atom_feed(members))
}

/// A publisher, and a daemon's folder with one feed.
fn world() -> (Publisher, Setup, Ledger) {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup.feed("feed", &publisher.url(PATH));
    let ledger = Ledger::at(&setup.database());
    (publisher, setup, ledger)
}

/// Id, revision and kind of all that was told.
fn told(ledger: &Ledger) -> Vec<(String, u32, String)> {
    let of = |record: &Value| record["change"].as_str().unwrap().to_owned();
    ledger.rows().into_iter().map(|row| (row.article_id, row.revision, of(&row.record))).collect()
}

/// What a later version left behind: fields everywhere, and names that are not known here.
fn leave_as_a_later_version(setup: &Setup) {
    let connection = rusqlite::Connection::open(setup.database()).unwrap();
    let all = |sql: &str| -> Vec<(i64, String)> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    for (row, text) in all("SELECT rowid, state FROM feed_state") {
        let mut state: Value = serde_json::from_str(&text).unwrap();
        later::change_state(&mut state);
        let sql = "UPDATE feed_state SET state = ?1, standing = 'resting' WHERE rowid = ?2";
        connection.execute(sql, rusqlite::params![state.to_string(), row]).unwrap();
    }
    for (row, text) in all("SELECT seq, record FROM articles") {
        let mut record: Value = serde_json::from_str(&text).unwrap();
        later::change_record(&mut record);
        let sql = "UPDATE articles SET record = ?1 WHERE seq = ?2";
        connection.execute(sql, rusqlite::params![record.to_string(), row]).unwrap();
    }
}

#[test]
fn after_a_downgrade_no_article_is_numbered_anew_and_what_was_added_stays() {
    let (publisher, setup, ledger) = world();
    publisher.serve(PATH, [atom(&(entry("1", STRIKE) + &entry("2", "Two")))]);
    let daemon = setup.start();
    let first = ledger.wait_for_rows("feed", 2);
    daemon.stop();
    leave_as_a_later_version(&setup);

    publisher.serve(
        PATH,
        [atom(&(entry("1", STRIKE) + &entry("2", "Two, edited") + &entry("3", "Three")))],
    );
    let daemon = setup.start();
    ledger.wait_for_rows("feed", 4);
    daemon.stop();
    let told = told(&ledger);
    assert_eq!(told.len(), 4, "{told:?}");
    let second = first.iter().find(|row| row.record["title"] == "Two").unwrap();
    assert!(told.contains(&(second.article_id.clone(), 2, "updated".to_owned())), "{told:?}");
    let created = told.iter().filter(|(_, revision, change)| *revision == 1 && change == "created");
    assert_eq!(created.count(), 3, "{told:?}");
    assert_eq!(ledger.state("feed").unwrap().unpacked_memory().unknown["added"], later::added());
}

#[test]
fn what_was_taken_back_is_told_once_wherever_the_daemon_dies() {
    for point in [Point::AfterProcess, Point::BeforeCommit, Point::AfterCommit] {
        let (publisher, setup, ledger) = world();
        publisher.serve(PATH, [atom(&entry("1", STRIKE))]);
        let daemon = setup.start();
        ledger.wait_for_rows("feed", 1);
        daemon.stop();
        publisher.serve(PATH, [atom(&(deleted_entry("1") + &entry("2", "Two")))]);
        setup.spawn_armed(&format!("{}:1", point.name())).wait_for_death();
        let daemon = setup.start();
        ledger.wait_for_rows("feed", 3);
        // Nothing more comes of reading the same tombstone again.
        publisher
            .serve(PATH, [atom(&(deleted_entry("1") + &entry("2", "Two") + &entry("3", "Three")))]);
        ledger.wait_for_rows("feed", 4);
        daemon.stop();
        let told = told(&ledger);
        let withdrawn: Vec<_> =
            told.iter().filter(|(_, _, change)| change == "withdrawn").collect();
        assert_eq!((told.len(), withdrawn.len()), (4, 1), "{}: {told:?}", point.name());
        assert_eq!(withdrawn[0].1, 2);
    }
}
