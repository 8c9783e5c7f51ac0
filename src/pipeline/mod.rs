//! The running whole: what exists, how it is wired, and how it stops.
//!
//! ```text
//!  signals ──► stop, reload                        admin ◄── status, metrics
//!                 │                                             ▲
//!  Queue ──due──► Scheduler ──Job──► poll (one task each) ──────┘
//!    ▲             ▲    ▲              fetch ─► process ─► Ledger::commit
//!    └──due_at─────│────┴── PollEnd ◄───────────────────────────┘
//!                  └─────── LaneChange ◄────────────────── Ledger
//! ```
//!
//! There is one loop, the scheduler's, and it owns the state of every feed whose lane the ledger has
//! given it. A poll is given a state and gives back the next one, which replaces the old only after
//! the ledger has committed it, and only under the lease that the poll began with.

mod errands;
mod history;
mod lists;
mod poll;
mod reload;
mod scheduler;
mod service;
mod tasks;
pub mod trial;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cw_code::{LexiconProblem, Tagger};
use cw_model::Outcome;
use cw_status::{Metrics, Status};
pub use errands::{Errand, Errands, PagesCame};
pub use lists::{AskedList, Asker, Came, ListMissing, fetch_missing};
pub use tasks::Tasks;
use tokio::sync::{mpsc, watch as latest};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::lists::Wanted;
use self::poll::Poller;
pub use self::reload::READING_MAX;
use self::reload::Reloading;
use self::scheduler::{Inbox, Scheduler};
use self::service::Service;
use self::trial::Trials;
use self::watch::Watch;
use crate::admin::{self, Admin, Events, Feeds, LedgerName, SharedToken, Sources};
use crate::clock::Clock;
use crate::config::{Config, REVISION};
use crate::fault::{Point, point};
use crate::fetch::{Connections, FetchSetupError, Fetcher};
use crate::ledger::{CommitError, LaneChange, Ledger};
use crate::memory::Memory;
use crate::process;
use crate::reload::{ReloadRequest, Reloader};
use crate::server::ServerStartError;
use crate::traces::Traces;
#[cfg(feature = "otlp")]
use crate::traces::export;
use crate::websub::{self, Callbacks};

/// How many requests may have ended before the scheduler takes note; then polls wait for it.
const FETCHED_MAX: usize = 256;

