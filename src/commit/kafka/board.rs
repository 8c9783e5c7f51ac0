//! Where the group and each lane of this replica stand: written by their threads, read by whoever is
//! asked whether we are ready.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cw_model::LaneState;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::status::lanes::LaneMetrics;

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

/// Where a lane stands, and which of its lives says so.
#[derive(Debug)]
struct LaneStanding {
    assignment: u64,
    state: LaneState,
    why: String,
}

/// A lane, and one of the times that the group gave it. A lane that was lost may be given again while
/// its last assignment ends; what that one says does not count any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) lane: u32,
    /// Later lives have higher numbers.
    pub(super) number: u64,
}

#[derive(Debug)]
struct Standing {
    group: Group,
    /// What is wrong with the brokers or topics, as of the last look.
    topics: Option<String>,
    lanes: BTreeMap<u32, LaneStanding>,
}

/// The board.
#[derive(Debug)]
pub(super) struct Board {
    standing: Mutex<Standing>,
    sleep: Mutex<Sleep>,
    /// How often the group's consumer has been polled.
    turns: watch::Sender<u64>,
    metrics: LaneMetrics,
}

/// Between two turns of the group's consumer lies this long only if the process slept.
const SLEPT: Duration = Duration::from_secs(4);

/// How long after a sleep the group is given to say that it has gone on without us: a heartbeat and
/// its answer.
const WAKING: Duration = Duration::from_secs(3);

/// When the process was last awake, and until when it has only just woken.
#[derive(Debug, Default)]
struct Sleep {
    turned_at: Option<Instant>,
    waking_until: Option<Instant>,
}

impl Board {
    pub(super) fn new(metrics: LaneMetrics) -> Self {
        let standing = Standing { group: Group::Joining, topics: None, lanes: BTreeMap::new() };
        Self {
            standing: Mutex::new(standing),
            sleep: Mutex::default(),
            turns: watch::Sender::new(0),
            metrics,
        }
    }

    /// Who counts.
    pub(super) fn metrics(&self) -> &LaneMetrics {
        &self.metrics
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Each change is whole in itself, so a panic in between leaves nothing half done.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane is in this state; `why` for a person, empty if the state says it all.
    pub(super) fn set(&self, assignment: Assignment, state: LaneState, why: &str) {
        let mut standing = self.standing();
        if standing
            .lanes
            .get(&assignment.lane)
            .is_some_and(|known| known.assignment > assignment.number)
        {
            return;
        }
        let now = LaneStanding { assignment: assignment.number, state, why: why.to_owned() };
        standing.lanes.insert(assignment.lane, now);
        self.metrics.stands(assignment.lane, state);
    }

    /// A lane is not ours any more, unless it has been given again.
    pub(super) fn remove(&self, assignment: Assignment) {
        let mut standing = self.standing();
        if standing
            .lanes
            .get(&assignment.lane)
            .is_some_and(|known| known.assignment == assignment.number)
        {
            standing.lanes.remove(&assignment.lane);
            self.metrics.gone(assignment.lane);
        }
    }

    /// The group has given lanes, or none.
    pub(super) fn joined(&self) {
        self.standing().group = Group::Joined;
    }

    /// There has been nothing to give, if nothing keeps us from the group.
    pub(super) fn stand_by(&self) {
        let mut standing = self.standing();
        if standing.group == Group::Joining {
            standing.group = Group::Joined;
        }
    }

    /// The group has taken everything away without being asked.
    pub(super) fn lost(&self) {
        self.standing().group = Group::Joining;
    }

    /// The group cannot be joined.
    pub(super) fn away(&self, why: String) {
        self.standing().group = Group::Away(why);
    }

    /// What is wrong with brokers or topics now.
    pub(super) fn set_topics(&self, trouble: Option<String>) {
        self.standing().topics = trouble;
    }

    /// The group's consumer has been polled.
    pub(super) fn turn(&self) {
        let now = Instant::now();
        let mut sleep = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        if sleep.turned_at.replace(now).is_some_and(|at| now.duration_since(at) >= SLEPT) {
            sleep.waking_until = Some(now + WAKING);
        }
        drop(sleep);
        self.turns.send_modify(|turns| *turns += 1);
    }

    /// Until when our lanes may be somebody else's without our having been told.
    pub(super) fn waking_until(&self) -> Option<Instant> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner).waking_until
    }

    /// The count of turns, to wait for.
    pub(super) fn turns(&self) -> watch::Receiver<u64> {
        self.turns.subscribe()
    }

    /// Why commits are not taken, if that is so.
    pub(super) fn trouble(&self) -> Option<String> {
        let standing = self.standing();
        if let Some(trouble) = &standing.topics {
            return Some(trouble.clone());
        }
        match &standing.group {
            Group::Away(why) => return Some(why.clone()),
            Group::Joining => return Some("waiting for the group to give lanes".to_owned()),
            Group::Joined => {}
        }
        let not_owned = |standing: &&LaneStanding| standing.state != LaneState::Owned;
        let (lane, LaneStanding { state, why, .. }) =
            standing.lanes.iter().find(|(_, standing)| not_owned(standing))?;
        let count = standing.lanes.values().filter(not_owned).count();
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
    use super::*;
    use crate::status::Metrics;

    fn board() -> Board {
        Board::new(Metrics::new().lanes().clone())
    }

    fn assignment(lane: u32, number: u64) -> Assignment {
        Assignment { lane, number }
    }

    #[test]
    fn a_replica_without_lanes_is_in_no_trouble_once_it_has_joined() {
        let board = board();
        assert_eq!(board.trouble().as_deref(), Some("waiting for the group to give lanes"));
        board.joined();
        assert_eq!(board.trouble(), None);
    }

    #[test]
    fn the_first_lane_that_is_not_owned_is_named() {
        let board = board();
        board.joined();
        board.set(assignment(3, 1), LaneState::Owned, "");
        assert_eq!(board.trouble(), None);
        board.set(assignment(4, 1), LaneState::Restoring, "");
        board.set(assignment(7, 1), LaneState::InDoubt, "timed out");
        let trouble = board.trouble().unwrap();
        assert_eq!(trouble, "lane 4 is being restored; so with 1 more");
        board.remove(assignment(4, 1));
        let trouble = board.trouble().unwrap();
        assert_eq!(trouble, "lane 7 finds out what became of a commit (timed out)");
    }

    #[test]
    fn an_assignment_that_is_over_says_nothing_of_the_next() {
        let board = board();
        board.joined();
        board.set(assignment(3, 1), LaneState::Owned, "");
        board.set(assignment(3, 2), LaneState::Restoring, "");
        board.set(assignment(3, 1), LaneState::Fenced, "");
        board.remove(assignment(3, 1));
        assert_eq!(board.trouble().as_deref(), Some("lane 3 is being restored"));
    }

    #[test]
    fn what_is_wrong_with_the_topics_comes_first() {
        let board = board();
        board.set_topics(Some("topic \"a\" is missing".to_owned()));
        assert_eq!(board.trouble().as_deref(), Some("topic \"a\" is missing"));
    }
}
