//! Where the group and each lane of this replica stand: written by their threads, read by whoever is
//! asked whether we are ready.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use cw_model::LaneState;
use cw_status::lanes::LaneMetrics;
use tokio::sync::watch;
use tokio::time::Instant;

use super::lock;

/// Where the group stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Group {
    /// Not joined yet.
    Joining,
    /// What keeps us from it.
    Away(String),
    /// Lanes have been given, if only none.
    Joined,
}

/// Where a lane stands, and which of its assignments says so.
#[derive(Debug)]
struct LaneStatus {
    assignment: u64,
    state: LaneState,
    why: String,
}

/// A lane, and one of the times that the group gave it. A lane that was lost may be given again while
/// its last assignment ends; what that one says does not count any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) lane: u32,
    /// Later assignments have higher numbers.
    pub(super) number: u64,
}

/// Between two turns of the group's consumer lies this long only if the process slept.
const SLEPT: Duration = Duration::from_secs(4);

/// How long after a sleep the group is given to say that it has gone on without us: a heartbeat and
/// its answer.
const WAKING: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct Status {
    group: Group,
    /// What is wrong with the brokers or topics, as of the last look.
    topics: Option<String>,
    lanes: BTreeMap<u32, LaneStatus>,
    /// When the process was last seen to be awake.
    turned_at: Option<Instant>,
    /// Until when it has only just woken.
    waking_until: Option<Instant>,
}

/// The status that the ledger's threads write.
#[derive(Debug)]
pub(super) struct LedgerStatus {
    status: Mutex<Status>,
    /// How often the group's consumer has been polled.
    turns: watch::Sender<u64>,
    metrics: LaneMetrics,
}

impl LedgerStatus {
    pub(super) fn new(metrics: LaneMetrics) -> Self {
        let (group, lanes) = (Group::Joining, BTreeMap::new());
        let status = Status { group, topics: None, lanes, turned_at: None, waking_until: None };
        Self { status: Mutex::new(status), turns: watch::Sender::new(0), metrics }
    }

    /// Where lanes are counted.
    pub(super) fn metrics(&self) -> &LaneMetrics {
        &self.metrics
    }

    /// A lane is in this state; `why` for a person, empty if the state says it all.
    pub(super) fn set(&self, assignment: Assignment, state: LaneState, why: &str) {
        let mut status = lock(&self.status);
        let known = status.lanes.get(&assignment.lane);
        if known.is_some_and(|known| known.assignment > assignment.number) {
            return;
        }
        let now = LaneStatus { assignment: assignment.number, state, why: why.to_owned() };
        status.lanes.insert(assignment.lane, now);
        self.metrics.stands(assignment.lane, state);
    }

    /// A lane is not ours any more, unless it has been given again.
    pub(super) fn remove(&self, assignment: Assignment) {
        let mut status = lock(&self.status);
        let known = status.lanes.get(&assignment.lane);
        if known.is_some_and(|known| known.assignment == assignment.number) {
            status.lanes.remove(&assignment.lane);
            self.metrics.gone(assignment.lane);
        }
    }

    /// The group has given lanes, or none.
    pub(super) fn joined(&self) {
        lock(&self.status).group = Group::Joined;
    }

    /// There has been nothing to give, if nothing keeps us from the group.
    pub(super) fn stand_by(&self) {
        let mut status = lock(&self.status);
        if status.group == Group::Joining {
            status.group = Group::Joined;
        }
    }

    /// The group has taken everything away without being asked.
    pub(super) fn lost(&self) {
        lock(&self.status).group = Group::Joining;
    }

    /// The group cannot be joined.
    pub(super) fn away(&self, why: String) {
        lock(&self.status).group = Group::Away(why);
    }

    /// What is wrong with brokers or topics now.
    pub(super) fn set_topics(&self, trouble: Option<String>) {
        lock(&self.status).topics = trouble;
    }

