//! Decides which feed is polled when. Pure.
//!
//! It owns the feeds' states, as far as their lanes are this process's, and the queue of feeds that
//! are due. [`Scheduler::handle`] takes an event and the time, and returns what is to be done;
//! [`Scheduler::wake_at`] says when to come back if nothing happens. The driver
//! (`pipeline::scheduler`) polls, reads and waits, and decides nothing.
//!
//! ```text
//!  LaneGiven ─► place feeds ─► queue ─► Poll ─► PollEnded: state kept, queued for its next time
//!                  │ Unknown      ▲
//!                  └─► Look ──────┘ Looked
//! ```
//!
//! Invariants, which the tests and the simulation hold:
//! - A feed has one poll under way at most, under a lease that was held when the poll began.
//! - A state is replaced only by one that was committed under the lease that is held.
//! - Slow hosts hold no more than their share of the places, and a request that takes long none that others
//!   wait for: see `under_way`.
//! - While the network is away nothing begins but now and then a few polls that ask whether it is back: see
//!   `network`.
//! - No poll begins before its feed is due, nor against the politeness of its host, nor after a stop was
//!   requested.

mod asking;
#[cfg(test)]
mod crowd;
mod hubs;
mod messages;
mod network;
pub mod placement;
mod reload;
mod spread;
#[cfg(test)]
mod tests;
mod under_way;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cw_model::state::{FeedPlan, FeedState, Reason, Standing};
use cw_model::{Feed, FeedCounts, FeedId, Timestamp};
use jiff::SignedDuration;
pub use messages::{
    Configuration, CrashLabel, Effect, Event, FeedChanges, Look, LookError, Notice, Poll, PollEnd,
    Sequences, Sightings,
};
use network::Network;
use placement::{Placement, Sighting, place};
use under_way::UnderWay;
pub use view::{FeedView, Stand};

use super::{Lease, Moment, Now, Past, States};
use crate::schedule::conduct::Conduct;
use crate::schedule::queue::Room;
use crate::schedule::{self, Due, Queue, Why};

/// How far the wall clock must go back to be worth planning anew. No feed is polled later for less.
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(1);

/// Between two looks, if the first could not be done. Brokers that are away now are mostly away in a
/// moment too.
const LOOK_WAIT: Duration = Duration::from_secs(5);

/// A host that is not slow and has waited for a place for so long is late.
const LATE_AFTER: Duration = Duration::from_secs(3 * 60);

/// So much later than a feed is due it is looked for: rounding must not wake us just before it.
const WAKE_SLACK: Duration = Duration::from_millis(1);

/// A configured feed. One is held of each, so that what few have is boxed or kept elsewhere.
#[derive(Debug)]
struct Placed {
    feed: Arc<Feed>,
    /// The lane of its host.
    home: u32,
    placement: Placement,
    /// What was found of it in lanes of others, as long as that decides.
    sighting: Option<Box<Sighting>>,
    /// It is not asked before, because its last poll ended by a defect of ours.
    put_off_until: Option<Timestamp>,
    /// It is not asked before, because too many others were due when it was.
    turn_at: Option<Timestamp>,
    /// It is asked then, whatever it was put off for: its last poll failed because the network was away, or nobody listened
    /// to its hub for a while.
    pardoned_at: Option<Timestamp>,
}

/// A lane of this process.
#[derive(Debug)]
struct Held {
    lease: Lease,
    states: States,
    past: Past,
}

/// How far a reload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reload {
    None,
    Reading,
    /// It was requested again meanwhile: the file may have been read before it changed.
    ReadingThenAgain,
}

/// Whether lanes are being looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looking {
    Idle,
    UnderWay,
    /// The last look failed.
    WaitUntil(Moment),
}

/// Feeds, their states, and which of them is polled next.
#[derive(Debug)]
pub struct Scheduler {
    /// How many lanes the ledger has. Fixed while the process runs.
    lanes: u32,
    crash_label: CrashLabel,
    feeds: HashMap<FeedId, Placed>,
    held: BTreeMap<u32, Held>,
    queue: Queue,
    polls: UnderWay,
    network: Network,
    /// Those that are placed once other lanes have been read.
    unknown: BTreeSet<FeedId>,
    looking: Looking,
    /// Feeds that the look under way is an answer for: their homes are what and whose they were when it
    /// began. What was read before a home changed may be older than what its new owner relies on.
    looked_for: BTreeSet<FeedId>,
    /// What the last look failed for.
    look_failure: Option<LookError>,
    reload: Reload,
    /// See [`Configuration::callback`].
    callback: Option<Arc<str>>,
    /// Requests to hubs under way.
    asks: usize,
    is_stopping: bool,
    /// The wall clock when an event last came.
    seen_at: Timestamp,
    effects: Vec<Effect>,
}

