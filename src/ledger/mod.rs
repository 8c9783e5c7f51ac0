//! Makes outcomes durable: records, rejects and feed state as one act.
//!
//! A ledger deals the feeds out in **lanes**. A lane is polled only by whoever holds its lease, from
//! when it was given, with the states of its feeds, until it is taken; an outcome is committed under
//! the lease that its poll began with, or not at all. A ledger that nobody shares has one lane,
//! given once and never taken.

pub mod copy;
pub mod filter;
pub mod json_lines;
pub mod kafka;
pub mod sqlite;

use std::collections::BTreeMap;
use std::sync::Arc;

use cw_decide::scheduler::{Look, Sequences};
use cw_decide::{Lease, Past, States};
use cw_model::state::FeedState;
use cw_model::{FeedId, Outcome};
use cw_status::Metrics;
pub use json_lines::JsonLines;
pub use kafka::KafkaLedger;
pub use kafka::settings::KafkaSettings;
pub use sqlite::SqliteLedger;
use sqlite::history::History;
use tokio::sync::mpsc;

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

/// What changes about which feeds may be polled.
#[derive(Debug)]
pub enum LaneChange {
    /// The lane is ours: these are the states of its feeds, as the ledger has them.
    Given {
        /// What its outcomes are committed under.
        lease: Lease,
        /// Of every feed ever committed in the lane.
        states: States,
        /// Whether whoever had it before gave it back.
        past: Past,
    },
    /// The lane is not ours any more. What is under way in it comes to nothing.
    Taken {
        /// What is void.
        lease: Lease,
    },
    /// The ledger cannot go on.
    Over(CommitError),
}

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
    /// What is configured and what is there do not fit: no restart will mend it.
    #[error("{0}")]
    Misconfigured(String),
    /// The disk is full, the file went away, …: may work next time.
    #[error("could not write to \"{path}\": {why}")]
    Write {
        /// The file, or "standard output".
        path: String,
        /// What the system said.
        why: String,
    },
    /// The outcome contradicts what is committed already, or fits nowhere: trying it again changes
    /// nothing; other outcomes are not touched by it.
    #[error("cannot write to \"{path}\": {why}")]
    Refused {
        /// The file or topic.
        path: String,
        /// What contradicts what.
        why: String,
    },
    /// The lane was taken before the outcome was committed; whoever has it polls the feed again.
    #[error("the lane was taken before the outcome was committed")]
    Taken,
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
    /// Topics, one transaction a commit, lanes shared out by a consumer group.
    Kafka(KafkaLedger),
    /// One database file, one database transaction a commit.
    Sqlite(SqliteLedger),
    /// One JSON object a line on standard output; remembers nothing.
    JsonLines(JsonLines),
}

impl Ledger {
    /// Opens the ledger. Blocks: call before the runtime is busy, but inside it.
    ///
    /// What may be polled comes over the channel: at once for a ledger that nobody shares, when
    /// Kafka gives it for one that is shared.
    ///
    /// # Errors
    /// [`CommitError::Open`], [`CommitError::InUse`], [`CommitError::Misconfigured`].
    pub fn open(
        settings: &LedgerSettings,
        metrics: &Arc<Metrics>,
    ) -> Result<(Self, mpsc::Receiver<LaneChange>), CommitError> {
        match settings {
            LedgerSettings::Kafka(settings) => {
                let (ledger, changes) = KafkaLedger::open(settings, metrics)?;
                Ok((Self::Kafka(ledger), changes))
            }
            LedgerSettings::Sqlite(settings) => {
                let (ledger, states, past) = SqliteLedger::open(settings)?;
                Ok((Self::Sqlite(ledger), given_once(states, past)))
            }
            LedgerSettings::JsonLines => {
                let given = given_once(States::new(), Past::default());
                Ok((Self::JsonLines(JsonLines::open()?), given))
            }
        }
    }

    /// How many lanes it deals feeds out in, by host. Feeds of a host are polled from one place.
    pub fn lanes(&self) -> u32 {
        match self {
            Self::Kafka(ledger) => ledger.lanes(),
            Self::Sqlite(_) | Self::JsonLines(_) => 1,
        }
    }

