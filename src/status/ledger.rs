//! The status of a ledger whose lanes replicas share: its threads write it, and whoever is asked whether
//! we are ready reads it. Other ledgers have none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cw_model::LaneState;

use super::lanes::LaneMetrics;

/// Where the group stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// There is none.
    #[default]
    Unused,
    /// Not joined yet.
    Joining,
    /// What keeps us from it.
    Away(String),
    /// Lanes have been given, if only none.
    Joined,
}

/// Where a lane stands, and which of its assignments says so.
#[derive(Clone, Debug)]
pub struct LaneStatus {
    assignment: u64,
    /// In which state it is.
    pub state: LaneState,
    /// Why, for a person; empty if the state says it all.
    pub why: String,
}

/// A lane, and one of the times that the group gave it. A lane that was lost may be given again while
/// its last assignment ends; what that one says does not count any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Which lane.
    pub lane: u32,
    /// Later assignments have higher numbers.
    pub number: u64,
}

/// A member of the group, as its coordinator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// For people.
    pub name: String,
    /// Where its admin server is reached, `host:port`, if it says so.
    pub address: Option<String>,
    /// Whether it is this process, as far as that is known.
    pub is_self: bool,
    /// The lanes that it was given.
    pub lanes: Vec<u32>,
}

/// How group, topics and lanes stood at one moment.
#[derive(Clone, Debug, Default)]
pub struct LedgerSnapshot {
    /// Where the group stands.
    pub group: Group,
    /// What is wrong with the brokers or topics, as of the last look.
    pub topics: Option<String>,
    /// Lanes of this process, or about to be, by number.
    pub lanes: BTreeMap<u32, LaneStatus>,
    /// The members of the group, or why they are not known, as of the last look; `None`: nobody has looked.
    pub replicas: Option<Result<Vec<Replica>, String>>,
}

/// The status of the ledger. Clones are the same one.
#[derive(Clone, Debug)]
pub struct LedgerStatus {
    now: Arc<Mutex<LedgerSnapshot>>,
    metrics: LaneMetrics,
}

impl LedgerStatus {
    /// Of a ledger without a group, until that begins to be joined.
    pub(super) fn new(metrics: LaneMetrics) -> Self {
        Self { now: Arc::default(), metrics }
    }

    fn now(&self) -> MutexGuard<'_, LedgerSnapshot> {
        // Each change is whole in itself, so a panic in between leaves nothing half done.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where lanes are counted.
    pub fn metrics(&self) -> &LaneMetrics {
        &self.metrics
    }

    /// A lane is in this state; `why` for a person, empty if the state says it all.
    pub fn set(&self, assignment: Assignment, state: LaneState, why: &str) {
        let mut now = self.now();
        let known = now.lanes.get(&assignment.lane);
        if known.is_some_and(|known| known.assignment > assignment.number) {
            return;
        }
        let lane = LaneStatus { assignment: assignment.number, state, why: why.to_owned() };
        now.lanes.insert(assignment.lane, lane);
    }

    /// A lane is not ours any more, unless it has been given again.
    pub fn remove(&self, assignment: Assignment) {
        let mut now = self.now();
        let known = now.lanes.get(&assignment.lane);
        if known.is_some_and(|known| known.assignment == assignment.number) {
            now.lanes.remove(&assignment.lane);
            self.metrics.gone(assignment.lane);
        }
    }

    /// The group has given lanes, or none.
    pub fn joined(&self) {
        self.now().group = Group::Joined;
    }

    /// There has been nothing to give, if nothing keeps us from the group.
    pub fn stand_by(&self) {
        let mut now = self.now();
        if now.group == Group::Joining {
            now.group = Group::Joined;
        }
    }

    /// The group is to be joined: for the first time, or after it has taken everything away.
    pub fn joining(&self) {
        self.now().group = Group::Joining;
    }

    /// The group cannot be joined.
    pub fn away(&self, why: String) {
        self.now().group = Group::Away(why);
    }

