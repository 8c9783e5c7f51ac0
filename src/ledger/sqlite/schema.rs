//! What the database looks like, and how an older one becomes it.
//!
//! `application_id` says that a file is ours, `user_version` which form it has. Migrations run in
//! one transaction: a file has the old form or the new, never half of one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cw_decide::States;
use cw_model::FeedId;
use cw_model::state::FeedState;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::defence::APPLICATION_ID;
use super::private::{self, NotOpened};
use super::{defence, facts, not_opened, open_error, plans, sqlite_trouble};
use crate::fault::{self, Point};
use crate::ledger::CommitError;

/// How long a statement waits for another program's lock. A person's `sqlite3` session may hold
/// one for a moment; past this the caller's own retry takes over.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The `-wal` file is cut back to this after a checkpoint, bytes; a burst may have made it large.
const JOURNAL_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// Pages of the log after which they are put into their places, 16 MiB. SQLite's own thousand are the work of some seconds
/// of a large installation; what is written again before then is written there once.
const CHECKPOINT_PAGES: u32 = 4096;

/// How many unreadable states are named in one error; the rest are counted.
const STATES_NAMED_MAX: usize = 5;

/// One step from a form to the next, inside the migration's transaction.
type Migration = fn(&Connection) -> rusqlite::Result<()>;

/// The step at index n makes version n + 1.
const MIGRATIONS: [Migration; 1] = [to_version_1];

/// The newest form, and the only one that is read and written.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// For whoever follows what is relevant: such revisions, and those with which an article stops being
/// so, as in the conflict topic of the Kafka ledger.
///
/// No step of [`MIGRATIONS`]: nothing of ours reads it, and earlier versions may go on with the file.
const CONFLICT_VIEW: &str = "
    CREATE VIEW IF NOT EXISTS conflict AS
        SELECT * FROM articles AS this WHERE this.relevant OR (
            SELECT earlier.relevant FROM articles AS earlier
            WHERE earlier.article_id = this.article_id AND earlier.revision < this.revision
            ORDER BY earlier.revision DESC LIMIT 1
        )";

/// For analysts: one row for each tag of the last revision of each relevant article, with who, where and how many.
///
/// No step of [`MIGRATIONS`] either. A number of people is the largest that the article gives for its event.
const EVENTS_VIEW: &str = "
    CREATE VIEW IF NOT EXISTS events_flat AS
        SELECT a.article_id, a.revision, a.feed_id, a.published_at, a.committed_at, a.language,
            a.title, a.url, tag.value ->> 'id' AS tag, tag.value ->> 'score' AS score,
            tag.value ->> '$.claim.status' AS claim, tag.value ->> '$.claim.by' AS claim_by,
            (SELECT group_concat(said.value ->> 'actor', ' ') FROM json_each(tag.value, '$.roles') AS said
             WHERE said.value ->> 'role' = 'attacker') AS attacker,
            (SELECT group_concat(said.value ->> 'actor', ' ') FROM json_each(tag.value, '$.roles') AS said
             WHERE said.value ->> 'role' = 'target') AS target,
            place.value ->> 'name' AS place, place.value ->> 'country' AS country,
            place.value ->> 'lat' AS lat, place.value ->> 'lon' AS lon,
            (SELECT max(coalesce(told.value ->> 'low', told.value ->> 'high'))
             FROM json_each(a.record, '$.conflict.casualties') AS told
             WHERE told.value ->> 'kind' = 'killed'
               AND told.value ->> 'scope' IN ('event', 'update')) AS killed,
            (SELECT max(coalesce(told.value ->> 'low', told.value ->> 'high'))
             FROM json_each(a.record, '$.conflict.casualties') AS told
             WHERE told.value ->> 'kind' = 'wounded'
               AND told.value ->> 'scope' IN ('event', 'update')) AS wounded
        FROM articles_latest AS a JOIN json_each(a.record, '$.conflict.tags') AS tag
        LEFT JOIN json_each(a.record, '$.conflict.places') AS place ON place.value ->> 'primary'
        WHERE a.relevant";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nothing is in it yet.
    Empty,
    /// Ours, of this version.
    Ours(usize),
    /// Another program's.
    Foreign,
}

/// The tables that this program reads and writes.
const TABLES: [&str; 3] = ["articles", "rejects", "feed_state"];

