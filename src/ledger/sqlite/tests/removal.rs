//! What is removed when the ledger is too old or too large, and what stays.

use super::*;

fn long(number: u32) -> Record {
    let body = format!("story{number} ").repeat(80);
    Record { body: Some(body), ..record(number, "long") }
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    ledger.commit(Arc::new(outcome("a", 1, (0..40).map(long).collect()))).await.unwrap();
    ledger.close().await.unwrap();

    // The disk ends here: SQLite itself answers SQLITE_FULL when a page more is needed.
    let connection = schema::open(&settings.path).unwrap();
    connection.pragma_update(None, "max_page_count", 1).unwrap();
    let lock = Lock::take(&settings.path).unwrap();
    let history = History::of(&connection, &settings.path).unwrap();
    let ledger = SqliteLedger::start(connection, lock, history, &settings).unwrap();
    let large = || outcome("a", 2, (100..120).map(long).collect());
    let outcomes = vec![large(), outcome("b", 1, vec![record(200, "small")])];
    // The small one may come after the large one, alone, and find a place in a page that is there.
    let ended = commit_together(&ledger, outcomes).await;
    let err = ended.into_iter().next().unwrap().unwrap_err();
    assert!(matches!(err, CommitError::Write { .. }), "{err}");
    assert!(err.to_string().contains("is full; free some space"), "{err}");
    assert_eq!(count(&settings.path, "articles WHERE seq > 40 AND title = 'long'"), 0);
    assert_eq!(count(&settings.path, "feed_state WHERE sequence = 2"), 0);

    look(&settings.path).execute_batch("DELETE FROM articles WHERE seq <= 40").unwrap();
    ledger.commit(Arc::new(large())).await.unwrap();
    assert_eq!(count(&settings.path, "articles WHERE title = 'long'"), 20);
    assert_eq!(count(&settings.path, "feed_state WHERE sequence = 2"), 1);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn what_is_too_old_goes_and_its_state_stays() {
    let folder = TempDir::new().unwrap();
    let keeping = SqliteSettings { keep_age: Some(Duration::from_secs(3600)), ..settings(&folder) };
    let ledger = open(&settings(&folder));
    let mut old = outcome("old", 1, (0..20).map(|n| record(n, "ancient")).collect());
    old.rejects.push(reject(1));
    ledger.commit(Arc::new(old)).await.unwrap();
    ledger.close().await.unwrap();
    look(&keeping.path)
        .execute_batch("UPDATE articles SET committed_at = '2020-01-01T00:00:00.000Z'")
        .unwrap();

    let ledger = open(&keeping);
    // The first commit waits for the first chunk.
    ledger.commit(Arc::new(outcome("new", 1, vec![record(50, "fresh")]))).await.unwrap();
    assert_eq!(titles(&keeping.path, "ancient", &Filter::default()), [""; 0]);
    assert_eq!(titles(&keeping.path, "fresh", &Filter::default()), ["fresh"]);
    for (what, left) in [("articles", 1), ("articles_fts", 1), ("rejects", 0), ("feed_state", 2)] {
        assert_eq!(count(&keeping.path, what), left, "{what}");
    }
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_grows_too_large_loses_its_oldest_articles() {
    const LIMIT: u64 = 3_000_000;
    let folder = TempDir::new().unwrap();
    let keeping = SqliteSettings { keep_bytes: Some(LIMIT), ..settings(&folder) };
    let ledger = open(&settings(&folder));
    for part in 0..10 {
        let records = (part * 200..(part + 1) * 200).map(long).collect();
        ledger.commit(Arc::new(outcome("a", u64::from(part) + 1, records))).await.unwrap();
    }
    ledger.close().await.unwrap();
    let used = || retention::used_bytes(&look(&keeping.path)).unwrap();
    assert!(used() > LIMIT);

    let ledger = open(&keeping);
    let mut sequence = 10;
    // A chunk goes before each commit; a file of 2000 articles has four.
    while used() > LIMIT && sequence < 20 {
        sequence += 1;
        ledger.commit(Arc::new(outcome("a", sequence, Vec::new()))).await.unwrap();
    }
    assert!(used() <= LIMIT, "{} bytes", used());
    let connection = look(&keeping.path);
    assert_eq!(number(&connection, "SELECT max(seq) FROM articles"), 2000);
    assert!(number(&connection, "SELECT count(*) FROM articles") >= 500);
    assert!(number(&connection, "SELECT min(seq) FROM articles") > 500);
    let states = number(&connection, "SELECT sequence FROM feed_state");
    assert_eq!(u64::try_from(states).unwrap(), sequence);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn rejects_that_fill_the_file_do_not_drive_the_articles_out() {
    const LIMIT: u64 = 2_000_000;
    let folder = TempDir::new().unwrap();
    let keeping = SqliteSettings { keep_bytes: Some(LIMIT), ..settings(&folder) };
    let ledger = open(&settings(&folder));
    let mut filled = outcome("a", 1, (0..50).map(|number| record(number, "kept")).collect());
    for number in 0..50 {
        let bytes = "x".repeat(80_000);
        filled.rejects.push(Reject { bytes, ..reject(number) });
    }
    ledger.commit(Arc::new(filled)).await.unwrap();
    ledger.close().await.unwrap();
    let used = || retention::used_bytes(&look(&keeping.path)).unwrap();
    assert!(used() > LIMIT);

    let ledger = open(&keeping);
    let mut sequence = 1;
    while used() > LIMIT && sequence < 20 {
        sequence += 1;
        ledger.commit(Arc::new(outcome("a", sequence, Vec::new()))).await.unwrap();
    }
    ledger.close().await.unwrap();
    assert!(used() <= LIMIT, "{} bytes", used());
    assert_eq!(count(&keeping.path, "articles"), 50);
    assert!(count(&keeping.path, "rejects") >= 10, "the last ones stay");
}