    /// Reads lanes to the end of their logs, and says which of these feeds have a state in which.
    ///
    /// # Errors
    /// [`CommitError::Write`] if a lane could not be read: may work next time.
    pub async fn look(&self, look: Arc<Look>) -> Result<BTreeMap<FeedId, Sequences>, CommitError> {
        match self {
            Self::Kafka(ledger) => ledger.look(look).await,
            Self::Sqlite(_) | Self::JsonLines(_) => Ok(BTreeMap::new()),
        }
    }

    /// Commits an outcome: all of it or nothing. Gives the state that was committed, if it is another
    /// than the outcome's: a record that no topic takes is not published.
    ///
    /// Cancel safety: dropping the future does not undo a commit that has begun; the caller must
    /// not, then, assume either.
    ///
    /// # Errors
    /// [`CommitError::Write`], which may work next time; [`CommitError::Refused`], which will not;
    /// [`CommitError::Taken`]; [`CommitError::Unread`], [`CommitError::Closed`].
    pub async fn commit(
        &self,
        lease: Lease,
        outcome: Arc<Outcome>,
    ) -> Result<Option<Arc<FeedState>>, CommitError> {
        match self {
            Self::Kafka(ledger) => ledger.commit(lease, outcome).await,
            Self::Sqlite(ledger) => ledger.commit(outcome).await.map(|()| None),
            Self::JsonLines(ledger) => ledger.commit(outcome).await.map(|()| None),
        }
    }

    /// Somebody waits for a place that outcomes hold: a ledger that gathers them to commit them
    /// together stops gathering.
    pub fn hurry(&self) {
        match self {
            Self::Kafka(ledger) => ledger.hurry(),
            Self::Sqlite(ledger) => ledger.hurry(),
            Self::JsonLines(_) => {}
        }
    }

    /// No more polls will begin: from now on nothing is gathered, and what cannot be committed is
    /// given up instead of tried again and again.
    pub fn begin_drain(&self) {
        match self {
            Self::Kafka(ledger) => ledger.begin_drain(),
            Self::Sqlite(ledger) => ledger.begin_drain(),
            Self::JsonLines(_) => {}
        }
    }

    /// Whom to ask for what was committed, beside this process's own commits; `None` of topics and lines, which are read
    /// from one end alone.
    pub fn history(&self) -> Option<History> {
        match self {
            Self::Sqlite(ledger) => Some(ledger.history()),
            Self::Kafka(_) | Self::JsonLines(_) => None,
        }
    }

    /// What its files hold, bytes; none, if it has none.
    pub fn file_bytes(&self) -> u64 {
        match self {
            Self::Sqlite(ledger) => ledger.file_bytes(),
            Self::Kafka(_) | Self::JsonLines(_) => 0,
        }
    }

    /// Its name in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kafka(_) => "kafka",
            Self::Sqlite(_) => "sqlite",
            Self::JsonLines(_) => "json_lines",
        }
    }

    /// Where it writes, for people.
    pub fn place(&self) -> String {
        match self {
            Self::Kafka(ledger) => ledger.place(),
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
            Self::Kafka(ledger) => ledger.close().await,
            Self::Sqlite(ledger) => ledger.close().await,
            Self::JsonLines(_) => Ok(()),
        }
    }
}

/// Makes of an outcome everything that a ledger would write of it, and drops it: what that takes of
/// memory and time can be tried where it does no harm.
pub fn rehearse(outcome: &Outcome) {
    sqlite::rehearse(outcome);
    kafka::rehearse(outcome);
}

/// The one lane of a ledger that nobody shares.
const THE_LANE: Lease = Lease { lane: 0, epoch: 0 };

fn given_once(states: States, past: Past) -> mpsc::Receiver<LaneChange> {
    let (changes, given) = mpsc::channel(1);
    // There is room for one, and its receiver is here.
    let _room = changes.try_send(LaneChange::Given { lease: THE_LANE, states, past });
    given
}
