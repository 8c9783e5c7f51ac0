//! Apache Kafka: topics, one transaction a commit, any number of replicas and no volume.
//!
//! Every lane that the consumer group gives us is driven by a thread of its own (`driver`, by what
//! `decide::lane` says), with a producer
//! whose transactional id is the lane's: whoever has the id last can commit, and nobody else. The
//! group (`placement`) only says which lanes to ask for. What is promised: every revision that was
//! observed is there exactly once for a `read_committed` reader; no article without its feed's state,
//! no state without its articles. `src/README.md` says why.
//!
//! The only folder that names rdkafka.

pub mod asyncapi;
#[cfg(feature = "fault-points")]
pub mod by_hand;
pub mod client;
pub mod cluster;
mod driver;
pub mod error;
#[cfg(test)]
mod golden;
mod inspection;
pub mod owners;
mod placement;
pub mod probe;
mod properties;
pub mod read;
mod replicas;
mod restore;
pub mod settings;
pub mod target;
pub mod topics;
mod transaction;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use cw_decide::lane::{PUT_OFF, Topics, Undone, hash, wire};
use cw_decide::scheduler::{Look, Sequences};
use cw_decide::{Lease, Moment, Now};
use cw_model::state::FeedState;
use cw_model::{FeedId, Outcome};
use cw_status::Metrics;
use cw_status::ledger::LedgerStatus;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use url::Url;

use self::client::Client;
use self::driver::LaneJob;
use self::restore::Partition;
use self::settings::KafkaSettings;
use self::turns::GroupTurns;
use super::{CommitError, LaneChange};
use crate::clock::Clock;

/// How many outcomes may wait for a lane. A longer queue would only hide a slow broker; a full one
/// makes polls wait.
const QUEUE_OUTCOMES: usize = 64;

/// Within what time a replica that polls a feed has written how that feed stands, whatever came of its
/// polls.
pub const STATES_WRITTEN_WITHIN: Duration = PUT_OFF;

/// How many changes of lanes may wait for the scheduler. It takes them at once; a full channel makes
/// lanes wait.
const CHANGES_MAX: usize = 64;

/// How long a lane waits for the group's consumer to be polled, which happens ten times a second.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// How many times the group's consumer must have been polled before a lane is fenced: once may have
/// been under way when we asked.
const TURNS: u64 = 2;

/// The open end of a lane's queue, under its lease.
#[derive(Debug)]
struct Desk {
    lease: Lease,
    jobs: mpsc::Sender<LaneJob>,
}

/// What the ledger's threads share.
#[derive(Debug)]
struct Shared {
    settings: KafkaSettings,
    /// Tells this process from every other.
    instance: String,
    runtime: Handle,
    status: LedgerStatus,
    turns: GroupTurns,
    /// Asks for metadata and watermarks, and sees what is not committed.
    watcher: Client,
    topics: Mutex<Topics>,
    desks: Mutex<BTreeMap<u32, Desk>>,
    changes: mpsc::Sender<LaneChange>,
    numbers: AtomicU64,
    hurry: watch::Sender<u64>,
    draining: CancellationToken,
    draining_at: OnceLock<Moment>,
    /// Where the clock of lanes starts.
    started_at: Instant,
    closing: CancellationToken,
}

