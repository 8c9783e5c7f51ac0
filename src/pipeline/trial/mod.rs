//! Reads a document in a process of its own first, where it can do no harm.
//!
//! A stack that overflows or memory that runs out ends a process, and nothing catches that. `process`
//! is pure, so what a document did to one process it does to the next: a document whose trial was
//! survived is read by the daemon as always, one that ended two processes in a row, the second with
//! nothing else under way, is refused (class `crash`), and the daemon never sees inside it.
//!
//! When documents are tried is the scheduler's to say: in a lane that was left uncleanly, and in a
//! feed that has crashed a process before. Otherwise nothing here runs and no process is started.
//!
//! `wire` is what the two processes say to each other, `worker` our end of one, `child` the other.

pub mod child;
mod limits;
mod wire;
mod worker;

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cw_decide::process::Pages;
use cw_model::state::FeedState;
use cw_model::{Body, Feed, FeedId, Timestamp};
use cw_status::{Metrics, TrialOutcome};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::{debug, warn};

use self::wire::{SetUp, WireFeed, head_of, set_up_head};
use self::worker::{Death, Worker, WorkerError};
use crate::config::TagSettings;

/// The most processes at once, and no more than there are processors: each may take as much memory
/// as one document may.
const WORKERS_MAX: usize = 4;

/// A process with nothing to read is ended after this: one takes some 20 MB, and is started again in
/// a fraction of a second.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Hex digits of what a feed crashed under: as many as tell configurations apart.
const DIGEST_DIGITS: usize = 16;

/// A document, and everything that `process` is given with it.
#[derive(Clone, Debug)]
pub(super) struct TrialDocument {
    pub(super) feed: Arc<Feed>,
    pub(super) body: Arc<Body>,
    pub(super) state: Arc<FeedState>,
    pub(super) now: Timestamp,
    pub(super) pages: Arc<Pages>,
}

/// What a trial came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A process has read it and lives.
    Read,
    /// It ended whatever read it; how, for a person.
    Crashed(String),
    /// There was no process to be had. Not the document's fault: it is read as if nothing had been.
    Untried,
}

/// What is under way beside an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// Attempts with other documents.
    Others,
    /// None, and the process is a new one.
    Nothing,
}

/// What an attempt came to.
enum Attempt {
    Read,
    Died(Death),
    Untried,
}

/// A process without work.
#[derive(Debug)]
struct Idle {
    worker: Worker,
    since: Instant,
}

/// The processes in which documents are tried, by one configuration.
#[derive(Debug)]
pub struct Trials {
    /// What is run; `None`: no file of this program is to be found.
    program: Option<PathBuf>,
    set_up: Vec<u8>,
    slots: Semaphore,
    slot_count: u32,
    idle: Mutex<Vec<Idle>>,
    /// Whether it has been said that no process could be had.
    has_complained: AtomicBool,
}

impl Trials {
    /// Starts nothing yet. A document may take `memory` bytes: what all together have in the daemon, so
    /// that one which passes is no more than it bears.
    pub fn new(tag: &TagSettings, memory: u64) -> Self {
        Self::running(worker::this_program(), tag, memory)
    }

