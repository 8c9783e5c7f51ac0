//! The harness held to its own word: an audit that finds nothing must be able to find something.

use std::path::Path;

use rusqlite::{Connection, params};

use super::audit::Audit;
use super::faithful::{commits, grown_feed};
use super::growing::{Growing, Pace};
use super::ledger::Ledger;
use super::publisher::{Delivery, Publisher, Reply, get};

#[test]
fn a_script_is_answered_in_turn_and_its_last_answer_stays() {
    let publisher = Publisher::start();
    publisher.serve("/a", [Reply::feed("one"), Reply::status(304), Reply::redirect(301, "/b")]);
    assert_eq!(get(&publisher, "/a", "").1, "one");
    assert!(get(&publisher, "/a", "").0.starts_with("HTTP/1.1 304 "));
    for _ in 0..2 {
        assert!(get(&publisher, "/a", "").0.contains("Location: /b"));
    }
    assert!(get(&publisher, "/elsewhere", "").0.starts_with("HTTP/1.1 404 "));
    assert_eq!(publisher.requests("/a").len(), 4);
}

#[test]
fn every_delivery_does_to_the_body_what_it_says() {
    let publisher = Publisher::start();
    let body = "0123456789";
    let deliver = |delivery| {
        publisher.serve("/a", [Reply::feed(body).delivered(delivery)]);
        get(&publisher, "/a", "")
    };
    assert!(deliver(Delivery::Whole).0.contains("Content-Length: 10"));
    assert_eq!(deliver(Delivery::Chunked).1, "a\r\n0123456789\r\n0\r\n\r\n");
    assert!(!deliver(Delivery::UntilClose).0.contains("Content-Length"));
    let (head, cut) = deliver(Delivery::CutAfter(4));
    assert!(head.contains("Content-Length: 10") && cut == "0123", "{head} {cut}");
    assert_eq!(deliver(Delivery::Repeated(3)).1.len(), 30);
    let complete: Vec<bool> = publisher.log().iter().map(|exchange| exchange.is_complete).collect();
    assert_eq!(complete, [true, true, true, false, true]);
}

#[test]
fn a_patient_feed_grows_only_once_its_version_is_acknowledged() {
    let publisher = Publisher::start();
    let feed = Growing::publish(&publisher, "f", "press.test", Pace::Patient);
    for _ in 0..5 {
        assert!(get(&publisher, &feed.path, "").0.starts_with("HTTP/1.1 200 "));
    }
    assert_eq!(feed.served().len(), 1);
    while feed.acknowledged().len() < 7 {
        let newest = feed.served().into_iter().next_back().unwrap();
        get(&publisher, &feed.path, &format!("If-None-Match: {}\r\n", feed.etag(newest)));
    }
    let shown = feed.shown(7);
    assert_eq!(shown.len(), 9);
    assert!(shown.iter().any(|entry| entry.headline > 1), "some headlines are edited");
    let earlier = feed.shown(6);
    assert!(
        shown.iter().zip(&earlier).all(|(now, then)| {
            now.guid == then.guid && (now.title == then.title) == (now.headline == then.headline)
        }),
        "another headline has another number"
    );
}

/// A ledger that holds exactly what a feed served.
fn faithful_ledger(path: &Path, feed: &Growing) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA synchronous = OFF;
             CREATE TABLE articles (seq INTEGER PRIMARY KEY, article_id TEXT, revision INTEGER,
                 feed_id TEXT, record TEXT);
             CREATE TABLE feed_state (feed_id TEXT, sequence INTEGER, state TEXT);
             CREATE TABLE feed_plan (feed_id TEXT, builds_on INTEGER, state TEXT);",
        )
        .unwrap();
    let commits = commits(feed);
    let (_, state) = commits.last().unwrap();
    for record in commits.iter().flat_map(|(records, _)| records) {
        connection
            .execute(
                "INSERT INTO articles (article_id, revision, feed_id, record) VALUES (?, ?, ?, ?)",
                params![
                    record["id"].as_str(),
                    record["revision"].as_i64(),
                    feed.name,
                    record.to_string()
                ],
            )
            .unwrap();
    }
    let state = state.written().unwrap();
    connection
        .execute("INSERT INTO feed_state VALUES (?, 1, ?)", params![feed.name, state])
        .unwrap();
    connection
}

/// What an audit says of a faithful ledger after this was done to it.
fn audit_after(sql: &str) -> Audit {
    let publisher = Publisher::start();
    let feed = grown_feed(&publisher, 8);
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("ledger.sqlite");
    faithful_ledger(&path, &feed).execute_batch(sql).unwrap();
    Ledger::at(&path).audit(&[feed], &[])
}

#[test]
fn an_audit_finds_nothing_wrong_with_a_faithful_ledger() {
    let audit = audit_after("");
    audit.assert_clean();
    assert!(audit.committed > 10 && audit.committed == audit.served, "{audit:?}");
}

#[test]
fn an_audit_finds_what_is_lost_twice_invented_or_out_of_step() {
    #[track_caller]
    fn check(sql: &str, lost: usize, twice: usize, fault: &str) {
        let audit = audit_after(sql);
        assert_eq!((audit.lost, audit.twice), (lost, twice), "{audit:#?}");
        assert!(audit.faults.iter().any(|found| found.contains(fault)), "{audit:#?}");
    }
    check("DELETE FROM articles WHERE seq = 2", 1, 0, "lost:");
    check(
        "INSERT INTO articles (article_id, revision, feed_id, record)
         SELECT article_id, revision + 1, feed_id, record FROM articles WHERE seq = 2",
        0,
        1,
        "twice:",
    );
    check(
        "INSERT INTO articles (article_id, revision, feed_id, record)
         VALUES ('ffffffffffffffffffffffffffffffff', 1, 'f', '{\"guid\":\"g\",\"title\":\"t 1\"}')",
        0,
        0,
        "never served",
    );
    check("UPDATE articles SET revision = 7 WHERE seq = 1", 0, 0, "is revision 7 after 0");
    check("DELETE FROM feed_state", 0, 0, "articles without a state");
    check("UPDATE feed_state SET state = '{}'", 0, 0, "but seen None");
    check(
        "UPDATE articles SET record = json_set(record, '$.summary', 'not what was seen')",
        0,
        0,
        "but seen Some",
    );
    check("DELETE FROM articles", audit_after("").committed, 0, "0 in the ledger");
}
