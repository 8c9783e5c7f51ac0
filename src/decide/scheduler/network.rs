//! Whether the network is away: ours, not one host's.
//!
//! When hosts that answered before fall silent one after another, and nobody answers in between, then it
//! is not they who fail. A host counts by what it did before: one that was silent already says nothing,
//! one that was never asked little. Any answer from anybody means that the network is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cw_model::FeedId;
use cw_model::state::FeedPlan;

use super::Moment;
use crate::schedule::conduct::{Heard, is_silent_failure};

/// The weight of hosts that must fall silent: five that answered before, or ten that were never asked.
const WEIGHT_MAX: usize = 10;

/// Where there are fewer hosts, all of them must, and at least three.
const WEIGHT_MIN: usize = 6;

/// No more hosts than this are few.
pub(super) const FEW_HOSTS: usize = WEIGHT_MAX;

/// While the network is away, so many feeds are asked at once whether it is back.
pub(super) const PROBES: usize = 3;

/// Between two rounds of them.
const PROBE_WAIT: Duration = Duration::from_secs(10);

/// How much the silence of a feed's host says, by its polls before: twice as much if it answered before as if
/// nothing is known, and nothing if it was silent.
pub(super) fn weight(plan: Option<&FeedPlan>) -> usize {
    let Some(plan) = plan.filter(|plan| plan.polled_at.is_some()) else { return 1 };
    let failure = plan.last_failure.as_ref().filter(|_| plan.failures > 0);
    if failure.is_some_and(|failure| is_silent_failure(failure.class)) { 0 } else { 2 }
}

/// What a request has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// The network is away.
    Lost,
    /// It is there again.
    Back,
}

/// Hosts and feeds that were silent since anybody last answered.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// How much each host says.
    pub(super) hosts: BTreeMap<String, usize>,
    pub(super) feeds: BTreeSet<FeedId>,
}

/// Whether the network is away.
#[derive(Debug, Default)]
pub(super) struct Network {
    silent: Silent,
    /// When anybody last answered.
    heard_at: Option<Moment>,
    /// While it is away, when it is asked for next.
    probe_at: Option<Moment>,
}

impl Network {
    /// How many hosts were silent since anybody last answered.
    pub(super) fn silent_hosts(&self) -> usize {
        self.silent.hosts.len()
    }

    pub(super) fn is_away(&self) -> bool {
        self.probe_at.is_some()
    }

    /// When a feed may be asked whether the network is back, if it is away.
    pub(super) fn probe_at(&self) -> Option<Moment> {
        self.probe_at
    }

    /// Feeds were asked whether it is back.
    pub(super) fn probed(&mut self, at: Moment) {
        if let Some(probe_at) = &mut self.probe_at {
            *probe_at = at + PROBE_WAIT;
        }
    }

    /// A request of a feed has ended that began at `began_at`. `all` is the weight of all hosts, if they are few.
    pub(super) fn note(
        &mut self,
        feed: &FeedId,
        (host, weight): (&str, usize),
        heard: Heard,
        all: Option<usize>,
        (began_at, at): (Moment, Moment),
    ) -> Change {
        match heard {
            Heard::Unclear => Change::None,
            Heard::Answer => {
                self.heard_at = Some(at);
                if self.is_away() {
                    return Change::Back;
                }
                self.silent = Silent::default();
                Change::None
            }
            Heard::Silence => {
                self.silent.feeds.insert(feed.clone());
                // It began before somebody answered, so the network was there in its time.
                if self.heard_at.is_some_and(|heard_at| began_at <= heard_at) {
                    return Change::None;
                }
                let known = self.silent.hosts.entry(host.to_owned()).or_default();
                // By host, however many feeds it has: one server that is down must not look like a
                // network.
                *known = weight.max(*known);
                let wanted = all.unwrap_or(WEIGHT_MAX).clamp(WEIGHT_MIN, WEIGHT_MAX);
                if self.is_away() || self.silent.hosts.values().sum::<usize>() < wanted {
                    return Change::None;
                }
                self.probe_at = Some(at + PROBE_WAIT);
                Change::Lost
            }
        }
    }

    /// It is there again. Those that were silent meanwhile are not to blame.
    pub(super) fn end(&mut self) -> Silent {
        self.probe_at = None;
        std::mem::take(&mut self.silent)
    }
}

#[cfg(test)]
mod tests {
    use cw_model::samples;

    use super::*;

    /// What a row of requests to hosts of this weight comes to.
    fn after(requests: &[(&str, usize, Heard)], all: Option<usize>) -> bool {
        let mut network = Network::default();
        for (second, (host, weight, heard)) in (1..).zip(requests) {
            let ended_at = Moment::after_start(Duration::from_secs(second));
            let times = (Moment::after_start(Duration::from_secs(second - 1)), ended_at);
            network.note(&samples::id(host), (host, *weight), *heard, all, times);
        }
        network.is_away()
    }

    fn row(hosts: &[&'static str], weight: usize) -> Vec<(&'static str, usize, Heard)> {
        hosts.iter().map(|host| (*host, weight, Heard::Silence)).collect()
    }

    const TEN: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

    #[test]
    fn hosts_that_answered_before_and_fall_silent_together_show_that_the_network_is_away() {
        assert!(!after(&row(&TEN[..4], 2), None));
        assert!(after(&row(&TEN[..5], 2), None));
        assert!(!after(&row(&["a"; 20], 2), None), "one host shows only that it is away itself");
        assert!(!after(&row(&TEN[..9], 1), None));
        assert!(after(&row(&TEN, 1), None));
        assert!(!after(&row(&TEN, 0), None), "they were silent before");
    }

    #[test]
    fn any_answer_shows_that_it_is_there_and_what_is_unclear_shows_nothing() {
        let mut requests = row(&TEN, 2);
        requests.insert(4, ("k", 0, Heard::Answer));
        requests.truncate(9);
        assert!(!after(&requests, None));
        requests[4].2 = Heard::Unclear;
        assert!(after(&requests, None));
    }

    #[test]
    fn where_there_are_few_hosts_all_of_them_must_be_silent() {
        assert!(!after(&row(&TEN[..2], 2), Some(4)), "two may well fail together");
        assert!(!after(&row(&TEN[..3], 2), Some(8)));
        assert!(after(&row(&TEN[..4], 2), Some(8)));
        assert!(after(&row(&TEN[..3], 2), Some(6)));
    }
}
