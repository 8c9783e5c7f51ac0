//! What begins when, and what the end of a request shows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_model::{FeedId, Timestamp};

use super::messages::{Effect, Poll};
use super::network::{Change, FEW_HOSTS, PROBES, weight};
use super::placement::Placement;
use super::spread::{DueFeed, spread};
use super::{Now, Placed, Scheduler, after};
use crate::schedule::conduct::{Heard, Pace, Request};
use crate::schedule::queue::{Next, Room, Turn};

impl Scheduler {
    /// Starts what is due, as far as there are places.
    pub(super) fn start_due(&mut self, now: Now) {
        if self.network.is_away() {
            self.probe(now);
            return;
        }
        while let Some(room) = self.polls.room(&self.queue) {
            match self.queue.next(now.wall, room) {
                Next::Poll(turn) => self.start(&turn, now),
                Next::At(_) | Next::Idle => return,
            }
        }
        if self.queue.is_due(now.wall, Room::Prompt) {
            for id in self.polls.put_off(&self.queue, now.at) {
                self.queue.note_put_off(&id);
                self.effects.push(Effect::PutOff(id));
            }
        }
        // Feeds wait for places that finished polls hold until they are committed: the ledger need
        // not gather longer.
        if self.queue.is_due(now.wall, Room::Any) {
            self.effects.push(Effect::Hurry);
        }
    }

    /// Asks a few feeds whether the network is back.
    fn probe(&mut self, now: Now) {
        if self.network.probe_at().is_none_or(|probe_at| now.at < probe_at) {
            return;
        }
        self.network.probed(now.at);
        // Polls that were under way when the network went are probes too.
        for _ in self.polls.len()..PROBES {
            match self.queue.next(now.wall, Room::Any) {
                Next::Poll(turn) => self.start(&turn, now),
                Next::At(_) | Next::Idle => return,
            }
        }
    }

    fn start(&mut self, turn: &Turn, now: Now) {
        let Turn { id, due_at, patience } = turn;
        let Some(placed) = self.feeds.get(id) else { return };
        let Placement::Here(lane) = placed.placement else { return };
        let Some(held) = self.held.get(&lane) else { return };
        let state = held.states.get(id).cloned().unwrap_or_default();
        self.polls.begin(id.clone(), now.at);
        self.effects.push(Effect::Poll(Box::new(Poll {
            feed: Arc::clone(&placed.feed),
            lease: held.lease,
            is_tried: held.past.careful_until(now.wall).is_some() || state.plan.crash.is_some(),
            waited: Duration::try_from(now.wall.duration_since(*due_at)).unwrap_or_default(),
            patience: *patience,
            state,
        })));
    }

    /// The request of a poll has ended, and shows how its host is, or the network.
    pub(super) fn end_request(&mut self, id: &FeedId, request: Request, now: Now) {
        let Some(began_at) = self.polls.end_request(id) else { return };
        let Some(placed) = self.feeds.get(id) else { return };
        let host = placed.feed.url.host_str().unwrap_or_default().to_owned();
        // One that was put off has been silent while others waited.
        let was_silent = self.queue.pace_of(id) == Some(Pace::Silent);
        let plan = self.state(placed).map(|state| &state.plan);
        let weight = if was_silent { 0 } else { weight(plan) };
        let is_silent = request.heard == Heard::Silence;
        let all = if is_silent { self.weight_of_all() } else { None };
        match self.network.note(id, (&host, weight), request.heard, all, (began_at, now.at)) {
            Change::None => {}
            Change::Lost => {
                let hosts = self.network.silent_hosts();
                self.effects.push(Effect::NetworkLost { hosts });
            }
            Change::Back => self.network_back(now.wall),
        }
        // While the network is away, silence is not the host's.
        if !is_silent || !self.network.is_away() {
            self.queue.note_request(id, request);
        }
    }

    /// How much the silence of all hosts together would say, if they are few.
    fn weight_of_all(&self) -> Option<usize> {
        let are_few = self.queue.hosts() <= FEW_HOSTS;
        let weights = || {
            let mut weights: BTreeMap<&str, usize> = BTreeMap::new();
            for placed in self.feeds.values() {
                if matches!(placed.placement, Placement::Here(_)) {
                    let host = placed.feed.url.host_str().unwrap_or_default();
                    let known = weights.entry(host).or_default();
                    *known = weight(self.state(placed).map(|state| &state.plan)).max(*known);
                }
            }
            weights.values().sum()
        };
        are_few.then(weights)
    }

    /// Everything that became due while the network was away is asked, and so is what failed by it: a wait that
    /// grew with such failures does not outlive them.
    fn network_back(&mut self, now: Timestamp) {
        let silent = self.network.end();
        silent.hosts.keys().for_each(|host| self.queue.pardon(host));
        for id in &silent.feeds {
            if let Some(placed) = self.feeds.get_mut(id) {
                placed.pardoned_at = Some(now);
            }
            self.enqueue(id, now);
        }
        let is_due = |placed: &&Placed| {
            matches!(placed.placement, Placement::Here(_)) && self.due_at(placed, now) <= now
        };
        let due = self.feeds.values().filter(is_due).map(|placed| placed.feed.id.clone());
        let due: Vec<FeedId> = due.collect();
        self.spread(&due, now);
        self.effects.push(Effect::NetworkBack { due: due.len() });
    }

    /// Has these feeds wait for each other, as far as they are due.
    pub(super) fn spread(&mut self, ids: &[FeedId], now: Timestamp) {
        let due = ids.iter().filter_map(|id| {
            let placed = self.feeds.get(id)?;
            let is_here = matches!(placed.placement, Placement::Here(_));
            let is_due = is_here && self.due_at(placed, now) <= now;
            let plan = self.state(placed).map(|state| &state.plan);
            let is_waiting = is_due && !self.polls.contains(id);
            is_waiting.then(|| DueFeed::new(&placed.feed, plan))
        });
        for (id, wait) in spread(due.collect()) {
            if let Some(placed) = self.feeds.get_mut(&id) {
                placed.turn_at = Some(after(now, wait));
            }
            self.enqueue(&id, now);
        }
    }
}
