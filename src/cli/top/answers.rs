//! What the daemon's API answers, as far as it is shown. Fields that a later version adds are ignored.

use cw_model::Timestamp;
use serde::Deserialize;

/// `/api/status`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Status {
    pub(super) version: String,
    pub(super) at: Timestamp,
    pub(super) uptime_seconds: u64,
    pub(super) why_not_ready: Option<String>,
    pub(super) configuration: String,
    /// The lists of feeds by URL.
    #[serde(default)]
    pub(super) lists: Vec<FeedList>,
    pub(super) feeds: FeedCounts,
    pub(super) ledger: Ledger,
    pub(super) last_minutes: LastMinutes,
}

/// A list of feeds by URL.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FeedList {
    pub(super) url: String,
    /// Why what its server has is not in use, if so.
    pub(super) why: Option<String>,
}

/// How many feeds stand how.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FeedCounts {
    pub(super) total: usize,
    pub(super) new: usize,
    pub(super) fine: usize,
    pub(super) failing: usize,
    pub(super) crashed: usize,
    pub(super) gone: usize,
    pub(super) due: usize,
    pub(super) overdue_seconds: u64,
    pub(super) polls_in_flight: usize,
}

/// Where it commits.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Ledger {
    pub(super) kind: String,
    pub(super) place: String,
    pub(super) trouble: Option<String>,
    /// The replicas that share its lanes, if they are known.
    #[serde(default)]
    pub(super) replicas: Option<Vec<Replica>>,
    /// What of them cannot be seen from here.
    #[serde(default)]
    pub(super) unseen: Option<String>,
}

/// One of the replicas.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Replica {
    pub(super) name: String,
    pub(super) address: Option<String>,
    #[serde(rename = "self")]
    pub(super) is_self: bool,
    pub(super) lanes: Vec<u32>,
}

/// What was done lately.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LastMinutes {
    pub(super) minutes: u64,
    pub(super) polls: u64,
    pub(super) failed: u64,
    pub(super) records: u64,
    pub(super) relevant: u64,
}

/// `/api/feeds`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Feeds {
    pub(super) total: usize,
    pub(super) feeds: Vec<Feed>,
}

/// A feed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Feed {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) polling: bool,
    pub(super) next_poll_at: Option<Timestamp>,
    pub(super) because: Option<String>,
    pub(super) polled_at: Option<Timestamp>,
    pub(super) failures: u32,
    pub(super) failure: Option<String>,
}

/// `/api/hosts`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Hosts {
    pub(super) total: usize,
    pub(super) hosts: Vec<Host>,
}

/// A host.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Host {
    pub(super) host: String,
    pub(super) feeds: usize,
    pub(super) polling: usize,
    pub(super) next_poll_at: Option<Timestamp>,
    pub(super) fine: usize,
    pub(super) failing: usize,
    pub(super) gone: usize,
}

/// `/api/lanes`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Lanes {
    pub(super) total: usize,
    pub(super) lanes: Vec<Lane>,
}

/// A lane.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Lane {
    pub(super) lane: u32,
    pub(super) state: String,
    pub(super) why: Option<String>,
    pub(super) feeds: usize,
}

/// An event of `/api/events`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) at: Timestamp,
    pub(super) feed: String,
    pub(super) result: String,
    pub(super) class: Option<String>,
    pub(super) records: u64,
    pub(super) relevant: u64,
    pub(super) rejects: u64,
}
