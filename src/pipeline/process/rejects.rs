//! What of a document is refused, and written once.

use super::budget::{Budget, Spent, reject_bytes};
use super::{FAILURES_REJECTED_MAX, REFUSED_MAX, Source, wire};
use crate::dedupe::digest::bytes_digest;
use crate::model::{Body, Digest, Feed, Reject, Timestamp};
use crate::state::FeedState;

impl Source<'_> {
    /// One for each entry that could not be read, unless it was refused before.
    pub(super) fn entry_rejects(
        &self,
        next: &mut FeedState,
        budget: &mut Budget,
    ) -> Result<Vec<Reject>, Spent> {
        let mut rejects = Vec::new();
        let problems = self.parsed.problems.iter().map(|problem| ("entry", problem));
        let over_limit = self.parsed.over_limit.iter().map(|problem| ("over_limit", problem));
        for (reason, problem) in problems.chain(over_limit) {
            let refused = Refused {
                reason,
                detail: &problem.detail,
                offset: problem.offset,
                bytes: &problem.bytes,
            };
            if let Some(reject) = reject(self.feed, next, &refused, self.body, self.now) {
                budget.spend(reject_bytes(&reject))?;
                rejects.push(reject);
            }
        }
        Ok(rejects)
    }
}

/// What is refused, of which document.
pub(super) struct Refused<'a> {
    pub(super) reason: &'static str,
    pub(super) detail: &'a str,
    pub(super) offset: Option<u64>,
    pub(super) bytes: &'a [u8],
}

/// The reject, unless the same bytes were refused before, or there are none, or the feed has added as
/// many bytes as it may today.
pub(super) fn reject(
    feed: &Feed,
    next: &mut FeedState,
    refused: &Refused<'_>,
    body: &Body,
    now: Timestamp,
) -> Option<Reject> {
    let digest: Digest = bytes_digest(refused.bytes);
    let is_known = next.refused.contains(&digest) || next.failures >= FAILURES_REJECTED_MAX;
    let is_spent = next.today.bytes >= feed.quota.bytes;
    if refused.bytes.is_empty() || is_known || is_spent {
        return None;
    }
    if next.refused.len() >= REFUSED_MAX {
        next.refused.remove(0);
    }
    next.refused.push(digest);
    let reject = wire::reject(feed, refused, &body.final_url, now);
    next.today.add(0, reject_bytes(&reject));
    Some(reject)
}
