//! The topics as what another ledger is copied to: a lane at a time, under its transactional id.
//!
//! It stands outside the group and owns no lane, so it looks first whether anybody does. Fencing a lane ends
//! whatever an earlier copy left open. Each transaction ends with `__lane`, as those of a daemon do.

use std::collections::BTreeMap;
use std::time::Duration;

use cw_decide::Past;
use cw_decide::lane::copied::Copied;
use cw_decide::lane::log::Restored;
use cw_decide::lane::wire::{Head, Layout, Line, Target as Topic};
use cw_decide::lane::{Batching, Failure, Undone};
use cw_model::Timestamp;
use cw_status::Metrics;

use super::client::Client;
use super::cluster::Cluster;
use super::error::{self, AccessError};
use super::inspection::record_bytes_max;
use super::owners::OwnersError;
use super::random_instance;
use super::read::TopicReader;
use super::restore::Partition;
use super::settings::KafkaSettings;
use super::topics::{Choice, PARTITIONS, REPLICATION, Weight, differences, plan};
use super::transaction::Producer;
use crate::ledger::filter::Filter;

/// How long brokers may take to answer at all.
const CONNECT_WAIT: Duration = Duration::from_secs(15);

/// librdkafka's own limit of a record, where that of the topics is not known.
const RECORD_BYTES_DEFAULT: usize = 1_000_000;

/// Why nothing can be copied to the topics, or no more.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Brokers are away, a topic is missing, a right, …
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A topic is not as it must be.
    #[error("topic \"{topic}\": {why}; see `conflictwire topics plan`")]
    Topic {
        /// Its name.
        topic: String,
        /// What is wrong.
        why: String,
    },
    /// A daemon may write to the topics at any moment.
    #[error("{0} of the deployment \"{1}\" in its consumer group; stop every daemon first")]
    InUse(String, String),
    /// A lane is used, or was and nobody gave it back.
    #[error(
        "lane {lane} is in use, or was not given back by whoever had it last (instance {instance}); \
         stop every daemon; if none runs, start one and stop it again"
    )]
    LaneInUse {
        /// Which.
        lane: u32,
        /// Who wrote to it last.
        instance: String,
    },
    /// A lane cannot be read or fenced.
    #[error("lane {lane}: {why}")]
    Lane {
        /// Which.
        lane: u32,
        /// What keeps it from it.
        why: Undone,
    },
    /// A transaction is not known to be committed.
    #[error(
        "lane {lane}: a transaction came to nothing: {why}; run this again, which goes on where it \
         ended (if a daemon was started meanwhile, stop it first)"
    )]
    Commit {
        /// Which.
        lane: u32,
        /// What happened.
        why: String,
    },
}

/// The topics of a deployment that nobody uses.
pub struct CopyTarget {
    settings: KafkaSettings,
    /// Sees where the log of a lane ends.
    watcher: Client,
    /// Sees where what is decided of it ends.
    reader: Client,
    partitions: [u32; 3],
    known_bytes_max: Option<usize>,
    instance: String,
    metrics: Metrics,
}

/// A lane of them that is fenced.
pub struct TargetLane<'a> {
    target: &'a CopyTarget,
    lane: u32,
    producer: Producer,
    sequence: u64,
    past: Past,
}

impl CopyTarget {
    /// Finds brokers and topics, and holds that nobody uses them.
    ///
    /// # Errors
    /// [`TargetError`].
    pub async fn open(settings: &KafkaSettings) -> Result<Self, TargetError> {
        let cluster = Cluster::connect(settings, CONNECT_WAIT)?;
        let plans = plan(settings, Choice { partitions: PARTITIONS, replication: REPLICATION });
        let mut shapes = BTreeMap::new();
        let mut described = Vec::new();
        for (plan, now) in plans.iter().zip(cluster.topics(&plans).await) {
            let now = now?;
            let found = differences(plan, &now);
            if let Some(wrong) = found.into_iter().find(|one| one.weight == Weight::Wrong) {
                return Err(TargetError::Topic { topic: plan.name.clone(), why: wrong.text });
            }
            shapes.insert(plan.target, now.shape.partitions);
            described.push(now.settings);
        }
        let partitions = [Topic::Articles, Topic::Conflict, Topic::Rejects]
            .map(|target| shapes.get(&target).copied().unwrap_or(0));
        let limits = record_bytes_max(described.iter()).into_iter();
        let known_bytes_max = limits.chain(settings.record_bytes_max()).min();
        let client =
            |config| Client::of(&config).map_err(|error| AccessError::Client(error::shown(&error)));
        let (watcher, reader) = (client(settings.watcher())?, client(settings.reader())?);
        let target = Self {
            settings: settings.clone(),
            watcher,
            reader,
            partitions,
            known_bytes_max,
            instance: random_instance(),
            metrics: Metrics::new(),
        };
        target.look_for_replicas()?;
        Ok(target)
    }

