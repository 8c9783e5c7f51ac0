//! The database as what is copied to another ledger: read in the order of commits, while nobody writes.

use std::collections::BTreeMap;
use std::path::Path;

use cw_decide::{Past, States};
use cw_model::{Record, Reject, Timestamp};
use rusqlite::{Params, Row};
use serde_json::json;

use super::lock::Lock;
use super::read::{ReadError, Reader};
use super::{owner, place};
use crate::ledger::CommitError;

/// The most rows that are given at once: records are some kilobytes each.
const ROWS_MAX: u32 = 500;

/// By a plan without the index of feeds, whose rows would all be sorted for each chunk. Which of them are in
/// the conflict topic is said by the view `conflict`.
const ARTICLES: &str = "
    SELECT a.seq, a.record, coalesce(a.relevant, 0) OR coalesce((
        SELECT earlier.relevant FROM articles AS earlier
        WHERE earlier.article_id = a.article_id AND earlier.revision < a.revision
        ORDER BY earlier.revision DESC LIMIT 1), 0)
    FROM articles AS a
    WHERE a.seq > ?1 AND +a.feed_id IN (SELECT value FROM json_each(?2)) ORDER BY a.seq LIMIT ?3";

const REJECTS: &str = "
    SELECT rowid, record, 0 FROM rejects
    WHERE rowid > ?1 AND +feed_id IN (SELECT value FROM json_each(?2)) ORDER BY rowid LIMIT ?3";

/// Every feed of which something is there, and its URL as it was published last.
const FEEDS: &str = "
    SELECT feed_id, record ->> '$.feed.url' FROM articles
    WHERE seq IN (SELECT max(seq) FROM articles GROUP BY feed_id)
    UNION ALL
    SELECT feed_id, url FROM rejects WHERE rowid IN (SELECT max(rowid) FROM rejects GROUP BY feed_id)
    UNION ALL
    SELECT feed_id, NULL FROM feed_state";

/// A database that nobody writes as long as this is held.
#[derive(Debug)]
pub struct Source {
    reader: Reader,
    _lock: Lock,
}

/// Why it cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is not there, or is not read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// A daemon has it, or a state of it does not parse.
    #[error(transparent)]
    Unusable(#[from] CommitError),
    /// A record that this version does not know.
    #[error("{what} at place {place} in the database \"{path}\" cannot be read: {why}")]
    Record {
        /// An article or a reject.
        what: &'static str,
        /// Its `seq` or `rowid`.
        place: i64,
        /// The database.
        path: String,
        /// What is wrong.
        why: String,
    },
}

/// An article, as it was committed.
#[derive(Clone, Debug)]
pub struct SourceArticle {
    /// Its place in the order of commits.
    pub seq: i64,
    /// The record.
    pub record: Record,
    /// The same as it was written.
    pub text: String,
    /// Whether it is relevant, or stops being so.
    pub is_in_conflict: bool,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Revisions of articles.
    pub articles: u64,
    /// Rejects.
    pub rejects: u64,
    /// The place of the last article.
    pub last_article: i64,
    /// The place of the last reject.
    pub last_reject: i64,
}

impl Source {
    /// Opens a database that is there, and keeps daemons away from it.
    ///
    /// # Errors
    /// [`SourceError`]: it is in use, is not there, is of another version, …
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        // First, so that no lock is made beside what is not there.
        let reader = Reader::open(path)?;
        let lock = Lock::take(&place(path)?)?;
        Ok(Self { reader, _lock: lock })
    }

    /// The state of every feed.
    ///
    /// # Errors
    /// [`CommitError::Open`] if one does not parse.
    pub fn states(&self) -> Result<States, CommitError> {
        self.reader.states()
    }

    /// How its last owner left it, for whoever goes on with it now.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn past(&self, now: Timestamp) -> Result<Past, ReadError> {
        let past = owner::left(&self.reader.connection);
        past.map(|(past, end)| past.after(end, now)).map_err(|err| self.reader.trouble(&err))
    }

    /// Every feed of which something is there: its id, and its URL as it was published last.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn feeds(&self) -> Result<BTreeMap<String, Option<String>>, ReadError> {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let rows: Vec<(String, Option<String>)> = self.rows(FEEDS, [], read)?;
        let mut feeds: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (id, url) in rows {
            let known = feeds.entry(id).or_default();
            *known = known.take().or(url);
        }
        Ok(feeds)
    }

    /// How much there is.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn amounts(&self) -> Result<Amounts, ReadError> {
        let of = |sql: &str| -> Result<(i64, i64), ReadError> {
            let read =
                self.reader.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
            read.map_err(|err| self.reader.trouble(&err))
        };
        let (articles, last_article) = of("SELECT count(*), coalesce(max(seq), 0) FROM articles")?;
        let (rejects, last_reject) = of("SELECT count(*), coalesce(max(rowid), 0) FROM rejects")?;
        let count = |count: i64| u64::try_from(count).unwrap_or_default();
        let (articles, rejects) = (count(articles), count(rejects));
        Ok(Amounts { articles, rejects, last_article, last_reject })
    }

    /// Articles of some feeds after a place, in the order of commits, some at a time.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn articles(
        &self,
        after: i64,
        feeds: &[String],
    ) -> Result<Vec<SourceArticle>, SourceError> {
        let rows = self.texts(ARTICLES, after, feeds)?;
        let article = |(seq, text, is_in_conflict): (i64, String, bool)| {
            let record = self.parsed("the article", seq, &text)?;
            Ok(SourceArticle { seq, record, text, is_in_conflict })
        };
        rows.into_iter().map(article).collect()
    }

    /// Rejects of some feeds after a place, in the order of commits, some at a time; each with its place.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn rejects(&self, after: i64, feeds: &[String]) -> Result<Vec<(i64, Reject)>, SourceError> {
        let rows = self.texts(REJECTS, after, feeds)?;
        let reject = |(place, text, _): (i64, String, bool)| {
            Ok((place, self.parsed("the reject", place, &text)?))
        };
        rows.into_iter().map(reject).collect()
    }

    fn texts(
        &self,
        sql: &str,
        after: i64,
        feeds: &[String],
    ) -> Result<Vec<(i64, String, bool)>, ReadError> {
        let values = (after, json!(feeds).to_string(), ROWS_MAX);
        self.rows(sql, values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }

    fn parsed<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        place: i64,
        text: &str,
    ) -> Result<T, SourceError> {
        serde_json::from_str(text).map_err(|err| SourceError::Record {
            what,
            place,
            path: self.reader.path().to_owned(),
            why: err.to_string(),
        })
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ReadError> {
        let rows = self.reader.connection.prepare(sql).and_then(|mut statement| {
            let rows = statement.query_map(values, read)?;
            rows.collect()
        });
        rows.map_err(|err| self.reader.trouble(&err))
    }
}
