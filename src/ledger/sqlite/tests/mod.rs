//! What the SQLite ledger promises, on real files.

mod files;
mod history;
mod plans;
mod removal;
mod search;

use std::path::Path;
use std::sync::Arc;

use cw_model::record::RecordChange;
use cw_model::samples::{id, now, outcome, record, reject, tagged};
use cw_model::{Record, Reject};
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;

use super::facts::{self, Filled};
use super::query::Query;
use super::read::{Committed, Order, ReadError, Reader, Revisions, Search};
use super::*;
use crate::ledger::filter::{Facts, Filter};

fn settings(folder: &TempDir) -> SqliteSettings {
    SqliteSettings { path: folder.path().join("wire.db"), keep_age: None, keep_bytes: None }
}

fn open(settings: &SqliteSettings) -> SqliteLedger {
    SqliteLedger::open(settings).unwrap().0
}

fn look(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn count(path: &Path, what: &str) -> i64 {
    number(&look(path), &format!("SELECT count(*) FROM {what}"))
}

/// A ledger in a folder of its own that holds these records.
async fn holding(records: Vec<Record>) -> (TempDir, SqliteLedger) {
    let folder = TempDir::new().unwrap();
    let ledger = open(&settings(&folder));
    ledger.commit(Arc::new(outcome("a", 1, records))).await.unwrap();
    (folder, ledger)
}

fn search(path: &Path, words: &str, filter: &Filter, revisions: Revisions) -> Vec<String> {
    let words: Vec<&str> = words.split(' ').collect();
    let query = (!words.concat().is_empty()).then(|| Query::parse(&words).unwrap());
    let search =
        Search { query, filter: filter.clone(), order: Order::Best, revisions, limit: 100 };
    let found = Reader::open(path).unwrap().search(&search).unwrap();
    found.into_iter().map(|row| row.record().unwrap().title.unwrap()).collect()
}

fn titles(path: &Path, words: &str, filter: &Filter) -> Vec<String> {
    search(path, words, filter, Revisions::Latest)
}

#[track_caller]
fn check_refused(settings: &SqliteSettings, because: &str) {
    let err = SqliteLedger::open(settings).map(drop).unwrap_err();
    assert!(matches!(err, CommitError::Open { .. }), "{err}");
    assert!(err.to_string().contains(because), "{err}");
}

#[tokio::test]
async fn a_commit_is_read_back_after_reopening() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let (ledger, states, _past) = SqliteLedger::open(&settings).unwrap();
    assert!(states.is_empty());
    let mut first = outcome("a", 1, vec![tagged(1, "one", "strike.air"), record(2, "two")]);
    first.rejects.push(reject(1));
    ledger.commit(Arc::new(first.clone())).await.unwrap();
    ledger.close().await.unwrap();

    let (ledger, states, _past) = SqliteLedger::open(&settings).unwrap();
    assert_eq!(states.get(&id("a")), Some(&first.state));
    assert_eq!(states.len(), 1);
    let read = all(&settings.path).into_iter().map(|row| row.record().unwrap()).collect::<Vec<_>>();
    let committed: Vec<_> = first.records.into_iter().map(|one| one.record).collect();
    assert_eq!(read, committed);
    let connection = look(&settings.path);
    assert_eq!(number(&connection, "SELECT relevant FROM articles WHERE seq = 1"), 1);
    assert_eq!(
        number(&connection, "SELECT tags IS NULL AND relevant IS NULL FROM articles WHERE seq = 2"),
        1
    );
    assert_eq!(count(&settings.path, "rejects"), 1);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn every_time_in_a_column_sorts_as_text() {
    let mut whole = record(1, "one");
    whole.published_at = Some("2026-01-02T03:04:05Z".to_owned());
    let mut parts = record(2, "two");
    parts.published_at = Some("2026-01-02T03:04:05.5Z".to_owned());
    let (folder, _ledger) = holding(vec![parts, whole]).await;
    let connection = look(&settings(&folder).path);
    let first: String = connection
        .query_row("SELECT title FROM articles ORDER BY published_at LIMIT 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(first, "one");
}

/// Keeps the writer from its first transaction until all of `outcomes` wait for it.
async fn commit_together(
    ledger: &SqliteLedger,
    outcomes: Vec<Outcome>,
) -> Vec<Result<(), CommitError>> {
    let blocker = look(ledger.path());
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut commits: Vec<_> =
        outcomes.into_iter().map(|outcome| Box::pin(ledger.commit(Arc::new(outcome)))).collect();
    for commit in &mut commits {
        assert!(commit.now_or_never().is_none());
    }
    blocker.execute_batch("ROLLBACK").unwrap();
    join_all(commits).await
}

#[tokio::test]
async fn what_waits_is_committed_together() {
    let (folder, ledger) = holding(Vec::new()).await;
    let outcomes =
        (1..=50).map(|n| outcome(&format!("feed-{n}"), 1, vec![record(n, "x")])).collect();
    for committed in commit_together(&ledger, outcomes).await {
        committed.unwrap();
    }
    let connection = look(&settings(&folder).path);
    assert_eq!(number(&connection, "SELECT count(*) FROM feed_state"), 51);
    // A transaction has one time of commit. The first may have taken only what came first.
    assert!(number(&connection, "SELECT count(DISTINCT committed_at) FROM articles") <= 2);
}

#[tokio::test]
async fn a_revision_that_comes_twice_undoes_its_whole_outcome() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let spoiled = outcome("b", 1, vec![record(2, "two"), record(2, "again")]);
    let err = ledger.commit(Arc::new(spoiled)).await.unwrap_err();
    assert!(matches!(err, CommitError::Refused { .. }), "{err}");
    assert!(err.to_string().contains("revision 1 of article"), "{err}");
    let path = settings(&folder).path;
    assert_eq!(count(&path, "articles"), 1);
    assert_eq!(count(&path, "articles_fts"), 1);
    assert_eq!(count(&path, "feed_state"), 1);
}

#[tokio::test]
async fn a_forgotten_article_that_comes_back_is_not_committed_twice() {
    let (folder, ledger) = holding(vec![record(1, "one"), record(2, "two")]).await;
    let path = settings(&folder).path;
    let back = outcome("a", 2, vec![record(1, "one"), record(3, "three")]);
    ledger.commit(Arc::new(back)).await.unwrap();
    assert_eq!(count(&path, "articles"), 3);

    let changed = outcome("a", 3, vec![record(1, "one, corrected")]);
    ledger.commit(Arc::new(changed)).await.unwrap();
    // The state counts from 1 again; what it calls the second revision is the third.
    let mut second = record(1, "one, corrected again");
    second.revision = 2;
    second.change = RecordChange::Updated;
    ledger.commit(Arc::new(outcome("a", 4, vec![second]))).await.unwrap();
    let revisions: Vec<(String, u32, RecordChange)> = all(&path)
        .into_iter()
        .map(|row| row.record().unwrap())
        .filter(|article| article.id == record(1, "").id)
        .map(|article| (article.title.unwrap(), article.revision, article.change))
        .collect();
    let expected = [
        ("one", 1, RecordChange::Created),
        ("one, corrected", 2, RecordChange::Updated),
        ("one, corrected again", 3, RecordChange::Updated),
    ];
    assert_eq!(revisions, expected.map(|(title, n, change)| (title.to_owned(), n, change)));
    assert_eq!(count(&path, "articles_latest"), 3);
}

#[tokio::test]
async fn a_spoiled_outcome_does_not_take_its_neighbours_with_it() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let outcomes = vec![
        outcome("b", 1, vec![record(2, "two")]),
        outcome("c", 1, vec![record(3, "three"), record(3, "again")]),
        outcome("d", 1, vec![record(4, "four")]),
    ];
    let ended = commit_together(&ledger, outcomes).await;
    let committed: Vec<bool> = ended.iter().map(Result::is_ok).collect();
    assert_eq!(committed, [true, false, true]);
    let titles: Vec<String> = all(&settings(&folder).path)
        .into_iter()
        .map(|row| row.record().unwrap().title.unwrap())
        .collect();
    assert_eq!(titles, ["one", "two", "four"]);
}