    /// A group that tells nobody who its members are leaves it to what the lanes say of themselves.
    fn look_for_replicas(&self) -> Result<(), TargetError> {
        let deployment = || self.settings.deployment.clone();
        let reader = TopicReader::open(&self.settings, &self.settings.topics.state)?;
        match reader.owners() {
            Ok(owners) if owners.replicas > 0 => {
                let replicas = match owners.replicas {
                    1 => "there is 1 replica".to_owned(),
                    more => format!("there are {more} replicas"),
                };
                Err(TargetError::InUse(replicas, deployment()))
            }
            Err(OwnersError::Rebalancing) => {
                Err(TargetError::InUse("replicas are joining".to_owned(), deployment()))
            }
            Ok(_)
            | Err(
                OwnersError::Protocol
                | OwnersError::NotAllowed
                | OwnersError::State(_)
                | OwnersError::Assignment
                | OwnersError::Unanswered(_),
            ) => Ok(()),
        }
    }

    /// How many lanes there are.
    pub fn lanes(&self) -> u32 {
        self.settings.lanes
    }

    /// The topics of records that hold any.
    ///
    /// # Errors
    /// [`TargetError::Access`].
    pub fn topics_with_records(&self) -> Result<Vec<String>, TargetError> {
        let mut found = Vec::new();
        for target in [Topic::Articles, Topic::Conflict, Topic::Rejects] {
            let name = self.settings.topics.of(target);
            if !TopicReader::open(&self.settings, name)?.last(&Filter::default(), 1)?.is_empty() {
                found.push(name.to_owned());
            }
        }
        Ok(found)
    }

    /// What a lane says, without taking it from anybody. A transaction that is open is not waited for.
    ///
    /// # Errors
    /// [`TargetError::LaneInUse`], [`TargetError::Lane`].
    pub fn look(&self, lane: u32) -> Result<Restored, TargetError> {
        self.read(lane, &self.reader)
    }

    fn read(&self, lane: u32, watcher: &Client) -> Result<Restored, TargetError> {
        let partition = Partition { settings: &self.settings, watcher, lane };
        let restored = partition.restore(|| false);
        let restored = restored.map_err(|why| TargetError::Lane { lane, why })?;
        let is_being_copied = restored.copied.as_ref().is_some_and(|copied| !copied.whole);
        match &restored.end.head {
            Some(head) if !head.ended && !is_being_copied => {
                Err(TargetError::LaneInUse { lane, instance: head.instance.clone() })
            }
            Some(_) | None => Ok(restored),
        }
    }

    /// Shuts everybody else out of a lane, and says what is in it then. `past` is how whoever goes on with it is
    /// to take it.
    ///
    /// # Errors
    /// [`TargetError::LaneInUse`], [`TargetError::Lane`].
    pub fn take(&self, lane: u32, past: Past) -> Result<(TargetLane<'_>, Restored), TargetError> {
        let batching = Batching { record_bytes_max: self.known_bytes_max, is_careful: false };
        let metrics = self.metrics.ledger().metrics();
        let producer = Producer::new(&self.settings, lane, batching, metrics);
        let producer = producer.and_then(|made| made.fence(|| false).map(|()| made));
        let producer = producer.map_err(|why| TargetError::Lane { lane, why })?;
        let restored = self.read(lane, &self.watcher)?;
        let head = restored.end.head.as_ref();
        let before = head.and_then(|head| head.left_uncleanly_at);
        let past = Past { left_uncleanly_at: before.max(past.left_uncleanly_at) };
        let sequence = restored.end.sequence();
        Ok((TargetLane { target: self, lane, producer, sequence, past }, restored))
    }

    /// Where the records of a lane go, and how large they may be.
    pub fn layout(&self, lane: u32) -> Layout {
        Layout {
            lane,
            partition_by: self.settings.partition_by,
            partitions: self.partitions,
            record_bytes_max: self.known_bytes_max.unwrap_or(RECORD_BYTES_DEFAULT),
            known_bytes_max: self.known_bytes_max,
        }
    }
}

impl TargetLane<'_> {
    /// Commits lines, and how far the copy is with them. The lane is given back with a copy that is whole.
    ///
    /// # Errors
    /// [`TargetError::Commit`]; this is of no further use then.
    pub fn commit(
        &mut self,
        lines: Vec<Line>,
        copied: &Copied,
        now: Timestamp,
    ) -> Result<(), TargetError> {
        let layout = self.target.layout(self.lane);
        let mut lines = lines;
        lines.push(layout.copied(copied));
        let writer = (self.target.instance.as_str(), 1);
        let head = Head {
            ended: copied.whole,
            left_uncleanly_at: self.past.careful_until(now).and(self.past.left_uncleanly_at),
            ..Head::after(self.sequence, writer, lines.len(), now)
        };
        lines.push(layout.head(&head));
        let lines: Vec<&Line> = lines.iter().collect();
        let failed = |failure: Failure| TargetError::Commit { lane: self.lane, why: failure.text };
        self.producer.commit(&lines, now, || false).map_err(failed)?;
        self.sequence = head.sequence;
        Ok(())
    }
}
