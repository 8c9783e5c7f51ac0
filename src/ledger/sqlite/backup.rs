//! A copy of the database as it stands at one moment, made beside the daemon that writes it.
//!
//! All is copied within one read transaction, so commits that come meanwhile are not in the copy and do not begin it
//! anew. The copy gets its name once it is whole, on the disk, and was read again.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::private::NotOpened;
use super::read::{ReadError, Reader};
use super::{private, sqlite_trouble};

/// So many pages are copied between two words about how far it is: 4 MiB of them.
const PAGES_A_STEP: i32 = 1024;

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Revisions of articles.
    pub revisions: u64,
    /// Feeds whose state is in it.
    pub feeds: u64,
    /// How long the file is.
    pub bytes: u64,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something has its name.
    #[error("\"{0}\" is there already; nothing was written over it")]
    Exists(String),
    /// It could not be written.
    #[error("the copy could not be written to \"{path}\": {why}")]
    Unwritten {
        /// Where.
        path: String,
        /// What the system or SQLite says.
        why: String,
    },
    /// The database, or the copy of it, cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
}

impl Reader {
    /// Copies the database to a file that is not there yet, for its owner alone. `told` hears how many pages of how
    /// many are copied.
    ///
    /// # Errors
    /// [`BackupError`]. What was written of a copy that is not whole is removed.
    pub fn back_up(&self, to: &Path, told: impl FnMut(u64, u64)) -> Result<Copied, BackupError> {
        if to.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(to.display().to_string()));
        }
        let part = part_of(to);
        let copied = self.copy(&part, told).and_then(|()| checked(&part));
        let named = copied.and_then(|copied| {
            // A hard link fails if somebody took the name meanwhile; a renaming would write over it.
            let given = std::fs::hard_link(&part, to).and_then(|()| sync_folder(to));
            given.map(|()| copied).map_err(|err| match err.kind() {
                ErrorKind::AlreadyExists => BackupError::Exists(to.display().to_string()),
                _ => unwritten(to, err.to_string()),
            })
        });
        // Its other name is there by now, or it is not whole.
        let _absent = std::fs::remove_file(&part);
        named
    }

    fn copy(&self, part: &Path, mut told: impl FnMut(u64, u64)) -> Result<(), BackupError> {
        let trouble = |err: rusqlite::Error| unwritten(part, sqlite_trouble(&err));
        // Of a copy that was interrupted.
        let _absent = std::fs::remove_file(part);
        drop(private::open(part).map_err(|err| unwritten(part, not_made(&err)))?);
        let mut copy = Connection::open(part).map_err(trouble)?;
        // One moment for all steps: without it, a commit between two of them begins the copy anew.
        let moment = self.connection.unchecked_transaction().map_err(trouble)?;
        moment.query_row("SELECT count(*) FROM feed_state", [], |_| Ok(())).map_err(trouble)?;
        let backup = Backup::new(&self.connection, &mut copy).map_err(trouble)?;
        loop {
            let step = backup.step(PAGES_A_STEP).map_err(trouble)?;
            let pages = backup.progress();
            let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
            told(count(pages.pagecount - pages.remaining), count(pages.pagecount));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(unwritten(part, "another program has it locked".to_owned())),
            }
        }
        drop(backup);
        drop(moment);
        // One file, which needs no other beside it.
        copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(trouble)?;
        copy.close().map_err(|(_, err)| trouble(err))?;
        File::open(part)
            .and_then(|file| file.sync_all())
            .map_err(|err| unwritten(part, err.to_string()))
    }
}

/// Why the file of the copy was not made. What to do is not what is to be done for the ledger itself, whose place a key names.
fn not_made(err: &NotOpened) -> String {
    match err {
        NotOpened::System(err) if err.kind() == ErrorKind::NotFound => {
            format!("{err}; make its folder, or name another")
        }
        NotOpened::System(err) => err.to_string(),
        NotOpened::Link { .. } | NotOpened::NoFile { .. } => err.to_string(),
    }
}

/// What the copy holds, once it was read again.
fn checked(part: &Path) -> Result<Copied, BackupError> {
    let copy = Reader::open(part)?;
    let trouble = |err: rusqlite::Error| unwritten(part, sqlite_trouble(&err));
    let said: String =
        copy.connection.query_row("PRAGMA quick_check", [], |row| row.get(0)).map_err(trouble)?;
    if said != "ok" {
        return Err(unwritten(part, format!("it is damaged: {said}")));
    }
    let count = |table: &str| -> Result<u64, BackupError> {
        let sql = format!("SELECT count(*) FROM {table}");
        let count: i64 = copy.connection.query_row(&sql, [], |row| row.get(0)).map_err(trouble)?;
        Ok(u64::try_from(count).unwrap_or_default())
    };
    let bytes = part.metadata().map_err(|err| unwritten(part, err.to_string()))?.len();
    Ok(Copied { revisions: count("articles")?, feeds: count("feed_state")?, bytes })
}

/// The name of a copy that is not whole yet, in the same folder.
fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// The name of a file survives a power cut once its folder is written.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn unwritten(path: &Path, why: String) -> BackupError {
    BackupError::Unwritten { path: path.display().to_string(), why }
}
