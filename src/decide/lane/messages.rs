//! What a lane is told, what it wants done, and what it wants known.

use std::sync::Arc;
use std::time::Duration;

use cw_model::state::FeedState;
use cw_model::{FeedId, LaneState};
use strum::IntoStaticStr;

use super::group::Submitted;
use super::log::{Contradiction, Restored};
use super::stop::{GiveUp, Stop};
use super::wire::{Head, LeftOut, Line};
use crate::{Lease, Moment, Past, States};

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undone {
    /// Brokers are away or slow, or do not let us: it may work next time.
    #[error("{0}")]
    Away(String),
    /// The log contradicts itself.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// It was given up, as [`GiveUp`] said.
    #[error("given up")]
    GivenUp,
}

/// Why a transaction is not known to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened, for a person.
    pub text: String,
    /// Whether it may be committed all the same.
    pub is_doubtful: bool,
    /// Lines that a broker refused for what they are, if it said which.
    pub refused: Vec<usize>,
}

/// What the topics are, as of the last look at them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// Partitions of the articles, conflict and rejects topics.
    pub partitions: [u32; 3],
    /// What every one of the topics takes; `None` if we may not know.
    pub record_bytes_max: Option<usize>,
}

/// What happened. `T` is whoever waits for a commit.
#[derive(Debug)]
pub enum Event<T> {
    /// The wait that [`Next`] asked for is over.
    Elapsed,
    /// [`Next::AwaitGroup`]: the consumer group has been heard since, and the lane is still ours.
    GroupHeard(Result<(), Undone>),
    /// [`Next::Fence`].
    Fenced(Result<(), Undone>),
    /// [`Next::Restore`], with a number for the lease that was never given before.
    Restored(Result<Restored, Undone>, u64),
    /// [`Next::Commit`]: the offset of `__lane`.
    Committed(Result<i64, Failure>),
    /// [`Next::ReadHeads`]: every `__lane` after the one asked for, oldest first.
    HeadsRead(Result<Vec<(Head, i64)>, Undone>),
    /// [`Next::Receive`]: an outcome.
    Submitted(Submitted<T>),
    /// [`Next::Receive`]: the closed queue is empty.
    QueueEmpty,
    /// Somebody waits for a place that outcomes hold.
    Hurried,
    /// The topics have been looked at.
    TopicsSeen(Topics),
    /// What the lane has been told about its end has changed.
    Told(Stop),
}

/// How records are put together by a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// What every topic takes, if that is known: a larger batch would be refused as one.
    pub record_bytes_max: Option<usize>,
    /// Each record alone, to learn which of them a broker refuses.
    pub is_careful: bool,
}

/// What the driver does next. Exactly one at a time; each but the last ends with an event.
#[derive(Debug)]
pub enum Next<'a> {
    /// Wait until the consumer group has been polled since now: a process that slept learns so that
    /// its lanes were given to others, before it fences one. Given up when a stop is requested.
    AwaitGroup,
    /// Make a new producer and fence all that had the lane's transactional id before.
    Fence(Batching, GiveUp),
    /// Read the partition from its beginning to the high watermark. Given up when a stop is requested.
    Restore,
    /// Read every `__lane` after this offset, to the high watermark. Given up when all is over.
    ReadHeads(i64),
    /// Commit these lines as one transaction, in this order. Given up when all is over.
    Commit(Vec<&'a Line>),
    /// Wait for an outcome, but no longer than until then. Outcomes that are there come first.
    Receive(Option<Moment>),
    /// Wait until then. Outcomes stay in the queue.
    Rest(Moment),
    /// Nothing: the lane has ended here.
    End,
}

/// What is to be done at once, and cannot fail.
#[derive(Debug)]
pub enum Effect<T> {
    /// The lane is ours: open a queue under this lease and tell the scheduler.
    Give {
        /// What outcomes are committed under.
        lease: Lease,
        /// Of every feed ever committed in the lane.
        states: States,
        /// How the owners before left it.
        past: Past,
    },
    /// The lease is void: close the queue to whoever would submit, and tell the scheduler.
    CloseQueue(Lease),
    /// What is still in the queue is not committed; whoever waits for it learns that.
    DropQueue,
    /// Drop the producer. What it left open is aborted by the next fence.
    DropProducer,
    /// What became of an outcome.
    Answer(T, Answer),
    /// Where the lane stands now, and why, for a person.
    Status(LaneState, String),
    /// The lane is not ours any more.
    Gone,
    /// To be counted.
    Count(Count),
    /// To be logged.
    Log(Notice),
}

/// What became of an outcome.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is committed; with the state that was written, if that is not the outcome's.
    Committed(Option<Arc<FeedState>>),
    /// The lane was taken first; whoever has it now polls the feed again.
    Taken,
    /// It can never be committed. Other outcomes are not touched by that.
    Refused(String),
}

/// What became of a transaction in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Found {
    /// It stands in the log.
    Committed,
    /// It does not, and never will.
    Aborted,
    /// Somebody else has committed in the lane.
    Taken,
}

impl Found {
    /// Its name in metrics and logs.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What metrics count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// A transaction was committed.
    Committed {
        /// From its beginning, with what it took to find out.
        took: Duration,
        /// Transactions ever committed in the lane.
        sequence: u64,
        /// What it added to the topics, before compression.
        bytes: usize,
        /// Rejects that stand for records which no topic takes.
        unpublished: usize,
    },
    /// A transaction came to nothing, or nobody knows yet to what.
    Failed,
    /// What became of one in doubt.
    Resolved(Found),
    /// Another replica had the lane meanwhile.
    Fenced,
    /// The lane's states are read.
    Restored {
        /// From its assignment, or from when it was taken up anew.
        took: Duration,
        /// Transactions ever committed in the lane.
        sequence: u64,
    },
}

/// What people are told in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is ours and its states are read.
    Restored {
        /// Transactions ever committed in it.
        sequence: u64,
    },
    /// It could not be taken up for now.
    NotTakenUp {
        /// For a person.
        why: String,
    },
    /// Its log contradicts itself.
    Quarantined {
        /// For a person.
        why: String,
    },
    /// Another replica has had it.
    Fenced {
        /// For a person.
        why: String,
    },
    /// The topics have changed; it is taken up anew.
    TopicsChanged,
    /// A transaction did not end well.
    TransactionFailed {
        /// Which.
        sequence: u64,
        /// For a person.
        why: String,
        /// Whether the one before failed for the same.
        is_repeated: bool,
    },
    /// What became of it was looked up.
    LookedUp(Found),
    /// That could not be looked up for now.
    NotLookedUp {
        /// For a person.
        why: String,
    },
    /// Transactions are committed again.
    CommitsAgain,
    /// Records that no topic takes.
    TooLarge {
        /// Whose.
        feed: FeedId,
        /// Which.
        records: Vec<LeftOut>,
        /// What a record may take, bytes.
        limit: usize,
    },
    /// A state that was put off cannot be written.
    StateUnwritable {
        /// Whose.
        feed: FeedId,
        /// For a person.
        why: String,
    },
}
