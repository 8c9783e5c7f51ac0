//! How the feeds of this process stand, counted. The scheduler counts, the status shows.

use std::time::Duration;

use crate::Timestamp;

/// How things stand with hubs, by feeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionCounts {
    /// Nothing is agreed.
    pub none: usize,
    /// Asked, and not verified yet.
    pub asked: usize,
    /// Verified: the hub pushes.
    pub verified: usize,
    /// The hub refused.
    pub refused: usize,
    /// The hub does not push what it should.
    pub unreliable: usize,
}

/// One look over feeds, queue and lanes. Each feed of this process's lanes counts once, in `new` to
/// `gone`; the others count none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedCounts {
    /// Never polled.
    pub new: usize,
    /// The last poll was answered.
    pub fine: usize,
    /// The last poll failed.
    pub failing: usize,
    /// Put off, because a document ended the process that read it.
    pub crashed: usize,
    /// Withdrawn by the publisher.
    pub gone: usize,
    /// Of these: due, and not started.
    pub due: usize,
    /// How long the first of those has waited.
    pub overdue: Duration,
    /// Hosts.
    pub hosts: usize,
    /// Of these: not slow, and waiting for a place for minutes.
    pub late_hosts: usize,
    /// Of the feeds: over their quota of the day.
    pub over_quota: usize,
    /// Of the feeds: those whose publishers name a hub, by what holds with it.
    pub subscriptions: SubscriptionCounts,
    /// Polls under way.
    pub polls: usize,
    /// Lanes whose documents are read with care.
    pub careful_lanes: usize,
    /// No host answers: the network is away.
    pub is_network_away: bool,
    /// When this was.
    pub at: Timestamp,
}
