//! Due feeds, earliest first: one poll in flight per feed, few per host and a gap between them.
//!
//! Holds no timer and reads no clock: [`Queue::next`] says which feed may be polled now, or when
//! to look again.
//!
//! Hosts that keep places for long (`conduct`) have turns of their own, so that others need not wait
//! behind them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cw_model::{FeedId, Timestamp};

use super::HOLD_MAX;
use super::conduct::{Conduct, Pace, Patience, Request};
use super::waiting::Waiting;

/// After so many refusals of one feed in a row, with answers to others of its host between them, they are that feed's.
const REFUSALS_OF_ONE: u8 = 3;

/// How gently hosts are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Politeness {
    /// Polls of one host in flight at once.
    pub host_concurrency: usize,
    /// Between the starts of two polls of one host.
    pub host_gap: Duration,
}

/// What there are places for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// For any host.
    Any,
    /// For hosts that are not slow.
    Prompt,
}

/// What the queue has to offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Poll this one; it is in flight until [`Queue::finish`].
    Poll(Turn),
    /// Nothing may start before then.
    At(Timestamp),
    /// Nothing to do until something is added or finished.
    Idle,
}

/// A feed whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which.
    pub id: FeedId,
    /// Since when it has been due.
    pub due_at: Timestamp,
    /// How long its host is waited for.
    pub patience: Patience,
}

#[derive(Debug)]
struct Host {
    in_flight: usize,
    free_at: Timestamp,
    /// It has refused us until then.
    held_until: Timestamp,
    /// The last feed that it refused.
    refused: Option<Refused>,
    waiting: Waiting,
    /// `None` before anything is known of it.
    conduct: Option<Conduct>,
}

/// A feed that its host has refused, while nothing speaks against that being the feed's own affair.
#[derive(Debug)]
struct Refused {
    id: FeedId,
    /// When.
    at: Timestamp,
    /// In a row, each after answers to other feeds.
    times: u8,
    /// Another feed of the host was answered since.
    is_alone: bool,
}

impl Host {
    /// Whether it has no feed, waiting or in flight.
    fn is_resting(&self) -> bool {
        self.waiting.is_empty() && self.in_flight == 0
    }

    /// Notes a refusal, and says whether it is of this feed alone. The same one may be noted again: states are read anew.
    fn refuses_one(&mut self, id: &FeedId, at: Timestamp) -> bool {
        match &mut self.refused {
            Some(refused) if refused.id == *id => {
                if refused.at < at {
                    refused.at = at;
                    let is_alone = std::mem::take(&mut refused.is_alone);
                    refused.times = refused.times.saturating_add(is_alone.into());
                }
                refused.times >= REFUSALS_OF_ONE
            }
            _ => {
                let id = id.clone();
                self.refused = Some(Refused { id, at, times: 1, is_alone: false });
                false
            }
        }
    }

    fn pace(&self) -> Pace {
        self.conduct.unwrap_or_default().pace
    }
}

/// The name of a host, which its feeds and its turns share.
type HostName = Arc<str>;

#[derive(Debug, Clone)]
struct Place {
    host: HostName,
    due_at: Timestamp,
    flight: Option<Flight>,
}

/// A poll under way.
#[derive(Debug, Clone)]
struct Flight {
    /// Where it counts: the feed may have moved since.
    host: HostName,
    /// How the host was when it began.
    pace: Pace,
    /// The feed was taken out meanwhile; it stays until the poll is over, so that adding it again
    /// does not start a second one.
    is_last: bool,
}

/// Feeds by due time, grouped by host.
///
/// A host's turn comes when its earliest feed is due, its gap is over and it has a place free; so a
/// host of many feeds cannot keep the others waiting, and costs the same however many it has.
#[derive(Debug)]
pub struct Queue {
    politeness: Politeness,
    feeds: HashMap<FeedId, Place>,
    hosts: HashMap<HostName, Host>,
    /// Hosts that may start something, by when.
    turns: BTreeMap<Pace, BTreeSet<(Timestamp, HostName)>>,
    /// Polls in flight, by how their hosts were when they began.
    in_flight: BTreeMap<Pace, usize>,
    /// Hosts without a feed, by when their gap is over: until then one that comes back must wait for it.
    resting: BTreeSet<(Timestamp, HostName)>,
}

