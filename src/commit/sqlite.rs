//! One database file, one database transaction a commit; articles searchable.

use std::path::PathBuf;
use std::time::Duration;

use super::{CommitError, States};
use crate::model::Outcome;

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
pub struct SqliteLedger {}

impl SqliteLedger {
    /// Opens, locks, migrates and reads the states.
    ///
    /// # Errors
    /// [`CommitError::Open`], [`CommitError::InUse`].
    pub fn open(_settings: &SqliteSettings) -> Result<(Self, States), CommitError> {
        unimplemented!()
    }

    /// See [`super::Ledger::commit`].
    ///
    /// # Errors
    /// [`CommitError::Write`], [`CommitError::Closed`].
    pub async fn commit(&self, _outcome: std::sync::Arc<Outcome>) -> Result<(), CommitError> {
        std::future::ready(Err(CommitError::Closed)).await
    }

    /// See [`super::Ledger::close`].
    ///
    /// # Errors
    /// [`CommitError::Write`].
    pub async fn close(self) -> Result<(), CommitError> {
        std::future::ready(Ok(())).await
    }
}
