//! What a poll changes.

use std::sync::Arc;

use super::{Failure, FeedId, Reject, Routed};
use crate::state::FeedState;

/// How the entries of one poll divide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryCounts {
    /// Articles not seen before and published.
    pub new: u64,
    /// Later revisions.
    pub revised: u64,
    /// Seen before, same digest.
    pub unchanged: u64,
    /// First seen and, by the backlog setting, only remembered.
    pub skipped: u64,
    /// Taken back by the publisher.
    pub withdrawn: u64,
    /// Said to be taken back, and passed over: not known here, shown by a later update, named twice or
    /// not at all, or past the first few thousand.
    pub withdrawal_ignored: u64,
    /// Could not be read, or gave way to another entry of the document with the same id.
    pub rejected: u64,
    /// Beyond `parse.entries_max`, and left out.
    pub over_limit: u64,
    /// Left unread until tomorrow: the feed has added as much as it may in a day.
    pub over_quota: u64,
    /// No entries, but 1 if the document lists nothing of the one before it: what the feed listed only in
    /// between was not read.
    pub gaps: u64,
}

/// What a poll came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollResult {
    /// A document was read.
    Modified(EntryCounts),
    /// 304.
    NotModified,
    /// Nothing was read; the feed is asked again at `state.due_at`.
    Failed(Failure),
}

/// How soon an outcome must be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// With the next commit: it publishes something, or says what a publisher asked of us.
    Prompt,
    /// Whenever it suits: were it lost, the feed would be polled once more and answer the same.
    Lazy,
}

/// What of its feed's state an outcome has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The plan alone: the memory is that of the state before, and need not be written again.
    Plan,
    /// The memory too, as far as is known.
    Memory,
}

/// Everything one poll changes. Committed as one act or not at all.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whose poll.
    pub feed_id: FeedId,
    /// What the poll came to.
    pub result: PollResult,
    /// To be published, in document order from oldest to newest; what was withdrawn comes last.
    pub records: Vec<Routed>,
    /// To be kept for inspection.
    pub rejects: Vec<Reject>,
    /// What the next poll must know: the whole state, replacing the one before.
    pub state: Arc<FeedState>,
    /// How soon it must be durable. A ledger may take everything for prompt.
    pub urgency: Urgency,
    /// What of `state` must be written. A ledger may write all of it.
    pub changed: Changed,
    /// What all of it takes, in memory or as written, whichever is more.
    pub bytes: u64,
}
