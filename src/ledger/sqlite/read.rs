//! Reads what is committed, beside the daemon that writes it.
//!
//! Read-only: makes no file, migrates nothing, and keeps no transaction open between two calls, so
//! a reader that stays for days holds nothing up.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use cw_decide::States;
use cw_model::Record;
use rusqlite::{Connection, OpenFlags, Row, ToSql, Transaction, TransactionBehavior};
use serde_json::json;

use super::facts::{self, Filled};
use super::query::Query;
use super::rows::column_time;
use super::schema::{self, Identity};
use super::{defence, sqlite_trouble};
use crate::ledger::CommitError;
use crate::ledger::filter::Filter;

/// How long to wait for a lock; readers of a WAL need one only while the daemon opens or closes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The most rows [`Reader::after`] gives at once: records are some kilobytes each.
const ROWS_MAX: u32 = 500;

/// What all of a filter's wishes come to: the same as [`Filter::admits`], in SQL.
const FILTER: &str = "
    (json_array_length(:tags) = 0 OR EXISTS (
        SELECT 1 FROM json_each(a.tags) AS has, json_each(:tags) AS wish
        WHERE has.value = wish.value
           OR substr(has.value, 1, length(wish.value) + 1) = wish.value || '.'))
    AND (json_array_length(:languages) = 0 OR EXISTS (
        SELECT 1 FROM json_each(:languages) AS wish
        WHERE lower(a.language) = lower(wish.value)
           OR substr(lower(a.language), 1, length(wish.value) + 1) = lower(wish.value) || '-'))
    AND (json_array_length(:countries) = 0 OR EXISTS (
        SELECT 1 FROM json_each(:countries) AS wish WHERE upper(a.country) = upper(wish.value)))
    AND (json_array_length(:claims) = 0 OR EXISTS (
        SELECT 1 FROM json_each(a.record, '$.conflict.tags') AS has, json_each(:claims) AS wish
        WHERE lower(has.value ->> '$.claim.status') = lower(wish.value)
          AND (json_array_length(:tags) = 0 OR EXISTS (
              SELECT 1 FROM json_each(:tags) AS tag
              WHERE has.value ->> 'id' = tag.value
                 OR substr(has.value ->> 'id', 1, length(tag.value) + 1) = tag.value || '.'))))
    AND (json_array_length(:actors) = 0 OR EXISTS (
        SELECT 1 FROM json_each(a.record, '$.conflict.actors') AS has, json_each(:actors) AS wish
        WHERE lower(wish.value) IN (lower(has.value ->> 'id'), lower(has.value ->> 'name'))
           OR substr(lower(has.value ->> 'id'), 1, length(wish.value) + 1) = lower(wish.value) || '.'))
    AND (json_array_length(:places) = 0 OR EXISTS (
        SELECT 1 FROM json_each(a.record, '$.conflict.places') AS has, json_each(:places) AS wish
        WHERE lower(wish.value) IN (
            lower(has.value ->> 'name'), CAST(has.value ->> 'geonames_id' AS TEXT),
            lower(has.value ->> 'country'))))
    AND (json_array_length(:feeds) = 0 OR EXISTS (
        SELECT 1 FROM json_each(:feeds) AS wish WHERE a.feed_id = wish.value))
    AND (:since IS NULL OR coalesce(a.published_at, a.observed_at) >= :since)";

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such file.
    #[error(
        "there is no database \"{path}\" yet; `conflictwire run` makes it, `conflictwire demo` \
         shows the whole on bundled feeds, --database names another"
    )]
    Missing {
        /// The file.
        path: String,
    },
    /// It is there and is not read.
    #[error("cannot read the database \"{path}\": {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong and what to do.
        why: String,
    },
}

/// Which comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// What fits the words best (BM25; a word in the title counts for more).
    Best,
    /// What was published last.
    Newest,
}

/// Which revisions of an article are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revisions {
    /// The last.
    Latest,
    /// Each.
    All,
}

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Words; `None` for whatever fits the filter, the latest first.
    pub query: Option<Query>,
    /// And wishes.
    pub filter: Filter,
    /// What comes first.
    pub order: Order,
    /// Of each article.
    pub revisions: Revisions,
    /// The most that are given.
    pub limit: u32,
}

/// A committed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its place in the order of commits; grows, with gaps.
    pub seq: i64,
    /// The record as it was committed: JSON.
    pub text: String,
}

