//! Makes outcomes durable: records, rejects and feed state as one act.

pub mod filter;
pub mod json_lines;
pub mod kafka;
pub mod sqlite;

#[cfg(test)]
mod samples;

use std::collections::HashMap;
use std::sync::Arc;

pub use json_lines::JsonLines;
pub use kafka::settings::KafkaSettings;
pub use sqlite::SqliteLedger;

use crate::model::{FeedId, Outcome};
use crate::state::FeedState;

/// Which ledger, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerSettings {
    /// Topics.
    Kafka(Box<KafkaSettings>),
    /// One database file.
    Sqlite(sqlite::SqliteSettings),
    /// Standard output.
    JsonLines,
}

impl LedgerSettings {
    /// Its name in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kafka(_) => "kafka",
            Self::Sqlite(_) => "sqlite",
            Self::JsonLines => "json_lines",
        }
    }

    /// The settings of the Kafka ledger.
    ///
    /// # Errors
    /// [`NotKafka`] if another is configured.
    pub fn into_kafka(self) -> Result<KafkaSettings, NotKafka> {
        match self {
            Self::Kafka(settings) => Ok(*settings),
            Self::Sqlite(_) | Self::JsonLines => Err(NotKafka { kind: self.kind() }),
        }
    }
}

/// Something that only the Kafka ledger has was asked of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the configured ledger is \"{kind}\", which has no topics; set ledger.kind = \"kafka\", in the \
     file or for once as CONFLICTWIRE__LEDGER__KIND=kafka"
)]
pub struct NotKafka {
    kind: &'static str,
}

/// What was known when the ledger was opened.
pub type States = HashMap<FeedId, FeedState>;

/// Why nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The directory or file cannot be made, opened or written.
    #[error("cannot use the database \"{path}\": {why}")]
    Open {
        /// The file.
        path: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// Another daemon holds the file.
    #[error(
        "the database \"{path}\" is in use by another conflictwire{}; stop it, or give this one \
         another `sqlite.path`", shown_pid(*.pid)
    )]
    InUse {
        /// The file.
        path: String,
        /// The process that holds it, if it says so.
        pid: Option<u32>,
    },
    /// The disk is full, the file went away, …: may work next time.
    #[error("could not write to \"{path}\": {why}")]
    Write {
        /// The file, or "standard output".
        path: String,
        /// What the system said.
        why: String,
    },
    /// The outcome contradicts what is committed already: our own mistake. Trying it again changes
    /// nothing; other outcomes are not touched by it.
    #[error("cannot write to \"{path}\": {why}")]
    Refused {
        /// The file.
        path: String,
        /// What contradicts what.
        why: String,
    },
    /// A pipe does not come back.
    #[error("nobody reads standard output any more")]
    Unread,
    /// The ledger has been closed.
    #[error("the ledger is closed")]
    Closed,
}

fn shown_pid(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Where outcomes are committed.
///
/// A closed set, so an enum: no boxed futures, and adding a ledger makes the compiler list every
/// place that must learn of it.
#[derive(Debug)]
pub enum Ledger {
    /// One database file, one database transaction a commit.
    Sqlite(SqliteLedger),
    /// One JSON object a line on standard output; remembers nothing.
    JsonLines(JsonLines),
}

impl Ledger {
    /// Opens the ledger and reads every feed's state. Blocks: call before the runtime is busy.
    ///
    /// # Errors
    /// [`CommitError::Open`], [`CommitError::InUse`].
    pub fn open(settings: &LedgerSettings) -> Result<(Self, States), CommitError> {
        match settings {
            LedgerSettings::Sqlite(settings) => {
                let (ledger, states) = SqliteLedger::open(settings)?;
                Ok((Self::Sqlite(ledger), states))
            }
            LedgerSettings::Kafka(settings) => Err(CommitError::Open {
                path: settings.shown_brokers(),
                why: "the Kafka ledger is not complete in this version".to_owned(),
            }),
            LedgerSettings::JsonLines => Ok((Self::JsonLines(JsonLines::open()?), States::new())),
        }
    }

    /// Commits an outcome: all of it or nothing.
    ///
    /// Cancel safety: dropping the future does not undo a commit that has begun; the caller must
    /// not, then, assume either.
    ///
    /// # Errors
    /// [`CommitError::Write`], which may work next time; [`CommitError::Refused`], which will not;
    /// [`CommitError::Unread`], [`CommitError::Closed`].
    pub async fn commit(&self, outcome: Arc<Outcome>) -> Result<(), CommitError> {
        match self {
            Self::Sqlite(ledger) => ledger.commit(outcome).await,
            Self::JsonLines(ledger) => ledger.commit(outcome).await,
        }
    }

    /// Its name in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::JsonLines(_) => "json_lines",
        }
    }

    /// Where it writes, for people.
    pub fn place(&self) -> String {
        match self {
            Self::Sqlite(ledger) => ledger.path().display().to_string(),
            Self::JsonLines(_) => "standard output".to_owned(),
        }
    }

    /// Waits until everything accepted is durable, and closes.
    ///
    /// # Errors
    /// [`CommitError::Write`] if the last write did not work.
    pub async fn close(self) -> Result<(), CommitError> {
        match self {
            Self::Sqlite(ledger) => ledger.close().await,
            Self::JsonLines(_) => Ok(()),
        }
    }
}
