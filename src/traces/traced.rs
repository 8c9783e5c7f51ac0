//! A poll that has ended, as far as its trace tells of it.

use std::time::Duration;

use cw_model::{EntryCounts, Failure, PollResult, Timestamp};

use super::PollEnded;

/// A poll that has ended. Times are counted from its beginning.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Traced {
    pub(super) began_at: Timestamp,
    pub(super) took: Duration,
    pub(super) feed: String,
    pub(super) scheme: &'static str,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) lane: u32,
    pub(super) ended: PollEnded,
    pub(super) fetch: Option<Fetch>,
    pub(super) read: Option<ReadSpan>,
}

/// A request and its redirects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fetch {
    pub(super) until: Duration,
    /// Of the last answer, where it is one that means something by itself.
    pub(super) status: Option<u16>,
    /// Of the body, as sent and as it is.
    pub(super) bytes: Option<(u64, u64)>,
    pub(super) failure: Option<Failure>,
}

/// The reading of what came, with the pages it wants.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReadSpan {
    pub(super) from: Duration,
    pub(super) until: Duration,
    pub(super) result: PollResult,
    pub(super) records: usize,
}

impl Traced {
    /// How many spans it has: one of its own, and those of what it came to.
    pub(super) fn spans(&self) -> u64 {
        1 + u64::from(self.fetch.is_some()) + 2 * u64::from(self.read.is_some())
    }

    /// Why it came to nothing, if it did.
    pub(super) fn failure(&self) -> Option<&Failure> {
        let of_fetch = || self.fetch.as_ref().and_then(|fetch| fetch.failure.as_ref());
        // One that was given up before it was read is told by its request.
        self.read.as_ref().map_or_else(of_fetch, ReadSpan::failure)
    }
}

impl ReadSpan {
    pub(super) fn counts(&self) -> Option<EntryCounts> {
        match &self.result {
            PollResult::Modified(counts) => Some(*counts),
            PollResult::NotModified | PollResult::Failed(_) => None,
        }
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        match &self.result {
            PollResult::Failed(failure) => Some(failure),
            PollResult::Modified(_) | PollResult::NotModified => None,
        }
    }
}
