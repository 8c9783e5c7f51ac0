//! What a filter may ask of an article, in a table with an index, so that no filter reads the whole ledger.
//!
//! A row says that an article has a tag, a claim, an actor, a place, or comes from a country. The rows of an
//! article are written with it. Those of articles that a version without this table has written come later, some
//! at a time while nobody waits, so that no start is held up; until then a reader does without.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use crate::ledger::filter::Filter;

/// Articles whose rows are written in one transaction: some tens of milliseconds.
const CHUNK_ROWS: i64 = 500;

/// No step of the migrations: earlier versions may go on with the file, and know nothing of it.
/// `facts_until` says up to which article the rows are there.
pub(super) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS facts (
        kind  TEXT NOT NULL,
        value TEXT NOT NULL COLLATE NOCASE,
        seq   INTEGER NOT NULL,
        PRIMARY KEY (kind, value, seq)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS facts_by_seq ON facts (seq);
    CREATE TABLE IF NOT EXISTS facts_until (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seq INTEGER NOT NULL
    )";

/// The rows of the articles after one `seq` up to another.
const FILL: &str = "
    INSERT OR IGNORE INTO facts (kind, value, seq)
    WITH these AS (SELECT seq, country, record FROM articles WHERE seq > ?1 AND seq <= ?2)
    SELECT 'country', country, seq FROM these WHERE country IS NOT NULL
    UNION ALL
    SELECT 'tag', has.value ->> 'id', seq FROM these, json_each(record, '$.conflict.tags') AS has
    UNION ALL
    SELECT 'claim', has.value ->> '$.claim.status', seq
    FROM these, json_each(record, '$.conflict.tags') AS has
    WHERE has.value ->> '$.claim.status' IS NOT NULL
    UNION ALL
    SELECT 'actor', said.value, seq FROM these, json_each(record, '$.conflict.actors') AS has,
        json_each(json_array(has.value ->> 'id', has.value ->> 'name')) AS said
    WHERE said.value IS NOT NULL
    UNION ALL
    SELECT 'place', said.value, seq FROM these, json_each(record, '$.conflict.places') AS has,
        json_each(json_array(has.value ->> 'name', CAST(has.value ->> 'geonames_id' AS TEXT),
            has.value ->> 'country')) AS said
    WHERE said.value IS NOT NULL";

/// Whether every article has its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// Each.
    Whole,
    /// Some have not.
    Behind,
}

/// Writes the rows of the next articles that have none, in the transaction that is open.
///
/// # Errors
/// Those of the database.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<Filled> {
    let from = until(connection)?;
    let newest = newest(connection)?;
    if newest <= from {
        return Ok(Filled::Whole);
    }
    let last = "SELECT seq FROM articles WHERE seq > ?1 ORDER BY seq LIMIT 1 OFFSET ?2";
    let last: Option<i64> =
        connection.query_row(last, [from, CHUNK_ROWS - 1], |row| row.get(0)).optional()?;
    let to = last.unwrap_or(newest);
    connection.prepare(FILL)?.execute([from, to])?;
    connection.execute(
        "INSERT INTO facts_until (one, seq) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET seq = excluded.seq",
        [to],
    )?;
    Ok(if to >= newest { Filled::Whole } else { Filled::Behind })
}

/// The same in a transaction of its own.
///
/// # Errors
/// Those of the database.
pub(super) fn fill_chunk(connection: &Connection) -> rusqlite::Result<Filled> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let filled = fill(&transaction)?;
    transaction.commit()?;
    Ok(filled)
}

/// Whether a reader may rely on the rows. `Behind` also where there is no such table.
pub(super) fn filled(connection: &Connection) -> Filled {
    let ends = until(connection).and_then(|until| Ok((until, newest(connection)?)));
    match ends {
        Ok((until, newest)) if until >= newest => Filled::Whole,
        Ok(_) | Err(_) => Filled::Behind,
    }
}

fn until(connection: &Connection) -> rusqlite::Result<i64> {
    let seq = connection.query_row("SELECT seq FROM facts_until", [], |row| row.get(0));
    Ok(seq.optional()?.unwrap_or(0))
}

fn newest(connection: &Connection) -> rusqlite::Result<i64> {
    let newest = connection.query_row("SELECT max(seq) FROM articles", [], |row| row.get(0));
    newest.map(|newest: Option<i64>| newest.unwrap_or(0))
}

/// What narrows a statement about `articles AS a` to those that may meet a filter, by the index. It lets none out
/// that does; whether one does is for the filter itself to say.
pub(super) fn narrowing(filter: &Filter) -> String {
    // "strike" means "strike.air" too: what lies between "strike." and "strike/", the next sign.
    let exact = |kind: &str, list: &str| {
        format!(
            "SELECT f.seq FROM json_each({list}) AS wish CROSS JOIN facts AS f
             WHERE f.kind = '{kind}' AND f.value = CAST(wish.value AS TEXT)"
        )
    };
    let below = |kind: &str, list: &str| {
        let exact = exact(kind, list);
        format!(
            "{exact} UNION ALL SELECT f.seq FROM json_each({list}) AS wish CROSS JOIN facts AS f
             WHERE f.kind = '{kind}' AND f.value > wish.value || '.' AND f.value < wish.value || '/'"
        )
    };
    let parts = [
        (filter.tags.is_empty(), below("tag", ":tags")),
        (filter.claims.is_empty(), exact("claim", ":claims")),
        (filter.actors.is_empty(), below("actor", ":actors")),
        (filter.places.is_empty(), exact("place", ":places")),
        (filter.countries.is_empty(), exact("country", ":countries")),
    ];
    let wished = parts.into_iter().filter(|(is_empty, _sql)| !is_empty);
    wished.map(|(_is_empty, sql)| format!(" AND a.seq IN ({sql})")).collect()
}