#[tokio::test]
async fn a_state_never_goes_back() {
    let (folder, ledger) = holding(Vec::new()).await;
    ledger.commit(Arc::new(outcome("a", 2, Vec::new()))).await.unwrap();
    for sequence in [1, 2] {
        let late = outcome("a", sequence, vec![record(1, "late")]);
        let err = ledger.commit(Arc::new(late)).await.unwrap_err();
        assert!(matches!(err, CommitError::Refused { .. }), "{err}");
    }
    assert_eq!(count(&settings(&folder).path, "articles"), 0);
}

#[tokio::test]
async fn a_reject_is_kept_once() {
    let (folder, ledger) = holding(Vec::new()).await;
    for sequence in [2, 3] {
        let mut again = outcome("a", sequence, Vec::new());
        again.rejects.push(reject(7));
        ledger.commit(Arc::new(again)).await.unwrap();
    }
    assert_eq!(count(&settings(&folder).path, "rejects"), 1);
}

#[tokio::test]
async fn a_state_that_does_not_parse_is_named_and_kept() {
    let (folder, ledger) = holding(Vec::new()).await;
    ledger.close().await.unwrap();
    let path = settings(&folder).path;
    for spoiled in ["{", "{\"version\": 9}"] {
        look(&path).execute("UPDATE feed_state SET state = ?1", [spoiled]).unwrap();
        check_refused(&settings(&folder), "feed \"a\": ");
    }
    assert_eq!(count(&path, "feed_state WHERE feed_id = 'a'"), 1);
}

