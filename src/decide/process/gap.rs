//! Documents between which entries may have been lost.
//!
//! A feed lists its newest entries. As long as each document shows something of the one before, nothing came and
//! went between them. Once it shows nothing of it, nobody can tell how much the feed listed in between.

use cw_model::state::{Seen, UnpackedState};
use cw_model::{Article, Instance, Reject, Timestamp};
use cw_read::parse::ParseFailure;

use super::budget::{Budget, reject_bytes};
use super::{RECORD_BYTE_STEPS, Refused, Source, wire};

/// Between two documents nothing is known of what the feed listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// When the feed was last known to list nothing that was not read.
    after: Option<Timestamp>,
}

impl Source<'_> {
    /// The gap before this document, if there is one: it lists articles, and none of those of the last document that
    /// listed any. What it says to be deleted counts as listed.
    ///
    /// A delta says nothing of what it does not list, and another URL may list something else.
    pub(super) fn gap(&self, shown: &[Article], gone: &[Article], seen: &Seen) -> Option<Gap> {
        let is_comparable = self.body.instance != Instance::Delta
            && !self.state.plan.is_of_another_url(self.feed)
            && !shown.is_empty();
        let window = seen.last_window().filter(|_| is_comparable)?;
        let is_of_it =
            |article: &Article| seen.find(article.id).is_some_and(|seen| seen.last_seen == window);
        let overlaps = shown.iter().chain(gone).any(is_of_it);
        (!overlaps).then(|| Gap { after: self.answered_before() })
    }

    /// What is written of a gap: each once, whatever else the feed has added today.
    pub(super) fn reject_of_gap(
        &self,
        gap: Gap,
        next: &mut UnpackedState,
        budget: &mut Budget,
    ) -> Result<Reject, ParseFailure> {
        let observed = wire::observed(gap.after, self.now);
        let after = observed.after.as_deref().unwrap_or("..");
        let interval = format!("{after}/{}", observed.at);
        let listed = self.parsed.entries.len();
        let detail = format!(
            "none of the entries of the document before is among the {listed} of this one; what the feed \
             listed only between {after} and {} was not read",
            observed.at
        );
        let bytes = interval.as_bytes();
        let refused = Refused { reason: "gap", detail: &detail, offset: None, bytes };
        let reject = wire::reject(self.feed, &refused, &self.body.final_url, self.now);
        let bytes = reject_bytes(&reject);
        self.steps.spend_for(bytes, RECORD_BYTE_STEPS)?;
        budget.spend(bytes)?;
        next.plan.today.add(0, bytes);
        Ok(reject)
    }
}