impl Committed {
    /// The record.
    ///
    /// # Errors
    /// If another version wrote a record that this one does not know.
    pub fn record(&self) -> serde_json::Result<Record> {
        serde_json::from_str(&self.text)
    }
}

/// A read-only view of a database.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    path: String,
    /// Device and number of the file that was opened.
    file: (u64, u64),
}

impl Reader {
    /// Opens a database that is there.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let shown = path.display().to_string();
        let unreadable_because = |why: String| ReadError::Unreadable { path: shown.clone(), why };
        let file = match path.metadata() {
            Ok(place) if place.is_file() => (place.dev(), place.ino()),
            Ok(_) => return Err(unreadable_because("it is no file".to_owned())),
            Err(err) if err.kind() == ErrorKind::NotFound => {
                return Err(ReadError::Missing { path: shown });
            }
            Err(err) => {
                let why = format!("{err}; run this as the user that runs the daemon");
                return Err(unreadable_because(why));
            }
        };
        if defence::is_marked_foreign(path) {
            return Err(unreadable_because(schema::FOREIGN.to_owned()));
        }
        let trouble = |err: rusqlite::Error| unreadable_because(sqlite_trouble(&err));
        // Absolute: SQLite would take a name that begins with "file:" for a URI with options.
        let real = path.canonicalize().map_err(|err| unreadable_because(err.to_string()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(real, flags).map_err(trouble)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(trouble)?;
        defence::defend(&connection).map_err(trouble)?;
        match unreadable(schema::identify(&connection).map_err(trouble)?) {
            Some(why) => Err(unreadable_because(why)),
            None => Ok(Self { connection, path: shown, file }),
        }
    }

    /// Its name, as it was given.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Whether another file or none has the name by now: what is committed from then on does not come
    /// here.
    pub fn is_replaced(&self) -> bool {
        match Path::new(&self.path).metadata() {
            Ok(place) => (place.dev(), place.ino()) != self.file,
            Err(err) => err.kind() == ErrorKind::NotFound,
        }
    }

    /// The state of every feed.
    ///
    /// # Errors
    /// [`CommitError::Open`] if one does not parse, which would keep a daemon from starting too.
    pub fn states(&self) -> Result<States, CommitError> {
        schema::states(&self.connection, Path::new(&self.path))
    }

    /// What a search finds.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`].
    pub fn search(&self, search: &Search) -> Result<Vec<Committed>, ReadError> {
        let order = match search.order {
            // Without words, nothing fits better than another.
            Order::Best if search.query.is_some() => {
                "bm25(articles_fts, 8.0, 2.0, 1.0), a.seq DESC"
            }
            Order::Best | Order::Newest => {
                "coalesce(a.published_at, a.observed_at) DESC, a.seq DESC"
            }
        };
        let latest = match search.revisions {
            Revisions::All => "",
            Revisions::Latest => {
                "AND NOT EXISTS (SELECT 1 FROM articles AS later
                     WHERE later.article_id = a.article_id AND later.revision > a.revision)"
            }
        };
        let narrowing = self.narrowing(&search.filter);
        let wishes = Wishes::new(&search.filter);
        let rest = format!("{FILTER}{narrowing} {latest} ORDER BY {order} LIMIT :limit");
        let found = match search.query.as_ref().map(Query::expression) {
            Some(query) => self.rows(
                &format!(
                    "SELECT a.seq, a.record FROM articles_fts JOIN articles AS a ON a.seq = articles_fts.rowid
                     WHERE articles_fts MATCH :query AND {rest}"
                ),
                wishes.and([(":query", &query), (":limit", &search.limit)]).as_slice(),
            ),
            None => self.rows(
                &format!("SELECT a.seq, a.record FROM articles AS a WHERE {rest}"),
                wishes.and([(":limit", &search.limit)]).as_slice(),
            ),
        };
        found.map_err(|err| self.trouble(&err))
    }

    /// The last `count` that were committed, oldest first, and the place to go on from.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`].
    pub fn last(&self, filter: &Filter, count: u32) -> Result<(Vec<Committed>, i64), ReadError> {
        let sql = self.newest_sql(filter);
        let (mut rows, newest) =
            self.newest_and_rows(&sql, filter, 0, count).map_err(|err| self.trouble(&err))?;
        rows.reverse();
        Ok((rows, newest.unwrap_or(0)))
    }

    /// The statement of [`Reader::last`].
    pub(super) fn newest_sql(&self, filter: &Filter) -> String {
        format!(
            "SELECT a.seq, a.record FROM articles AS a
             WHERE a.seq > :after AND {FILTER}{} ORDER BY a.seq DESC LIMIT :limit",
            self.narrowing(filter)
        )
    }

