//! The one thread that writes: takes what waits, commits it together, answers each.
//!
//! A thread and not a task: waiting for the disk would hold a worker of the runtime.

use std::cell::Cell;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cw_model::{Changed, Outcome, Routed, Urgency};
use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Statement, Transaction, TransactionBehavior, params,
};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::warn;

use super::facts::{self, Filled};
use super::lock::Lock;
use super::pace::Pace;
use super::plans::Plans;
use super::queue::{Heard, Queue, WriterJob};
use super::retention::Retention;
use super::returns::{self, Latest, Recognised};
use super::rows::{ArticleRow, RejectRow, Rows, StateRow, column_time};
use super::{SqliteSettings, owner, sqlite_trouble};
use crate::clock::Clock;
use crate::fault::{self, Point};
use crate::ledger::CommitError;

/// The most outcomes in one transaction: one wait for the disk, shared by this many polls, is no
/// longer what limits them.
pub(super) const GROUP_OUTCOMES_MAX: usize = 64;

/// A transaction takes no more outcomes after this, bytes of text: the pages it changes stay in
/// memory until it ends.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

type Reply = oneshot::Sender<Result<(), CommitError>>;

/// Why a transaction was rolled back.
#[derive(Debug)]
enum WriteError {
    /// The disk's trouble: may work next time.
    Disk(rusqlite::Error),
    /// The file is gone from its place, or another stands there: what is written would be lost.
    Moved,
    /// The outcome contradicts what the database holds: never works.
    Contradiction(String),
}

impl From<rusqlite::Error> for WriteError {
    fn from(err: rusqlite::Error) -> Self {
        match err.sqlite_error_code() {
            // These depend on the rows alone: the same transaction would fail for ever.
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
                Self::Contradiction(err.to_string())
            }
            _ => Self::Disk(err),
        }
    }
}

/// What makes a file itself, wherever its name points: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|meta| Self(meta.dev(), meta.ino()))
    }
}