impl Queue {
    /// An empty queue.
    pub fn new(politeness: Politeness) -> Self {
        Self {
            politeness,
            feeds: HashMap::new(),
            hosts: HashMap::new(),
            turns: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            resting: BTreeSet::new(),
        }
    }

    /// Treats hosts by these rules from now on. No gap reaches further than from now: an old one
    /// may have been longer, or begun by a clock that has been put back.
    pub fn set_politeness(&mut self, politeness: Politeness, now: Timestamp) {
        self.politeness = politeness;
        let latest = now.checked_add(politeness.host_gap).unwrap_or(Timestamp::MAX);
        let latest_held = now.checked_add(HOLD_MAX).unwrap_or(Timestamp::MAX);
        for host in self.hosts.values_mut() {
            host.free_at = host.free_at.min(latest);
            host.held_until = host.held_until.min(latest_held);
        }
        self.turns.clear();
        for (name, host) in &self.hosts {
            if let Some(at) = turn_at(host, politeness) {
                self.turns.entry(host.pace()).or_default().insert((at, Arc::clone(name)));
            }
        }
        let resting = self.hosts.iter().filter(|(_, host)| host.is_resting());
        self.resting = resting.map(|(name, host)| (host.free_at, Arc::clone(name))).collect();
    }

    /// The clock was put back: no gap reaches further than from now.
    pub fn clock_put_back(&mut self, now: Timestamp) {
        self.set_politeness(self.politeness, now);
    }

    /// When a feed may be polled next, if there is a place for it then; in the past for one that waits.
    pub fn next_at(&self, room: Room) -> Option<Timestamp> {
        self.firsts(room).map(|(_, (at, _))| *at).min()
    }

    /// The first turn of each pace that there is room for.
    fn firsts(&self, room: Room) -> impl Iterator<Item = (Pace, &(Timestamp, HostName))> {
        let has_room = move |pace: Pace| room == Room::Any || pace == Pace::Prompt;
        let turns = self.turns.iter().filter(move |(pace, _)| has_room(**pace));
        turns.filter_map(|(pace, turns)| Some((*pace, turns.first()?)))
    }

    /// Whose turn it is: of those that wait, the prompt hosts go first, and the silent ones last. But each kind
    /// has one poll in flight in its turn, however many of the others wait.
    fn turn(&self, now: Timestamp, room: Room) -> Option<HostName> {
        let due = || self.firsts(room).filter(|(_, (at, _))| *at <= now);
        let has_none = |pace: Pace| self.in_flight.get(&pace).is_none_or(|polls| *polls == 0);
        let in_turn = due().filter(|(pace, _)| has_none(*pace)).min_by_key(|(_, (at, _))| *at);
        in_turn.or_else(|| due().next()).map(|(_, (_, host))| Arc::clone(host))
    }

    /// How many polls are in flight of hosts that were not prompt when they began.
    pub fn slow_in_flight(&self) -> usize {
        self.in_flight
            .iter()
            .filter(|(pace, _)| **pace > Pace::Prompt)
            .map(|(_, polls)| polls)
            .sum()
    }

    /// What is known of a host from before anybody here asked it.
    pub fn presume(&mut self, host: &str, conduct: Conduct) {
        if self.hosts.get(host).is_some_and(|host| host.conduct.is_none()) {
            self.change_host(&self.name(host), |state| state.conduct = Some(conduct));
        }
    }

    /// A host has refused us: none of its feeds is asked before then, nor an hour from now, whichever is sooner.
    pub fn hold(&mut self, host: &str, until: Timestamp, now: Timestamp) {
        let until = until.min(now.checked_add(HOLD_MAX).unwrap_or(Timestamp::MAX));
        if self.hosts.get(host).is_some_and(|host| host.held_until < until && now < until) {
            self.change_host(&self.name(host), |state| state.held_until = until);
        }
    }

    /// Until when a host is asked for none of its feeds, because it has refused us; `None` if it may be asked.
    pub fn held_until(&self, host: &str, now: Timestamp) -> Option<Timestamp> {
        self.hosts.get(host).map(|host| host.held_until).filter(|until| *until > now)
    }