impl Shared {
    /// A number that was not given before, higher than all.
    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Does the work of a thread. A panic in it ends the process: memory and log may differ then,
    /// and nobody would commit what is polled.
    fn or_end(&self, work: impl FnOnce()) {
        if std::panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            error!("a thread of the ledger ended by a defect of conflictwire");
            self.tell(LaneChange::Over(CommitError::Closed));
        }
    }

    /// The time, as lanes are told it.
    fn now(&self) -> Now {
        let at = Moment::after_start(self.started_at.elapsed());
        Now { at, wall: Clock::System.now() }
    }

    /// A moment on the runtime's clock.
    fn instant(&self, moment: Moment) -> Instant {
        self.started_at + moment.since(Moment::default())
    }

    /// A lane's partition of the state topic.
    fn partition(&self, lane: u32) -> Partition<'_> {
        Partition { settings: &self.settings, watcher: &self.watcher, lane }
    }

    /// Closes a lane's queue; says whether it was still open under that lease.
    fn close_desk(&self, lease: Lease) -> bool {
        let mut desks = lock(&self.desks);
        // Under that lease: the lane may have been given anew, with a desk of its own.
        let is_open = desks.get(&lease.lane).is_some_and(|desk| desk.lease == lease);
        if is_open {
            desks.remove(&lease.lane);
        }
        is_open
    }

    /// Tells the scheduler. It may be gone: then nobody polls any more.
    fn tell(&self, change: LaneChange) {
        let _gone = self.changes.blocking_send(change);
    }

    fn topics(&self) -> Topics {
        *lock(&self.topics)
    }
}

/// Tells processes of one deployment apart.
fn random_instance() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is whole in itself, so a panic in between leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lanes of this replica, and the group that gives them.
#[derive(Debug)]
pub struct KafkaLedger {
    shared: Arc<Shared>,
    placement: std::thread::JoinHandle<()>,
}

/// The lane of a feed, by its host.
pub fn lane_of(settings: &KafkaSettings, url: &Url) -> u32 {
    hash::lane(url, settings.lanes)
}

impl KafkaLedger {
    /// Starts to look for brokers. None need be there: lanes come when they are.
    ///
    /// # Errors
    /// [`CommitError::Misconfigured`] if librdkafka cannot be set up so.
    pub fn open(
        settings: &KafkaSettings,
        metrics: &Arc<Metrics>,
    ) -> Result<(Self, mpsc::Receiver<LaneChange>), CommitError> {
        let watcher = Client::of(&settings.watcher()).map_err(|error| misconfigured(&error))?;
        let (changes, given) = mpsc::channel(CHANGES_MAX);
        let shared = Arc::new(Shared {
            settings: settings.clone(),
            instance: random_instance(),
            runtime: Handle::current(),
            status: metrics.ledger().clone(),
            turns: GroupTurns::default(),
            watcher,
            topics: Mutex::default(),
            desks: Mutex::default(),
            changes,
            numbers: AtomicU64::new(1),
            hurry: watch::Sender::new(0),
            draining: CancellationToken::new(),
            draining_at: OnceLock::new(),
            started_at: Instant::now(),
            closing: CancellationToken::new(),
        });
        let member =
            placement::Member::new(Arc::clone(&shared)).map_err(|error| misconfigured(&error))?;
        shared.status.joining();
        let follower = Arc::clone(&shared);
        let placement = std::thread::Builder::new()
            .name("placement".to_owned())
            .spawn(move || follower.or_end(|| member.follow()))
            .map_err(|err| {
                CommitError::Misconfigured(format!("the system gives no thread: {err}"))
            })?;
        let asking = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("replicas".to_owned())
            .spawn(move || asking.or_end(|| replicas::follow(&asking)))
            .map_err(|err| {
                CommitError::Misconfigured(format!("the system gives no thread: {err}"))
            })?;
        info!(
            ledger.instance = shared.instance,
            ledger.deployment = shared.settings.deployment,
            "looking for the group that gives lanes"
        );
        Ok((Self { shared, placement }, given))
    }

    /// See [`super::Ledger::lanes`].
    pub fn lanes(&self) -> u32 {
        self.shared.settings.lanes
    }

