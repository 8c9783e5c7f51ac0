//! Polls under way, and who may hold the places that there are for them.
//!
//! A place is held from the start of a poll to the commit of its outcome. Two bounds keep those that take
//! long from holding all of them:
//!
//! - Hosts that were slow last time hold a quarter together (`Room`).
//! - A host that only now turns out slow was taken for prompt. When prompt hosts wait, and requests that
//!   take long hold half of the places, the oldest of them are put off: they end, count against
//!   nobody, and their feeds are asked anew among the slow, with all the time that they need.
//!
//! Reading and committing are our own affair: a poll is put off only while it is asking.

use std::collections::BTreeMap;

use cw_model::FeedId;

use super::Moment;
use crate::schedule::Queue;
use crate::schedule::conduct::{Pace, SLOW_AFTER, long_places, slow_places};
use crate::schedule::queue::Room;
use crate::subscription::Said;

/// What hubs say of one feed during one poll that is remembered until it ends. More is noise.
const SAID_MAX: usize = 8;

/// How far a poll is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its request is under way.
    Asking,
    /// Its request is being ended.
    PutOff,
    /// Its request has ended.
    Fetched,
}

#[derive(Clone, Debug)]
struct Begun {
    at: Moment,
    stage: Stage,
    /// What its feed's hub said meanwhile, and in which subscription: the outcome does not know of it.
    said: Vec<(u32, Said)>,
}

/// Polls under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    /// How many there may be.
    places: usize,
    polls: BTreeMap<FeedId, Begun>,
}

impl UnderWay {
    pub(super) fn new(places: usize) -> Self {
        Self { places, polls: BTreeMap::new() }
    }

    pub(super) fn set_places(&mut self, places: usize) {
        self.places = places;
    }

    pub(super) fn begin(&mut self, id: FeedId, at: Moment) {
        self.polls.insert(id, Begun { at, stage: Stage::Asking, said: Vec::new() });
    }

    /// The request of a poll has ended. Says when it began, if it was under way and nobody had ended it.
    pub(super) fn end_request(&mut self, id: &FeedId) -> Option<Moment> {
        let begun = self.polls.get_mut(id)?;
        // Also one that was put off: its answer may have come first, and then it counts as fetched.
        let before = std::mem::replace(&mut begun.stage, Stage::Fetched);
        (before == Stage::Asking).then_some(begun.at)
    }

    /// A hub said something of a feed. It matters again when the outcome of a poll under way takes the state's place.
    pub(super) fn hear(&mut self, id: &FeedId, generation: u32, said: &Said) {
        if let Some(begun) = self.polls.get_mut(id).filter(|begun| begun.said.len() < SAID_MAX) {
            begun.said.push((generation, said.clone()));
        }
    }

    /// A poll is over. Says what was said meanwhile.
    pub(super) fn end(&mut self, id: &FeedId) -> Vec<(u32, Said)> {
        self.polls.remove(id).map(|begun| begun.said).unwrap_or_default()
    }

    pub(super) fn contains(&self, id: &FeedId) -> bool {
        self.polls.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.polls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.polls.is_empty()
    }

    /// For whom there is a place, if for anybody.
    pub(super) fn room(&self, queue: &Queue) -> Option<Room> {
        if self.polls.len() >= self.places {
            None
        } else if queue.slow_in_flight() >= slow_places(self.places) {
            Some(Room::Prompt)
        } else {
            Some(Room::Any)
        }
    }

    /// Requests that take long, oldest first.
    fn long(&self, at: Moment) -> Vec<(Moment, &FeedId)> {
        let is_long = |begun: &Begun| begun.stage == Stage::Asking && begun.at + SLOW_AFTER <= at;
        let long = self.polls.iter().filter(|(_, begun)| is_long(begun));
        let mut long: Vec<_> = long.map(|(id, begun)| (begun.at, id)).collect();
        long.sort_unstable();
        long
    }

    /// When one more request takes long.
    pub(super) fn next_long_at(&self, at: Moment) -> Option<Moment> {
        let asking = self.polls.values().filter(|begun| begun.stage == Stage::Asking);
        asking.map(|begun| begun.at + SLOW_AFTER).filter(|long_at| *long_at > at).min()
    }

    /// Which requests end because prompt hosts wait for their places.
    pub(super) fn put_off(&mut self, queue: &Queue, at: Moment) -> Vec<FeedId> {
        let long = self.long(at);
        let excess = long.len().saturating_sub(long_places(self.places));
        // Who is known to be slow has the time that it was given.
        let is_prompt = |id: &FeedId| queue.pace_of(id) == Some(Pace::Prompt);
        let put_off = long.into_iter().map(|(_, id)| id).filter(|id| is_prompt(id)).take(excess);
        let put_off: Vec<FeedId> = put_off.cloned().collect();
        for id in &put_off {
            if let Some(begun) = self.polls.get_mut(id) {
                begun.stage = Stage::PutOff;
            }
        }
        put_off
    }
}