impl Scheduler {
    /// A scheduler without lanes. `lanes` is how many the ledger has, at least 1.
    pub fn new(configuration: Configuration, lanes: u32) -> Self {
        let mut scheduler = Self {
            lanes,
            crash_label: configuration.crash_label.clone(),
            feeds: HashMap::new(),
            held: BTreeMap::new(),
            queue: Queue::new(configuration.politeness),
            polls: UnderWay::new(configuration.concurrency),
            network: Network::default(),
            unknown: BTreeSet::new(),
            looking: Looking::Idle,
            looked_for: BTreeSet::new(),
            look_failure: None,
            reload: Reload::None,
            callback: configuration.callback.clone(),
            asks: 0,
            is_stopping: false,
            seen_at: Timestamp::MIN,
            effects: Vec::new(),
        };
        scheduler.exchange_feeds(configuration.feeds, Timestamp::MIN);
        scheduler
    }

    /// Takes in what happened; says what to do, in this order.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Effect> {
        // First of all: everything below compares with a wall clock that may have jumped.
        self.watch_clock(now.wall);
        match event {
            Event::Elapsed => {}
            Event::LaneGiven { lease, states, past } => self.take(lease, states, past, now.wall),
            Event::LaneTaken(lease) => self.lose(lease, now.wall),
            Event::Fetched(feed, request) => self.end_request(&feed, request, now),
            Event::PollEnded(feed, end) => self.end_poll(&feed, &end, now.wall),
            Event::Looked(look, found) => self.end_look(&look, found, now),
            Event::HubAsked(feed, generation, came) => {
                self.end_ask(&feed, generation, came, now.wall);
            }
            Event::ReloadRequested => self.request_reload(),
            Event::ConfigurationRead(read) => self.end_reload(read, now.wall),
            Event::StopRequested => self.is_stopping = true,
        }
        // Every event may have freed a place or a feed, so each ends with a look at what may begin
        // now.
        if !self.is_stopping {
            self.look(now.at);
            self.start_due(now);
        }
        std::mem::take(&mut self.effects)
    }

    /// When [`Event::Elapsed`] is to come at the latest, if nothing else happens before.
    pub fn wake_at(&self, now: Now) -> Option<Moment> {
        if self.is_stopping {
            return None;
        }
        let look_at = match self.looking {
            Looking::WaitUntil(until) => Some(until),
            Looking::Idle | Looking::UnderWay => None,
        };
        let room = self.polls.room(&self.queue);
        let probe_at = self.network.probe_at();
        let due_at = room.and_then(|room| self.queue.next_at(room)).map(|at| {
            let wait = Duration::try_from(at.duration_since(now.wall)).unwrap_or_default();
            // While the network is away, whatever is due waits for the next probe.
            probe_at.map_or(now.at + wait, |probe_at| probe_at.max(now.at + wait)) + WAKE_SLACK
        });
        // With all places taken nothing becomes due by time. But a request may turn long, and is
        // put off then for whoever waits.
        let is_waited_for = room.is_none() && self.queue.is_due(now.wall, Room::Prompt);
        let put_off_at = is_waited_for.then(|| self.polls.next_long_at(now.at)).flatten();
        look_at.into_iter().chain(due_at).chain(put_off_at).min()
    }

    /// Whether nothing is under way that an event will end.
    pub fn is_idle(&self) -> bool {
        self.polls.is_empty() && self.looking != Looking::UnderWay
    }

    /// How many feeds are configured.
    pub fn feeds(&self) -> usize {
        self.feeds.len()
    }

    /// How the feeds stand. One pass over all of them.
    pub fn counts(&self, now: Timestamp) -> FeedCounts {
        let (due, overdue) = self.queue.overdue(now);
        let is_careful = |held: &&Held| held.past.careful_until(now).is_some();
        let careful_lanes = self.held.values().filter(is_careful).count();
        let polls = self.polls.len();
        let is_network_away = self.network.is_away();
        let mut counts = FeedCounts {
            due,
            overdue,
            careful_lanes,
            polls,
            is_network_away,
            hosts: self.queue.hosts(),
            late_hosts: self.queue.late(now, LATE_AFTER),
            at: now,
            ..FeedCounts::default()
        };
        for placed in self.feeds.values() {
            let Some(held) = self.held_of(placed) else { continue };
            let Some(state) = held.states.get(&placed.feed.id) else {
                counts.new += 1;
                continue;
            };
            if let Some(hub) = state.plan.subscription.as_deref() {
                hubs::count(&mut counts.subscriptions, hub, now);
            }
            counts.over_quota += usize::from(state.plan.next.reason == Reason::Quota);
            match state.plan.standing {
                _ if state.plan.put_off_for().is_some() => counts.crashed += 1,
                Standing::New => counts.new += 1,
                Standing::Fine => counts.fine += 1,
                Standing::Failing => counts.failing += 1,
                Standing::Gone => counts.gone += 1,
            }
        }
        counts
    }

    /// How each feed stands, in no order. One pass over all of them.
    pub fn views(&self, now: Timestamp) -> Vec<FeedView> {
        let view = |placed: &Placed| {
            let held = self.held_of(placed);
            let state = held.and_then(|held| held.states.get(&placed.feed.id));
            FeedView {
                lane: held.map(|held| held.lease.lane),
                stand: held.map_or(Stand::Elsewhere, |_| Stand::of(state.map(Arc::as_ref))),
                state: state.map(Arc::clone),
                due: self.due_at_host(placed, now),
                is_polling: self.polls.contains(&placed.feed.id),
                feed: Arc::clone(&placed.feed),
            }
        };
        self.feeds.values().map(view).collect()
    }

    /// When a feed is polled next, also by what its host said of others; `None` if it is not polled here, or nothing puts
    /// it off.
    fn due_at_host(&self, placed: &Placed, now: Timestamp) -> Option<Due> {
        let host = placed.feed.url.host_str().unwrap_or_default();
        let until = match placed.placement {
            Placement::Here(_) => self.queue.held_until(host, now),
            Placement::Elsewhere | Placement::Unknown => None,
        };
        Due::held(self.due(placed, now), until, now)
    }

    /// The lane of this process that a feed counts in.
    fn held_of(&self, placed: &Placed) -> Option<&Held> {
        match placed.placement {
            Placement::Here(lane) => self.held.get(&lane),
            // Counted where its home is, so that the counts of all replicas together name each feed
            // once.
            Placement::Unknown => {
                let has_state = |held: &&Held| held.states.contains_key(&placed.feed.id);
                self.held.get(&placed.home).or_else(|| self.held.values().find(has_state))
            }
            Placement::Elsewhere => None,
        }
    }

    /// A clock that was put back would let every feed wait for the time that was: all are planned from
    /// now instead.
    fn watch_clock(&mut self, now: Timestamp) {
        if self.seen_at.duration_since(now) > CLOCK_STEP {
            self.effects.push(Effect::Log(Notice::ClockPutBack));
            self.queue.clock_put_back(now);
            let all: Vec<FeedId> = self.feeds.keys().cloned().collect();
            all.iter().for_each(|id| self.enqueue(id, now));
        }
        self.seen_at = now;
    }

    fn take(&mut self, lease: Lease, states: States, past: Past, now: Timestamp) {
        let lane = lease.lane;
        // A ledger makes ids of its own of what it reads; those of configured feeds need not be held twice.
        let own = |id: FeedId| self.feeds.get_key_value(&id).map_or(id, |(own, _)| own.clone());
        let mut states: States = states.into_iter().map(|(id, state)| (own(id), state)).collect();
        self.begin_to_listen(&mut states);
        self.effects.push(Effect::Log(Notice::LaneGiven {
            lane,
            states: states.len(),
            careful_until: past.careful_until(now),
        }));
        self.held.insert(lane, Held { lease, states, past });
        // Besides its own feeds, those of other homes that it has a state of, and those that wait for all
        // lanes to be known.
        let held = self.held.get(&lane);
        let is_concerned = |(id, placed): &(&FeedId, &Placed)| {
            placed.home == lane
                || placed.placement == Placement::Unknown
                || held.is_some_and(|held| held.states.contains_key(*id))
        };
        let concerned: Vec<FeedId> =
            self.feeds.iter().filter(is_concerned).map(|(id, _)| id.clone()).collect();
        concerned.iter().for_each(|id| self.place(id, now));
        self.spread(&concerned, now);
    }

    /// The state of a feed that is polled here.
    fn state(&self, placed: &Placed) -> Option<&Arc<FeedState>> {
        let Placement::Here(lane) = placed.placement else { return None };
        self.held.get(&lane)?.states.get(&placed.feed.id)
    }

    fn lose(&mut self, lease: Lease, now: Timestamp) {
        let lane = lease.lane;
        if self.held.get(&lane).is_none_or(|held| held.lease != lease) {
            return;
        }
        self.effects.push(Effect::Log(Notice::LaneTaken { lane }));
        self.held.remove(&lane);
        let mut concerned = Vec::new();
        for (id, placed) in &mut self.feeds {
            if placed.home == lane {
                // Whoever has the lane now may write a state of a feed that we took for new.
                placed.sighting = None;
                self.looked_for.remove(id);
            }
            if placed.home == lane || placed.placement == Placement::Here(lane) {
                concerned.push(id.clone());
            }
        }
        concerned.iter().for_each(|id| self.place(id, now));
    }

    /// Decides where a feed is polled, and puts it into the queue or takes it out. A feed that is being
    /// polled is placed when its poll has ended: its outcome may yet be committed where it began.
    fn place(&mut self, id: &FeedId, now: Timestamp) {
        // Its end comes back here: `end_poll` decides anew.
        if !self.polls.contains(id) {
            self.decide(id);
            self.enqueue(id, now);
        }
    }

    /// Decides where a feed is polled.
    fn decide(&mut self, id: &FeedId) {
        let Some(placed) = self.feeds.get_mut(id) else { return };
        // By sequence and not by presence alone: two lanes may have a state of the feed, and the
        // newer one is what was published.
        let sequence = |held: &Held| held.states.get(id).map(|state| state.plan.sequence);
        let held = self.held.iter().map(|(lane, held)| (*lane, sequence(held))).collect();
        let placement = place(placed.home, self.lanes, &held, placed.sighting.as_deref());
        let before = std::mem::replace(&mut placed.placement, placement);
        if placement == Placement::Unknown {
            self.unknown.insert(id.clone());
        } else {
            self.unknown.remove(id);
        }
        if let Placement::Here(lane) = placement
            && lane != placed.home
            && before != placement
        {
            let feed = id.clone();
            self.effects.push(Effect::Log(Notice::KeepsItsLane { feed, lane }));
        }
    }

    /// Puts a feed into the queue at its due time, or takes it out.
    fn enqueue(&mut self, id: &FeedId, now: Timestamp) {
        let due_at = self.feeds.get(id).map_or(now, |placed| self.due_at(placed, now));
        self.enqueue_at(id, due_at, now);
    }

    fn enqueue_at(&mut self, id: &FeedId, due_at: Timestamp, now: Timestamp) {
        let Some(placed) = self.feeds.get(id) else { return };
        match placed.placement {
            Placement::Here(_) => {
                let host = placed.feed.url.host_str().unwrap_or_default();
                // By the host of the configuration, wherever redirects lead: politeness towards
                // those is `fetch`'s.
                self.queue.insert(id.clone(), host, due_at);
                let plan = self.state(placed).map(|state| &state.plan);
                let (conduct, until) =
                    (plan.and_then(presumed), plan.and_then(schedule::refused_until));
                let refused_at = plan.filter(|plan| plan.failures > 0 && until.is_some());
                let refused_at = refused_at.and_then(|plan| plan.polled_at);
                let answered_at = plan.filter(|plan| plan.failures == 0 && until.is_none());
                let answered_at = answered_at.and_then(|plan| plan.succeeded_at);
                conduct.into_iter().for_each(|it| self.queue.presume(host, it));
                if let Some(at) = answered_at {
                    self.queue.note_welcome(host, id, at);
                }
                let is_of_one = refused_at.is_some_and(|at| self.queue.note_refusal(host, id, at));
                if let Some(until) = until.filter(|_| !is_of_one) {
                    self.queue.hold(host, until, now);
                }
            }
            Placement::Elsewhere | Placement::Unknown => self.queue.remove(id),
        }
    }

    /// When a feed is due, by its state and by the configuration as it is now.
    fn due_at(&self, placed: &Placed, now: Timestamp) -> Timestamp {
        self.due(placed, now).map_or(now, |due| due.at)
    }

    /// The same, and why; `None` if it is not polled here, or nothing puts it off.
    fn due(&self, placed: &Placed, now: Timestamp) -> Option<Due> {
        let feed = &placed.feed;
        let state = self.state(placed);
        let due = state.map(|state| schedule::due(state, feed, || self.crash_label.of(feed), now));
        let due = match placed.pardoned_at {
            // A pardon only brings a poll forward.
            Some(pardoned) => due.map(|due| Due { at: due.at.min(pardoned), ..due }),
            None => due,
        };
        // By a clock that was put back it waits no longer than from now.
        let latest = after(now, feed.interval_max);
        let others = placed.put_off_until.into_iter().chain(placed.turn_at);
        let Some(put_off_until) = others.map(|until| until.min(latest)).max() else { return due };
        let due = due.unwrap_or(Due { at: now, why: Why::Planned });
        Some(Due { at: due.at.max(put_off_until), ..due })
    }

    /// Begins to look for feeds whose state may be in lanes of others. One look for all: a deployment
    /// that starts has many.
    fn look(&mut self, at: Moment) {
        match self.looking {
            Looking::UnderWay => return,
            Looking::WaitUntil(until) if at < until => return,
            Looking::WaitUntil(_) | Looking::Idle => self.looking = Looking::Idle,
        }
        // A feed under way may yet be committed in the lane where it began; to look for it now
        // would miss that.
        let feeds = self.unknown.iter().filter(|id| !self.polls.contains(id));
        let feeds: BTreeSet<FeedId> = feeds.cloned().collect();
        if feeds.is_empty() {
            return;
        }
        let lanes = (0..self.lanes).collect();
        self.looking = Looking::UnderWay;
        self.looked_for.clone_from(&feeds);
        self.effects.push(Effect::Look(Arc::new(Look { feeds, lanes })));
    }

    fn end_look(&mut self, look: &Arc<Look>, found: Result<Sightings, LookError>, now: Now) {
        let mut found = match found {
            Ok(found) => found,
            Err(why) => {
                self.looking = Looking::WaitUntil(now.at + LOOK_WAIT);
                // Each reason is logged once, however often it is tried.
                if self.look_failure.as_ref() != Some(&why) {
                    self.effects.push(Effect::Log(Notice::NotLooked { why: why.clone() }));
                    self.look_failure = Some(why);
                }
                return;
            }
        };
        (self.looking, self.look_failure) = (Looking::Idle, None);
        // The others, if their place is still unknown, are looked for again.
        // Those whose home was given, taken or changed since were removed from it: for them the
        // look says nothing.
        let looked_for: Vec<FeedId> = std::mem::take(&mut self.looked_for).into_iter().collect();
        for id in &looked_for {
            let Some(placed) = self.feeds.get_mut(id) else { continue };
            if placed.placement == Placement::Unknown {
                let found = found.remove(id).unwrap_or_default();
                placed.sighting = Some(Box::new(Sighting { look: Arc::clone(look), found }));
                self.place(id, now.wall);
            }
        }
        self.spread(&looked_for, now.wall);
    }

    fn end_poll(&mut self, id: &FeedId, end: &PollEnd, now: Timestamp) {
        let said = self.polls.end(id);
        if let PollEnd::Committed(lease, state) = end {
            // A lane that was taken and given again since came with a state as new or newer.
            let held = self.held.get_mut(&lease.lane).filter(|held| held.lease == *lease);
            if let Some(held) = held {
                let state = hubs::with_said(Arc::clone(state), said, now);
                held.states.insert(id.clone(), state);
                // From now on the state says where the feed is polled.
                if let Some(placed) = self.feeds.get_mut(id)
                    && placed.home == lease.lane
                {
                    placed.sighting = None;
                }
            }
        }
        if let Some(placed) = self.feeds.get_mut(id) {
            if matches!(end, PollEnd::Committed(..) | PollEnd::Failed) {
                (placed.turn_at, placed.pardoned_at) = (None, None);
            }
            if let PollEnd::NotItsTurn(wait) = end {
                placed.turn_at = Some(after(now, *wait));
            }
            placed.put_off_until = match end {
                PollEnd::Committed(..) => None,
                // Nothing was learned of the feed, so nothing is forgiven either.
                PollEnd::Taken | PollEnd::Abandoned | PollEnd::NotItsTurn(_) | PollEnd::PutOff => {
                    placed.put_off_until
                }
                // The state did not change. After its longest interval the feed is asked again, so that
                // a defect is not met in a loop.
                PollEnd::Failed => Some(after(now, placed.feed.interval_max)),
            };
        }
        self.decide(id);
        self.ask_hub(id, now);
        let due_at = self.feeds.get(id).map_or(now, |placed| self.due_at(placed, now));
        // The place is free before the feed is queued again, or its host would count it twice.
        self.queue.finish(id, due_at);
        // Lanes and configuration may have changed during the poll.
        self.enqueue_at(id, due_at, now);
    }
}

/// How the host of a feed is, by the feed's last failure.
fn presumed(plan: &FeedPlan) -> Option<Conduct> {
    let failure = plan.last_failure.as_ref().filter(|_| plan.failures > 0)?;
    Conduct::presumed(failure.class)
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
