//! The one loop of the daemon: it owns the feeds' states and decides who is polled when.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cw_model::state::{FeedState, Reason, Standing};
use cw_model::{Feed, FeedId, Timestamp};
use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::Tools;
use super::poll::{Job, PollEnd, Poller};
use super::reload::{ReadAnew, next_reload, read_anew, to_end};
use super::service::{LastRead, Service, status_text};
use crate::commit::{CommitError, LaneChange};
use crate::config::Config;
use crate::decide::{Lease, Past, States};
use crate::fault::{Point, point};
use crate::schedule::queue::Next;
use crate::schedule::{self, Queue};
use crate::status::metrics::FeedCounts;

/// How far a clock must be put back to be worth planning anew: what is less, no feed notices.
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(1);

/// Between two looks for feeds in other lanes, if the first could not be done.
const SEEK_WAIT: Duration = Duration::from_secs(5);

/// How often it is told how the feeds stand.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// A configured feed and its lane.
struct Placed {
    feed: Arc<Feed>,
    lane: u32,
}

/// A lane that is ours.
struct Held {
    lease: Lease,
    /// Of every feed ever polled in it, also those no longer configured: added again, they go on.
    states: States,
    past: Past,
}

/// The scheduler's memory.
pub(super) struct Scheduler {
    config: Config,
    feeds: HashMap<FeedId, Placed>,
    /// The lanes that are ours; only their feeds are in the queue.
    lanes: HashMap<u32, Held>,
    changes: mpsc::Receiver<LaneChange>,
    /// Feeds without a state in their lane, to be looked for in all before they are polled; with the
    /// lane that they leave, if they do.
    unknown: HashMap<FeedId, Option<u32>>,
    /// What a lane of ours remembered of a feed that left it; the log may be behind.
    carried: States,
    /// Feeds that were looked for: what was not found then is new.
    sought: HashSet<FeedId>,
    seeking: JoinSet<(Vec<FeedId>, Result<States, CommitError>)>,
    /// What the last look came to nothing for.
    seek_failure: Option<String>,
    queue: Queue,
    tools: Tools,
    poller: Poller,
    service: Service,
    reloads: Option<mpsc::Receiver<()>>,
    /// A reload under way.
    reading: Option<JoinHandle<ReadAnew>>,
    last_read: LastRead,
    polls: JoinSet<PollEnd>,
    polling: HashMap<tokio::task::Id, FeedId>,
    /// When the loop last turned, to see a clock that is put back.
    turned_at: Timestamp,
    told_at: Option<Instant>,
}

impl Scheduler {
    pub(super) fn new(
        config: Config,
        changes: mpsc::Receiver<LaneChange>,
        tools: Tools,
        poller: Poller,
        service: Service,
        reloads: Option<mpsc::Receiver<()>>,
    ) -> Self {
        let queue = Queue::new(config.politeness);
        let mut scheduler = Self {
            config,
            feeds: HashMap::new(),
            lanes: HashMap::new(),
            changes,
            unknown: HashMap::new(),
            carried: States::new(),
            sought: HashSet::new(),
            seeking: JoinSet::new(),
            seek_failure: None,
            queue,
            tools,
            poller,
            service,
            reloads,
            reading: None,
            last_read: LastRead::InUse,
            polls: JoinSet::new(),
            polling: HashMap::new(),
            turned_at: Timestamp::MIN,
            told_at: None,
        };
        scheduler.exchange_feeds();
        scheduler
    }

    /// Runs until told to stop, or until the ledger says that it cannot go on.
    pub(super) async fn run(&mut self, stop: &CancellationToken) -> Option<CommitError> {
        let fatal = self.turn_until(stop).await;
        self.service.stopping();
        fatal
    }