/// The writing end of the database.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    /// Which file that was when it was opened.
    file: Option<FileId>,
    retention: Retention,
    plans: Plans,
    pace: Pace,
    /// Whether every article can be found by the index of what it says.
    filled: Cell<Filled>,
    /// Given up when the thread ends, not before: until then the file is being written.
    _lock: Lock,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        lock: Lock,
        path: PathBuf,
        settings: &SqliteSettings,
    ) -> Self {
        let file = FileId::of(&path);
        let filled = Cell::new(facts::filled(&connection));
        let retention = Retention::new(settings);
        let (plans, pace) = (Plans::new(), Pace::new(Instant::now()));
        Self { connection, path, file, retention, plans, pace, filled, _lock: lock }
    }

    /// Works until nobody can send any more and the queue is empty, then closes the file.
    pub(super) fn run(mut self, queue: &Queue) -> Result<(), CommitError> {
        while let Some(job) = self.next_job(queue) {
            let group = self.group(job, queue);
            self.commit_group(group);
        }
        self.close()
    }

    /// Waits for a job; while none is there, writes what was put off, deletes what is too old, and indexes what a version
    /// without that index has written. Between two groups at most one chunk, so commits are not held up.
    fn next_job(&mut self, queue: &Queue) -> Option<WriterJob> {
        loop {
            // With work left the queue is only looked at. Without, it is waited for.
            let until = if self.work_chunk() { Some(Instant::now()) } else { self.plans.due_at() };
            match queue.next(until) {
                Heard::Job(job) => return Some(job),
                Heard::Nothing | Heard::Hurry => {}
                Heard::End => return None,
            }
        }
    }

    /// Does some of the work that nobody waits for, if there is any.
    fn work_chunk(&mut self) -> bool {
        // The order is that of promises: a plan must be written within its time, old rows may stay
        // a while, and an index only makes a search faster.
        if self.plans.is_due() {
            self.write_plans();
        } else if self.retention.is_due() {
            self.retention.delete_chunk(&self.connection);
        } else if self.filled.get() == Filled::Behind {
            self.fill_chunk();
        } else {
            return false;
        }
        true
    }

    /// Nobody is told when that fails: what was put off may be lost, and the commits that need the disk say what is wrong.
    fn write_plans(&mut self) {
        if FileId::of(&self.path) != self.file {
            // The next commit says so.
            return self.plans.wait();
        }
        if let Err(err) = self.plans.write_chunk(&self.connection) {
            warn!(error = %sqlite_trouble(&err), "could not write when feeds are asked next; trying again");
        }
    }

    fn fill_chunk(&self) {
        let filled = facts::fill_chunk(&self.connection).unwrap_or_else(|err| {
            // The next commit goes on with it, and says what is wrong.
            warn!(error = %sqlite_trouble(&err), "could not index older articles; filters go on without");
            Filled::Whole
        });
        self.filled.set(filled);
    }

    /// Adds to the first job what waits already, and, where many come, what comes soon. What need not be written now is
    /// put off, and an outcome that cannot be written as text refused: both are answered here.
    fn group(&mut self, first: WriterJob, queue: &Queue) -> Vec<(Rows, Reply)> {
        let mut group = Vec::new();
        let mut bytes = 0;
        let mut next = Heard::Job(first);
        let mut until = None;
        loop {
            match next {
                Heard::Job(WriterJob { outcome, reply, place }) => {
                    // The queue has room again before this is committed: what bounds memory now is
                    // `GROUP_BYTES_MAX`.
                    drop(place);
                    if is_plan_only(&outcome) {
                        self.plans.put_off(outcome.feed_id.clone(), Arc::clone(&outcome.state));
                        answer(reply, Ok(()));
                    } else {
                        match Rows::new(outcome) {
                            Ok(rows) => {
                                bytes += rows.bytes();
                                group.push((rows, reply));
                            }
                            Err(err) => answer(reply, Err(self.refused(err.to_string()))),
                        }
                    }
                }
                Heard::Hurry => until = Some(Instant::now()),
                Heard::Nothing | Heard::End => return group,
            }
            if group.len() >= GROUP_OUTCOMES_MAX || bytes >= GROUP_BYTES_MAX {
                return group;
            }
            let now = Instant::now();
            // Nobody waits for more where few come: a small installation sees its articles at once.
            let at = if group.is_empty() || !queue.gathers() {
                now
            } else {
                *until.get_or_insert(now + self.pace.wait(now))
            };
            next = queue.next(Some(at));
        }
    }

    /// Commits a group as one transaction. If one outcome spoils it, each is tried alone, so that
    /// a mistake over one feed does not stop the others.
    fn commit_group(&mut self, group: Vec<(Rows, Reply)>) {
        if group.is_empty() {
            return;
        }
        self.pace.began(Instant::now());
        let (rows, replies): (Vec<Rows>, Vec<Reply>) = group.into_iter().unzip();
        match self.write(&rows) {
            Ok(()) => replies.into_iter().for_each(|reply| answer(reply, Ok(()))),
            // The transaction was rolled back, so nothing of it is there twice.
            Err(WriteError::Contradiction(_)) if rows.len() > 1 => {
                for (rows, reply) in rows.iter().zip(replies) {
                    let written = self.write(std::slice::from_ref(rows));
                    answer(reply, written.map_err(|err| self.commit_error(&err)));
                }
            }
            Err(err) => {
                replies.into_iter().for_each(|reply| answer(reply, Err(self.commit_error(&err))));
            }
        }
    }

    fn write(&mut self, group: &[Rows]) -> Result<(), WriteError> {
        fault::point(Point::BeforeCommit);
        if !self.connection.is_autocommit() {
            // The rollback of an earlier failure failed too.
            self.connection.execute_batch("ROLLBACK")?;
        }
        let transaction =
            // The lock is taken at the start: one that begins by reading may have to be given up
            // when it writes (`SQLITE_BUSY_SNAPSHOT`).
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let now = column_time(Clock::System.now());
        let mut statements = Statements::new(&transaction)?;
        for rows in group {
            statements.insert_articles(&rows.outcome, &now)?;
            rows.rejects.iter().try_for_each(|row| statements.insert_reject(row))?;
            statements.replace_state(&rows.state, &now)?;
        }
        drop(statements);
        // In the same transaction as the articles: an index that lags would miss the newest.
        let filled = facts::fill(&transaction)?;
        fault::point(Point::InsideCommit);
        // An open file can be written to after it was deleted, and nobody would ever read it.
        if FileId::of(&self.path) != self.file {
            return Err(WriteError::Moved);
        }
        transaction.commit()?;
        fault::point(Point::AfterCommit);
        self.filled.set(filled);
        // Only now. If the commit had failed, the older plan would still be what is true.
        group.iter().for_each(|rows| self.plans.forget(&rows.outcome.feed_id));
        Ok(())
    }

    fn commit_error(&self, err: &WriteError) -> CommitError {
        match err {
            WriteError::Disk(err) => {
                CommitError::Write { path: self.shown_path(), why: sqlite_trouble(err) }
            }
            WriteError::Moved => CommitError::Write {
                path: self.shown_path(),
                why: "the file is gone, or another stands in its place; put it back, or restart \
                      to go on with what is there"
                    .to_owned(),
            },
            WriteError::Contradiction(why) => self.refused(why.clone()),
        }
    }

    fn refused(&self, why: String) -> CommitError {
        CommitError::Refused { path: self.shown_path(), why }
    }

    fn shown_path(&self) -> String {
        self.path.display().to_string()
    }

    fn close(mut self) -> Result<(), CommitError> {
        let path = self.shown_path();
        let trouble = |err: &rusqlite::Error| CommitError::Write {
            path: path.clone(),
            why: sqlite_trouble(err),
        };
        // What was put off is no reason not to end well.
        while self.plans.due_at().is_some() && FileId::of(&self.path) == self.file {
            if let Err(err) = self.plans.write_chunk(&self.connection) {
                warn!(error = %sqlite_trouble(&err), "could not write when feeds are asked next; some are asked once more");
                break;
            }
        }
        // Everything accepted is durable.
        owner::give_back(&self.connection);
        // A reader may keep it from being complete; then the `-wal` file stays, and is read.
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(|err| trouble(&err))?;
        self.connection.close().map_err(|(_, err)| trouble(&err))
    }
}

