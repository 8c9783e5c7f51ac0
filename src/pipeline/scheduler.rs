//! The one loop of the daemon: does what `decide::scheduler` says, and tells it what came of it.
//!
//! It polls, reads the configuration, waits, and says how things stand. It decides nothing.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cw_decide::schedule::conduct::Request;
use cw_decide::scheduler::{
    Configuration, CrashLabel, Effect, Event, FeedChanges, Look, LookError, Notice, Poll, PollEnd,
    Scheduler as Machine, Sightings,
};
use cw_decide::subscription::HubRequest;
use cw_decide::{Moment, Now};
use cw_model::{Feed, FeedId};
use cw_status::spans::span_text;
use cw_status::{LastRead, live};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use url::Url;

use super::Tools;
use super::errands::TIME_MAX;
use super::poll::{Job, Polled, Poller};
use super::reload::{ReadAnew, Reloading, kept, needs_restart, next_reload, to_end};
use super::service::Service;
use crate::admin::Question;
use crate::config::{Config, FilesRead, in_a_sentence};
use crate::fault::{Point, point};
use crate::ledger::{CommitError, LaneChange};
use crate::reload::{ReloadRequest, Reloaded};
use crate::websub;

/// How often it is told how the feeds stand.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// The width of a terminal that does not say.
const LIVE_COLUMNS: usize = 80;

/// Whose hub was asked, in which subscription, and if it failed, how long it asked to wait.
type HubAsked = (FeedId, u32, Result<(), Option<Duration>>);

/// What was looked for in which lanes, and what was found.
type LookEnded = (Arc<Look>, Result<Sightings, LookError>);

/// Where the messages of others arrive: what they know and what they ask for.
pub(super) struct Inbox {
    /// What the ledger says of lanes.
    pub(super) changes: mpsc::Receiver<LaneChange>,
    /// Requests that have ended.
    pub(super) fetched: mpsc::Receiver<(FeedId, Request)>,
    /// Who wants to know how the feeds stand.
    pub(super) questions: mpsc::Receiver<Question>,
    pub(super) reloads: Option<mpsc::Receiver<ReloadRequest>>,
    /// What hubs say; `None` where nobody listens to them.
    pub(super) hubs: Option<mpsc::Receiver<websub::HubMessage>>,
}

/// The scheduler and what it works with.
pub(super) struct Scheduler {
    machine: Machine,
    config: Config,
    /// Those that new polls are given; a reload may replace them.
    tools: Tools,
    poller: Poller,
    service: Service,
    inbox: Inbox,
    reloading: Reloading,
    looks: JoinSet<LookEnded>,
    polls: JoinSet<Polled>,
    /// Requests to hubs.
    asks: JoinSet<HubAsked>,
    /// Whose poll a task is, to know after a panic.
    polling: HashMap<Id, FeedId>,
    /// What ends the request of a poll.
    put_offs: HashMap<FeedId, CancellationToken>,
    /// Where the clock of the machine starts.
    started_at: Instant,
    /// Where the admin server listens.
    shown_at: Option<SocketAddr>,
    told_at: Option<Instant>,
    /// Why the ledger cannot go on, if so.
    fatal: Option<CommitError>,
}

impl Scheduler {
    pub(super) fn new(
        mut config: Config,
        inbox: Inbox,
        tools: Tools,
        poller: Poller,
        service: Service,
        reloading: Reloading,
    ) -> Self {
        let machine = Machine::new(configured(&mut config, &tools), poller.ledger.lanes());
        Self {
            machine,
            config,
            tools,
            poller,
            service,
            inbox,
            reloading,
            looks: JoinSet::new(),
            polls: JoinSet::new(),
            asks: JoinSet::new(),
            polling: HashMap::new(),
            put_offs: HashMap::new(),
            started_at: Instant::now(),
            shown_at: None,
            told_at: None,
            fatal: None,
        }
    }

    /// Names the address at which more is shown.
    pub(super) fn shown_at(mut self, address: Option<SocketAddr>) -> Self {
        self.shown_at = address;
        self
    }

