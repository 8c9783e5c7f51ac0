//! What the SQLite ledger promises, on real files.

use std::path::Path;
use std::sync::Arc;

use cw_model::record::RecordChange;
use cw_model::samples::{id, now, outcome, record, reject, tagged};
use cw_model::state::{FeedState, SeenArticle};
use cw_model::{ArticleId, Changed, Digest, Record, Reject, Urgency};
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;

use super::facts::{self, Filled};
use super::history::{ARTICLES_MAX, REJECTS_MAX};
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

#[tokio::test]
async fn a_new_file_survives_power_cuts_and_gives_space_back() {
    let (folder, _ledger) = holding(Vec::new()).await;
    let connection = look(&settings(&folder).path);
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(number(&connection, "PRAGMA auto_vacuum"), 2);
    assert_eq!(number(&connection, "PRAGMA application_id"), i64::from(defence::APPLICATION_ID));
    assert_eq!(number(&connection, "PRAGMA user_version"), 1);
    // `synchronous` belongs to a connection, so the writer's own is asked.
    let writer = schema::open(&folder.path().join("other.db")).unwrap();
    assert_eq!(number(&writer, "PRAGMA synchronous"), 2);
}

#[tokio::test]
async fn closing_leaves_one_file_and_its_lock() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    ledger.close().await.unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["wire.db", "wire.db.lock"]);
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

/// The outcome of a poll that found nothing, by what the poll before has left.
fn nothing_new(before: &Outcome) -> Outcome {
    let mut state = FeedState::clone(&before.state);
    state.plan.sequence += 1;
    let (urgency, changed) = (Urgency::Lazy, Changed::Plan);
    Outcome {
        state: state.into(),
        records: Vec::new(),
        rejects: Vec::new(),
        urgency,
        changed,
        ..before.clone()
    }
}

/// An outcome of a feed that remembers so many articles.
fn remembering(feed: &str, articles: u16) -> Outcome {
    let made = outcome(feed, 1, vec![record(1, "one")]);
    let mut state = made.state.unpack();
    for number in 0..articles {
        let seen = SeenArticle {
            digest: Digest([1; 8]),
            revision: 1,
            last_seen: 1,
            relevant: None,
            updated: None,
            content: None,
        };
        state
            .memory
            .seen
            .remember(ArticleId([number.to_be_bytes(); 8].concat().try_into().unwrap()), seen);
    }
    Outcome { state: state.pack().into(), ..made }
}

/// Reopens a ledger and says what it then has of a feed.
async fn reopened(ledger: SqliteLedger, settings: &SqliteSettings, feed: &str) -> Arc<FeedState> {
    ledger.close().await.unwrap();
    let (ledger, states, _past) = SqliteLedger::open(settings).unwrap();
    ledger.close().await.unwrap();
    Arc::clone(states.get(&id(feed)).unwrap())
}

#[tokio::test]
async fn a_poll_that_finds_nothing_writes_a_plan_whose_size_knows_nothing_of_the_articles() {
    for articles in [30, 530] {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder);
        let ledger = open(&settings);
        let first = remembering("a", articles);
        let second = nothing_new(&first);
        ledger.commit(Arc::new(first)).await.unwrap();
        ledger.commit(Arc::new(second.clone())).await.unwrap();
        assert_eq!(reopened(ledger, &settings, "a").await, second.state);
        let connection = look(&settings.path);
        assert_eq!(number(&connection, "SELECT sequence FROM feed_state"), 1);
        assert_eq!(number(&connection, "SELECT builds_on FROM feed_plan"), 1);
        assert!(number(&connection, "SELECT length(state) FROM feed_plan") < 1000, "{articles}");
    }
}

#[tokio::test]
async fn every_plan_that_was_put_off_is_there_after_a_clean_end() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    let firsts: Vec<Outcome> =
        (0..1200).map(|n| outcome(&format!("feed-{n}"), 1, Vec::new())).collect();
    let nothings: Vec<Outcome> = firsts.iter().map(nothing_new).collect();
    for outcomes in [firsts, nothings] {
        let commits = outcomes.into_iter().map(|outcome| ledger.commit(Arc::new(outcome)));
        for committed in join_all(commits).await {
            committed.unwrap();
        }
    }
    ledger.close().await.unwrap();
    let (_ledger, states, _past) = SqliteLedger::open(&settings).unwrap();
    assert_eq!(states.len(), 1200);
    assert!(states.values().all(|state| state.plan.sequence == 2));
}

