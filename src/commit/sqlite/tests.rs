//! What the SQLite ledger promises, on real files.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::commit::samples::{id, now, outcome, record, reject, tagged};
use crate::commit::sqlite::rows::column_time;
use crate::model::Record;

fn settings(folder: &TempDir) -> SqliteSettings {
    SqliteSettings { path: folder.path().join("wire.db"), keep_age: None, keep_bytes: None }
}

fn look(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn count(connection: &Connection, what: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_commit_is_read_back_after_reopening() {
    let folder = TempDir::new().unwrap();
    let (ledger, states) = SqliteLedger::open(&settings(&folder)).unwrap();
    assert!(states.is_empty());
    let mut first = outcome("a", 1, vec![tagged(1, "one", "strike.air"), record(2, "two")]);
    first.rejects.push(reject(1));
    ledger.commit(Arc::new(first.clone())).await.unwrap();
    ledger.close().await.unwrap();

    let (ledger, states) = SqliteLedger::open(&settings(&folder)).unwrap();
    assert_eq!(states.get(&id("a")), Some(&first.state));
    assert_eq!(states.len(), 1);
    ledger.close().await.unwrap();
    let connection = look(&settings(&folder).path);
    let text: String = connection
        .query_row("SELECT record FROM articles WHERE title = 'one'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), first.records[0]);
    let tags: Option<String> = connection
        .query_row("SELECT tags FROM articles WHERE title = 'two'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tags, None);
    assert_eq!(count(&connection, "rejects"), 1);
    assert_eq!(column_time(now()), "2026-01-02T03:04:05.000Z");
}
