//! Whether the daemon that had the database before ended cleanly.
//!
//! The table `owner` has one row: `open` from before the first poll until a clean close, so an end
//! that was not clean leaves it so. It is written twice in a daemon's life, and never by a poll.
//!
//! It is no part of the versioned form, and made where it is missing: a program that does not know
//! it goes on as before. What such a program leaves behind says nothing of how it ended, so a
//! database with states and without the table counts as left uncleanly.

use cw_decide::{OwnerEnd, Past};
use cw_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tracing::warn;

use super::rows::column_time;

/// Takes the database: says how it was left, and writes that it is in use from now on.
///
/// Where that cannot be written (the disk is full) the daemon starts all the same, and reads with
/// care: the next one could not know how this one ended.
pub(super) fn take(connection: &Connection, now: Timestamp) -> Past {
    write(connection, now).unwrap_or_else(|err| {
        warn!(error = %err, "could not write that the database is in use; reading with care");
        Past::default().after(OwnerEnd::Unclean, now)
    })
}

fn write(connection: &Connection, now: Timestamp) -> rusqlite::Result<Past> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS owner (
             id                INTEGER PRIMARY KEY CHECK (id = 1),
             open              INTEGER NOT NULL,
             left_uncleanly_at TEXT
         )",
    )?;
    // Somebody else's view or virtual table of that name would run code of theirs.
    let is_ours: bool = transaction.query_row(
        "SELECT type = 'table' AND rootpage > 0 FROM sqlite_schema WHERE name = 'owner'",
        [],
        |row| row.get(0),
    )?;
    if !is_ours {
        return Err(rusqlite::Error::InvalidQuery);
    }
    let (past, end) = read(&transaction)?;
    let past = past.after(end, now);
    transaction.execute(
        "INSERT INTO owner (id, open, left_uncleanly_at) VALUES (1, 1, ?1)
         ON CONFLICT (id) DO UPDATE SET open = 1, left_uncleanly_at = excluded.left_uncleanly_at",
        params![past.left_uncleanly_at.map(column_time)],
    )?;
    transaction.commit()?;
    Ok(past)
}

/// Gives it back. Where that cannot be written the next daemon reads with care, and no more.
pub(super) fn give_back(connection: &Connection) {
    let _unwritten = connection.execute("UPDATE owner SET open = 0", []);
}

/// How it was left, while nobody has it. Writes nothing.
pub(super) fn left(connection: &Connection) -> rusqlite::Result<(Past, OwnerEnd)> {
    let is_there = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema
                        WHERE name = 'owner' AND type = 'table' AND rootpage > 0)",
        [],
        |row| row.get(0),
    )?;
    // As of a version that did not write it.
    if is_there { read(connection) } else { Ok((Past::default(), OwnerEnd::Unclean)) }
}

fn read(connection: &Connection) -> rusqlite::Result<(Past, OwnerEnd)> {
    let row = connection
        .query_row("SELECT open, left_uncleanly_at FROM owner", [], |row| {
            Ok((row.get::<_, bool>(0)?, row.get::<_, Option<String>>(1)?))
        })
        .optional()?;
    let (is_open, left_uncleanly_at) = match row {
        Some(row) => row,
        None => (
            connection
                .query_row("SELECT EXISTS (SELECT 1 FROM feed_state)", [], |row| row.get(0))?,
            None,
        ),
    };
    let past = Past { left_uncleanly_at: left_uncleanly_at.and_then(|at| at.parse().ok()) };
    Ok((past, if is_open { OwnerEnd::Unclean } else { OwnerEnd::Clean }))
}
