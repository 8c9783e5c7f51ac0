//! What a database file may not do to whoever opens it.
//!
//! A schema is code: views, triggers, defaults, generated columns and virtual tables run when a
//! table is used. `tail`, `search` and `feeds` are pointed at files of other people, and the
//! daemon's own file may have been exchanged, so nothing in a schema is trusted (SQLite,
//! "Defense Against The Dark Arts").

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Marks the file as ours: "cwir" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x6377_6972;

/// What every database begins with (SQLite file format, 1.3.1).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the header says whose file it is: four bytes, big-endian (1.3.16).
const ID_AT: usize = 68;

/// Whether a file says of itself that it is another program's, by its bytes alone.
///
/// SQLite has not seen it then. A file that says nothing may be ours: until the first checkpoint
/// what the daemon wrote stands in the file beside it.
pub(super) fn is_marked_foreign(path: &Path) -> bool {
    // Opening a pipe waits for whoever writes into it, for ever.
    if !path.metadata().is_ok_and(|place| place.is_file()) {
        return false;
    }
    let mut header = [0; ID_AT + 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    let Some(id) = header.last_chunk::<4>() else { return false };
    let id = i32::from_be_bytes(*id);
    read.is_ok() && header.starts_with(MAGIC) && id != 0 && id != APPLICATION_ID
}

/// Takes from a schema what it could do. Before anything else is asked of a connection.
///
/// Triggers are off for the daemon too: what an outcome writes is for its own statements to say.
pub(super) fn defend(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(setting, value)?;
    }
    // Finds pages that were tampered with when they are read, not when it is too late.
    connection.pragma_update(None, "cell_size_check", "ON")?;
    connection.pragma_update(None, "mmap_size", 0)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::read::{ReadError, Reader};
    use super::super::schema;
    use super::*;
    use crate::ledger::CommitError;
    use crate::ledger::filter::Filter;

    /// A database that says it is ours, but for what `change` does to it.
    fn forged(change: &str) -> (TempDir, std::path::PathBuf) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("forged.db");
        drop(schema::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(change).unwrap();
        // Into the file itself, as a file that somebody sends is.
        connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
        (folder, path)
    }

    #[track_caller]
    fn check_refused(path: &Path, expected: &str) {
        match Reader::open(path) {
            Err(ReadError::Unreadable { why, .. }) => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
        match schema::open(path) {
            Err(CommitError::Open { why, .. }) => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn another_programs_file_is_refused_before_sqlite_sees_it() {
        let (_folder, path) = forged("PRAGMA application_id = 1196444487");
        assert!(is_marked_foreign(&path));
        check_refused(&path, "another program's");
    }

    #[test]
    fn a_pipe_in_the_place_of_the_database_keeps_nobody_waiting() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("pipe.db");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(!is_marked_foreign(&path));
        assert!(schema::open(&path).is_err());
    }

    #[test]
    fn a_view_or_a_virtual_table_in_the_place_of_a_table_is_refused() {
        for change in [
            "DROP TABLE articles; CREATE VIEW articles AS
                 WITH RECURSIVE endless (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless)
                 SELECT n AS seq FROM endless",
            "DROP TABLE feed_state; CREATE VIRTUAL TABLE feed_state USING dbstat",
            "DROP TABLE rejects",
        ] {
            let (_folder, path) = forged(change);
            check_refused(&path, "another program's");
        }
    }

    #[test]
    fn no_schema_is_trusted() {
        let (_folder, path) = forged("");
        let connection = schema::open(&path).unwrap();
        let trusted = connection.query_row("PRAGMA trusted_schema", [], |row| row.get::<_, i64>(0));
        assert_eq!(trusted.unwrap(), 0);
        let written = connection.execute_batch(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = NULL WHERE name = 'rejects'",
        );
        assert!(written.is_err_and(|err| err.to_string().contains("may not be modified")));
    }

    #[test]
    fn no_trigger_runs_and_no_view_is_read() {
        let (_folder, path) = forged(
            "CREATE TABLE spoils (n);
             CREATE TRIGGER spoil AFTER INSERT ON rejects BEGIN INSERT INTO spoils VALUES (1); END;",
        );
        let connection = schema::open(&path).unwrap();
        connection
            .execute_batch("INSERT INTO rejects VALUES ('1', 'f', 'u', 'r', 'd', 'now', '{}')")
            .unwrap();
        let spoils: i64 =
            connection.query_row("SELECT count(*) FROM spoils", [], |row| row.get(0)).unwrap();
        assert_eq!(spoils, 0);
        let view = connection.prepare("SELECT * FROM articles_latest");
        assert!(view.is_err_and(|err| err.to_string().contains("view")));
    }

    #[test]
    fn no_library_is_loaded_by_a_statement() {
        let (_folder, path) = forged("");
        let connection = schema::open(&path).unwrap();
        let loaded = connection.query_row("SELECT load_extension('evil')", [], |_| Ok(()));
        assert!(loaded.is_err_and(|err| err.to_string().contains("not authorized")));
    }

    #[test]
    fn a_reader_leaves_the_file_as_it_was() {
        let (folder, path) = forged("");
        let before = std::fs::read(&path).unwrap();
        let reader = Reader::open(&path).unwrap();
        reader.last(&Filter::default(), 10).unwrap();
        drop(reader);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }
}