/// A record as a later version may write it: fields and names that this one does not know.
fn of_a_later_version(record: &Record) -> String {
    let mut later = serde_json::to_value(record).unwrap();
    later["story"] = serde_json::json!({"id": "x", "similarity": 0.5});
    later["change"] = "merged".into();
    later["feed"]["tier"] = 1.into();
    later["dates"]["quality"] = serde_json::json!(["guessed"]);
    later["observed"]["by"] = "push".into();
    later["conflict"] = serde_json::json!({
        "relevant": true, "score": 0.9, "lexicon": "xx/9", "flags": null, "places": [],
        "tags": [{"id": "strike.air", "label": "x", "score": 1.0, "claim": {"status": "denied"},
            "related": {"acled": null, "plover": null, "cameo": null, "iptc": null, "gdelt": null,
                "wikidata": ["Q1"]},
            "evidence": [{"field": "caption", "start": 0, "end": 1, "text": "x", "page": 2}]}],
        "casualties": [{"kind": "infected", "low": 1, "high": null, "scope": "forecast",
            "side": "x", "evidence": []}]
    });
    later.to_string()
}

/// A program of an earlier version goes on where a later one left off.
#[tokio::test]
async fn after_a_downgrade_no_article_is_numbered_anew_and_every_reader_reads_on() {
    let (folder, ledger) = holding(vec![record(1, "one"), record(2, "two")]).await;
    let settings = settings(&folder);
    ledger.close().await.unwrap();
    let connection = look(&settings.path);
    let later = of_a_later_version(&record(1, "one"));
    connection.execute("UPDATE articles SET record = ?1 WHERE seq = 1", [&later]).unwrap();
    let state = r#"{"version": 2, "readable_from": 1, "sequence": 1, "standing": "resting",
        "knows_relevance": true, "learned": {"rule": "link"}, "plan": {"reason": "moon"},
        "last_failure": {"class": "hexed", "detail": "", "at": "2026-01-02T03:04:05Z"},
        "seen": {"00000000000000000000000000000002":
            {"digest": "0101010101010101", "revision": 1, "last_seen": 1, "marks": ["x"]}}}"#;
    connection.execute("UPDATE feed_state SET state = ?1", [state]).unwrap();
    // A feed that only a later version can name.
    let insert = "INSERT INTO feed_state SELECT 'Zürich/1', 1, NULL, 'fine', '[]', changed_at \
                  FROM feed_state";
    connection.execute(insert, []).unwrap();
    drop(connection);

    let (ledger, states, _) = SqliteLedger::open(&settings).unwrap();
    assert_eq!(states.len(), 1);
    assert_eq!(states[&id("a")].unpacked_memory().seen.len(), 1);
    // The feed has forgotten the first article, and shows the same text.
    let back = outcome("a", 2, vec![record(1, "one"), record(3, "three")]);
    ledger.commit(Arc::new(back)).await.unwrap();
    let rows = all(&settings.path);
    assert_eq!(rows.len(), 3, "not a second revision of the first");
    assert_eq!(rows[0].text, later);
    assert_eq!(rows[0].record().unwrap().change, RecordChange::Other);
    let strikes = Filter { tags: vec!["strike".to_owned()], ..Filter::default() };
    assert!(strikes.admits(&Facts::of(&later).unwrap()));
    assert_eq!(search(&settings.path, "one", &Filter::default(), Revisions::All), ["one"]);
}