#[tokio::test]
async fn a_plan_of_a_feed_without_a_state_is_written_as_one() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    let failed = nothing_new(&outcome("a", 0, Vec::new()));
    ledger.commit(Arc::new(failed.clone())).await.unwrap();
    assert_eq!(reopened(ledger, &settings, "a").await, failed.state);
    assert_eq!(count(&settings.path, "feed_plan"), 0);
}

/// A version that knows nothing of plans goes on with the state.
#[tokio::test]
async fn a_plan_counts_for_no_state_but_the_one_it_was_made_for() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    let first = remembering("a", 3);
    let found_nothing = nothing_new(&nothing_new(&first));
    ledger.commit(Arc::new(first)).await.unwrap();
    ledger.commit(Arc::new(found_nothing)).await.unwrap();
    ledger.close().await.unwrap();
    let other = outcome("a", 2, Vec::new());
    let replaced = look(&settings.path).execute(
        "UPDATE feed_state SET sequence = 2, state = ?1",
        [other.state.written().unwrap()],
    );
    assert_eq!(replaced.unwrap(), 1);
    assert_eq!(reopened(open(&settings), &settings, "a").await, other.state);
}

#[tokio::test]
async fn a_later_outcome_takes_the_place_of_a_plan_that_waits() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    let first = outcome("a", 1, Vec::new());
    let third = outcome("a", 3, vec![record(1, "one")]);
    let outcomes = vec![first.clone(), nothing_new(&first), third.clone()];
    for committed in commit_together(&ledger, outcomes).await {
        committed.unwrap();
    }
    assert_eq!(reopened(ledger, &settings, "a").await, third.state);
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
async fn what_was_committed_before_the_start_is_told_and_no_more() {
    let tagged_ones = (1..=3).map(|number| tagged(number, "old", "strike.air"));
    let (folder, ledger) = holding(tagged_ones.chain([record(9, "other")]).collect()).await;
    ledger.close().await.unwrap();
    let ledger = open(&settings(&folder));
    let later = outcome("a", 7, vec![tagged(4, "later", "strike.air")]);
    ledger.commit(Arc::new(later)).await.unwrap();
    let hour_ago = Clock::System.now() - Duration::from_secs(3600);
    let lately = ledger.history().lately(hour_ago, 2).unwrap();
    let ids: Vec<&str> = lately.articles.iter().map(|(_, record)| record.id.as_str()).collect();
    let expected = [3, 2].map(|number| tagged(number, "", "unrest").id);
    assert_eq!(ids, expected, "the newest first, of those about conflict");
    let count: u64 = lately.tags.iter().map(|(_, _, count)| count).sum();
    assert_eq!(count, 3, "{:?}", lately.tags);
    let ahead = Clock::System.now() + Duration::from_secs(3600);
    assert!(ledger.history().lately(ahead, 2).unwrap().tags.is_empty());
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn the_newest_of_a_feed_are_told_up_to_a_bound() {
    let (folder, ledger) = holding((1..=30).map(|n| record(n, &"x".repeat(1000))).collect()).await;
    let rejects = (0..9).map(reject).collect();
    ledger.commit(Arc::new(Outcome { rejects, ..outcome("a", 7, Vec::new()) })).await.unwrap();
    let newest = ledger.history().of_feed("a").unwrap();
    assert_eq!(newest.articles.len(), usize::try_from(ARTICLES_MAX).unwrap());
    assert_eq!(newest.rejects.len(), usize::try_from(REJECTS_MAX).unwrap());
    assert!(newest.articles[0].title.as_ref().unwrap().len() < 1000);
    let other = ledger.history().of_feed("b").unwrap();
    assert!(other.articles.is_empty() && other.rejects.is_empty());
    ledger.close().await.unwrap();
    // Nothing there is no panic.
    let history = open(&settings(&folder)).history();
    std::fs::remove_file(&settings(&folder).path).unwrap();
    assert!(matches!(history.of_feed("a"), Err(ReadError::Missing { .. })));
}

#[tokio::test]
async fn a_second_daemon_is_refused_while_readers_work() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let settings = settings(&folder);
    let err = SqliteLedger::open(&settings).unwrap_err();
    let CommitError::InUse { pid, .. } = &err else { panic!("{err}") };
    assert_eq!(*pid, Some(std::process::id()));
    assert!(err.to_string().contains("(process "), "{err}");
    assert_eq!(all(&settings.path).len(), 1);
    ledger.commit(Arc::new(outcome("a", 2, vec![record(2, "two")]))).await.unwrap();

    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    let through_link = SqliteSettings { path: link.join("wire.db"), ..settings.clone() };
    assert!(matches!(SqliteLedger::open(&through_link), Err(CommitError::InUse { .. })));

    ledger.close().await.unwrap();
    SqliteLedger::open(&settings).unwrap();
}