    /// Of a file that a version without the index writes to nothing is left out.
    fn narrowing(&self, filter: &Filter) -> String {
        match facts::filled(&self.connection) {
            Filled::Whole => facts::narrowing(filter),
            Filled::Behind => String::new(),
        }
    }

    /// Whether what was committed after `seq` may have been removed (`sqlite.keep_age`) since. To be
    /// asked before [`Reader::after`], which gives what is left.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`].
    pub fn is_removed_after(&self, seq: i64) -> Result<bool, ReadError> {
        let oldest: rusqlite::Result<Option<i64>> =
            self.connection.query_row("SELECT min(seq) FROM articles", [], |row| row.get(0));
        Ok(oldest
            .map_err(|err| self.trouble(&err))?
            .is_some_and(|oldest| seq > 0 && oldest > seq + 1))
    }

    /// What was committed after `seq`, oldest first and some at a time, and the place to go on
    /// from.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`].
    pub fn after(&self, seq: i64, filter: &Filter) -> Result<(Vec<Committed>, i64), ReadError> {
        let sql = format!(
            "SELECT a.seq, a.record FROM articles AS a
             WHERE a.seq > :after AND {FILTER} ORDER BY a.seq LIMIT :limit"
        );
        let (rows, newest) =
            self.newest_and_rows(&sql, filter, seq, ROWS_MAX).map_err(|err| self.trouble(&err))?;
        let is_full = rows.len() >= usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
        let reached = match rows.last() {
            Some(last) if is_full => last.seq,
            Some(_) | None => newest.unwrap_or(seq).max(seq),
        };
        Ok((rows, reached))
    }

    /// Both from one snapshot: otherwise what is committed between the two would be passed over.
    fn newest_and_rows(
        &self,
        sql: &str,
        filter: &Filter,
        after: i64,
        limit: u32,
    ) -> rusqlite::Result<(Vec<Committed>, Option<i64>)> {
        let wishes = Wishes::new(filter);
        let snapshot = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        let newest = snapshot.query_row("SELECT max(seq) FROM articles", [], |row| row.get(0))?;
        let values = wishes.and([(":after", &after), (":limit", &limit)]);
        let rows = self.rows(sql, values.as_slice())?;
        snapshot.commit()?;
        Ok((rows, newest))
    }

    fn rows(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<Vec<Committed>> {
        let committed = |row: &Row<'_>| Ok(Committed { seq: row.get(0)?, text: row.get(1)? });
        self.connection.prepare(sql)?.query_map(values, committed)?.collect()
    }

    pub(super) fn trouble(&self, err: &rusqlite::Error) -> ReadError {
        ReadError::Unreadable { path: self.path.clone(), why: sqlite_trouble(err) }
    }
}

/// A filter as SQLite gets it: JSON arrays.
struct Wishes {
    lists: [(&'static str, String); 7],
    since: Option<String>,
}

impl Wishes {
    fn new(filter: &Filter) -> Self {
        let lists = [
            (":tags", &filter.tags),
            (":languages", &filter.languages),
            (":countries", &filter.countries),
            (":actors", &filter.actors),
            (":places", &filter.places),
            (":claims", &filter.claims),
            (":feeds", &filter.feeds),
        ];
        let lists = lists.map(|(name, wishes)| (name, json!(wishes).to_string()));
        Self { lists, since: filter.since.map(column_time) }
    }

    /// These and other values, each with the name that [`FILTER`] or the rest of a statement has for it.
    fn and<'a, const N: usize>(
        &'a self,
        others: [(&'a str, &'a dyn ToSql); N],
    ) -> Vec<(&'a str, &'a dyn ToSql)> {
        let lists = self.lists.iter().map(|(name, list)| (*name, list as &dyn ToSql));
        let since = (":since", &self.since as &dyn ToSql);
        lists.chain([since]).chain(others).collect()
    }
}

/// Why a file of this identity cannot be read, if it cannot.
fn unreadable(identity: Identity) -> Option<String> {
    match identity {
        Identity::Empty => {
            Some("nothing has been committed to it; `conflictwire run` does".to_owned())
        }
        Identity::Ours(version) if version < schema::VERSION => Some(
            "an older conflictwire made it; start `conflictwire run` once, which brings it up to \
             date"
                .to_owned(),
        ),
        Identity::Ours(_) | Identity::Foreign => schema::refusal(identity),
    }
}