#[tokio::test]
async fn a_view_has_what_is_relevant_and_what_is_not_any_more() {
    let again = |number, revision, change, record: Record| {
        outcome("a", number, vec![Record { revision, change, ..record }])
    };
    let (updated, withdrawn) = (RecordChange::Updated, RecordChange::Withdrawn);
    let (folder, ledger) = holding(vec![tagged(1, "one", "strike"), record(2, "two")]).await;
    for outcome in [
        again(2, 2, updated, record(1, "one, corrected")),
        again(3, 3, updated, record(1, "one, corrected again")),
        again(4, 4, updated, tagged(1, "one", "strike")),
        again(5, 5, withdrawn, Record { title: None, ..record(1, "") }),
        again(6, 2, withdrawn, Record { title: None, ..record(2, "") }),
    ] {
        ledger.commit(Arc::new(outcome)).await.unwrap();
    }
    let path = settings(&folder).path;
    let of_view = "SELECT group_concat(revision) FROM (SELECT * FROM conflict ORDER BY seq)";
    let told: String = look(&path).query_row(of_view, [], |row| row.get(0)).unwrap();
    assert_eq!(told, "1,2,4,5");
    // What was withdrawn is found by its earlier words only if those are asked for.
    assert_eq!(search(&path, "two", &Filter::default(), Revisions::Latest), Vec::<String>::new());
    assert_eq!(search(&path, "two", &Filter::default(), Revisions::All), ["two"]);
    assert_eq!(count(&path, "articles_latest WHERE change = 'withdrawn'"), 2);
}

fn all(path: &Path) -> Vec<Committed> {
    Reader::open(path).unwrap().last(&Filter::default(), 1000).unwrap().0
}

/// A tag denied by one side, of an attack by Russia on a town, with a toll and another in the background.
fn told(number: u32, title: &str, tag: &str) -> Record {
    let mut value = serde_json::to_value(tagged(number, title, tag)).unwrap();
    let conflict = &mut value["conflict"];
    conflict["tags"][0]["claim"] = json!({"status": "denied", "by": "state.ru"});
    let role = |role: &str, actor: &str| json!({"role": role, "actor": actor});
    conflict["tags"][0]["roles"] = json!([
        role("attacker", "state.by"),
        role("attacker", "state.ru"),
        role("target", "state.ua")
    ]);
    conflict["actors"] = json!([{"id": "state.ru", "name": "Russia", "kind": "state", "country": "RU",
        "mentions": 1, "evidence": []}]);
    conflict["places"] = json!([{"name": "Adel", "geonames_id": 7, "country": "UA", "lat": 50.0, "lon": 36.25,
        "kind": "city", "mentions": 1, "primary": true, "evidence": []}]);
    let killed = |low: u64, scope: &str| json!({"kind": "killed", "low": low, "high": null, "scope": scope, "evidence": []});
    conflict["casualties"] = json!([killed(12, "event"), killed(50_000, "background")]);
    serde_json::from_value(value).unwrap()
}

#[tokio::test]
async fn events_flat_has_a_row_for_each_tag_of_the_last_revision() {
    let mut second = told(1, "two", "strike.air");
    second.revision = 2;
    second.change = RecordChange::Updated;
    let mut conflict = second.conflict.clone().unwrap();
    conflict.tags.extend(tagged(9, "x", "peace").conflict.unwrap().tags);
    second.conflict = Some(conflict);
    let first = told(1, "one", "strike.air");
    let (folder, ledger) = holding(vec![first, record(2, "rain")]).await;
    ledger.commit(Arc::new(outcome("a", 2, vec![second]))).await.unwrap();
    let database = Connection::open(settings(&folder).path).unwrap();
    let mut rows = database
        .prepare(
            "SELECT concat_ws('|', title, tag, claim, claim_by, attacker, target, place, country, lat, lon, killed)
             FROM events_flat ORDER BY tag DESC",
        )
        .unwrap();
    let rows: Vec<String> =
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(
        rows,
        [
            "two|strike.air|denied|state.ru|state.by state.ru|state.ua|Adel|UA|50.0|36.25|12",
            "two|peace|Adel|UA|50.0|36.25|12",
        ]
    );
}

