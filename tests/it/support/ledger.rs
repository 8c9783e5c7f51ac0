//! Reads the SQLite ledger as any consumer may, and holds it against what publishers served.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use conflictwire::dedupe::digest::digest;
use conflictwire::model::{ArticleId, Digest, FeedId};
use conflictwire::normalise::link::without_scheme;
use conflictwire::state::FeedState;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde_json::Value;
use url::Url;

use super::eventually;
use super::growing::{Growing, Pace};

/// One row of the table `articles`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The order of commits.
    pub(crate) seq: i64,
    /// The article.
    pub(crate) article_id: String,
    /// From 1.
    pub(crate) revision: u32,
    /// The feed.
    pub(crate) feed_id: String,
    /// The whole record.
    pub(crate) record: Value,
}

impl Row {
    /// A text of the record; empty if null.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.record[name].as_str().unwrap_or_default()
    }
}

/// One row of the table `rejects`.
#[derive(Clone, Debug)]
pub(crate) struct RejectRow {
    /// The feed.
    pub(crate) feed_id: String,
    /// The class, or "entry".
    pub(crate) reason: String,
}

/// A ledger file.
pub(crate) struct Ledger {
    path: PathBuf,
}

impl Ledger {
    /// The ledger at a path; it need not be there yet.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Reads with a connection of its own, as a consumer beside the daemon does. `None` if the file
    /// or a table is not there yet.
    fn read<T>(&self, query: impl Fn(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let read = connection.and_then(|connection| {
            connection.busy_timeout(super::PATIENCE)?;
            query(&connection)
        });
        match read {
            Ok(value) => Some(value),
            Err(err) if err.sqlite_error_code() == Some(ErrorCode::CannotOpen) => None,
            Err(err) if err.to_string().contains("no such table") => None,
            Err(err) => panic!("cannot read {}: {err}", self.path.display()),
        }
    }

    /// Changes the file while no daemon has it.
    pub(crate) fn change(&self, sql: &str) -> usize {
        Connection::open(&self.path).unwrap().execute(sql, []).unwrap()
    }

    /// Keeps everybody else from writing until the lock is dropped.
    pub(crate) fn lock(&self) -> Connection {
        let connection = Connection::open(&self.path).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }

    /// Every article row, in order of commit.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let sql = "SELECT seq, article_id, revision, feed_id, record FROM articles ORDER BY seq";
        let read = |connection: &Connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(Row {
                    seq: row.get(0)?,
                    article_id: row.get(1)?,
                    revision: row.get(2)?,
                    feed_id: row.get(3)?,
                    record: serde_json::from_str(&row.get::<_, String>(4)?).unwrap(),
                })
            })?;
            rows.collect()
        };
        self.read(read).unwrap_or_default()
    }

    /// The rows of one feed.
    pub(crate) fn rows_of(&self, feed: &str) -> Vec<Row> {
        self.rows().into_iter().filter(|row| row.feed_id == feed).collect()
    }

    /// Every reject row.
    pub(crate) fn rejects(&self) -> Vec<RejectRow> {
        let read = |connection: &Connection| {
            let mut statement = connection.prepare("SELECT feed_id, reason FROM rejects")?;
            let rows = statement
                .query_map([], |row| Ok(RejectRow { feed_id: row.get(0)?, reason: row.get(1)? }))?;
            rows.collect()
        };
        self.read(read).unwrap_or_default()
    }

    /// Every feed's state.
    pub(crate) fn states(&self) -> BTreeMap<String, FeedState> {
        let read = |connection: &Connection| {
            let mut statement = connection.prepare("SELECT feed_id, state FROM feed_state")?;
            let rows = statement.query_map([], |row| {
                let state: String = row.get(1)?;
                Ok((row.get(0)?, serde_json::from_str(&state).unwrap()))
            })?;
            rows.collect()
        };
        self.read(read).unwrap_or_default()
    }

    /// One feed's state.
    pub(crate) fn state(&self, feed: &str) -> Option<FeedState> {
        let id = FeedId::parse(feed).unwrap();
        self.states().remove(id.as_str())
    }

    /// Waits until a feed's state is as wanted, and returns it.
    #[track_caller]
    pub(crate) fn wait_for_state(
        &self,
        feed: &str,
        wanted: impl Fn(&FeedState) -> bool,
    ) -> FeedState {
        eventually(format!("a state of {feed}"), || self.state(feed).filter(|state| wanted(state)))
    }

    /// Waits until a feed has at least so many rows, and returns them.
    #[track_caller]
    pub(crate) fn wait_for_rows(&self, feed: &str, least: usize) -> Vec<Row> {
        eventually(format!("{least} rows of {feed}"), || {
            let rows = self.rows_of(feed);
            (rows.len() >= least).then_some(rows)
        })
    }

    /// Holds the whole ledger against what growing feeds served. `retired` are rows that retention
    /// took, as they were before.
    pub(crate) fn audit(&self, feeds: &[Growing], retired: &[Row]) -> Audit {
        let mut audit = Audit::default();
        let rows = self.rows();
        for pair in rows.windows(2).filter(|pair| pair[0].seq >= pair[1].seq) {
            audit.faults.push(format!("seq {} comes after {}", pair[1].seq, pair[0].seq));
        }
        let states = self.states();
        for feed in feeds {
            let of_feed = |row: &&Row| row.feed_id == feed.name;
            let all: Vec<&Row> = retired.iter().chain(&rows).filter(of_feed).collect();
            audit.compare(feed, &all);
            match states.get(&feed.name) {
                Some(state) => audit.compare_state(feed, &all, state),
                None if all.is_empty() => {}
                None => audit.faults.push(format!("{}: articles without a state", feed.name)),
            }
        }
        audit
    }
}

