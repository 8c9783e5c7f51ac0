//! Reads the SQLite ledger as any consumer may.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cw_model::FeedId;
use cw_model::state::FeedState;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::audit::{Audit, Row};
use super::eventually;
use super::growing::Growing;

/// One refusal.
#[derive(Clone, Debug)]
pub(crate) struct RejectRow {
    /// The feed.
    pub(crate) feed_id: String,
    /// The class, or "entry".
    pub(crate) reason: String,
    /// The whole of it: JSON.
    pub(crate) record: String,
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

    /// Changes the file while no daemon has it. Each state is whole in `feed_state` when it does.
    pub(crate) fn change(&self, sql: &str) -> usize {
        let states = self.states();
        let connection = Connection::open(&self.path).unwrap();
        for (feed, state) in states {
            let whole = "UPDATE feed_state SET sequence = ?2, state = ?3 WHERE feed_id = ?1";
            let sequence = i64::try_from(state.plan.sequence).unwrap();
            connection.execute(whole, (feed, sequence, state.written().unwrap())).unwrap();
        }
        connection.execute("DELETE FROM feed_plan", []).unwrap();
        connection.execute(sql, []).unwrap()
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
            let mut statement =
                connection.prepare("SELECT feed_id, reason, record FROM rejects")?;
            let rows = statement.query_map([], |row| {
                Ok(RejectRow { feed_id: row.get(0)?, reason: row.get(1)?, record: row.get(2)? })
            })?;
            rows.collect()
        };
        self.read(read).unwrap_or_default()
    }

    /// Every feed's state.
    pub(crate) fn states(&self) -> BTreeMap<String, FeedState> {
        let read = |connection: &Connection| {
            let statement = connection.prepare(
                "SELECT s.feed_id, s.state, p.state FROM feed_state AS s
                 LEFT JOIN feed_plan AS p ON p.feed_id = s.feed_id AND p.builds_on = s.sequence",
            );
            // Those of an earlier version have no plans beside the states.
            let alone = |_| connection.prepare("SELECT feed_id, state, NULL FROM feed_state");
            let mut statement = statement.or_else(alone)?;
            let rows = statement.query_map([], |row| {
                let parsed = |text: String| FeedState::parse(text.as_bytes()).unwrap();
                let state = parsed(row.get(1)?);
                let later: Option<String> = row.get(2)?;
                let state = match later.map(parsed) {
                    Some(later) => state.with_plan_of(later),
                    None => state,
                };
                Ok((row.get(0)?, state))
            })?;
            rows.collect()
        };
        self.read(read).unwrap_or_default()
    }

    /// One feed's state as it was written whole the last time.
    pub(crate) fn written_state(&self, feed: &str) -> FeedState {
        let query = "SELECT state FROM feed_state WHERE feed_id = ?1";
        let text = |connection: &Connection| {
            connection.query_row(query, [feed], |row| row.get::<_, String>(0))
        };
        FeedState::parse(self.read(text).unwrap().as_bytes()).unwrap()
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
        let all: Vec<Row> = retired.iter().chain(&rows).cloned().collect();
        audit.hold(feeds, &all, &self.states());
        audit
    }
}