    /// Runs until told to stop, or until the ledger cannot go on; then says why.
    pub(super) async fn run(&mut self, stop: &CancellationToken) -> Option<CommitError> {
        info!(feed.count = self.machine.feeds(), "polling");
        // A lane that is given from the start is polled from the first turn on.
        while let Ok(change) = self.inbox.changes.try_recv() {
            self.change_lanes(change);
        }
        if self.fatal.is_none() {
            self.poller.status.set_serving();
            self.service.ready();
        }
        while self.fatal.is_none() {
            self.handle(Event::Elapsed);
            let wake_in = self.tell();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(change) = self.inbox.changes.recv() => self.change_lanes(change),
                Some((id, request)) = self.inbox.fetched.recv() => {
                    self.handle(Event::Fetched(id, request));
                }
                Some(question) = self.inbox.questions.recv() => self.say_how_feeds_stand(question),
                Some(ended) = self.polls.join_next_with_id(), if !self.polls.is_empty() => {
                    self.poll_ended(ended);
                }
                (read, files) = to_end(&mut self.reloading.reading) => self.configuration_read(read, files),
                Some(Ok((look, found))) = self.looks.join_next() => {
                    self.handle(Event::Looked(look, found));
                }
                Some(request) = next_reload(&mut self.inbox.reloads) => {
                    self.reloading.asked(request);
                    self.handle(Event::ReloadRequested);
                }
                Some(message) = next_message(&mut self.inbox.hubs) => self.hear(message),
                Some(Ok((id, generation, came))) = self.asks.join_next() => {
                    self.handle(Event::HubAsked(id, generation, came));
                }
                () = sleep(wake_in) => {}
            }
        }
        self.handle(Event::StopRequested);
        self.service.stopping();
        self.fatal.take()
    }

    /// Waits for the polls in flight; each ends or abandons itself once told to stop.
    /// Says why the ledger is gone, if that is how one ended.
    pub(super) async fn finish(&mut self) -> Option<CommitError> {
        // Whoever gives or takes a lane must not wait for us any more.
        self.inbox.changes.close();
        // A look sees that a drain has begun, and gives its handle back.
        while self.looks.join_next().await.is_some() {}
        while let Some(ended) = self.polls.join_next_with_id().await {
            self.poll_ended(ended);
        }
        self.fatal.take()
    }

    /// How long a drain may take, by the configuration as it is now.
    pub(super) fn drain_timeout(&self) -> Duration {
        self.config.drain_timeout
    }

    fn handle(&mut self, event: Event) {
        let now = self.now();
        for effect in self.machine.handle(event, now) {
            self.apply(effect);
        }
    }

    fn now(&self) -> Now {
        let at = Moment::after_start(self.started_at.elapsed());
        Now { at, wall: self.poller.clock.now() }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Poll(poll) => self.start(*poll),
            Effect::PutOff(id) => {
                if let Some(put_off) = self.put_offs.get(&id) {
                    put_off.cancel();
                }
            }
            Effect::Look(look) => {
                let ledger = Arc::clone(&self.poller.ledger);
                self.looks.spawn(async move {
                    let found = ledger.look(Arc::clone(&look)).await;
                    (look, found.map_err(|error| LookError::new(&error)))
                });
            }
            Effect::NetworkLost { hosts } => {
                self.poller.is_network_away.store(true, Ordering::SeqCst);
                error!(
                    host.count = hosts,
                    "no host answers any more: the network is away; no feed is blamed, and a few are asked \
                     now and then until one answers"
                );
            }
            Effect::NetworkBack { due } => {
                self.poller.is_network_away.store(false, Ordering::SeqCst);
                info!(
                    feed.count = due,
                    "the network is back; feeds that are due are asked within minutes"
                );
            }
            Effect::AskHub(feed, request) => self.ask_hub(feed, request),
            Effect::Hurry => self.poller.ledger.hurry(),
            Effect::ReadConfiguration => {
                self.service.reloading();
                let (path, clock) = (self.config.path.clone(), self.poller.clock);
                let connections = self.tools.fetcher.connections().clone();
                // The loop turns on, however long a file takes.
                self.reloading.begin(path, connections, clock);
            }
            Effect::Reloaded(changes) => self.reloaded(changes),
            Effect::Log(notice) => self.log(notice),
        }
    }

    fn start(&mut self, poll: Poll) {
        let Poll { feed, lease, state, is_tried, patience, waited } = poll;
        self.poller.metrics.poll_started(waited);
        let id = feed.id.clone();
        let put_off = CancellationToken::new();
        self.put_offs.insert(id.clone(), put_off.clone());
        let job = Job {
            feed,
            lease,
            state,
            fetcher: Arc::clone(&self.tools.fetcher),
            tagger: Arc::clone(&self.tools.tagger),
            trials: is_tried.then(|| Arc::clone(&self.tools.trials)),
            patience,
            put_off,
        };
        let task = self.polls.spawn(Box::pin(self.poller.clone().poll(job)));
        self.polling.insert(task.id(), id);
    }

    /// Tells the machine what a hub said, and the hub what becomes of it.
    fn hear(&mut self, message: websub::HubMessage) {
        let now = self.poller.clock.now();
        let heard = self.machine.hear(&message.feed, message.generation, &message.said, now);
        debug!(feed.id = %message.feed, "a hub said {:?}, answered {heard:?}", message.said);
        message.answer(heard);
    }

    /// Asks a hub, in its host's turn.
    fn ask_hub(&mut self, feed: Arc<Feed>, request: HubRequest) {
        let Some(websub) = self.config.websub.clone() else { return };
        let (fetcher, poller) = (Arc::clone(&self.tools.fetcher), self.poller.clone());
        self.asks.spawn(async move {
            let (mode, hub) = (request.mode.name(), request.offer.hub.as_str());
            let form = websub.form(&feed.id, &request);
            let came = async {
                let Ok(url) = Url::parse(hub) else { return Err((None, "it is no URL".to_owned())) };
                let deadline = Instant::now() + TIME_MAX;
                if !poller.errands.turn(&url, fetcher.host_gap(), deadline).await {
                    return Err((None, "its host has too much to do for us".to_owned()));
                }
                let posted = fetcher.post(&feed, &url, &form).await;
                posted.map_err(|failure| (failure.retry_after, failure.detail))
            };
            let came = came.await;
            poller.metrics.hub_asked(&came);
            let came = match came {
                Ok(()) => {
                    debug!(feed.id = %feed.id, hub.mode = mode, hub.url = hub, "a hub took a request");
                    Ok(())
                }
                Err((retry_after, error)) => {
                    info!(
                        feed.id = %feed.id,
                        hub.mode = mode,
                        hub.url = hub,
                        error = %error,
                        "a hub did not take a request; it is asked again later, and its feed polled as ever"
                    );
                    Err(retry_after)
                }
            };
            (feed.id.clone(), request.generation, came)
        });
    }

    fn say_how_feeds_stand(&self, question: Question) {
        let Some(question) = question.if_open() else { return };
        let at = self.poller.clock.now();
        question.answer(self.machine.views(at), at);
    }

    fn change_lanes(&mut self, change: LaneChange) {
        match change {
            LaneChange::Given { lease, states, past } => {
                self.handle(Event::LaneGiven { lease, states, past });
            }
            LaneChange::Taken { lease } => self.handle(Event::LaneTaken(lease)),
            LaneChange::Over(error) => self.fatal = Some(error),
        }
    }

    fn poll_ended(&mut self, ended: Result<(Id, Polled), JoinError>) {
        let task = match &ended {
            Ok((task, _)) => *task,
            Err(panic) => panic.id(),
        };
        let Some(id) = self.polling.remove(&task) else { return };
        self.put_offs.remove(&id);
        let end = match ended {
            Ok((_, Polled::Committed(lease, state))) => PollEnd::Committed(lease, state),
            Ok((_, Polled::NotItsTurn(wait))) => PollEnd::NotItsTurn(wait),
            Ok((_, Polled::PutOff)) => PollEnd::PutOff,
            Ok((_, Polled::Taken)) => PollEnd::Taken,
            Ok((_, Polled::Abandoned)) => PollEnd::Abandoned,
            Ok((_, Polled::Refused(error))) => {
                error!(feed.id = %id, error = %error, "the ledger refused an outcome");
                PollEnd::Failed
            }
            Ok((_, Polled::Fatal(error))) => {
                self.fatal.get_or_insert(error);
                PollEnd::Abandoned
            }
            Err(panic) => {
                // `process` is caught where it runs, so this is a defect of the shell around it.
                error!(feed.id = %id, error = %panic, "a poll ended by a defect of conflictwire");
                PollEnd::Failed
            }
        };
        self.handle(Event::PollEnded(id, end));
    }

    /// Takes a configuration that was read into use. A bad one is refused and the old one stays.
    fn configuration_read(&mut self, read: ReadAnew, files: FilesRead) {
        self.reloading.ended(files);
        match read {
            Ok((config, tools)) => {
                if needs_restart(&self.config, &config) {
                    warn!(
                        "[ledger], [sqlite], [kafka], [websub], [telemetry], admin.listen, admin.advertise, [log] and \
                         run.memory change at a restart only"
                    );
                }
                self.reloading.apply(&config);
                self.config = kept(&self.config, config);
                self.tools = tools;
                self.reloading.follow_lists(&self.config, &self.tools.fetcher);
                point(Point::InReload);
                let read = Box::new(configured(&mut self.config, &self.tools));
                self.handle(Event::ConfigurationRead(Some(read)));
            }
            Err(problems) => {
                for problem in &problems {
                    error!(
                        config.problem = problem,
                        "the new configuration is refused; the old one stays"
                    );
                }
                self.poller.metrics.reload_refused();
                self.poller
                    .status
                    .set_last_read(LastRead::Refused { why: in_a_sentence(&problems) });
                self.reloading.answer(&Reloaded::Refused(problems));
                self.handle(Event::ConfigurationRead(None));
            }
        }
        if self.reloading.reading.is_none() {
            self.service.ready();
        }
    }

    /// The feeds of a new configuration are in use.
    fn reloaded(&mut self, FeedChanges { feeds, added, removed }: FeedChanges) {
        let path = self.config.path.as_deref().unwrap_or(Path::new("defaults"));
        info!(
            config.path = %path.display(),
            feed.count = feeds,
            feed.added = added,
            feed.removed = removed,
            "configuration reloaded"
        );
        self.poller.metrics.reload_accepted(self.poller.clock.now());
        self.poller.status.set_last_read(LastRead::InUse);
        self.reloading.answer(&Reloaded::Accepted { feeds, added, removed });
    }

    /// Shows that it is alive and, now and then, how things stand. Says how long nothing needs doing.
    fn tell(&mut self) -> Duration {
        let now = self.now();
        self.poller.status.beat();
        self.service.feed_watchdog();
        // Every feed is counted, and the loop turns with every poll that ends.
        if self.told_at.is_none_or(|told_at| told_at.elapsed() >= TELL_INTERVAL) {
            self.told_at = Some(Instant::now());
            self.tell_counts(now);
        }
        let wake_in = self.machine.wake_at(now).map(|at| at.since(now.at));
        let turn_interval = self.service.turn_interval();
        wake_in.map_or(turn_interval, |wake_in| wake_in.min(turn_interval))
    }

    fn tell_counts(&mut self, now: Now) {
        let status = &self.poller.status;
        status.set_counts(self.machine.counts(now.wall), self.poller.ledger.file_bytes());
        self.tools.trials.end_idle();
        let text = status.snapshot().text();
        live::show(|| self.live_line(&text, now));
        self.service.tell_status(text);
    }

    /// How things stand, for the line at the bottom of a terminal, as much of it as fits there.
    fn live_line(&self, standing: &str, now: Now) -> String {
        let mut parts = vec![standing.to_owned()];
        match (self.polls.len(), self.machine.wake_at(now).map(|at| at.since(now.at))) {
            (0, Some(wait)) => parts.push(format!("next poll in {}", span_text(wait))),
            (0, None) => {}
            (polls, _) => parts.push(format!("{polls} under way")),
        }
        parts.push(format!("{} committed", self.poller.metrics.records_committed()));
        parts.extend(self.shown_at.map(|address| format!("http://{address}/")));
        let width = terminal_size::terminal_size_of(std::io::stderr())
            .map_or(LIVE_COLUMNS, |(width, _)| usize::from(width.0));
        let line = parts.join(" \u{b7} ");
        line.chars().take(width.saturating_sub(1)).collect()
    }

    /// Tells people.
    fn log(&mut self, notice: Notice) {
        match notice {
            Notice::LaneGiven { lane, states, careful_until } => {
                info!(lane.number = lane, feed.restored = states, "lane given");
                if let Some(until) = careful_until {
                    warn!(
                        lane.number = lane,
                        lane.careful_until = format!("{until:.0}"),
                        "the lane was left uncleanly less than a day ago; new documents are read in a \
                         process of their own first"
                    );
                }
            }
            Notice::LaneTaken { lane } => info!(lane.number = lane, "lane taken"),
            Notice::KeepsItsLane { feed, lane } => debug!(
                feed.id = %feed,
                lane.number = lane,
                "the feed is polled in the lane that has its state"
            ),
            Notice::NotLooked { why } => {
                warn!(error = %why, "could not look for feeds in other lanes; trying again");
            }
            Notice::ClockPutBack => {
                warn!("the clock was put back; every feed is planned anew from now");
            }
        }
    }
}

/// What a hub says next; never, if nobody listens.
async fn next_message(
    hubs: &mut Option<mpsc::Receiver<websub::HubMessage>>,
) -> Option<websub::HubMessage> {
    match hubs {
        Some(hubs) => hubs.recv().await,
        None => std::future::pending().await,
    }
}

/// What the machine is to know of a configuration. Each poll needs a connection, so there are no more
/// than connections.
///
/// The feeds are taken out of it: there are many, and nothing else here needs them.
fn configured(config: &mut Config, tools: &Tools) -> Configuration {
    let trials = Arc::clone(&tools.trials);
    Configuration {
        feeds: std::mem::take(&mut config.feeds).into_iter().map(Arc::new).collect(),
        politeness: config.politeness,
        concurrency: config.concurrency.min(tools.fetcher.connections().most()),
        crash_label: CrashLabel::new(move |feed| trials.under(feed)),
        callback: config.websub.as_ref().map(|websub| websub.label().into()),
    }
}