/// Says what a file is. Writes nothing, and reads the schema only of what may be ours.
pub(super) fn identify(connection: &Connection) -> rusqlite::Result<Identity> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application_id = number("PRAGMA application_id")?;
    if application_id != 0 && application_id != i64::from(APPLICATION_ID) {
        return Ok(Identity::Foreign);
    }
    if application_id == 0 {
        let entries = number("SELECT count(*) FROM sqlite_schema")?;
        return Ok(if entries == 0 { Identity::Empty } else { Identity::Foreign });
    }
    let version = usize::try_from(number("PRAGMA user_version")?).unwrap_or(usize::MAX);
    // Whoever forges the id may put views or virtual tables in their places, which run code of
    // theirs; those have no page of their own.
    let named = TABLES.map(|name| format!("'{name}'")).join(", ");
    let tables = number(&format!(
        "SELECT count(*) FROM sqlite_schema
         WHERE type = 'table' AND rootpage > 0 AND name IN ({named})"
    ))?;
    let is_whole = usize::try_from(tables).is_ok_and(|tables| tables == TABLES.len());
    Ok(if version == 0 || is_whole { Identity::Ours(version) } else { Identity::Foreign })
}

/// What is said of a file of another program.
pub(super) const FOREIGN: &str =
    "it is another program's database; set `sqlite.path` to another file";

/// Why a file of this identity is not opened, if it is not.
pub(super) fn refusal(identity: Identity) -> Option<String> {
    match identity {
        Identity::Foreign => Some(FOREIGN.to_owned()),
        Identity::Ours(version) if version > VERSION => Some(format!(
            "a newer conflictwire made it (form {version}, this one knows up to {VERSION}); \
             upgrade, or set `sqlite.path` to another file"
        )),
        Identity::Ours(_) | Identity::Empty => None,
    }
}

/// Opens the file for writing and brings it to [`VERSION`].
///
/// # Errors
/// [`CommitError::Open`].
pub(super) fn open(path: &Path) -> Result<Connection, CommitError> {
    let trouble = |err: rusqlite::Error| open_error(path, sqlite_trouble(&err));
    let refused = |err: NotOpened| open_error(path, not_opened(&err));
    if defence::is_marked_foreign(path) {
        return Err(open_error(path, FOREIGN.to_owned()));
    }
    // Made here and not by SQLite, which would leave its mode to the umask. Closed again before
    // SQLite opens it: closing it later would give up SQLite's locks.
    drop(private::open(path).map_err(refused)?);
    private::look_beside(path).map_err(refused)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(trouble)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(trouble)?;
    defence::defend(&connection).map_err(trouble)?;
    let identity = identify(&connection).map_err(trouble)?;
    if let Some(why) = refusal(identity) {
        return Err(open_error(path, why));
    }
    private::tighten(path);
    prepare(&connection).map_err(trouble)?;
    let version = match identity {
        Identity::Ours(version) => version,
        Identity::Empty | Identity::Foreign => 0,
    };
    migrate(&connection, version).map_err(trouble)?;
    connection.execute_batch(CONFLICT_VIEW).map_err(trouble)?;
    connection.execute_batch(EVENTS_VIEW).map_err(trouble)?;
    connection.execute_batch(facts::TABLES).map_err(trouble)?;
    connection.execute_batch(plans::TABLE).map_err(trouble)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // Before anything is written: it cannot be changed later without rewriting the file.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection
        .query_row(&format!("PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}"), [], |_| Ok(()))?;
    connection.query_row(
        &format!("PRAGMA journal_size_limit = {JOURNAL_BYTES_MAX}"),
        [],
        |_| Ok(()),
    )
}