    /// What is wrong with brokers or topics now.
    pub fn set_topics(&self, trouble: Option<String>) {
        self.now().topics = trouble;
    }

    /// Who the members of the group are, or why that is not known.
    pub fn set_replicas(&self, replicas: Result<Vec<Replica>, String>) {
        self.now().replicas = Some(replicas);
    }

    /// How it stands now.
    pub fn snapshot(&self) -> LedgerSnapshot {
        self.now().clone()
    }

    /// Why commits are not taken, if that is so.
    pub fn trouble(&self) -> Option<String> {
        self.now().trouble()
    }
}

impl LedgerSnapshot {
    /// The other replica that has a lane, if one is known to.
    pub fn elsewhere(&self, lane: u32) -> Option<&Replica> {
        if self.lanes.contains_key(&lane) {
            return None;
        }
        let replicas = self.replicas.as_ref()?.as_ref().ok()?;
        replicas.iter().find(|one| one.lanes.contains(&lane) && !one.is_self)
    }

    /// What cannot be seen from here, for a person, if there are other replicas.
    pub fn unseen(&self) -> Option<String> {
        let replicas = match self.replicas.as_ref()? {
            Ok(replicas) => replicas,
            Err(why) => return Some(format!("other replicas are not known: {why}")),
        };
        let silent = replicas.iter().filter(|one| one.address.is_none()).count();
        (silent > 0 && replicas.len() > 1).then(|| {
            format!(
                "{silent} of {} replicas do not say where they are reached (admin.advertise)",
                replicas.len()
            )
        })
    }

    /// Why commits are not taken, if that is so.
    pub fn trouble(&self) -> Option<String> {
        if let Some(trouble) = &self.topics {
            return Some(trouble.clone());
        }
        match &self.group {
            Group::Away(why) => return Some(why.clone()),
            Group::Joining => return Some("waiting for the group to give lanes".to_owned()),
            Group::Unused | Group::Joined => {}
        }
        let not_owned = |lane: &&LaneStatus| lane.state != LaneState::Owned;
        let (lane, LaneStatus { state, why, .. }) =
            self.lanes.iter().find(|(_, lane)| not_owned(lane))?;
        let count = self.lanes.values().filter(not_owned).count();
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
    use crate::Metrics;

    fn status() -> LedgerStatus {
        let status = Metrics::new().ledger().clone();
        status.joining();
        status
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
    fn a_lane_is_elsewhere_only_if_another_replica_is_known_to_have_it() {
        let status = status();
        assert_eq!((status.snapshot().elsewhere(1), status.snapshot().unseen()), (None, None));
        let replica = |name: &str, address: Option<&str>, is_self, lanes: &[u32]| Replica {
            name: name.to_owned(),
            address: address.map(str::to_owned),
            is_self,
            lanes: lanes.to_vec(),
        };
        let other = replica("b", None, false, &[1, 2]);
        status.set_replicas(Ok(vec![replica("a", Some("a:1"), true, &[0]), other.clone()]));
        status.set(assignment(2, 1), LaneState::Owned, "");
        let seen = status.snapshot();
        let found = [0, 1, 2, 3].map(|lane| seen.elsewhere(lane));
        assert_eq!(found, [None, Some(&other), None, None], "2 has moved here meanwhile");
        let unseen = seen.unseen().unwrap();
        assert_eq!(unseen, "1 of 2 replicas do not say where they are reached (admin.advertise)");
        status.set_replicas(Err("brokers are away".to_owned()));
        let seen = status.snapshot();
        assert_eq!(seen.elsewhere(1), None);
        assert_eq!(seen.unseen().unwrap(), "other replicas are not known: brokers are away");
    }

    #[test]
    fn what_is_wrong_with_the_topics_comes_first() {
        let status = status();
        status.set_topics(Some("topic \"a\" is missing".to_owned()));
        assert_eq!(status.trouble().as_deref(), Some("topic \"a\" is missing"));
    }
}
