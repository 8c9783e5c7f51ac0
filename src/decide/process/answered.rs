//! How a feed stands after an answer: that it answered, where it moved, whether it was withdrawn.

use cw_model::state::{FeedPlan, FeedState, Moves, Standing, day_of};
use cw_model::{Body, Network, Timestamp};
use url::Url;

/// The longest URL that a feed's state remembers, bytes: the longest that the configuration takes. One
/// that is longer is asked without validators.
const URL_BYTES_MAX: usize = 4096;

/// Whether the publisher has said on another day before that it has withdrawn the feed: one 410 is often a
/// deployment gone wrong.
pub(super) fn is_gone_for_good(next: &mut FeedPlan, now: Timestamp) -> bool {
    // Another day and not a number of polls: a feed that is asked each minute would be gone within
    // minutes.
    let said_at = *next.gone_at.get_or_insert(now);
    day_of(said_at) < day_of(now)
}

/// A document was answered.
pub(super) fn answered(next: &mut FeedPlan, body: &Body, before: &FeedState, now: Timestamp) {
    moved(next, before, body.moved_to.as_ref(), body.network, now);
    recovered(next, now);
}

/// An answer came from where permanent redirects led, if they did.
pub(super) fn moved(
    next: &mut FeedPlan,
    before: &FeedState,
    to: Option<&Url>,
    network: Network,
    now: Timestamp,
) {
    let to = to.and_then(remembered);
    // `next` is of another URL where the feed has another one, and then its own was asked.
    let is_asked_there = next.moved_to.is_some() && before.plan.asks_at().is_some();
    match to {
        // Nobody asked whether its own URL still leads there.
        None if is_asked_there => {}
        // The same place as before, on this day once more or on another day: only another day
        // counts.
        Some(to) if next.moved_to.as_ref() == Some(&to) => {
            next.moves = next.moves.confirmed(network, now);
        }
        to => {
            let first = to.as_ref().map(|_| Moves::default().confirmed(network, now));
            next.moves = first.unwrap_or_default();
            next.moved_to = to;
        }
    }
}

/// A URL, unless it is longer than a state remembers.
pub(super) fn remembered(url: &Url) -> Option<String> {
    (url.as_str().len() <= URL_BYTES_MAX).then(|| url.to_string())
}

pub(super) fn recovered(next: &mut FeedPlan, now: Timestamp) {
    next.succeeded_at = Some(now);
    next.standing = Standing::Fine;
    next.failures = 0;
    next.last_failure = None;
    next.gone_at = None;
}
