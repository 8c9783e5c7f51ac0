//! Which files the ledger makes, whose they are, and which it leaves alone.

use super::*;

#[tokio::test]
async fn a_new_file_survives_power_cuts_and_gives_space_back() {
    let (folder, _ledger) = holding(Vec::new()).await;
    let connection = look(&settings(&folder).path);
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(number(&connection, "PRAGMA auto_vacuum"), 2);
    assert_eq!(number(&connection, "PRAGMA application_id"), i64::from(defence::APPLICATION_ID));
    assert_eq!(number(&connection, "PRAGMA user_version"), 1);
    // `synchronous` belongs to a connection, so the writer's own is asked.
    let writer = schema::open(&folder.path().join("other.db")).unwrap();
    assert_eq!(number(&writer, "PRAGMA synchronous"), 2);
}

#[tokio::test]
async fn closing_leaves_one_file_and_its_lock() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    ledger.close().await.unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["wire.db", "wire.db.lock"]);
}

#[tokio::test]
async fn a_second_daemon_is_refused_while_readers_work() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let settings = settings(&folder);
    let err = SqliteLedger::open(&settings).unwrap_err();
    let CommitError::InUse { pid, .. } = &err else { panic!("{err}") };
    assert_eq!(*pid, Some(std::process::id()));
    assert!(err.to_string().contains("(process "), "{err}");
    assert_eq!(all(&settings.path).len(), 1);
    ledger.commit(Arc::new(outcome("a", 2, vec![record(2, "two")]))).await.unwrap();

    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    let through_link = SqliteSettings { path: link.join("wire.db"), ..settings.clone() };
    assert!(matches!(SqliteLedger::open(&through_link), Err(CommitError::InUse { .. })));

    ledger.close().await.unwrap();
    SqliteLedger::open(&settings).unwrap();
}

#[test]
fn a_link_in_the_place_of_the_database_or_its_lock_is_refused_and_not_followed() {
    for name in ["wire.db", "wire.db.lock", "wire.db-wal"] {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder);
        let theirs = folder.path().join("theirs");
        let link = folder.path().join(name);
        std::os::unix::fs::symlink(&theirs, &link).unwrap();
        check_refused(&settings, "is a symbolic link");
        assert!(!theirs.exists(), "nothing is made behind {name}");
        std::fs::remove_file(link).unwrap();
        SqliteLedger::open(&settings).unwrap();
    }
}

#[tokio::test]
async fn every_file_of_the_ledger_is_its_owners_alone() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let modes = |folder: &TempDir| {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
        let mut modes: Vec<_> = entries
            .map(|entry| {
                let mode = entry.metadata().unwrap().mode() & 0o777;
                (entry.file_name().into_string().unwrap(), mode)
            })
            .collect();
        modes.sort();
        modes
    };
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let private = ["wire.db", "wire.db-shm", "wire.db-wal", "wire.db.lock"];
    let private: Vec<_> = private.iter().map(|name| ((*name).to_owned(), 0o600)).collect();
    assert_eq!(modes(&folder), private);
    ledger.close().await.unwrap();

    // As an earlier version, or a person, left them.
    for name in ["wire.db", "wire.db.lock"] {
        let open_to_all = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(folder.path().join(name), open_to_all).unwrap();
    }
    let ledger = open(&settings(&folder));
    ledger.commit(Arc::new(outcome("a", 2, vec![record(2, "two")]))).await.unwrap();
    assert_eq!(modes(&folder), private);
}

#[test]
fn a_file_that_is_not_ours_keeps_its_mode() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = TempDir::new().unwrap();
    let path = settings(&folder).path;
    std::fs::write(&path, "a letter ".repeat(100)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    check_refused(&settings(&folder), "it is not a database");
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o644);
}

#[test]
fn an_empty_file_becomes_a_database() {
    let folder = TempDir::new().unwrap();
    std::fs::write(settings(&folder).path, "").unwrap();
    SqliteLedger::open(&settings(&folder)).unwrap();
}

#[test]
fn a_missing_directory_is_made_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let directory = folder.path().join("a/b");
    SqliteLedger::open(&SqliteSettings { path: directory.join("wire.db"), ..settings(&folder) })
        .unwrap();
    let mode = std::fs::metadata(directory).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let path = &settings.path;
    look(path).execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    check_refused(&settings, "it is another program's database");
    assert_eq!(count(path, "sqlite_schema"), 1);
    look(path).execute_batch("PRAGMA application_id = 1; DROP TABLE notes").unwrap();
    check_refused(&settings, "it is another program's database");

    std::fs::write(path, "a text of a person. ".repeat(100)).unwrap();
    check_refused(&settings, "it is not a database");
    assert!(std::fs::read_to_string(path).unwrap().starts_with("a text"));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let (folder, ledger) = holding(Vec::new()).await;
    ledger.close().await.unwrap();
    look(&settings(&folder).path).execute_batch("PRAGMA user_version = 2").unwrap();
    check_refused(
        &settings(&folder),
        "a newer conflictwire made it (form 2, this one knows up to 1)",
    );
}

#[test]
fn a_place_that_cannot_be_written_is_named_with_the_way_out() {
    let folder = TempDir::new().unwrap();
    let at = |path: &str| SqliteSettings { path: folder.path().join(path), ..settings(&folder) };
    std::fs::write(folder.path().join("file"), "").unwrap();
    check_refused(&at("file/wire.db"), "a file is where a directory should be");
    check_refused(&at(""), "it is a directory; set `sqlite.path` to a file, for example \"");
    check_refused(&at(".."), "it names no file");
    // Nobody can make a directory in /proc, not even root.
    check_refused(&at("/proc/conflictwire/wire.db"), "cannot be made");
}

#[tokio::test]
async fn nothing_is_committed_to_a_file_that_is_gone_from_its_place() {
    let (folder, ledger) = holding(vec![record(1, "one")]).await;
    let path = settings(&folder).path;
    let away = folder.path().join("away.db");
    let next = || Arc::new(outcome("b", 1, vec![record(2, "two")]));
    std::fs::rename(&path, &away).unwrap();
    for stands_there in [false, true] {
        if stands_there {
            std::fs::write(&path, "another").unwrap();
        }
        let err = ledger.commit(next()).await.unwrap_err();
        assert!(matches!(err, CommitError::Write { .. }), "{err}");
        assert!(err.to_string().contains("the file is gone, or another stands"), "{err}");
    }
    std::fs::rename(&away, &path).unwrap();
    ledger.commit(next()).await.unwrap();
    assert_eq!(count(&path, "articles"), 2);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn the_size_of_the_ledger_is_that_of_its_files() {
    let (folder, ledger) = holding((0..50).map(|n| record(n, "x")).collect()).await;
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap());
    let length =
        |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());
    let names: Vec<_> = files.map(|file| file.file_name()).collect();
    assert!(length("wire.db-wal") > 0, "{names:?}");
    assert_eq!(ledger.file_bytes(), length("wire.db") + length("wire.db-wal"));
}