/// What an audit found.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// Texts that publishers served, each once.
    pub(crate) served: usize,
    /// Rows.
    pub(crate) committed: usize,
    /// Texts known to be committed that no row has.
    pub(crate) lost: usize,
    /// Rows that say what another row has said.
    pub(crate) twice: usize,
    /// Everything wrong, for a person.
    pub(crate) faults: Vec<String>,
}

/// The digest of the text that a record tells, made from the record alone.
fn digest_of(record: &Value) -> Digest {
    let url = record["url"].as_str().map(|url| Url::parse(url).unwrap());
    digest([
        record["title"].as_str(),
        record["summary"].as_str(),
        record["body"].as_str(),
        url.as_ref().map(without_scheme),
    ])
}

impl Audit {
    fn compare(&mut self, feed: &Growing, rows: &[&Row]) {
        let texts = |versions: BTreeSet<u64>| -> BTreeSet<(String, String)> {
            let shown = versions.into_iter().flat_map(|version| feed.shown(version));
            shown.map(|shown| (shown.guid, shown.title)).collect()
        };
        let served = texts(feed.served());
        let acknowledged = texts(feed.acknowledged());
        self.served += served.len();
        self.committed += rows.len();

        let mut found = BTreeSet::new();
        let mut last_revision: BTreeMap<&str, u32> = BTreeMap::new();
        for row in rows {
            let text = (row.text("guid").to_owned(), row.text("title").to_owned());
            if !served.contains(&text) {
                self.faults.push(format!("never served: {text:?}"));
            }
            if !found.insert(text.clone()) {
                self.twice += 1;
                self.faults.push(format!("twice: {text:?}"));
            }
            let last = last_revision.entry(&row.article_id).or_default();
            if row.revision != *last + 1 {
                let revision = row.revision;
                self.faults.push(format!("{text:?} is revision {revision} after {last}"));
            }
            *last = row.revision;
            let expected = text.1.rsplit(' ').next().and_then(|headline| headline.parse().ok());
            // A patient publisher shows no headline that is not waited for, so they count alike.
            if feed.pace == Pace::Patient && expected != Some(row.revision) {
                self.faults.push(format!("{text:?} is revision {}", row.revision));
            }
        }
        for text in acknowledged.difference(&found) {
            self.lost += 1;
            self.faults.push(format!("lost: {text:?}"));
        }
    }

    fn compare_state(&mut self, feed: &Growing, rows: &[&Row], state: &FeedState) {
        let last: BTreeMap<&str, &Row> =
            rows.iter().map(|row| (row.article_id.as_str(), *row)).collect();
        for (id, row) in &last {
            let seen = state.seen.find(ArticleId::parse(id).unwrap());
            let told = (row.revision, digest_of(&row.record));
            if seen.map(|seen| (seen.revision, seen.digest)) != Some(told) {
                let name = &feed.name;
                self.faults.push(format!("{name}: {id} is {} but seen {seen:?}", row.revision));
            }
        }
        if state.seen.len() != last.len() {
            let (seen, rows) = (state.seen.len(), last.len());
            self.faults.push(format!("{}: {seen} seen, {rows} in the ledger", feed.name));
        }
    }

    /// Fails unless everything is there exactly once.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert!(
            self.faults.is_empty(),
            "{} faults:\n{}",
            self.faults.len(),
            self.faults.join("\n")
        );
    }
}
