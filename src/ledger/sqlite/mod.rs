//! One database file, one database transaction a commit; articles searchable.
//!
//! One thread writes, and nothing else does: it takes whatever waits and commits it together, so
//! one wait for the disk serves many outcomes. A lock beside the file keeps a second daemon away
//! while readers go on. `journal_mode = WAL` and `synchronous = FULL` make a committed outcome
//! survive a kill and a power cut. Only this folder names rusqlite.

pub mod backup;
mod defence;
mod facts;
pub mod history;
mod lock;
mod owner;
mod pace;
pub mod plans;
mod private;
pub mod query;
mod queue;
pub mod read;
mod retention;
mod returns;
mod rows;
mod schema;
pub mod source;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use cw_model::Outcome;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{Semaphore, oneshot};

use self::history::History;
use self::lock::Lock;
pub use self::lock::{Holder, holder};
use self::private::NotOpened;
use self::queue::{Message, Queue, WriterJob};
use self::writer::Writer;
use super::{CommitError, Past, States};
use crate::clock::Clock;
use crate::fault::{self, Point};

/// How many outcomes may wait for the writer.
///
/// As many as one transaction takes. A longer queue would only hide a slow disk; a full one makes
/// polls wait.
const QUEUE_OUTCOMES: usize = writer::GROUP_OUTCOMES_MAX;

/// The `[sqlite]` table, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct SqliteSettings {
    /// The file; its directory is made if missing.
    pub path: PathBuf,
    /// How old an article may grow, by when it was committed; `None`: for ever.
    pub keep_age: Option<Duration>,
    /// How large the file may grow before the oldest articles go, bytes; `None`: without limit.
    pub keep_bytes: Option<u64>,
}

/// The database and the thread that writes it.
#[derive(Debug)]
pub struct SqliteLedger {
    history: History,
    writer_hears: mpsc::Sender<Message>,
    /// Bounds the outcomes that wait there.
    places: Arc<Semaphore>,
    /// Whether it has been told to hurry, and has not heard it yet.
    is_hurried: Arc<AtomicBool>,
    /// Nothing is gathered any more.
    is_draining: Arc<AtomicBool>,
    writer: JoinHandle<Result<(), CommitError>>,
}

impl SqliteLedger {
    /// Opens, locks, migrates, says that it is ours, and reads the states.
    ///
    /// A state that does not parse stops it: going on without would take every article of that
    /// feed for a new one.
    ///
    /// # Errors
    /// [`CommitError::Open`], [`CommitError::InUse`].
    pub fn open(settings: &SqliteSettings) -> Result<(Self, States, Past), CommitError> {
        let path = place(&settings.path)?;
        let lock = Lock::take(&path)?;
        let connection = schema::open(&path)?;
        fault::point(Point::InStartUp);
        let states = schema::states(&connection, &path)?;
        let past = owner::take(&connection, Clock::System.now());
        let history = History::of(&connection, &path)
            .map_err(|err| open_error(&path, sqlite_trouble(&err)))?;
        Ok((Self::start(connection, lock, history, settings)?, states, past))
    }

