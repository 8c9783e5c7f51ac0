//! What of a document is refused, and written once.

use cw_model::digest::bytes_digest;
use cw_model::state::UnpackedState;
use cw_model::{Body, Digest, Feed, Reject, Timestamp};
use cw_read::parse::{ParseFailure, Problem};

use super::budget::{Budget, reject_bytes};
use super::{FAILURES_REJECTED_MAX, RECORD_BYTE_STEPS, REFUSED_MAX, Source, wire};

/// Steps for each byte that is refused: a digest is made of it, and it is copied.
const REFUSED_BYTE_STEPS: usize = 4;

impl Source<'_> {
    /// One for each entry that could not be read or was passed over, and for what of the feed itself was
    /// left out, unless it was refused before.
    pub(super) fn rejects(
        &self,
        passed_over: &[Problem],
        next: &mut UnpackedState,
        budget: &mut Budget,
    ) -> Result<Vec<Reject>, ParseFailure> {
        let mut rejects = Vec::new();
        let of = |reason, problems| std::iter::repeat(reason).zip::<&[Problem]>(problems);
        let all = of("entry", &self.parsed.problems)
            .chain(of("entry", passed_over))
            .chain(of("feed", &self.parsed.feed_problems))
            .chain(of("over_limit", self.parsed.over_limit.as_slice()));
        // The order is that of importance: a quota or a budget that ends leaves out the last.
        for (reason, problem) in all {
            let refused = Refused {
                reason,
                detail: &problem.detail,
                offset: problem.offset,
                bytes: &problem.bytes,
            };
            self.steps.spend(problem.bytes.len().saturating_mul(REFUSED_BYTE_STEPS))?;
            if let Some(reject) = reject(self.feed, next, &refused, self.body, self.now) {
                let bytes = reject_bytes(&reject);
                self.steps.spend_for(bytes, RECORD_BYTE_STEPS)?;
                budget.spend(bytes)?;
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
    next: &mut UnpackedState,
    refused: &Refused<'_>,
    body: &Body,
    now: Timestamp,
) -> Option<Reject> {
    let digest: Digest = bytes_digest(refused.bytes);
    // The digest alone and not the reason: an entry that is broken in another way tomorrow has the
    // same bytes.
    let is_known =
        next.memory.refused.contains(&digest) || next.plan.failures >= FAILURES_REJECTED_MAX;
    let is_spent = next.plan.today.bytes >= feed.quota.bytes;
    if refused.bytes.is_empty() || is_known || is_spent {
        return None;
    }
    if next.memory.refused.len() >= REFUSED_MAX {
        // The oldest goes. If it is still there at the next poll, it is written once more.
        next.memory.refused.remove(0);
    }
    next.memory.refused.push(digest);
    let reject = wire::reject(feed, refused, &body.final_url, now);
    next.plan.today.add(0, reject_bytes(&reject));
    Some(reject)
}
