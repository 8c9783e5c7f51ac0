//! The consumer group as its coordinator sees it: who is a member, and who is to have which lane.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::dice::Dice;

/// How long a member may be silent.
const SESSION: Duration = Duration::from_secs(3);

/// What the coordinator answers a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It is no member, or not any more.
    Unknown,
    /// It has these lanes, and is to give these of them back.
    Member { lanes: BTreeSet<u32>, revoked: BTreeSet<u32> },
}

#[derive(Debug)]
struct Member {
    heard_at: Duration,
    /// Its lanes, and when it was given them.
    lanes: BTreeMap<u32, Duration>,
    revoked: BTreeSet<u32>,
}

/// The group.
#[derive(Debug)]
pub(super) struct Group {
    lanes: u32,
    members: BTreeMap<u64, Member>,
}

impl Group {
    pub(super) fn new(lanes: u32) -> Self {
        Self { lanes, members: BTreeMap::new() }
    }

    pub(super) fn join(&mut self, member: u64, now: Duration) {
        self.members.entry(member).or_insert(Member {
            heard_at: now,
            lanes: BTreeMap::new(),
            revoked: BTreeSet::new(),
        });
    }

    pub(super) fn leave(&mut self, member: u64) {
        self.members.remove(&member);
    }

    pub(super) fn heartbeat(&mut self, member: u64, now: Duration) -> Word {
        match self.members.get_mut(&member) {
            None => Word::Unknown,
            Some(known) => {
                known.heard_at = now;
                let lanes = known.lanes.keys().copied().collect();
                Word::Member { lanes, revoked: known.revoked.clone() }
            }
        }
    }

    /// A member has given a lane back, at that time. If it was given the lane again since, that was told
    /// under an earlier epoch of the member, and the coordinator refuses it.
    pub(super) fn release(&mut self, member: u64, lane: u32, at: Duration) {
        let Some(known) = self.members.get_mut(&member) else { return };
        if known.lanes.get(&lane).is_some_and(|given_at| *given_at <= at) {
            known.lanes.remove(&lane);
            known.revoked.remove(&lane);
        }
    }

    /// Expels who has been silent, gives lanes that nobody has, and evens out.
    pub(super) fn turn(&mut self, now: Duration, dice: &mut Dice) {
        self.members.retain(|_, member| now.saturating_sub(member.heard_at) <= SESSION);
        for lane in 0..self.lanes {
            if self.members.values().any(|member| member.lanes.contains_key(&lane)) {
                continue;
            }
            let least = self.members.values().map(|member| member.lanes.len()).min();
            let free: Vec<u64> = self
                .members
                .iter()
                .filter(|(_, member)| Some(member.lanes.len()) == least)
                .map(|(id, _)| *id)
                .collect();
            if let Some(member) = dice.pick(&free).and_then(|id| self.members.get_mut(&id)) {
                member.lanes.insert(lane, now);
            }
        }
        let counts =
            || self.members.values().map(|member| member.lanes.len() - member.revoked.len());
        let (most, least) = (counts().max().unwrap_or(0), counts().min().unwrap_or(0));
        if most > least + 1 {
            self.revoke_where(|member| member.lanes.len() - member.revoked.len() == most);
        }
    }

    /// Some lane is to move.
    pub(super) fn revoke_one(&mut self) {
        if self.members.len() > 1 {
            self.revoke_where(|member| member.lanes.len() > member.revoked.len());
        }
    }

    fn revoke_where(&mut self, is_meant: impl Fn(&Member) -> bool) {
        if let Some(member) = self.members.values_mut().find(|member| is_meant(member)) {
            let lane = member.lanes.keys().find(|lane| !member.revoked.contains(lane)).copied();
            member.revoked.extend(lane);
        }
    }
}
