//! What a database tells of the past to whoever shows it, beside the daemon that writes it: the newest of all feeds, and
//! of one.
//!
//! Each question opens the database anew and reads a bounded part of it, so none holds the writer up, whatever has grown
//! there.

use std::path::{Path, PathBuf};

use cw_model::{Record, Timestamp};
use rusqlite::{Connection, Row};

use super::read::{ReadError, Reader};
use super::rows::column_time;

/// The most rows that are looked at for what was committed lately: some hundred milliseconds.
const ROWS_MAX: i64 = 50_000;

/// The most articles of a feed.
pub const ARTICLES_MAX: u32 = 10;

/// The most rejects of a feed.
pub const REJECTS_MAX: u32 = 5;

/// Among so many of the newest rejects of all feeds those of one are looked for: they have no index by feed.
pub const REJECTS_LOOKED_AT: u32 = 5_000;

/// The longest text of a row that is read, characters: what is shown is shorter.
const CHARS_MAX: u32 = 400;

/// A database that is asked while somebody writes to it.
#[derive(Clone, Debug)]
pub struct History {
    path: PathBuf,
    /// The last row when the daemon opened the database: what comes later, the daemon saw itself.
    until: i64,
}

/// What was committed in the hours before the daemon started.
#[derive(Debug, Default)]
pub struct Lately {
    /// About conflict, the newest first, each with when it was committed.
    pub articles: Vec<(Timestamp, Record)>,
    /// How many articles about conflict had which tag in which hour since 1970.
    pub tags: Vec<(i64, String, u64)>,
}

/// The newest of one feed.
#[derive(Debug, Default)]
pub struct OfFeed {
    /// The newest first.
    pub articles: Vec<PastArticle>,
    /// The newest first, of the newest [`REJECTS_LOOKED_AT`] of all feeds.
    pub rejects: Vec<PastReject>,
}

/// A revision that was committed.
#[derive(Debug)]
pub struct PastArticle {
    /// When it was committed.
    pub at: Option<Timestamp>,
    /// Its headline, perhaps cut.
    pub title: Option<String>,
    /// Its link.
    pub url: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// Which revision.
    pub revision: u32,
    /// `new`, `updated`, `withdrawn`.
    pub change: String,
    /// Ids of its tags, if it is about conflict.
    pub tags: Vec<String>,
}

/// What was refused.
#[derive(Debug)]
pub struct PastReject {
    /// When.
    pub at: Option<Timestamp>,
    /// Its class.
    pub reason: String,
    /// What was wrong, perhaps cut.
    pub detail: String,
}

impl History {
    /// Of the database that is open there.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn of(connection: &Connection, path: &Path) -> rusqlite::Result<Self> {
        let until = connection.query_row("SELECT max(seq) FROM articles", [], |row| row.get(0));
        Ok(Self { path: path.to_owned(), until: until.map(Option::unwrap_or_default)? })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was committed before the daemon opened the database and after `since`, at most so many articles. Blocks.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn lately(&self, since: Timestamp, articles_max: usize) -> Result<Lately, ReadError> {
        let reader = Reader::open(&self.path)?;
        reader.lately(self.until, since, articles_max).map_err(|err| reader.trouble(&err))
    }

    /// The newest of a feed. Blocks.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn of_feed(&self, feed: &str) -> Result<OfFeed, ReadError> {
        let reader = Reader::open(&self.path)?;
        reader.of_feed(feed).map_err(|err| reader.trouble(&err))
    }
}

impl Reader {
    // Neither uses another index than the row's number: what is looked at is bounded by it.

    fn lately(
        &self,
        until: i64,
        since: Timestamp,
        articles_max: usize,
    ) -> rusqlite::Result<Lately> {
        let limit = i64::try_from(articles_max).unwrap_or(i64::MAX);
        let mut newest = self.connection.prepare(
            "SELECT committed_at, record FROM articles NOT INDEXED
             WHERE seq <= ?1 AND seq > ?1 - ?2 AND relevant ORDER BY seq DESC LIMIT ?3",
        )?;
        let of_row = |row: &Row<'_>| Ok((time(row, 0)?, row.get::<_, String>(1)?));
        let rows = newest.query_map([until, ROWS_MAX, limit], of_row)?;
        let articles = rows
            // A record of another version that this one cannot read is left out.
            .filter_map(|row| row.map(|(at, text)| read(at, &text)).transpose())
            .collect::<rusqlite::Result<_>>()?;
        let mut tags = self.connection.prepare(
            "SELECT unixepoch(a.committed_at) / 3600 AS hour, tag.value, count(*)
             FROM articles AS a NOT INDEXED, json_each(a.tags) AS tag
             WHERE a.seq <= ?1 AND a.seq > ?1 - ?2 AND a.relevant AND a.change <> 'withdrawn'
                 AND a.committed_at >= ?3
             GROUP BY hour, tag.value ORDER BY hour",
        )?;
        let of_row =
            |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, u64::from(row.get::<_, u32>(2)?)));
        let since = column_time(since);
        let tags = tags.query_map((until, ROWS_MAX, since), of_row)?.collect::<Result<_, _>>()?;
        Ok(Lately { articles, tags })
    }

    fn of_feed(&self, feed: &str) -> rusqlite::Result<OfFeed> {
        let mut articles = self.connection.prepare(
            "SELECT committed_at, substr(title, 1, ?3), url, language, revision, change,
                 CASE WHEN relevant THEN tags END
             FROM articles WHERE feed_id = ?1 ORDER BY seq DESC LIMIT ?2",
        )?;
        let of_row = |row: &Row<'_>| {
            let tags: Option<String> = row.get(6)?;
            Ok(PastArticle {
                at: time(row, 0)?,
                title: row.get(1)?,
                url: row.get(2)?,
                language: row.get(3)?,
                revision: row.get(4)?,
                change: row.get(5)?,
                tags: tags.and_then(|tags| serde_json::from_str(&tags).ok()).unwrap_or_default(),
            })
        };
        let articles = articles
            .query_map((feed, ARTICLES_MAX, CHARS_MAX), of_row)?
            .collect::<Result<_, _>>()?;
        let mut rejects = self.connection.prepare(
            "SELECT at, reason, substr(detail, 1, ?3) FROM (
                 SELECT at, reason, detail, feed_id FROM rejects ORDER BY at DESC LIMIT ?4)
             WHERE feed_id = ?1 ORDER BY at DESC LIMIT ?2",
        )?;
        let of_row = |row: &Row<'_>| {
            Ok(PastReject { at: time(row, 0)?, reason: row.get(1)?, detail: row.get(2)? })
        };
        let values = (feed, REJECTS_MAX, CHARS_MAX, REJECTS_LOOKED_AT);
        let rejects = rejects.query_map(values, of_row)?.collect::<Result<_, _>>()?;
        Ok(OfFeed { articles, rejects })
    }
}

/// A column of time.
fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, String>(column)?.parse().ok())
}

fn read(at: Option<Timestamp>, record: &str) -> Option<(Timestamp, Record)> {
    Some((at?, serde_json::from_str(record).ok()?))
}