    fn running(program: Option<PathBuf>, tag: &TagSettings, memory: u64) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let slot_count = processors.min(WORKERS_MAX);
        Self {
            program,
            set_up: set_up_head(&SetUp::new(tag, memory)),
            slots: Semaphore::new(slot_count),
            slot_count: u32::try_from(slot_count).unwrap_or(1),
            idle: Mutex::default(),
            has_complained: AtomicBool::new(false),
        }
    }

    /// What a feed is read under: this version, the configuration, its own settings. A feed that has
    /// crashed under something else is worth another try.
    pub fn under(&self, feed: &Feed) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let mut hash = Sha256::new();
        hash.update(version);
        hash.update(&self.set_up);
        hash.update(WireFeed::from(feed).text());
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let digest: String = hex.chars().take(DIGEST_DIGITS).collect();
        format!("{version} {digest}")
    }

    /// Tries a document. Cancel safety: the processes end with this one, or with their document.
    pub(super) async fn read(
        self: &Arc<Self>,
        document: TrialDocument,
        metrics: &Metrics,
    ) -> Verdict {
        let feed_id = document.feed.id.clone();
        let document = Arc::new(document);
        let mut attempt = self.attempt(Arc::clone(&document), Beside::Others).await;
        if let Attempt::Died(death) = &attempt
            && !death.is_by_its_own_limit()
        {
            // Memory may have been short for another's sake, or somebody killed the process: it must
            // die again while nothing else is read.
            debug!(feed.id = %feed_id, error = %death, "a trial died; trying again, alone");
            attempt = self.attempt(document, Beside::Nothing).await;
        }
        let (outcome, verdict) = match attempt {
            Attempt::Read => (TrialOutcome::Read, Verdict::Read),
            Attempt::Died(death) => (TrialOutcome::Crashed, Verdict::Crashed(death.to_string())),
            Attempt::Untried => (TrialOutcome::Untried, Verdict::Untried),
        };
        metrics.tried(outcome);
        verdict
    }

    async fn attempt(self: &Arc<Self>, document: Arc<TrialDocument>, beside: Beside) -> Attempt {
        let slots = match beside {
            Beside::Others => 1,
            Beside::Nothing => self.slot_count,
        };
        // Never closed.
        let Ok(_held) = self.slots.acquire_many(slots).await else { return Attempt::Untried };
        if beside == Beside::Nothing {
            // Their memory goes with them.
            self.idle().clear();
        }
        let trials = Arc::clone(self);
        spawn_blocking(move || trials.attempt_here(&document)).await.unwrap_or(Attempt::Untried)
    }

    /// Blocks until a process has read the document or is dead.
    fn attempt_here(&self, document: &TrialDocument) -> Attempt {
        let started = match self.idle().pop() {
            Some(idle) => Ok(idle.worker),
            None => Worker::start(self.program.as_deref(), &self.set_up),
        };
        let mut worker = match started {
            Ok(worker) => worker,
            Err(error) => return self.untried(&document.feed.id, &error.to_string()),
        };
        match worker.read(&head_of(document), &document.body.bytes) {
            Ok(()) => {
                self.idle().push(Idle { worker, since: Instant::now() });
                Attempt::Read
            }
            Err(WorkerError::Died(death)) => Attempt::Died(death),
            Err(error) => self.untried(&document.feed.id, &error.to_string()),
        }
    }

    /// Says it once, however many documents it concerns.
    fn untried(&self, feed: &FeedId, why: &str) -> Attempt {
        if self.has_complained.swap(true, Ordering::Relaxed) {
            debug!(feed.id = %feed, error = why, "a document could not be tried");
        } else {
            warn!(
                feed.id = %feed,
                error = why,
                "a document could not be read in a process of its own first; it, and others like it, \
                 are read at once"
            );
        }
        Attempt::Untried
    }

    /// Ends processes that have had nothing to read for a while.
    pub(super) fn end_idle(&self) {
        self.idle().retain(|idle| idle.since.elapsed() < IDLE_MAX);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        // A push or a pop is whole in itself.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn document() -> TrialDocument {
        let feed = config::read_feed(
            "a test",
            config::RawFeed {
                url: Some("https://a.example/rss".to_owned()),
                ..config::RawFeed::default()
            },
            &defaults().feed_defaults,
        );
        let url = "https://a.example/rss".parse().unwrap();
        let body = Body::of(b"<rss/>".to_vec(), url);
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        TrialDocument {
            feed: feed.unwrap().into(),
            body: body.into(),
            state: Arc::default(),
            now,
            pages: Arc::default(),
        }
    }

    fn defaults() -> config::Config {
        config::load_from(None, &[("HOME", "/home/ada")].into_iter().collect()).unwrap()
    }

    /// A process that cannot be had, or does not become ready, convicts no document.
    #[tokio::test]
    async fn a_document_is_not_to_blame_for_a_process_that_does_not_start() {
        let metrics = Metrics::new();
        for program in [None, Some("/nowhere/conflictwire"), Some("/bin/false"), Some("/bin/true")]
        {
            let trials = Trials::running(program.map(PathBuf::from), &defaults().tag, 1 << 30);
            let verdict = Arc::new(trials).read(document(), &metrics).await;
            assert_eq!(verdict, Verdict::Untried, "{program:?}");
        }
        assert!(
            metrics
                .text(&cw_status::Snapshot::default())
                .contains("conflictwire_trials_total{outcome=\"untried\"} 4")
        );
    }

    #[test]
    fn what_a_feed_is_read_under_changes_with_whatever_its_reading_depends_on() {
        let config = defaults();
        let trials = Trials::running(None, &config.tag, 1);
        let mut feed = Feed::clone(&document().feed);
        let under = trials.under(&feed);
        assert_eq!(trials.under(&feed), under);
        feed.text_chars_max += 1;
        let other = trials.under(&feed);
        assert_ne!(other, under);
        let mut tag = config.tag;
        tag.threshold = 0.25;
        assert_ne!(Trials::running(None, &tag, 1).under(&feed), other);
    }
}