fn migrate(connection: &Connection, version: usize) -> rusqlite::Result<()> {
    if version == VERSION {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    for step in MIGRATIONS.iter().skip(version) {
        step(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(VERSION).unwrap_or(i64::MAX))?;
    transaction.commit()
}

/// Files of earlier versions have an index by `url` too. Nothing of ours reads by it, and it was a seventh of what an article wrote.
///
/// `articles_fts` keeps no text of its own: `articles.record` has it. Marks belong to words
/// (`Mn Mc`), or every vowel sign of Hindi would cut one in two.
fn to_version_1(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE articles (
             seq          INTEGER PRIMARY KEY AUTOINCREMENT,
             article_id   TEXT NOT NULL,
             revision     INTEGER NOT NULL,
             change       TEXT NOT NULL,
             feed_id      TEXT NOT NULL,
             url          TEXT,
             title        TEXT,
             language     TEXT,
             country      TEXT,
             published_at TEXT,
             observed_at  TEXT NOT NULL,
             committed_at TEXT NOT NULL,
             relevant     INTEGER,
             tags         TEXT,
             record       TEXT NOT NULL,
             UNIQUE (article_id, revision)
         );
         CREATE INDEX articles_by_committed_at ON articles (committed_at);
         CREATE INDEX articles_by_published_at ON articles (published_at);
         CREATE INDEX articles_by_feed ON articles (feed_id);
         CREATE INDEX articles_relevant ON articles (published_at) WHERE relevant;
         CREATE VIEW articles_latest AS
             SELECT * FROM articles AS this WHERE NOT EXISTS (
                 SELECT 1 FROM articles AS later
                 WHERE later.article_id = this.article_id AND later.revision > this.revision
             );",
    )?;
    fault::point(Point::InMigration);
    connection.execute_batch(
        "CREATE TABLE rejects (
             id      TEXT PRIMARY KEY NOT NULL,
             feed_id TEXT NOT NULL,
             url     TEXT NOT NULL,
             reason  TEXT NOT NULL,
             detail  TEXT NOT NULL,
             at      TEXT NOT NULL,
             record  TEXT NOT NULL
         );
         CREATE INDEX rejects_by_at ON rejects (at);
         CREATE TABLE feed_state (
             feed_id    TEXT PRIMARY KEY NOT NULL,
             sequence   INTEGER NOT NULL,
             due_at     TEXT,
             standing   TEXT NOT NULL,
             state      TEXT NOT NULL,
             changed_at TEXT NOT NULL
         );
         CREATE VIRTUAL TABLE articles_fts USING fts5 (
             title, summary, body,
             content = '', contentless_delete = 1,
             tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\"
         );",
    )
}

/// Reads every feed's state.
///
/// # Errors
/// [`CommitError::Open`], which names the feeds whose state does not parse.
pub(super) fn states(connection: &Connection, path: &Path) -> Result<States, CommitError> {
    let rows = state_rows(connection).map_err(|err| open_error(path, sqlite_trouble(&err)))?;
    let mut states = States::with_capacity(rows.len());
    let mut problems = Vec::new();
    for StateText { feed_id, state, plan } in rows {
        // An id that no feed can have here: of a later version that allows more, and left to it.
        let Ok(id) = FeedId::parse(&feed_id) else { continue };
        match FeedState::parse(state.as_bytes()) {
            Ok(state) => {
                // A plan that cannot be read costs the feed a request, no article.
                let plan = plan.and_then(|plan| FeedState::parse(plan.as_bytes()).ok());
                let state = match plan {
                    Some(plan) => state.with_plan_of(plan),
                    None => state,
                };
                states.insert(id, Arc::new(state));
            }
            Err(why) => problems.push((feed_id, why.to_string())),
        }
    }
    if problems.is_empty() { Ok(states) } else { Err(unreadable(path, &problems)) }
}

/// A state as it is kept: the whole of it, and the plan of later polls.
struct StateText {
    feed_id: String,
    state: String,
    plan: Option<String>,
}

fn state_rows(connection: &Connection) -> rusqlite::Result<Vec<StateText>> {
    // A reader may come before a version that makes the table. Whatever else bears its name is not looked at.
    let has_plans: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema
         WHERE type = 'table' AND rootpage > 0 AND name = 'feed_plan')",
        [],
        |row| row.get(0),
    )?;
    let mut statement = connection.prepare(if has_plans {
        "SELECT s.feed_id, s.state, p.state FROM feed_state AS s
         LEFT JOIN feed_plan AS p ON p.feed_id = s.feed_id AND p.builds_on = s.sequence"
    } else {
        "SELECT feed_id, state, NULL FROM feed_state"
    })?;
    let rows = statement.query_map([], |row| {
        Ok(StateText { feed_id: row.get(0)?, state: row.get(1)?, plan: row.get(2)? })
    })?;
    rows.collect()
}

fn unreadable(path: &Path, problems: &[(String, String)]) -> CommitError {
    let named: Vec<String> = problems
        .iter()
        .take(STATES_NAMED_MAX)
        .map(|(feed, why)| format!("feed \"{feed}\": {why}"))
        .collect();
    let more = match problems.len().saturating_sub(STATES_NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let why = format!(
        "it holds feed states that do not parse ({}{more}); run the version that wrote them or \
         restore a copy; or start such a feed anew: give it another id and delete the row of \
         the old one from the table feed_state (its articles stay)",
        named.join("; "),
    );
    open_error(path, why)
}