    async fn turn_until(&mut self, stop: &CancellationToken) -> Option<CommitError> {
        info!(feed.count = self.feeds.len(), "polling");
        // A lane that is given from the start is polled from the first turn on.
        while let Ok(change) = self.changes.try_recv() {
            if let Some(error) = self.change_lanes(change) {
                return Some(error);
            }
        }
        self.poller.readiness.set_trouble(self.poller.ledger.trouble());
        self.poller.readiness.set_serving();
        self.service.ready();
        loop {
            let wake_in = self.turn();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(change) = self.changes.recv() => {
                    if let Some(error) = self.change_lanes(change) {
                        return Some(error);
                    }
                }
                Some(ended) = self.polls.join_next_with_id(), if !self.polls.is_empty() => {
                    if let Some(error) = self.poll_ended(ended) {
                        return Some(error);
                    }
                }
                read = to_end(&mut self.reading) => self.end_reload(read),
                Some(Ok((feeds, found))) = self.seeking.join_next() => self.take_found(feeds, found),
                Some(()) = next_reload(&mut self.reloads), if self.reading.is_none() => {
                    self.begin_reload();
                }
                () = sleep(wake_in) => {}
            }
        }
        None
    }

    /// Waits for the polls in flight; each ends or abandons itself once told to stop.
    /// Says why the ledger is gone, if that is how one ended.
    pub(super) async fn finish(&mut self) -> Option<CommitError> {
        // Whoever gives or takes a lane must not wait for us any more.
        self.changes.close();
        // It sees that a drain has begun, and gives its handle back.
        while self.seeking.join_next().await.is_some() {}
        let mut fatal = None;
        while let Some(ended) = self.polls.join_next_with_id().await {
            fatal = fatal.or(self.poll_ended(ended));
        }
        fatal
    }

    /// Starts what is due, tells how things stand, and says how long nothing needs doing.
    fn turn(&mut self) -> Duration {
        let now = self.poller.clock.now();
        self.watch_clock(now);
        self.seek();
        let mut wake_in = self.service.turn_interval();
        let concurrency = self.concurrency();
        while self.polls.len() < concurrency {
            match self.queue.next(now) {
                Next::Poll(id) => self.start(&id, now),
                Next::At(at) => {
                    let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
                    // A millisecond more, so that rounding does not wake us just before it.
                    wake_in = wake_in.min(wait + Duration::from_millis(1));
                    break;
                }
                Next::Idle => break,
            }
        }
        if self.polls.len() >= concurrency && self.queue.is_due(now) {
            self.poller.ledger.hurry();
        }
        self.poller.readiness.set_trouble(self.poller.ledger.trouble());
        self.poller.readiness.beat();
        self.service.feed_watchdog();
        // Every feed is counted, and a turn comes with every poll that ends.
        if self.told_at.is_none_or(|told_at| told_at.elapsed() >= TELL_INTERVAL) {
            self.told_at = Some(Instant::now());
            self.tell(now);
        }
        wake_in
    }

    /// How many polls may be under way: each needs a connection.
    fn concurrency(&self) -> usize {
        self.config.concurrency.min(self.tools.fetcher.connections().most())
    }

    /// A clock put back would let every feed wait for the time that was; plan from now instead.
    fn watch_clock(&mut self, now: Timestamp) {
        if self.turned_at.duration_since(now) > CLOCK_STEP {
            warn!("the clock was put back; every feed is planned anew from now");
            self.queue.set_politeness(self.config.politeness, now);
            self.exchange_feeds();
        }
        self.turned_at = now;
    }

    fn start(&mut self, id: &FeedId, now: Timestamp) {
        let Some(Placed { feed, lane }) = self.feeds.get(id) else { return };
        let Some(held) = self.lanes.get(lane) else { return };
        let state = held.states.get(id).cloned().unwrap_or_default();
        let is_tried = held.past.careful_until(now).is_some() || state.crash.is_some();
        let due_at = state.plan.due_at.unwrap_or(now);
        let waited = Duration::try_from(now.duration_since(due_at)).unwrap_or_default();
        self.poller.metrics.poll_started(waited);
        let job = Job {
            feed: Arc::clone(feed),
            lease: held.lease,
            state,
            fetcher: Arc::clone(&self.tools.fetcher),
            tagger: Arc::clone(&self.tools.tagger),
            trials: is_tried.then(|| Arc::clone(&self.tools.trials)),
        };
        let task = self.polls.spawn(Box::pin(self.poller.clone().poll(job)));
        self.polling.insert(task.id(), id.clone());
    }

    fn poll_ended(
        &mut self,
        ended: Result<(tokio::task::Id, PollEnd), JoinError>,
    ) -> Option<CommitError> {
        match ended {
            Ok((task, PollEnd::Committed(lease, id, state))) => {
                self.polling.remove(&task);
                // A lane that was taken and given again since came with a state as new or newer.
                let held = self.lanes.get_mut(&lease.lane).filter(|held| held.lease == lease);
                if let Some(held) = held {
                    held.states.insert(id.clone(), state);
                }
                self.file_anew(&id);
            }
            Ok((task, PollEnd::Taken)) => {
                let id = self.polling.remove(&task)?;
                self.file_anew(&id);
            }
            Ok((task, PollEnd::Abandoned)) => {
                self.polling.remove(&task);
            }
            Ok((task, PollEnd::Fatal(error))) => {
                self.polling.remove(&task);
                return Some(error);
            }
            Ok((task, PollEnd::Refused(error))) => {
                let id = self.polling.remove(&task)?;
                error!(feed.id = %id, error = %error, "the ledger refused an outcome");
                self.put_off(&id);
            }
            Err(panic) => {
                // `process` is caught where it runs, so this is a defect of the shell around it.
                let id = self.polling.remove(&panic.id())?;
                error!(feed.id = %id, error = %panic, "a poll ended by a defect of conflictwire");
                self.put_off(&id);
            }
        }
        None
    }

    /// Files a feed at its due time, after a poll: by the feed as it is now, for a reload may have
    /// changed it since the poll began.
    fn file_anew(&mut self, id: &FeedId) {
        let now = self.poller.clock.now();
        let due_at = self.feeds.get(id).map_or(now, |placed| self.due_at(placed, now));
        self.queue.finish(id, due_at);
    }

    /// Takes up a lane, or puts it down.
    fn change_lanes(&mut self, change: LaneChange) -> Option<CommitError> {
        match change {
            LaneChange::Given { lease, states, past } => {
                info!(lane.number = lease.lane, feed.restored = states.len(), "lane given");
                if let Some(until) = past.careful_until(self.poller.clock.now()) {
                    warn!(
                        lane.number = lease.lane,
                        lane.careful_until = format!("{until:.0}"),
                        "the lane was left uncleanly less than a day ago; new documents are read in a \
                         process of their own first"
                    );
                }
                self.lanes.insert(lease.lane, Held { lease, states, past });
                self.enqueue(|placed| placed.lane == lease.lane);
            }
            LaneChange::Taken { lease } => {
                if self.lanes.get(&lease.lane).is_some_and(|held| held.lease == lease) {
                    info!(lane.number = lease.lane, "lane taken");
                    self.lanes.remove(&lease.lane);
                    let in_it = self.feeds.iter().filter(|(_, placed)| placed.lane == lease.lane);
                    let in_it: Vec<FeedId> = in_it.map(|(id, _)| id.clone()).collect();
                    for id in &in_it {
                        self.queue.remove(id);
                        // What was found for it is not committed perhaps, and whoever has the lane
                        // now may have found more.
                        self.sought.remove(id);
                    }
                }
            }
            LaneChange::Over(error) => return Some(error),
        }
        None
    }

    /// Puts those feeds of our lanes that `is_meant` into the queue, each when it is due; but first
    /// looks elsewhere for the states of those that have none.
    fn enqueue(&mut self, is_meant: impl Fn(&Placed) -> bool) {
        let now = self.poller.clock.now();
        let may_be_elsewhere = self.poller.ledger.has_lanes();
        for (id, placed) in &self.feeds {
            let Some(held) = self.lanes.get(&placed.lane).filter(|_| is_meant(placed)) else {
                continue;
            };
            let has_state = held.states.contains_key(id) || self.sought.contains(id);
            if may_be_elsewhere && !has_state {
                self.unknown.entry(id.clone()).or_default();
            }
            if !self.unknown.contains_key(id) {
                let host = placed.feed.url.host_str().unwrap_or_default();
                self.queue.insert(id.clone(), host, self.due_at(placed, now));
            }
        }
    }

    /// Begins to look for feeds whose URL may have been in another lane before. One look for all: a
    /// deployment that starts has many.
    fn seek(&mut self) {
        if !self.seeking.is_empty() || self.unknown.is_empty() {
            return;
        }
        // One that is being polled may yet be committed where it was.
        let polled: HashSet<&FeedId> = self.polling.values().collect();
        let mut feeds = Vec::new();
        for (id, from) in self.unknown.iter_mut().filter(|(id, _)| !polled.contains(id)) {
            feeds.push(id.clone());
            let Some(lane) = from.take() else { continue };
            let left = self.lanes.get_mut(&lane).and_then(|held| held.states.remove(id));
            self.carried.extend(left.map(|state| (id.clone(), state)));
            self.poller.ledger.forget(lane, id);
        }
        if feeds.is_empty() {
            return;
        }
        let (ledger, stop) = (Arc::clone(&self.poller.ledger), self.poller.stop.clone());
        self.seeking.spawn(async move {
            let found = ledger.find_states(feeds.clone()).await;
            if found.is_err() {
                // What is away now is away in a moment too.
                let _stopped = stop.run_until_cancelled(sleep(SEEK_WAIT)).await;
            }
            (feeds, found)
        });
    }

    /// Takes up what was found, and lets those feeds be polled.
    fn take_found(&mut self, feeds: Vec<FeedId>, found: Result<States, CommitError>) {
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let why = error.to_string();
                // Once for each thing that is wrong, however often it is tried.
                if self.seek_failure.as_ref() != Some(&why) {
                    warn!(error = why, "could not look for feeds in other lanes; trying again");
                    self.seek_failure = Some(why);
                }
                return;
            }
        };
        let mut found = found;
        self.seek_failure = None;
        for id in &feeds {
            let newer =
                |one: &Arc<FeedState>, two: &Arc<FeedState>| one.sequence.cmp(&two.sequence);
            let states = found.remove(id).into_iter().chain(self.carried.remove(id));
            let Some(state) = states.max_by(newer) else { continue };
            let Some(placed) = self.feeds.get(id) else { continue };
            let Some(held) = self.lanes.get_mut(&placed.lane) else { continue };
            if !held.states.contains_key(id) {
                debug!(feed.id = %id, lane.number = placed.lane, "the feed was known before");
                held.states.insert(id.clone(), state);
            }
        }
        let feeds: HashSet<FeedId> = feeds.into_iter().collect();
        self.unknown.retain(|id, from| from.is_some() || !feeds.contains(id));
        // Of a lane that was taken meanwhile nothing was kept: given again, its feeds are looked for again.
        let held = |id: &&FeedId| {
            self.feeds.get(*id).is_some_and(|placed| self.lanes.contains_key(&placed.lane))
        };
        self.sought.extend(feeds.iter().filter(held).cloned());
        self.enqueue(|placed| feeds.contains(&placed.feed.id));
    }

    /// After a defect of ours: the feed's state did not change, and it is asked again after its
    /// longest interval, so that the defect is not met in a loop.
    fn put_off(&mut self, id: &FeedId) {
        let wait =
            self.feeds.get(id).map_or(Duration::from_secs(3600), |placed| placed.feed.interval_max);
        let now = self.poller.clock.now();
        self.queue.finish(id, now.checked_add(wait).unwrap_or(Timestamp::MAX));
    }

    fn tell(&mut self, now: Timestamp) {
        let (due, overdue) = self.queue.overdue(now);
        let mut counts = FeedCounts { due, ..FeedCounts::default() };
        let mut over_quota = 0;
        // One pass: with many feeds this is most of what an idle daemon does.
        for (id, placed) in &self.feeds {
            let Some(held) = self.lanes.get(&placed.lane) else { continue };
            let state = held.states.get(id);
            let waits = state.is_some_and(|state| state.plan.reason == Reason::Quota);
            over_quota += usize::from(waits);
            if state.is_some_and(|state| state.put_off_for().is_some()) {
                counts.crashed += 1;
                continue;
            }
            match state.map_or(Standing::New, |state| state.standing) {
                Standing::New => counts.new += 1,
                Standing::Fine => counts.fine += 1,
                Standing::Failing => counts.failing += 1,
                Standing::Gone => counts.gone += 1,
            }
        }
        self.poller.metrics.grown(self.poller.ledger.file_bytes(), over_quota);
        self.poller.metrics.turned(now);
        self.poller.metrics.feeds_stand(counts, overdue, self.polls.len());
        let is_careful = |held: &&Held| held.past.careful_until(now).is_some();
        self.poller.metrics.careful(self.lanes.values().filter(is_careful).count());
        self.tools.trials.end_idle();
        let unready = self.poller.readiness.unready();
        self.poller.metrics.stands(unready.as_ref());
        self.service.tell_status(status_text(counts, unready.as_ref(), self.last_read));
    }

    /// Begins to read the configuration anew, apart: the loop turns on, however long a file takes.
    fn begin_reload(&mut self) {
        self.service.reloading();
        let (path, clock) = (self.config.path.clone(), self.poller.clock);
        let connections = self.tools.fetcher.connections().clone();
        self.reading = Some(spawn_blocking(move || read_anew(path.as_deref(), connections, clock)));
    }

    /// Accepts the configuration that was read. A bad one is refused and the old one stays.
    fn end_reload(&mut self, read: Result<ReadAnew, JoinError>) {
        self.reading = None;
        match read.unwrap_or_else(|panic| Err(vec![panic.to_string()])) {
            Ok((config, tools)) => self.accept(config, tools),
            Err(problems) => {
                for problem in problems {
                    error!(
                        config.problem = problem,
                        "the new configuration is refused; the old one stays"
                    );
                }
                self.poller.metrics.reloaded("refused");
                self.last_read = LastRead::Refused;
            }
        }
        self.service.ready();
    }

    fn accept(&mut self, config: Config, tools: Tools) {
        if config.ledger != self.config.ledger
            || config.admin_listen != self.config.admin_listen
            || config.log != self.config.log
            || config.memory != self.config.memory
        {
            warn!(
                "[ledger], [sqlite], [kafka], [admin], [log] and run.memory change at a restart only"
            );
        }
        let politeness_changed = config.politeness != self.config.politeness;
        let (ledger, admin_listen, log) =
            (self.config.ledger.clone(), self.config.admin_listen, self.config.log);
        let memory = self.config.memory;
        self.config = Config { ledger, admin_listen, log, memory, ..config };
        self.tools = tools;
        point(Point::InReload);
        if politeness_changed {
            self.queue.set_politeness(self.config.politeness, self.poller.clock.now());
        }
        let (added, removed) = self.exchange_feeds();
        let path = self.config.path.as_deref().unwrap_or(Path::new("defaults"));
        info!(
            config.path = %path.display(),
            feed.count = self.feeds.len(),
            feed.added = added,
            feed.removed = removed,
            "configuration reloaded"
        );
        self.poller.metrics.reloaded("accepted");
        self.last_read = LastRead::InUse;
    }

    /// When a feed is due, by its state and by the configuration as it is now.
    fn due_at(&self, placed: &Placed, now: Timestamp) -> Timestamp {
        let feed = &placed.feed;
        let held = self.lanes.get(&placed.lane);
        let Some(state) = held.and_then(|held| held.states.get(&feed.id)) else { return now };
        schedule::due(state, feed, || self.tools.trials.under(feed), now).at
    }

    /// How long a drain may take, by the configuration as it is now.
    pub(super) fn drain_timeout(&self) -> Duration {
        self.config.drain_timeout
    }

    /// Makes the queue hold exactly the configured feeds of our lanes, each with its schedule: what
    /// stays is due when it was, what is new at once. Says how many came and went.
    fn exchange_feeds(&mut self) -> (usize, usize) {
        let wanted: HashSet<FeedId> =
            self.config.feeds.iter().map(|feed| feed.id.clone()).collect();
        let gone: Vec<FeedId> =
            self.feeds.keys().filter(|id| !wanted.contains(*id)).cloned().collect();
        for id in &gone {
            self.feeds.remove(id);
            self.queue.remove(id);
        }
        let mut added = 0;
        for feed in &self.config.feeds {
            let lane = self.poller.ledger.lane(&feed.url);
            let placed = Placed { feed: Arc::new(feed.clone()), lane };
            let earlier = self.feeds.insert(feed.id.clone(), placed);
            if earlier.as_ref().is_none_or(|earlier| earlier.lane != lane) {
                self.queue.remove(&feed.id);
                self.sought.remove(&feed.id);
                // A lane that we hold may remember it from before it moved away; the logs know.
                if let Some(held) = self.lanes.get_mut(&lane)
                    && self.poller.ledger.has_lanes()
                {
                    held.states.remove(&feed.id);
                    let from = earlier.as_ref().map(|earlier| earlier.lane);
                    self.unknown.insert(feed.id.clone(), from);
                } else if let Some(earlier) = &earlier {
                    // Another replica polls it from now on, by what the log says.
                    self.poller.ledger.forget(earlier.lane, &feed.id);
                }
            }
            added += usize::from(earlier.is_none());
        }
        self.enqueue(|_| true);
        (added, gone.len())
    }
}