    /// A host has refused a feed at that time. Says whether it has refused this one again and again and answered others
    /// meanwhile: then that is no word about the others.
    pub fn note_refusal(&mut self, host: &str, id: &FeedId, at: Timestamp) -> bool {
        self.hosts.get_mut(host).is_some_and(|host| host.refuses_one(id, at))
    }

    /// A host has answered a feed at that time.
    pub fn note_welcome(&mut self, host: &str, id: &FeedId, at: Timestamp) {
        let Some(host) = self.hosts.get_mut(host) else { return };
        // States are read anew, and what they say may be older.
        match host.refused.as_mut().filter(|refused| refused.at < at) {
            Some(refused) if refused.id != *id => refused.is_alone = true,
            Some(_) => host.refused = None,
            None => {}
        }
    }

    /// What was noted of a host was not its doing.
    pub fn pardon(&mut self, host: &str) {
        if self.hosts.contains_key(host) {
            self.change_host(&self.name(host), |state| state.conduct = None);
        }
    }

    /// How many hosts there are.
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// The request of a feed in flight has ended.
    pub fn note_request(&mut self, id: &FeedId, request: Request) {
        self.change_conduct(id, |conduct| conduct.unwrap_or_default().after(request));
    }

    /// The request of a feed in flight is ended, because others wait.
    pub fn note_put_off(&mut self, id: &FeedId) {
        self.change_conduct(id, |conduct| {
            conduct.map_or_else(Conduct::of_unknown_put_off, Conduct::after_put_off)
        });
    }

    /// How the host of a feed in flight was when its poll began.
    pub fn pace_of(&self, id: &FeedId) -> Option<Pace> {
        Some(self.feeds.get(id)?.flight.as_ref()?.pace)
    }

    fn change_conduct(&mut self, id: &FeedId, change: impl FnOnce(Option<Conduct>) -> Conduct) {
        let flight = self.feeds.get(id).and_then(|place| place.flight.as_ref());
        let Some(host) = flight.map(|flight| Arc::clone(&flight.host)) else { return };
        self.change_host(&host, |state| {
            state.conduct = Some(change(state.conduct));
        });
    }

    /// Adds a feed, or moves it if it is there. One in flight moves to the host when it finishes,
    /// and is due when that poll says.
    pub fn insert(&mut self, id: FeedId, host: &str, due_at: Timestamp) {
        let host = self.name(host);
        if let Some(place) = self.feeds.get_mut(&id)
            && let Some(flight) = &mut place.flight
        {
            flight.is_last = false;
            place.host = host;
            return;
        }
        self.remove(&id);
        let place = Place { host: Arc::clone(&host), due_at, flight: None };
        self.feeds.insert(id.clone(), place);
        self.change_host(&host, |state| {
            state.waiting.insert((due_at, id));
        });
    }

    /// Takes a feed out; one in flight is forgotten when it finishes.
    pub fn remove(&mut self, id: &FeedId) {
        if let Some(flight) = self.feeds.get_mut(id).and_then(|place| place.flight.as_mut()) {
            flight.is_last = true;
            return;
        }
        let Some(place) = self.feeds.remove(id) else { return };
        let entry = (place.due_at, id.clone());
        self.change_host(&place.host, |state| {
            state.waiting.remove(&entry);
        });
    }

    /// The poll of a feed is over and it is due again then.
    pub fn finish(&mut self, id: &FeedId, due_at: Timestamp) {
        let Some(place) = self.feeds.get_mut(id) else { return };
        let Some(flight) = place.flight.take() else { return };
        let polls = self.in_flight.entry(flight.pace).or_default();
        *polls = polls.saturating_sub(1);
        if flight.is_last {
            self.feeds.remove(id);
        } else {
            place.due_at = due_at;
            let host = Arc::clone(&place.host);
            self.change_host(&host, |state| {
                state.waiting.insert((due_at, id.clone()));
            });
        }
        self.change_host(&flight.host, |state| {
            state.in_flight = state.in_flight.saturating_sub(1);
        });
    }

