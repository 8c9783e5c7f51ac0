//! A lane's clients, one call at a time: for tests that take the same steps on real brokers and on
//! simulated ones (`tests/it/scenarios`). These are the clients that `driver` works with, set up the
//! same way. Not in the program that is released.

use cw_decide::lane::log::Restored;
use cw_decide::lane::wire::{Head, Line};
use cw_decide::lane::{Batching, Failure, Undone};
use cw_model::Timestamp;
use cw_status::Metrics;
use rdkafka::error::RDKafkaErrorCode;

use super::client::Client;
use super::error::{self, AccessError};
use super::restore::Partition;
use super::settings::KafkaSettings;
use super::transaction::Producer;

/// What reads a lane's partition and makes producers for the lane.
#[derive(Debug)]
pub struct LaneClients {
    settings: KafkaSettings,
    lane: u32,
    watcher: Client,
    metrics: Metrics,
}

/// A producer with the transactional id of a lane. Dropping it leaves its transaction open.
#[derive(Debug)]
pub struct LaneProducer(Producer);

impl LaneClients {
    /// Sets them up; nobody has been asked yet.
    ///
    /// # Errors
    /// [`AccessError::Client`].
    pub fn new(settings: KafkaSettings, lane: u32) -> Result<Self, AccessError> {
        let watcher = Client::of(&settings.watcher())
            .map_err(|error| AccessError::Client(error::shown(&error)))?;
        Ok(Self { settings, lane, watcher, metrics: Metrics::new() })
    }

    /// Makes a producer, and fences all that had the lane's transactional id before.
    ///
    /// # Errors
    /// What keeps it from being done.
    pub fn fence(&self, batching: Batching) -> Result<LaneProducer, Undone> {
        let metrics = self.metrics.ledger().metrics();
        let producer = Producer::new(&self.settings, self.lane, batching, metrics)?;
        producer.fence(|| false)?;
        Ok(LaneProducer(producer))
    }

    /// Reads the lane's partition from its beginning to the high watermark.
    ///
    /// # Errors
    /// [`Undone`].
    pub fn restore(&self) -> Result<Restored, Undone> {
        self.partition().restore(|| false)
    }

    /// Every `__lane` after the one at an offset, oldest first, with its own.
    ///
    /// # Errors
    /// [`Undone`].
    pub fn heads_after(&self, offset: i64) -> Result<Vec<(Head, i64)>, Undone> {
        self.partition().heads_after(offset, || false)
    }

    fn partition(&self) -> Partition<'_> {
        Partition { settings: &self.settings, watcher: &self.watcher, lane: self.lane }
    }
}

impl LaneProducer {
    /// Begins a transaction and sends these lines, until each is acknowledged.
    ///
    /// # Errors
    /// [`Failure`]; the producer is of no further use then.
    pub fn send(&self, lines: &[&Line], now: Timestamp) -> Result<(), Failure> {
        self.0.begin(lines, now, &|| false)
    }

    /// Commits what was sent; says the offset of the last line.
    ///
    /// # Errors
    /// [`Failure`]; the producer is of no further use then.
    pub fn commit(&self) -> Result<i64, Failure> {
        self.0.end(&|| false)
    }

    /// Whether brokers have refused it because another has its transactional id.
    pub fn is_fenced(&self) -> bool {
        let fatal = self.0.fatal_error();
        fatal.is_some_and(|code| code == RDKafkaErrorCode::Fenced)
    }
}
