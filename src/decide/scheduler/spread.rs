//! Many feeds that are due at the same moment are asked one after another: after a start, when feeds are
//! added, and when the network is back.
//!
//! Without it, all hosts that share an address, and our own network, would meet them in one second, and the
//! polls that follow in the next rounds too. The order is one of chance and fixed for a feed, so it has
//! nothing to do with names or hosts.

use std::time::Duration;

use cw_model::state::FeedPlan;
use cw_model::{Feed, FeedId};

use crate::schedule::dice;
use crate::schedule::rhythm::INTERVAL_START;

/// So many are asked at once: a small installation shows something in its first seconds.
const AT_ONCE: usize = 50;

/// Between two of the others, unless that makes some wait too long.
const GAP: Duration = Duration::from_millis(100);

/// Feeds that have been polled before have all been asked after this time: what left them meanwhile is lost.
const OVERDUE_MAX: Duration = Duration::from_secs(3 * 60);

/// A feed that is due.
#[derive(Clone, Debug)]
pub(super) struct DueFeed {
    pub(super) id: FeedId,
    /// It may be asked this much later.
    pub(super) wait_max: Duration,
}

impl DueFeed {
    /// A feed, by what its polls before have planned.
    pub(super) fn new(feed: &Feed, plan: Option<&FeedPlan>) -> Self {
        let learned = plan.and_then(|plan| plan.interval);
        let interval = feed.interval.or(learned).unwrap_or(INTERVAL_START);
        let interval = interval.clamp(feed.interval_min, feed.interval_max);
        let is_polled = plan.is_some_and(|plan| plan.polled_at.is_some());
        let wait_max = if is_polled { interval.min(OVERDUE_MAX) } else { interval };
        Self { id: feed.id.clone(), wait_max }
    }
}

/// How long each of these feeds, all due now, waits. Those that are asked at once are left out.
pub(super) fn spread(mut due: Vec<DueFeed>) -> Vec<(FeedId, Duration)> {
    if due.len() <= AT_ONCE {
        return Vec::new();
    }
    due.sort_by_cached_key(|feed| (dice(&feed.id, 0).to_bits(), feed.id.clone()));
    let later = due.split_off(AT_ONCE);
    let count = u32::try_from(later.len()).unwrap_or(u32::MAX);
    let wait = |(rank, feed): (u32, DueFeed)| {
        // Whoever may wait less waits a part of that, so that these too are spread.
        let gap = GAP.min(feed.wait_max / count);
        (feed.id, gap * rank)
    };
    (1..).zip(later).map(wait).collect()
}

#[cfg(test)]
mod tests {
    use cw_model::samples;

    use super::*;

    fn due(count: usize, wait_max: Duration) -> Vec<DueFeed> {
        let feed = |number: usize| DueFeed { id: samples::id(&format!("feed{number}")), wait_max };
        (0..count).map(feed).collect()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_small_installation_is_asked_at_once() {
        assert_eq!(spread(due(AT_ONCE, MINUTE)), []);
    }

    #[test]
    fn of_many_feeds_no_two_are_asked_at_the_same_moment_and_none_later_than_it_may() {
        for (count, wait_max, last) in
            [(AT_ONCE + 100, MINUTE, Duration::from_secs(10)), (AT_ONCE + 6000, MINUTE, MINUTE)]
        {
            let waits = spread(due(count, wait_max));
            assert_eq!(waits.len(), count - AT_ONCE);
            assert_eq!(waits.last().map(|(_, wait)| *wait), Some(last));
            assert!(waits.windows(2).all(|pair| pair[0].1 < pair[1].1));
        }
    }

    #[test]
    fn a_feed_has_its_turn_wherever_it_stands_in_the_configuration() {
        let mut turned = due(200, MINUTE);
        turned.reverse();
        assert_eq!(spread(turned), spread(due(200, MINUTE)));
    }
}
