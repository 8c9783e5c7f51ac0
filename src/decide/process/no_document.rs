//! Polls that brought no document: the publisher has nothing new, or there was a failure.

use cw_model::reject::{DETAIL_BYTES_MAX, cut};
use cw_model::state::{FeedState, LastFailure, Standing};
use cw_model::{
    Failure, FailureClass, Feed, NotModified, Outcome, PollResult, Reject, Timestamp, Validators,
};

use super::answered::{
    OwnWord, Whereabouts, asked_at, is_gone_for_good, moved, not_there, recovered,
};
use super::outcome;
use super::planned::{nothing_new, schedule};
use super::trust::after_not_modified;
use crate::schedule::rhythm::INTERVAL_START;
use crate::schedule::{Hints, dice, plan, plan_after_local_trouble};

pub(super) fn not_modified(
    feed: &Feed,
    answer: &NotModified,
    before: &FeedState,
    mut next: FeedState,
    now: Timestamp,
) -> Outcome {
    // RFC 9111, 4.3.4: what the 304 carries replaces what is stored; the rest stays. Without anything
    // stored we did not ask for one.
    let url = answer.final_url.as_str();
    if let Some(stored) = next.memory.validators().remove(url) {
        let Validators { etag, last_modified } = answer.validators.clone();
        let replaced = Validators {
            etag: etag.or_else(|| stored.etag.clone()),
            last_modified: last_modified.or_else(|| stored.last_modified.clone()),
        };
        if replaced != stored {
            let mut unpacked = next.unpack();
            unpacked.memory.validators.insert(url.to_owned(), replaced);
            next = unpacked.pack();
        }
    }
    let (redirected, said) = (answer.moved_to.as_ref(), OwnWord::AsBefore);
    let whereabouts = Whereabouts { redirected, said, network: answer.network };
    moved(&mut next.plan, feed, before, whereabouts, now);
    next.plan.trust = after_not_modified(next.plan.trust, now);
    recovered(&mut next.plan, now);
    let (ttl, skips) = (next.plan.next.ttl, next.plan.next.skips);
    let (fresh_for, retry_after) = (answer.freshness.0, answer.wait);
    let hints = Hints { fresh_for, ttl, skips, retry_after, ..Hints::default() };
    schedule(feed, &mut next.plan, &hints, &nothing_new(feed, before, now));
    outcome(feed, PollResult::NotModified, Vec::new(), Vec::new(), next)
}

pub(super) fn failed(
    feed: &Feed,
    mut failure: Failure,
    rejects: Vec<Reject>,
    mut next: FeedState,
    now: Timestamp,
) -> Outcome {
    let next_plan = &mut next.plan;
    let dice = dice(&feed.id, next_plan.sequence);
    if failure.class.is_of_nobody() {
        // Nobody asked the publisher, so nothing counts against it.
        next_plan.next = plan_after_local_trouble(feed, &next_plan.next, now, dice);
        return outcome(feed, PollResult::Failed(failure), Vec::new(), rejects, next);
    }
    // As it was asked, which failures have a say in.
    let by = next_plan.moves.by;
    if by.is_own_word() && asked_at(feed, next_plan).is_some() {
        not_there(next_plan, failure.class);
    }
    next_plan.failures = next_plan.failures.saturating_add(1);
    failure.detail = cut(failure.detail, DETAIL_BYTES_MAX);
    let is_gone = failure.class == FailureClass::Gone && is_gone_for_good(next_plan, now);
    next_plan.standing = if is_gone { Standing::Gone } else { Standing::Failing };
    let (class, detail) = (failure.class, failure.detail.clone());
    next_plan.last_failure = Some(Box::new(LastFailure { class, detail, at: now }));
    let hints = Hints {
        interval: next_plan.interval.unwrap_or(INTERVAL_START),
        failures: next_plan.failures,
        fresh_for: None,
        ttl: next_plan.next.ttl,
        skips: next_plan.next.skips,
        retry_after: failure.retry_after,
        // Until it is said again, it is a failure like others.
        failed_by: Some(failure.class).filter(|class| is_gone || *class != FailureClass::Gone),
        quota: None,
        safety_net: None,
    };
    next_plan.next = plan(feed, &hints, now, dice);
    outcome(feed, PollResult::Failed(failure), Vec::new(), rejects, next)
}