#[track_caller]
fn check_refused(settings: &SqliteSettings, because: &str) {
    let err = SqliteLedger::open(settings).map(drop).unwrap_err();
    assert!(matches!(err, CommitError::Open { .. }), "{err}");
    assert!(err.to_string().contains(because), "{err}");
}

#[test]
fn a_link_in_the_place_of_the_database_or_its_lock_is_refused_and_not_followed() {
    for name in ["wire.db", "wire.db.lock", "wire.db-wal"] {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder);
        let theirs = folder.path().join("theirs");
        let link = folder.path().join(name);
        std::os::unix::fs::symlink(&theirs, &link).unwrap();
        check_refused(&settings, "is a symbolic link");
        assert!(!theirs.exists(), "nothing is made behind {name}");
        std::fs::remove_file(link).unwrap();
        SqliteLedger::open(&settings).unwrap();
    }
}

#[tokio::test]
async fn every_file_of_the_ledger_is_its_owners_alone() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let modes = |folder: &TempDir| {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
        let mut modes: Vec<_> = entries
            .map(|entry| {
                let mode = entry.metadata().unwrap().mode() & 0o777;
                (entry.file_name().into_string().unwrap(), mode)
            })
            .collect();
        modes.sort();
        modes
    };
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let private = ["wire.db", "wire.db-shm", "wire.db-wal", "wire.db.lock"];
    let private: Vec<_> = private.iter().map(|name| ((*name).to_owned(), 0o600)).collect();
    assert_eq!(modes(&folder), private);
    ledger.close().await.unwrap();

    // As an earlier version, or a person, left them.
    for name in ["wire.db", "wire.db.lock"] {
        let open_to_all = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(folder.path().join(name), open_to_all).unwrap();
    }
    let ledger = open(&settings(&folder));
    ledger.commit(Arc::new(outcome("a", 2, vec![record(2, "two")]))).await.unwrap();
    assert_eq!(modes(&folder), private);
}

#[test]
fn a_file_that_is_not_ours_keeps_its_mode() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = TempDir::new().unwrap();
    let path = settings(&folder).path;
    std::fs::write(&path, "a letter ".repeat(100)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    check_refused(&settings(&folder), "it is not a database");
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o644);
}

#[test]
fn an_empty_file_becomes_a_database() {
    let folder = TempDir::new().unwrap();
    std::fs::write(settings(&folder).path, "").unwrap();
    SqliteLedger::open(&settings(&folder)).unwrap();
}

#[test]
fn a_missing_directory_is_made_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let directory = folder.path().join("a/b");
    SqliteLedger::open(&SqliteSettings { path: directory.join("wire.db"), ..settings(&folder) })
        .unwrap();
    let mode = std::fs::metadata(directory).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let path = &settings.path;
    look(path).execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    check_refused(&settings, "it is another program's database");
    assert_eq!(count(path, "sqlite_schema"), 1);
    look(path).execute_batch("PRAGMA application_id = 1; DROP TABLE notes").unwrap();
    check_refused(&settings, "it is another program's database");

    std::fs::write(path, "a text of a person. ".repeat(100)).unwrap();
    check_refused(&settings, "it is not a database");
    assert!(std::fs::read_to_string(path).unwrap().starts_with("a text"));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let (folder, ledger) = holding(Vec::new()).await;
    ledger.close().await.unwrap();
    look(&settings(&folder).path).execute_batch("PRAGMA user_version = 2").unwrap();
    check_refused(
        &settings(&folder),
        "a newer conflictwire made it (form 2, this one knows up to 1)",
    );
}

