//! Deletes what is too old, and the oldest when the file is too large.
//!
//! In chunks, each a transaction of its own, so that a commit never waits for more than one.
//! Feed state is never deleted: a feed that comes back must go on where it was.

use std::time::Duration;

use cw_model::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::time::Instant;
use tracing::warn;

use super::rows::column_time;
use super::{SqliteSettings, sqlite_trouble};
use crate::clock::Clock;
use crate::fault::{self, Point};

/// Retention need not be exact to the hour.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Rows deleted in one transaction: some tens of milliseconds on a slow disk.
pub(super) const CHUNK_ROWS: u32 = 500;

/// Rejects deleted in one transaction when the file is too large: each may be 90 kB, and the last
/// ones are worth keeping.
const REJECTS_CHUNK_ROWS: u32 = 10;

/// Pages given back to the file system in one transaction: 4 MiB at SQLite's 4 KiB a page.
const VACUUM_PAGES: u32 = 1024;

/// Pages of the full-text index tidied after each chunk. Without it, deleted words would keep
/// their place until as many new ones come.
const MERGE_PAGES: u32 = 1000;

/// What is kept, and when to look again.
#[derive(Debug)]
pub(super) struct Retention {
    keep_age: Option<Duration>,
    keep_bytes: Option<u64>,
    due_at: Instant,
}

/// Whether there is more to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Look again as soon as nobody waits.
    More,
    /// Nothing is left.
    Done,
}

impl Retention {
    /// Due at once.
    pub(super) fn new(settings: &SqliteSettings) -> Self {
        let SqliteSettings { path: _, keep_age, keep_bytes } = *settings;
        Self { keep_age, keep_bytes, due_at: Instant::now() }
    }

    /// Whether there is something to look for.
    pub(super) fn is_due(&self) -> bool {
        (self.keep_age.is_some() || self.keep_bytes.is_some()) && Instant::now() >= self.due_at
    }

    /// Deletes one chunk; when none is left, waits for the next hour. A failure waits, too: the
    /// commits that need the space will say what is wrong.
    pub(super) fn delete_chunk(&mut self, connection: &Connection) {
        match self.delete_some(connection) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => self.due_at = Instant::now() + INTERVAL,
            Err(err) => {
                warn!(error = %sqlite_trouble(&err), "could not delete old articles; will try again in an hour");
                self.due_at = Instant::now() + INTERVAL;
            }
        }
    }

    fn delete_some(&self, connection: &Connection) -> rusqlite::Result<Progress> {
        let oldest = self.keep_age.map(|age| oldest_kept(Clock::System.now(), age));
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let mut deleted = 0;
        if let Some(oldest) = &oldest {
            deleted += delete_older(&transaction, oldest)?;
        }
        let used = used_bytes(&transaction)?;
        if deleted == 0 && self.keep_bytes.is_some_and(|limit| used > limit) {
            deleted += delete_oldest(&transaction)?;
        }
        if deleted == 0 {
            drop(transaction);
            return give_back(connection);
        }
        transaction.execute(
            "INSERT INTO articles_fts (articles_fts, rank) VALUES ('merge', ?1)",
            [MERGE_PAGES],
        )?;
        fault::point(Point::InRetention);
        transaction.commit()?;
        Ok(Progress::More)
    }
}

fn oldest_kept(now: Timestamp, age: Duration) -> String {
    column_time(now.checked_sub(age).unwrap_or(Timestamp::MIN))
}

fn delete_older(connection: &Connection, oldest: &str) -> rusqlite::Result<usize> {
    let articles =
        "SELECT seq FROM articles WHERE committed_at < ?1 ORDER BY committed_at LIMIT ?2";
    let seqs = chosen(connection, articles, rusqlite::params![oldest, CHUNK_ROWS])?;
    let rejects = connection.execute(
        "DELETE FROM rejects WHERE rowid IN
             (SELECT rowid FROM rejects WHERE at < ?1 ORDER BY at LIMIT ?2)",
        rusqlite::params![oldest, CHUNK_ROWS],
    )?;
    Ok(rejects + delete_articles(connection, &seqs)?)
}

/// Rejects first: articles are what the file is for, and a feed that is broken anew at each poll
/// would drive them all out.
fn delete_oldest(connection: &Connection) -> rusqlite::Result<usize> {
    let rejects = connection.execute(
        "DELETE FROM rejects WHERE rowid IN (SELECT rowid FROM rejects ORDER BY at LIMIT ?1)",
        [REJECTS_CHUNK_ROWS],
    )?;
    if rejects > 0 {
        return Ok(rejects);
    }
    let seqs = chosen(connection, "SELECT seq FROM articles ORDER BY seq LIMIT ?1", [CHUNK_ROWS])?;
    delete_articles(connection, &seqs)
}

fn chosen(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<Vec<i64>> {
    connection.prepare(sql)?.query_map(values, |row| row.get(0))?.collect()
}

fn delete_articles(connection: &Connection, seqs: &[i64]) -> rusqlite::Result<usize> {
    let mut article = connection.prepare("DELETE FROM articles WHERE seq = ?1")?;
    let mut searched = connection.prepare("DELETE FROM articles_fts WHERE rowid = ?1")?;
    let mut facts = connection.prepare("DELETE FROM facts WHERE seq = ?1")?;
    for seq in seqs {
        article.execute([seq])?;
        searched.execute([seq])?;
        facts.execute([seq])?;
    }
    Ok(seqs.len())
}

/// How much of the file is in use, bytes.
pub(super) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let pages = number("PRAGMA page_count")?.saturating_sub(number("PRAGMA freelist_count")?);
    Ok(u64::try_from(pages.saturating_mul(number("PRAGMA page_size")?)).unwrap_or_default())
}

/// Gives free pages back to the file system, some at a time.
fn give_back(connection: &Connection) -> rusqlite::Result<Progress> {
    let free = |connection: &Connection| {
        connection.query_row("PRAGMA freelist_count", [], |row| row.get::<_, i64>(0))
    };
    let before = free(connection)?;
    if before == 0 {
        return Ok(Progress::Done);
    }
    // Each row of the answer is a page given back: all must be asked for.
    let mut statement =
        connection.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    Ok(if free(connection)? < before { Progress::More } else { Progress::Done })
}