    fn start(
        connection: Connection,
        lock: Lock,
        history: History,
        settings: &SqliteSettings,
    ) -> Result<Self, CommitError> {
        let path = history.path();
        let (writer_hears, queue) = mpsc::channel();
        let is_hurried = Arc::new(AtomicBool::new(false));
        let is_draining = Arc::new(AtomicBool::new(false));
        let (hurried, draining) = (Arc::clone(&is_hurried), Arc::clone(&is_draining));
        let writer = Writer::new(connection, lock, path.to_owned(), settings);
        let writer = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer.run(&Queue::new(queue, hurried, draining)))
            .map_err(|err| open_error(path, format!("the system gives no thread: {err}")))?;
        let places = Arc::new(Semaphore::new(QUEUE_OUTCOMES));
        Ok(Self { history, writer_hears, places, is_hurried, is_draining, writer })
    }

    /// The file, links in the names of its directories followed.
    pub fn path(&self) -> &Path {
        self.history.path()
    }

    /// Whom to ask for what was committed.
    pub fn history(&self) -> History {
        self.history.clone()
    }

    /// What the file and its write-ahead log hold; nothing, where they cannot be looked at.
    pub fn file_bytes(&self) -> u64 {
        let mut log = self.path().to_owned().into_os_string();
        log.push("-wal");
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        length(self.path()) + length(Path::new(&log))
    }

    /// See [`super::Ledger::commit`].
    ///
    /// # Errors
    /// [`CommitError::Write`], [`CommitError::Refused`], [`CommitError::Closed`].
    pub async fn commit(&self, outcome: Arc<Outcome>) -> Result<(), CommitError> {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return Err(CommitError::Closed);
        };
        let (reply, answer) = oneshot::channel();
        if self.writer_hears.send(Message::Commit(WriterJob { outcome, reply, place })).is_err() {
            return Err(CommitError::Closed);
        }
        // A writer that died has answered nobody; what it held is rolled back at the next open.
        answer.await.unwrap_or(Err(CommitError::Closed))
    }

    /// See [`super::Ledger::hurry`].
    pub fn hurry(&self) {
        if !self.is_hurried.swap(true, Ordering::SeqCst) {
            // A writer that has ended keeps nobody waiting.
            let _ended = self.writer_hears.send(Message::Hurry);
        }
    }

    /// See [`super::Ledger::begin_drain`].
    pub fn begin_drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
        self.hurry();
    }

    /// See [`super::Ledger::close`].
    ///
    /// # Errors
    /// [`CommitError::Write`].
    pub async fn close(self) -> Result<(), CommitError> {
        let Self { writer_hears, writer, .. } = self;
        // The writer ends when its queue is empty and has no sender left.
        drop(writer_hears);
        match tokio::task::spawn_blocking(move || writer.join()).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) | Err(_) => Err(CommitError::Closed),
        }
    }
}

/// See [`super::rehearse`].
pub(super) fn rehearse(outcome: &Outcome) {
    rows::rehearse(outcome);
}

/// The SQLite that is linked ("SQLite 3.54.1").
pub fn library_version() -> String {
    format!("SQLite {}", rusqlite::version())
}

/// Where the file really is, its directory made, links of directories followed: the lock must have
/// one name. A link in the place of the file itself is refused.
fn place(path: &Path) -> Result<PathBuf, CommitError> {
    let refused = |why: String| open_error(path, why);
    let Some(name) = path.file_name() else {
        return Err(refused("it names no file; set `sqlite.path` to a file".to_owned()));
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|err| {
        refused(format!(
            "its directory \"{}\" cannot be made: {}",
            directory.display(),
            io_trouble(&err)
        ))
    })?;
    if path.is_dir() {
        let inside = path.join("conflictwire.db");
        return Err(refused(format!(
            "it is a directory; set `sqlite.path` to a file, for example \"{}\"",
            inside.display()
        )));
    }
    let directory = directory.canonicalize().map_err(|err| refused(io_trouble(&err)))?;
    Ok(directory.join(name))
}

fn open_error(path: &Path, why: String) -> CommitError {
    CommitError::Open { path: path.display().to_string(), why }
}

/// Why a file of the ledger was not opened, and what to do about it.
fn not_opened(err: &NotOpened) -> String {
    match err {
        NotOpened::Link { .. } | NotOpened::NoFile { .. } => err.to_string(),
        NotOpened::System(err) => io_trouble(err),
    }
}

/// What the system said, and what to do about it.
fn io_trouble(err: &io::Error) -> String {
    let fix = match err.kind() {
        io::ErrorKind::PermissionDenied => {
            "; give the user that runs conflictwire the right to write there, or set `sqlite.path` \
             to a place it may write"
        }
        io::ErrorKind::ReadOnlyFilesystem => "; set `sqlite.path` to a place that can be written",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "; a file is where a directory should be, set another `sqlite.path`"
        }
        _ => "; check `sqlite.path`",
    };
    format!("{err}{fix}")
}

/// What SQLite said, and what to do about it.
fn sqlite_trouble(err: &rusqlite::Error) -> String {
    let text = match err.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the disk, or the file's allowed size, is full; free some space"
        }
        Some(ErrorCode::ReadOnly) => {
            "it cannot be written; make the file and its directory writable for the user that runs \
             conflictwire"
        }
        Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "it cannot be opened; check that the file, its \"-wal\" and its directory belong to the \
             user that runs conflictwire"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds it for writing; close what has it open"
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            "it is damaged; move it away, or recover what is readable with \
             `sqlite3 FILE .recover`, and restore a copy"
        }
        Some(ErrorCode::NotADatabase) => {
            "it is not a database; set `sqlite.path` to another file, or move this one away"
        }
        Some(ErrorCode::SystemIoFailure) => "the disk answered with an error; check the system log",
        _ => return err.to_string(),
    };
    format!("{text} ({err})")
}
