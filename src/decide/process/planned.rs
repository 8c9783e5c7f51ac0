//! The next poll of a feed that answered: what its pace says, what its hub is good for, and what was asked for.

use cw_model::state::{FeedPlan, FeedState};
use cw_model::{Feed, Timestamp};

use crate::schedule::rhythm::{Bounds, Heard, learned, longest, wait};
use crate::schedule::{Hints, dice, plan};
use crate::subscription;

/// Plans it.
pub(super) fn schedule(feed: &Feed, next: &mut FeedPlan, hints: &Hints, heard: &Heard<'_>) {
    let bounds = Bounds { min: feed.interval_min, max: feed.interval_max };
    // `next.interval` only for states of before there were rhythms: the first rhythm starts from
    // it.
    let rhythm = learned(next.rhythm, next.interval, heard);
    let interval = wait(&rhythm, heard, bounds);
    (next.rhythm, next.interval) = (Some(rhythm), Some(interval));
    let has_news = !heard.came.is_empty();
    let safety_net = next.subscription.as_deref_mut().and_then(|hub| {
        // Before the safety net: news that the hub did not tell of is what ends the trust in it.
        if has_news {
            subscription::found_news(hub, heard.after, heard.at);
        }
        let longest = || longest(&rhythm, heard, bounds);
        subscription::safety_net(hub, (interval, longest), (has_news, heard.after), heard.at)
    });
    let hints = Hints { interval, safety_net, ..*hints };
    // The jitter is a dice of feed and sequence and not of chance: a poll that is made again after
    // a crash plans the same.
    next.next = plan(feed, &hints, heard.at, dice(&feed.id, next.sequence));
}

/// The last poll of a feed's URL that was answered.
pub(super) fn answered_before(feed: &Feed, state: &FeedState) -> Option<Timestamp> {
    state.plan.succeeded_at.filter(|_| !state.plan.is_of_another_url(feed))
}

/// What a poll says of the pace of a feed that lists what it listed before.
pub(super) fn nothing_new<'a>(feed: &Feed, before: &FeedState, at: Timestamp) -> Heard<'a> {
    let (after, window) = (answered_before(feed, before), before.memory.window());
    Heard { after, at, came: &[], window }
}
