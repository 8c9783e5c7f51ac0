//! The request of a poll, with what was true then, among those that a feed's plan keeps.

use std::sync::Arc;

use cw_model::state::{Answered, Carried, FeedPlan, FeedState, Request};
use cw_model::{Feed, Outcome, PollResult, Timestamp};

use super::trust::conditions;
use crate::schedule::{claims, claims_at, quiet};

/// The outcome of a poll, with the request of it among those that are kept. One that our own machine could not make
/// is none.
pub(super) fn with_request(
    mut outcome: Outcome,
    feed: &Feed,
    before: &FeedState,
    now: Timestamp,
) -> Outcome {
    let answered = match &outcome.result {
        PollResult::Modified(_) => Answered::Document,
        PollResult::NotModified => Answered::NotModified,
        // No request left this machine, so the publisher's log has none either.
        PollResult::Failed(failure) if failure.class.is_of_nobody() => return outcome,
        PollResult::Failed(failure) => Answered::Failed(failure.class),
    };
    // Not what the fetch says it sent: the same pure function made the request, and it needs no
    // field in the answer.
    let sent = conditions(feed, before).validators;
    let carried = Carried {
        etag: sent.values().any(|sent| sent.etag.is_some()),
        date: sent.values().any(|sent| sent.last_modified.is_some()),
    };
    let is_first = before.plan.is_of_another_url(feed);
    let (won, lost) =
        if is_first { claims(&FeedPlan::default()) } else { claims_at(&before.plan, now) };
    let plan = &mut Arc::make_mut(&mut outcome.state).plan;
    let quiet = quiet(&plan.next);
    let at = Request::second(now);
    plan.requests.push(Request { at, won, lost, carried, answered, quiet });
    outcome
}