    /// Which feed may be polled now, if there is room for it, or when to look again.
    pub fn next(&mut self, now: Timestamp, room: Room) -> Next {
        while self.resting.first().is_some_and(|(free_at, _)| *free_at <= now) {
            let rested = self.resting.pop_first();
            rested.into_iter().for_each(|(_, host)| drop(self.hosts.remove(&host)));
        }
        let Some(host) = self.turn(now, room) else {
            return self.next_at(room).map_or(Next::Idle, Next::At);
        };
        let gap = self.politeness.host_gap;
        let mut taken = None;
        self.change_host(&host, |state| {
            if let Some((due_at, id)) = state.waiting.pop_first() {
                state.in_flight += 1;
                state.free_at = now.checked_add(gap).unwrap_or(Timestamp::MAX);
                taken = Some((id, due_at, state.conduct.unwrap_or_default()));
            }
        });
        let Some((id, due_at, conduct)) = taken else { return Next::Idle };
        *self.in_flight.entry(conduct.pace).or_default() += 1;
        if let Some(place) = self.feeds.get_mut(&id) {
            place.flight = Some(Flight { host, pace: conduct.pace, is_last: false });
        }
        Next::Poll(Turn { id, due_at, patience: conduct.patience() })
    }

    /// Whether a feed could be polled now if there were a place for it.
    pub fn is_due(&self, now: Timestamp, room: Room) -> bool {
        self.next_at(room).is_some_and(|at| at <= now)
    }

    /// How many feeds there are.
    pub fn len(&self) -> usize {
        let leaves = |place: &&Place| place.flight.as_ref().is_some_and(|flight| flight.is_last);
        self.feeds.len() - self.feeds.values().filter(leaves).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many feeds are due and have not started, and how long the first has waited.
    pub fn overdue(&self, now: Timestamp) -> (usize, Duration) {
        let mut due = 0;
        let mut first = now;
        // Who waits because the host asked for it is not late.
        let is_held = |place: &Place| self.held_until(&place.host, now).is_some();
        let waits = |place: &&Place| place.flight.is_none() && place.due_at <= now;
        for place in self.feeds.values().filter(waits).filter(|place| !is_held(place)) {
            due += 1;
            first = first.min(place.due_at);
        }
        (due, Duration::try_from(now.duration_since(first)).unwrap_or_default())
    }

    /// How many hosts that are not slow have waited for a place for so long since their turn came.
    pub fn late(&self, now: Timestamp, wait: Duration) -> usize {
        let latest = now.checked_sub(wait).unwrap_or(Timestamp::MIN);
        let is_late = |(at, _): &&(Timestamp, HostName)| *at <= latest;
        self.turns.get(&Pace::Prompt).map_or(0, |turns| turns.iter().take_while(is_late).count())
    }

    /// The name of a host as it is held, if one is.
    fn name(&self, host: &str) -> HostName {
        self.hosts.get_key_value(host).map_or_else(|| host.into(), |(name, _)| Arc::clone(name))
    }

    /// Changes a host's state and files its turn anew.
    fn change_host(&mut self, name: &HostName, change: impl FnOnce(&mut Host)) {
        let host = self.hosts.entry(Arc::clone(name)).or_insert_with(|| Host {
            in_flight: 0,
            free_at: Timestamp::MIN,
            held_until: Timestamp::MIN,
            refused: None,
            waiting: Waiting::default(),
            conduct: None,
        });
        if let Some(at) = turn_at(host, self.politeness) {
            self.turns.entry(host.pace()).or_default().remove(&(at, Arc::clone(name)));
        } else if host.is_resting() {
            self.resting.remove(&(host.free_at, Arc::clone(name)));
        }
        change(host);
        if let Some(at) = turn_at(host, self.politeness) {
            self.turns.entry(host.pace()).or_default().insert((at, Arc::clone(name)));
        } else if host.is_resting() {
            self.resting.insert((host.free_at, Arc::clone(name)));
        }
    }
}

/// When a host may start its next poll; `None` if it has nothing waiting or no place free.
fn turn_at(host: &Host, politeness: Politeness) -> Option<Timestamp> {
    if host.in_flight >= politeness.host_concurrency {
        return None;
    }
    host.waiting.first().map(|(due_at, _)| (*due_at).max(host.free_at).max(host.held_until))
}