#[tokio::test]
async fn a_follower_gets_each_record_once_and_in_order() {
    let (folder, ledger) = holding((0..5).map(|n| record(n, "early")).collect()).await;
    let reader = Reader::open(&settings(&folder).path).unwrap();
    let filter = Filter { countries: vec!["SY".to_owned()], ..Filter::default() };
    let (last, seq) = reader.last(&filter, 2).unwrap();
    assert_eq!(last.iter().map(|row| row.seq).collect::<Vec<_>>(), [4, 5]);
    assert!(reader.after(seq, &filter).unwrap().0.is_empty());

    let mut elsewhere = record(5, "elsewhere");
    Arc::make_mut(&mut elsewhere.feed).country = None;
    let more = (6..1206).map(|n| record(n, "late")).chain([elsewhere]).collect();
    ledger.commit(Arc::new(outcome("a", 2, more))).await.unwrap();
    let (mut seq, mut seen) = (seq, Vec::new());
    loop {
        let (rows, reached) = reader.after(seq, &filter).unwrap();
        if rows.is_empty() {
            break;
        }
        seen.extend(rows.iter().map(|row| row.seq));
        seq = reached;
    }
    assert_eq!(seen, (6..=1205).collect::<Vec<_>>());
    assert_eq!(seq, 1206);
}

#[tokio::test]
async fn a_follower_is_told_that_something_was_removed_before_it_came() {
    let (folder, _ledger) = holding((0..5).map(|n| record(n, "early")).collect()).await;
    let path = settings(&folder).path;
    let reader = Reader::open(&path).unwrap();
    let removed = || [0, 2, 4, 5].map(|seq| reader.is_removed_after(seq).unwrap());
    assert_eq!(removed(), [false; 4]);
    let retention = Connection::open(&path).unwrap();
    retention.execute("DELETE FROM articles WHERE seq <= 3", []).unwrap();
    // Whoever has seen two has missed the third.
    assert_eq!(removed(), [false, true, false, false]);
}

#[test]
fn a_reader_says_what_is_missing() {
    let folder = TempDir::new().unwrap();
    let path = settings(&folder).path;
    let err = Reader::open(&path).unwrap_err();
    assert!(matches!(err, ReadError::Missing { .. }), "{err}");
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    let err = Reader::open(&path).unwrap_err();
    assert!(err.to_string().contains("nothing has been committed to it"), "{err}");
    look(&path).execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    let err = Reader::open(&path).unwrap_err();
    assert!(err.to_string().contains("another program's"), "{err}");
}

fn past(settings: &SqliteSettings) -> (SqliteLedger, Past) {
    let (ledger, _, past) = SqliteLedger::open(settings).unwrap();
    (ledger, past)
}

/// What a daemon leaves behind that ends without closing.
fn leave(settings: &SqliteSettings) {
    look(&settings.path).execute("UPDATE owner SET open = 1", []).unwrap();
}

#[tokio::test]
async fn a_database_that_was_not_given_back_says_so_for_a_day() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let (ledger, found) = past(&settings);
    assert_eq!(found, Past::default(), "a new database");
    ledger.close().await.unwrap();
    let (ledger, found) = past(&settings);
    assert_eq!(found, Past::default(), "closed");
    ledger.close().await.unwrap();
    leave(&settings);
    let (ledger, found) = past(&settings);
    assert!(found.left_uncleanly_at.is_some());
    ledger.close().await.unwrap();
    let (ledger, later) = past(&settings);
    assert!(later.careful_until(Clock::System.now()).is_some(), "a clean end in between");
    ledger.close().await.unwrap();
    look(&settings.path)
        .execute("UPDATE owner SET left_uncleanly_at = '2026-01-01T00:00:00.000Z'", [])
        .unwrap();
    assert_eq!(past(&settings).1, Past::default(), "long ago");
}

/// One of before, or between, says nothing of how it ended.
#[tokio::test]
async fn a_database_of_a_program_that_does_not_say_how_it_ended_is_read_with_care() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let settings = settings(&folder);
    ledger.close().await.unwrap();
    look(&settings.path).execute("DROP TABLE owner", []).unwrap();
    assert!(past(&settings).1.left_uncleanly_at.is_some());
}