    /// See [`super::Ledger::look`].
    ///
    /// # Errors
    /// [`CommitError::Write`].
    pub async fn look(&self, look: Arc<Look>) -> Result<BTreeMap<FeedId, Sequences>, CommitError> {
        let shared = Arc::clone(&self.shared);
        let read = tokio::task::spawn_blocking(move || {
            let is_given_up = || shared.draining.is_cancelled();
            let mut found: BTreeMap<FeedId, Sequences> = BTreeMap::new();
            for lane in &look.lanes {
                for (id, sequence) in shared.partition(*lane).sequences(&look.feeds, is_given_up)? {
                    found.entry(id).or_default().insert(*lane, sequence);
                }
            }
            Ok(found)
        });
        let failed = |why: String| CommitError::Write {
            path: self.shared.settings.topics.state.clone(),
            why,
        };
        match read.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error @ (Undone::Away(_) | Undone::Contradiction(_)))) => {
                Err(failed(error.to_string()))
            }
            Ok(Err(Undone::GivenUp)) => Err(CommitError::Closed),
            Err(panic) => Err(failed(panic.to_string())),
        }
    }

    /// See [`super::Ledger::commit`].
    ///
    /// # Errors
    /// [`CommitError::Refused`], [`CommitError::Taken`].
    pub async fn commit(
        &self,
        lease: Lease,
        outcome: Arc<Outcome>,
    ) -> Result<Option<Arc<FeedState>>, CommitError> {
        let desk = {
            let desks = lock(&self.shared.desks);
            let desk = desks.get(&lease.lane).filter(|desk| desk.lease == lease);
            desk.map(|desk| desk.jobs.clone()).ok_or(CommitError::Taken)?
        };
        let (reply, answer) = oneshot::channel();
        // Waits while the queue is full. That is how slow brokers slow down polling.
        if desk.send(LaneJob { outcome, reply }).await.is_err() {
            return Err(CommitError::Taken);
        }
        // A lane that ended has answered nobody; what it held is not committed, or will be read from
        // the log by whoever takes it up.
        answer.await.unwrap_or(Err(CommitError::Taken))
    }

    /// See [`super::Ledger::hurry`].
    pub fn hurry(&self) {
        self.shared.hurry.send_modify(|hurries| *hurries = hurries.wrapping_add(1));
    }

    /// See [`super::Ledger::begin_drain`].
    pub fn begin_drain(&self) {
        // The first call counts: a second one must not make the drain longer.
        self.shared.draining_at.get_or_init(|| self.shared.now().at);
        self.shared.draining.cancel();
    }

    /// Brokers and deployment, for people.
    pub fn place(&self) -> String {
        let settings = &self.shared.settings;
        format!("{}, deployment {}", settings.shown_brokers(), settings.deployment)
    }

    /// Commits what waits, writes what was put off, gives every lane up and leaves the group.
    ///
    /// # Errors
    /// [`CommitError::Closed`] if the thread that follows the group had died.
    pub async fn close(self) -> Result<(), CommitError> {
        self.begin_drain();
        self.shared.closing.cancel();
        let placement = self.placement;
        match tokio::task::spawn_blocking(move || placement.join()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(CommitError::Closed),
        }
    }
}

/// See [`super::rehearse`].
pub(super) fn rehearse(outcome: &Outcome) {
    let layout = wire::Layout {
        lane: 0,
        partition_by: wire::PartitionBy::Key,
        partitions: [1; 3],
        record_bytes_max: usize::MAX,
        known_bytes_max: None,
    };
    drop(layout.draft(outcome, &BTreeSet::new()));
}

fn misconfigured(error: &KafkaError) -> CommitError {
    CommitError::Misconfigured(format!("Kafka cannot be used as configured: {error}"))
}

/// Puts a log line of librdkafka where all log lines go.
fn logged(level: RDKafkaLogLevel, fac: &str, message: &str, lane: Option<u32>) {
    let lane = lane.map(i64::from).unwrap_or(-1);
    match level {
        // What matters of these reaches us as an error too, and is told once, by us, in context.
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            warn!(target: "librdkafka", { lane.number = lane, kafka.facility = fac, kafka.text = message }, "librdkafka says");
        }
        RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning
        | RDKafkaLogLevel::Notice
        | RDKafkaLogLevel::Info
        | RDKafkaLogLevel::Debug => {
            debug!(target: "librdkafka", { lane.number = lane, kafka.facility = fac, kafka.text = message }, "librdkafka says");
        }
    }
}