    /// The group's consumer has been polled.
    pub(super) fn turn(&self) {
        let now = Instant::now();
        let mut status = lock(&self.status);
        if status.turned_at.replace(now).is_some_and(|at| now.duration_since(at) >= SLEPT) {
            status.waking_until = Some(now + WAKING);
        }
        drop(status);
        self.turns.send_modify(|turns| *turns += 1);
    }

    /// Until when our lanes may be somebody else's without our having been told.
    pub(super) fn waking_until(&self) -> Option<Instant> {
        lock(&self.status).waking_until
    }

    /// The count of turns, to wait for.
    pub(super) fn turns(&self) -> watch::Receiver<u64> {
        self.turns.subscribe()
    }

    /// Why commits are not taken, if that is so.
    pub(super) fn trouble(&self) -> Option<String> {
        let status = lock(&self.status);
        if let Some(trouble) = &status.topics {
            return Some(trouble.clone());
        }
        match &status.group {
            Group::Away(why) => return Some(why.clone()),
            Group::Joining => return Some("waiting for the group to give lanes".to_owned()),
            Group::Joined => {}
        }
        let not_owned = |lane: &&LaneStatus| lane.state != LaneState::Owned;
        let (lane, LaneStatus { state, why, .. }) =
            status.lanes.iter().find(|(_, lane)| not_owned(lane))?;
        let count = status.lanes.values().filter(not_owned).count();
        let doing = match state {
            LaneState::Fencing => "is being taken over",
            LaneState::Restoring => "is being restored",
            LaneState::Owned => "is owned",
            LaneState::Fenced => "was taken by another replica",
            LaneState::InDoubt => "finds out what became of a commit",
            LaneState::Quarantined => "is quarantined",
        };
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        let more = if count > 1 { format!("; so with {} more", count - 1) } else { String::new() };
        Some(format!("lane {lane} {doing}{why}{more}"))
    }
}

#[cfg(test)]
mod tests {
    use cw_status::Metrics;

    use super::*;

    fn status() -> LedgerStatus {
        LedgerStatus::new(Metrics::new().lanes().clone())
    }

    fn assignment(lane: u32, number: u64) -> Assignment {
        Assignment { lane, number }
    }

    #[test]
    fn a_replica_without_lanes_is_in_no_trouble_once_it_has_joined() {
        let status = status();
        assert_eq!(status.trouble().as_deref(), Some("waiting for the group to give lanes"));
        status.joined();
        assert_eq!(status.trouble(), None);
    }

    #[test]
    fn the_first_lane_that_is_not_owned_is_named() {
        let status = status();
        status.joined();
        status.set(assignment(3, 1), LaneState::Owned, "");
        assert_eq!(status.trouble(), None);
        status.set(assignment(4, 1), LaneState::Restoring, "");
        status.set(assignment(7, 1), LaneState::InDoubt, "timed out");
        let trouble = status.trouble().unwrap();
        assert_eq!(trouble, "lane 4 is being restored; so with 1 more");
        status.remove(assignment(4, 1));
        let trouble = status.trouble().unwrap();
        assert_eq!(trouble, "lane 7 finds out what became of a commit (timed out)");
    }

    #[test]
    fn an_assignment_that_is_over_says_nothing_of_the_next() {
        let status = status();
        status.joined();
        status.set(assignment(3, 1), LaneState::Owned, "");
        status.set(assignment(3, 2), LaneState::Restoring, "");
        status.set(assignment(3, 1), LaneState::Fenced, "");
        status.remove(assignment(3, 1));
        assert_eq!(status.trouble().as_deref(), Some("lane 3 is being restored"));
    }

    #[test]
    fn what_is_wrong_with_the_topics_comes_first() {
        let status = status();
        status.set_topics(Some("topic \"a\" is missing".to_owned()));
        assert_eq!(status.trouble().as_deref(), Some("topic \"a\" is missing"));
    }
}