/// Whether what must be written of an outcome is the plan of its feed, and not at once.
fn is_plan_only(outcome: &Outcome) -> bool {
    outcome.urgency == Urgency::Lazy && outcome.changed == Changed::Plan
}

fn answer(reply: Reply, result: Result<(), CommitError>) {
    // Whoever asked may have been cancelled; the commit stands all the same.
    let _unheard = reply.send(result);
}

/// What a transaction runs, prepared once for all its rows.
struct Statements<'transaction> {
    latest: Statement<'transaction>,
    article: Statement<'transaction>,
    searched: Statement<'transaction>,
    reject: Statement<'transaction>,
    state: Statement<'transaction>,
}

impl<'transaction> Statements<'transaction> {
    fn new(transaction: &'transaction Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            latest: transaction.prepare(
                "SELECT seq, revision, record FROM articles WHERE article_id = ?1
                 ORDER BY revision DESC LIMIT 1",
            )?,
            article: transaction.prepare(
                "INSERT INTO articles (article_id, revision, change, feed_id, url, title, language,
                     country, published_at, observed_at, committed_at, relevant, tags, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?,
            searched: transaction.prepare(
                "INSERT INTO articles_fts (rowid, title, summary, body) VALUES (?1, ?2, ?3, ?4)",
            )?,
            // The same refusal has the same id, and is kept once.
            reject: transaction.prepare(
                "INSERT INTO rejects (id, feed_id, url, reason, detail, at, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
            )?,
            state: transaction.prepare(
                "INSERT INTO feed_state (feed_id, sequence, due_at, standing, state, changed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (feed_id) DO UPDATE SET sequence = excluded.sequence,
                     due_at = excluded.due_at, standing = excluded.standing,
                     state = excluded.state, changed_at = excluded.changed_at
                 WHERE excluded.sequence > feed_state.sequence",
            )?,
        })
    }

    /// Inserts what is not there yet. Of one outcome no article may come twice: that would be our
    /// own mistake.
    fn insert_articles(&mut self, outcome: &Outcome, now: &str) -> Result<(), WriteError> {
        let mut first = None;
        let contradiction = |err: serde_json::Error| WriteError::Contradiction(err.to_string());
        for Routed { record, .. } in &outcome.records {
            let row = ArticleRow::new(record).map_err(contradiction)?;
            // An article that its feed forgot comes back as new. The ledger, which forgets nothing,
            // gives it its next number.
            let place = match self.latest(&row.article_id)? {
                Some(latest) if first.is_some_and(|first| latest.seq >= first) => Recognised::Next,
                Some(latest) => returns::place(&row, &latest).map_err(contradiction)?,
                None => Recognised::Next,
            };
            let seq = match place {
                Recognised::Next => self.insert_article(&row, now)?,
                Recognised::Renumbered(row) => self.insert_article(&row, now)?,
                Recognised::There => continue,
            };
            first.get_or_insert(seq);
        }
        Ok(())
    }

    fn latest(&mut self, article_id: &str) -> rusqlite::Result<Option<Latest>> {
        let latest = self.latest.query_row([article_id], |row| {
            Ok(Latest { seq: row.get(0)?, revision: row.get(1)?, record: row.get(2)? })
        });
        latest.optional()
    }

    fn insert_article(&mut self, row: &ArticleRow, now: &str) -> Result<i64, WriteError> {
        let inserted = self.article.insert(params![
            row.article_id,
            row.revision,
            row.change,
            row.feed_id,
            row.url,
            row.title,
            row.language,
            row.country,
            row.published_at,
            row.observed_at,
            now,
            row.relevant,
            row.tags,
            row.record,
        ]);
        let seq = inserted.map_err(|err| match err.into() {
            WriteError::Contradiction(why) => WriteError::Contradiction(format!(
                "revision {} of article \"{}\" of feed \"{}\" is there already: {why}",
                row.revision, row.article_id, row.feed_id
            )),
            other @ (WriteError::Disk(_) | WriteError::Moved) => other,
        })?;
        let [title, summary, body] = &row.searched;
        self.searched.execute(params![seq, title, summary, body])?;
        Ok(seq)
    }

    fn insert_reject(&mut self, row: &RejectRow) -> Result<(), WriteError> {
        self.reject.execute(params![
            row.id,
            row.feed_id,
            row.url,
            row.reason,
            row.detail,
            row.at,
            row.record,
        ])?;
        Ok(())
    }

    fn replace_state(&mut self, row: &StateRow, now: &str) -> Result<(), WriteError> {
        let changed = self.state.execute(params![
            row.feed_id,
            row.sequence,
            row.due_at,
            row.standing,
            row.state,
            now,
        ])?;
        if changed == 1 {
            return Ok(());
        }
        // Committing it would take back what a later poll has remembered.
        Err(WriteError::Contradiction(format!(
            "the state of feed \"{}\" is already at sequence {} or later",
            row.feed_id, row.sequence
        )))
    }
}