/// Why a daemon could not be built. Nothing has been polled.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] CommitError),
    /// The HTTP client.
    #[error(transparent)]
    Fetcher(#[from] FetchSetupError),
    /// The taxonomy or a lexicon.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Tagger(Vec<LexiconProblem>),
    /// The address of one of the servers.
    #[error("could not listen on {key} \"{address}\"; use a free port, or \"off\" for no server")]
    Listen {
        /// Which.
        key: &'static str,
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Why a running daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The ledger cannot go on, and memory and ledger may differ: restart.
    #[error("the ledger cannot go on")]
    Ledger(#[source] CommitError),
    /// The admin server, or that for hubs.
    #[error(transparent)]
    Server(ServerStartError),
    /// The thread that looks at the files of the configuration.
    #[error("could not start the thread that looks at the configuration")]
    Watch(#[source] std::io::Error),
    /// The client that sends traces.
    #[error("could not set up what sends traces")]
    Traces(#[source] FetchSetupError),
}

/// How a daemon stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Everything accepted is durable.
    Clean,
    /// The deadline passed first. What was not committed is polled again.
    CutOff {
        /// What was still running.
        still_running: Vec<&'static str>,
    },
}

/// Everything the process has, built and not yet running.
#[derive(Debug)]
pub struct Daemon {
    config: Config,
    clock: Clock,
    ledger: Ledger,
    lanes: mpsc::Receiver<LaneChange>,
    tools: Tools,
    metrics: Arc<Metrics>,
    status: Arc<Status>,
    admin: Option<std::net::TcpListener>,
    websub: Option<std::net::TcpListener>,
    observer: Option<mpsc::Sender<Arc<Outcome>>>,
    reloads: Option<(Reloader, mpsc::Receiver<ReloadRequest>)>,
}

/// What a reload may replace.
#[derive(Clone, Debug)]
struct Tools {
    fetcher: Arc<Fetcher>,
    tagger: Arc<Tagger>,
    trials: Arc<Trials>,
}

impl Tools {
    /// `connections` is shared by the tools of one process, old and new: it bounds them together.
    fn build(config: &Config, connections: Connections, clock: Clock) -> Result<Self, BuildError> {
        let tag = &config.tag;
        let tagger = Tagger::new(&tag.sources, tag.threshold).map_err(BuildError::Tagger)?;
        let fetcher = Fetcher::new(&config.fetch, connections, clock)?;
        let trials = Arc::new(Trials::new(tag, config.memory));
        Ok(Self { fetcher: Arc::new(fetcher), tagger: Arc::new(tagger), trials })
    }
}

impl Daemon {
    /// Opens the ledger, builds the tools and binds the admin address, so that what is wrong is
    /// known before the first poll. Blocks; call inside the runtime.
    ///
    /// `observer` is sent each outcome after its commit; commits wait for it.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(
        config: Config,
        clock: Clock,
        observer: Option<mpsc::Sender<Arc<Outcome>>>,
    ) -> Result<Self, BuildError> {
        let tools = Tools::build(&config, Connections::within_limits(), clock)?;
        let admin = config.admin_listen.map(|at| bind("admin.listen", at)).transpose()?;
        let listen = config.websub.as_ref().map(|websub| websub.listen);
        let websub = listen.map(|at| bind("websub.listen", at)).transpose()?;
        let metrics = Arc::new(Metrics::of(process::figures, REVISION.unwrap_or("unknown")));
        let (ledger, lanes) = Ledger::open(&config.ledger, &metrics)?;
        info!(ledger.kind = ledger.kind(), ledger.path = %ledger.place(), "ledger open");
        let status = Arc::new(Status::new(metrics.ledger().clone()));
        let reloads = None;
        Ok(Self {
            config,
            clock,
            ledger,
            lanes,
            tools,
            metrics,
            status,
            admin,
            websub,
            observer,
            reloads,
        })
    }

    /// Reads the configuration anew each time somebody asks: whoever has the reloader, the admin server, or
    /// a file that has changed.
    #[must_use]
    pub fn reload_on(
        mut self,
        reloader: Reloader,
        requests: mpsc::Receiver<ReloadRequest>,
    ) -> Self {
        self.reloads = Some((reloader, requests));
        self
    }

    /// Polls until told to stop, then drains.
    ///
    /// # Errors
    /// [`RunError`] if the ledger cannot go on.
    pub async fn run(self, stop: CancellationToken) -> Result<Drained, RunError> {
        let mut tasks = Tasks::default();
        let (feeds, questions) = Feeds::new();
        let events = Events::default();
        let (reloader, reloads) = self.reloads.unzip();
        let token = SharedToken::new(self.config.admin_token);
        let shown_at = self.admin.as_ref().and_then(|listener| listener.local_addr().ok());
        if let (Some(listener), Some(address)) = (self.admin, shown_at) {
            let history = self.ledger.history();
            let sources = Sources {
                status: Arc::clone(&self.status),
                metrics: Arc::clone(&self.metrics),
                clock: self.clock,
                ledger: LedgerName {
                    kind: self.ledger.kind(),
                    place: self.ledger.place(),
                    lanes: self.ledger.lanes(),
                },
                history: history.clone(),
                feeds,
                events: events.clone(),
                reloader: reloader.clone(),
            };
            start_admin(&mut tasks, listener, sources, token.clone(), address)
                .map_err(RunError::Server)?;
            history::remember(history, &self.status, self.clock.now());
        }
        let hubs = listen_to_hubs(&mut tasks, self.websub, &self.config, &self.metrics)?;
        let ledger = Arc::new(self.ledger);
        let traces = trace(&mut tasks, &self.config, &self.metrics)?;
        let (tell_fetched, fetched) = mpsc::channel(FETCHED_MAX);
        let poller = Poller {
            clock: self.clock,
            ledger: Arc::clone(&ledger),
            metrics: self.metrics,
            status: Arc::clone(&self.status),
            errands: Arc::default(),
            memory: Memory::new(self.config.memory, self.config.concurrency, processors()),
            observer: self.observer,
            fetched: tell_fetched,
            is_network_away: Arc::default(),
            events,
            firsts: Arc::default(),
            traces,
            stop: stop.clone(),
        };
        let service = Service::new();
        let inbox = Inbox { changes: self.lanes, fetched, questions, reloads, hubs };
        let files = self.config.files.clone();
        let wanted = Wanted::of(&self.config, &self.tools.fetcher);
        let lists =
            reloader.clone().map(|reloader| follow_lists(&mut tasks, wanted, &poller, reloader));
        let watch = reloader.map(|reloader| Watch::begin(files, self.config.watch, reloader));
        let reloading = Reloading::new(watch.transpose().map_err(RunError::Watch)?, token, lists);
        let mut scheduler =
            Scheduler::new(self.config, inbox, self.tools, poller, service, reloading)
                .shown_at(shown_at);
        let fatal = scheduler.run(&stop).await;
        self.status.set_stopping();
        stop.cancel();
        let drain_timeout = scheduler.drain_timeout();
        let drained = drain(scheduler, tasks, ledger, drain_timeout).await?;
        fatal.map_or(Ok(drained), |error| Err(RunError::Ledger(error)))
    }
}

/// Starts to listen to hubs that push, if that is asked for. What they say comes out of the channel.
fn listen_to_hubs(
    tasks: &mut Tasks,
    listener: Option<std::net::TcpListener>,
    config: &Config,
    metrics: &Arc<Metrics>,
) -> Result<Option<mpsc::Receiver<websub::HubMessage>>, RunError> {
    let (Some(listener), Some(settings)) = (listener, &config.websub) else { return Ok(None) };
    let (callbacks, messages) = Callbacks::new(settings.key.clone(), Arc::clone(metrics));
    let address = listener.local_addr().ok();
    let begin = |stop| websub::start(listener, callbacks, stop);
    tasks.try_spawn("websub", begin).map_err(RunError::Server)?;
    info!(websub.address = address.map(tracing::field::display), "listening to hubs");
    Ok(Some(messages))
}

/// The most of a drain in which traces are flushed: its quarter, and no longer than this.
#[cfg(feature = "otlp")]
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// Starts to send traces, if that is asked for.
#[cfg(feature = "otlp")]
fn trace(tasks: &mut Tasks, config: &Config, metrics: &Arc<Metrics>) -> Result<Traces, RunError> {
    let Some(to) = &config.traces else { return Ok(Traces::default()) };
    let upload = crate::fetch::Upload::new(&config.fetch, to.endpoint.clone());
    let upload = upload.map_err(RunError::Traces)?;
    let (traces, received) = Traces::new(Arc::clone(metrics));
    let flush_within = (config.drain_timeout / 4).min(FLUSH_MAX);
    tasks.spawn("traces", |stop| export(received, upload, flush_within, stop));
    info!(url.full = %to.endpoint, "traces of polls are sent");
    Ok(traces)
}

/// No configuration asks for it: `config` refuses one that does.
#[cfg(not(feature = "otlp"))]
#[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
fn trace(
    _tasks: &mut Tasks,
    _config: &Config,
    _metrics: &Arc<Metrics>,
) -> Result<Traces, RunError> {
    Ok(Traces)
}

/// Starts to ask for lists of feeds by URL. What is wanted may change.
fn follow_lists(
    tasks: &mut Tasks,
    wanted: Wanted,
    poller: &Poller,
    reloader: Reloader,
) -> latest::Sender<Wanted> {
    let (lists, wanted) = latest::channel(wanted);
    let (status, metrics) = (Arc::clone(&poller.status), Arc::clone(&poller.metrics));
    let reports = lists::Reports { status, metrics, clock: poller.clock, reloader };
    tasks.spawn("lists", |stop| lists::follow(wanted, reports, stop));
    lists
}

/// How many documents can be read at once.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn bind(key: &'static str, address: SocketAddr) -> Result<std::net::TcpListener, BuildError> {
    let refused = |source| BuildError::Listen { key, address, source };
    let listener = std::net::TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

fn start_admin(
    tasks: &mut Tasks,
    listener: std::net::TcpListener,
    sources: Sources,
    token: SharedToken,
    address: SocketAddr,
) -> Result<(), ServerStartError> {
    let admin = Admin::new(sources, address.ip(), token);
    tasks.try_spawn("admin", |stop| admin::start(listener, admin, stop))?;
    info!(admin.address = %address, "admin server listening");
    Ok(())
}

/// Stops in order, with a deadline: polls end or are abandoned, the ledger closes, tasks end.
async fn drain(
    mut scheduler: Scheduler,
    mut tasks: Tasks,
    ledger: Arc<Ledger>,
    deadline: Duration,
) -> Result<Drained, RunError> {
    // What waits to be committed together waits no longer.
    ledger.begin_drain();
    let in_order = async {
        let fatal = scheduler.finish().await;
        drop(scheduler);
        point(Point::InDrain);
        // Every poll has ended and given its handle back.
        if let Some(ledger) = Arc::into_inner(ledger) {
            ledger.close().await.map_err(RunError::Ledger)?;
        }
        tasks.stop().await;
        fatal.map_or(Ok(()), |error| Err(RunError::Ledger(error)))
    };
    match timeout(deadline, in_order).await {
        Ok(Ok(())) => {
            info!("drained");
            Ok(Drained::Clean)
        }
        Ok(Err(error)) => Err(error),
        Err(_elapsed) => {
            let mut still_running = tasks.names().to_vec();
            still_running.push("polls or ledger");
            Ok(Drained::CutOff { still_running })
        }
    }
}