#[test]
fn a_place_that_cannot_be_written_is_named_with_the_way_out() {
    let folder = TempDir::new().unwrap();
    let at = |path: &str| SqliteSettings { path: folder.path().join(path), ..settings(&folder) };
    std::fs::write(folder.path().join("file"), "").unwrap();
    check_refused(&at("file/wire.db"), "a file is where a directory should be");
    check_refused(&at(""), "it is a directory; set `sqlite.path` to a file, for example \"");
    check_refused(&at(".."), "it names no file");
    // Nobody can make a directory in /proc, not even root.
    check_refused(&at("/proc/conflictwire/wire.db"), "cannot be made");
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

fn long(number: u32) -> Record {
    let body = format!("story{number} ").repeat(80);
    Record { body: Some(body), ..record(number, "long") }
}

#[tokio::test]
async fn nothing_is_committed_to_a_file_that_is_gone_from_its_place() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let path = settings(&folder).path;
    let away = folder.path().join("away.db");
    let next = || Arc::new(outcome("b", 1, vec![record(2, "two")]));
    std::fs::rename(&path, &away).unwrap();
    for stands_there in [false, true] {
        if stands_there {
            std::fs::write(&path, "another").unwrap();
        }
        let err = ledger.commit(next()).await.unwrap_err();
        assert!(matches!(err, CommitError::Write { .. }), "{err}");
        assert!(err.to_string().contains("the file is gone, or another stands"), "{err}");
    }
    std::fs::rename(&away, &path).unwrap();
    ledger.commit(next()).await.unwrap();
    assert_eq!(count(&path, "articles"), 2);
    ledger.close().await.unwrap();
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

#[tokio::test]
async fn words_are_found_in_any_script() {
    const TITLES: [&str; 9] = [
        "Air strikes hit Idlib",
        "قُصِفَت المدينة بالصواريخ في إدلب",
        "Российские войска обстреляли Харьков, ещё трое погибли",
        "У Києві пошкоджено об’єкт енергетики",
        "俄军空袭基辅，造成三人死亡",
        "キーウにミサイル攻撃、３人死亡",
        "북한이 미사일을 발사했다",
        "กองทัพโจมตีทางอากาศ",
        "Ayrılıkçılar Élysée'ye saldırdı",
    ];
    const SOUGHT: [(&str, usize); 18] = [
        ("idlib", 0),
        ("STRIKES air", 0),
        ("strik*", 0),
        ("صواريخ", 1),
        ("ادلب", 1),
        ("قصفت", 1),
        ("المدينه", 1),
        ("харьков", 2),
        ("ЕЩЕ", 2),
        ("києві", 3),
        ("об'єкт", 3),
        ("空袭", 4),
        ("死亡 基辅", 4),
        ("ﾐｻｲﾙ", 5),
        ("3人死亡", 5),
        ("미사일", 6),
        ("โจมตี", 7),
        ("elysee", 8),
    ];
    let records = (0..).zip(TITLES).map(|(n, title)| record(n, title)).collect();
    let (folder, _ledger) = holding(records).await;
    for (words, title) in SOUGHT {
        let found = titles(&settings(&folder).path, words, &Filter::default());
        assert_eq!(found, [TITLES[title]], "for {words}");
    }
    for absent in ["袭空", "айр", "strikes idlib paris"] {
        let found = titles(&settings(&folder).path, absent, &Filter::default());
        assert!(found.is_empty(), "{absent}: {found:?}");
    }
}

#[tokio::test]
async fn nothing_a_person_types_is_an_error() {
    let (folder, _ledger) = holding(vec![record(1, "one")]).await;
    let reader = Reader::open(&settings(&folder).path).unwrap();
    for text in [
        "\"",
        "one\"",
        "one AND",
        "NOT one",
        "NEAR(one two, 3)",
        "title:one",
        "{title}:one",
        "^one",
        "one*",
        "*one",
        "one + two",
        "-one",
        "(one",
        "one'); DROP TABLE articles; --",
        "%",
        "one\0two",
        "\u{202e}one",
        "🕊 one",
    ] {
        let Ok(query) = Query::parse(&[text]) else { continue };
        for order in [Order::Best, Order::Newest] {
            let query = Some(query.clone());
            let filter = Filter { tags: vec![text.to_owned()], ..Filter::default() };
            let search = Search { query, filter, order, revisions: Revisions::All, limit: 1 };
            assert!(reader.search(&search).is_ok(), "{text:?}");
        }
    }
    assert_eq!(all(&settings(&folder).path).len(), 1);
}

#[tokio::test]
async fn without_words_whatever_fits_the_filter_is_found_the_latest_first() {
    let dated = |number, title: &str, at: &str| {
        let mut record = record(number, title);
        record.published_at = Some(at.parse().unwrap());
        record
    };
    let (folder, _ledger) = holding(vec![
        dated(1, "first", "2026-01-01T00:00:00Z"),
        dated(2, "third", "2026-01-03T00:00:00Z"),
        dated(3, "second", "2026-01-02T00:00:00Z"),
    ])
    .await;
    let path = settings(&folder).path;
    let since =
        Filter { since: Some("2026-01-02T00:00:00Z".parse().unwrap()), ..Filter::default() };
    assert_eq!(titles(&path, "", &since), ["third", "second"]);
    let nowhere = Filter { countries: vec!["XX".to_owned()], ..Filter::default() };
    assert_eq!(titles(&path, "", &nowhere), [""; 0]);
}

#[tokio::test]
async fn only_the_last_revision_is_found() {
    let (folder, ledger) = holding(vec![record(1, "shelling in the east")]).await;
    let mut second = record(1, "ceasefire in the east");
    second.revision = 2;
    second.change = RecordChange::Updated;
    ledger.commit(Arc::new(outcome("a", 2, vec![second]))).await.unwrap();
    let path = settings(&folder).path;
    let filter = Filter::default();
    assert_eq!(titles(&path, "east", &filter), ["ceasefire in the east"]);
    assert!(titles(&path, "shelling", &filter).is_empty());
    assert_eq!(search(&path, "shelling", &filter, Revisions::All), ["shelling in the east"]);
    assert_eq!(count(&path, "articles_latest"), 1);
}

#[tokio::test]
async fn a_word_in_the_title_counts_more_than_one_in_the_body() {
    let mut aside = record(1, "weather");
    aside.body = Some("rain, and shelling at night".to_owned());
    let (folder, _ledger) = holding(vec![aside, record(2, "shelling at night in the city")]).await;
    let found = titles(&settings(&folder).path, "shelling", &Filter::default());
    assert_eq!(found, ["shelling at night in the city", "weather"]);
}

#[tokio::test]
async fn wishes_narrow_what_is_found() {
    let mut british = told(1, "x british", "strike.air");
    british.language = Some("en-GB".to_owned());
    let mut french = tagged(2, "x french", "strikes");
    french.language = Some("fr".to_owned());
    Arc::make_mut(&mut french.feed).country = Some("FR".to_owned());
    let mut undated = record(3, "x undated");
    undated.published_at = None;
    undated.observed.at = "2026-02-01T00:00:00Z".to_owned();
    Arc::make_mut(&mut undated.feed).id = "b".to_owned();
    let (folder, _ledger) = holding(vec![british, french, undated]).await;
    let path = settings(&folder).path;
    let wish = |text: &str| vec![text.to_owned()];
    let none = Filter::default();
    for (filter, expected) in [
        (Filter { tags: wish("strike"), ..none.clone() }, vec!["x british"]),
        (Filter { tags: wish("strike.air"), ..none.clone() }, vec!["x british"]),
        (Filter { tags: wish("strike.drone"), ..none.clone() }, vec![]),
        (Filter { languages: wish("EN"), ..none.clone() }, vec!["x british", "x undated"]),
        (Filter { languages: wish("fr"), ..none.clone() }, vec!["x french"]),
        (Filter { countries: wish("fr"), ..none.clone() }, vec!["x french"]),
        (Filter { feeds: wish("b"), ..none.clone() }, vec!["x undated"]),
        (Filter { actors: wish("state.RU"), ..none.clone() }, vec!["x british"]),
        (Filter { actors: wish("state"), ..none.clone() }, vec!["x british"]),
        (Filter { actors: wish("russia"), ..none.clone() }, vec!["x british"]),
        (Filter { actors: wish("state.r"), ..none.clone() }, vec![]),
        (Filter { places: wish("adel"), ..none.clone() }, vec!["x british"]),
        (Filter { places: wish("7"), ..none.clone() }, vec!["x british"]),
        (Filter { places: wish("ua"), ..none.clone() }, vec!["x british"]),
        (Filter { places: wish("FR"), ..none.clone() }, vec![]),
        (Filter { claims: wish("denied"), ..none.clone() }, vec!["x british"]),
        (Filter { claims: wish("claimed"), ..none.clone() }, vec![]),
        (
            Filter { claims: wish("denied"), tags: wish("strike"), ..none.clone() },
            vec!["x british"],
        ),
        (Filter { claims: wish("denied"), tags: wish("strikes"), ..none.clone() }, vec![]),
        (
            Filter { since: Some("2026-01-31T00:00:00Z".parse().unwrap()), ..none.clone() },
            vec!["x undated"],
        ),
        (Filter { since: Some(now()), feeds: wish("a"), ..none.clone() }, vec![]),
    ] {
        let mut found = titles(&path, "x", &filter);
        found.sort();
        assert_eq!(found, expected, "{filter:?}");
        // Other ledgers filter records one by one, and must mean the same.
        let is_found = |row: &Committed| filter.admits(&Facts::of(&row.text).unwrap());
        let title = |row: Committed| row.record().unwrap().title.unwrap();
        let mut admitted: Vec<_> = all(&path).into_iter().filter(is_found).map(title).collect();
        admitted.sort();
        assert_eq!(admitted, expected, "{filter:?}");
    }
}

/// How SQLite goes about a statement.
fn plan(path: &Path, sql: &str) -> String {
    let database = look(path);
    let mut steps = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    // What is asked for does not change the way there.
    let nothing = vec![rusqlite::types::Null; steps.parameter_count()];
    let nothing = rusqlite::params_from_iter(nothing);
    let steps = steps.query_map(nothing, |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn no_filter_reads_the_whole_ledger() {
    let (folder, _ledger) = holding(vec![told(1, "x", "strike.air")]).await;
    let path = settings(&folder).path;
    let reader = Reader::open(&path).unwrap();
    let wish = || vec!["x".to_owned()];
    let none = Filter::default();
    for filter in [
        Filter { tags: wish(), ..none.clone() },
        Filter { claims: wish(), ..none.clone() },
        Filter { actors: wish(), ..none.clone() },
        Filter { places: wish(), ..none.clone() },
        Filter { countries: wish(), ..none.clone() },
    ] {
        let plan = plan(&path, &reader.newest_sql(&filter));
        assert!(
            plan.contains("SEARCH a USING INTEGER PRIMARY KEY (rowid=?)"),
            "{filter:?}: {plan}"
        );
        assert!(
            plan.contains("SEARCH f USING PRIMARY KEY (kind=? AND value"),
            "{filter:?}: {plan}"
        );
    }
    // What an analyst asks of the view: by tag, actor or country of the event, whatever else is in the ledger.
    let of_view = "SELECT * FROM events_flat WHERE country = 'UA'";
    let plan = plan(&path, of_view);
    assert!(plan.contains("USING INDEX articles_relevant"), "{plan}");
}

#[tokio::test]
async fn what_a_version_without_the_index_has_written_is_indexed_some_at_a_time() {
    let records = vec![told(1, "x one", "strike.air"), record(2, "x two")];
    let (folder, ledger) = holding(records).await;
    ledger.close().await.unwrap();
    let path = settings(&folder).path;
    let database = Connection::open(&path).unwrap();
    // As that version leaves it: 1,200 articles more, and nothing of what they say.
    let copies = "INSERT INTO articles (article_id, revision, change, feed_id, observed_at, committed_at, relevant, tags, record)
        SELECT 'copy-' || n.value, 1, 'new', 'a', a.observed_at, a.committed_at, a.relevant, a.tags, a.record
        FROM generate AS n, articles AS a WHERE a.seq = 1";
    let generate = "WITH RECURSIVE generate (value) AS
        (SELECT 1 UNION ALL SELECT value + 1 FROM generate WHERE value < 1200)";
    let insert = copies.replacen("SELECT 'copy-'", &format!("{generate} SELECT 'copy-'"), 1);
    database
        .execute_batch(&format!("{insert}; DELETE FROM facts; DELETE FROM facts_until"))
        .unwrap();
    let by_tag = Filter { tags: vec!["strike".to_owned()], ..Filter::default() };
    let found = || Reader::open(&path).unwrap().last(&by_tag, 10_000).unwrap().0.len();
    let mut came = Vec::new();
    for _chunk in 0..3 {
        assert_eq!((facts::filled(&database), found()), (Filled::Behind, 1201));
        came.push(facts::fill_chunk(&database).unwrap());
    }
    assert_eq!(came, [Filled::Behind, Filled::Behind, Filled::Whole]);
    assert_eq!((facts::filled(&database), found()), (Filled::Whole, 1201));
    assert_eq!(count(&path, "facts WHERE kind = 'tag'"), 1201);
    assert_eq!(facts::fill_chunk(&database).unwrap(), Filled::Whole, "there is nothing to do");
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

#[tokio::test]
async fn the_size_of_the_ledger_is_that_of_its_files() {
    let (folder, ledger) = holding((0..50).map(|n| record(n, "x")).collect()).await;
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap());
    let length =
        |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());
    let names: Vec<_> = files.map(|file| file.file_name()).collect();
    assert!(length("wire.db-wal") > 0, "{names:?}");
    assert_eq!(ledger.file_bytes(), length("wire.db") + length("wire.db-wal"));
}
