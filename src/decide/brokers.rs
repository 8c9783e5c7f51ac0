//! Simulated Kafka brokers, for tests: partitions with offsets, transactions that commit or abort, a
//! coordinator for each transactional id. What Kafka does is as the protocol says (KIP-98): epochs fence,
//! a commit is decided by the coordinator and becomes visible by markers, partition by partition.
//!
//! The simulation lives through histories on them. That they do what real brokers do is held by the
//! scenarios of `tests/it/scenarios`, which run on both. Not in the released program.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cw_model::FeedId;

use crate::lane::Undone;
use crate::lane::log::{Reading, Restored, read_head};
use crate::lane::wire::{Head, Line, Target};

/// A transaction, numbered by whoever began it.
pub type TransactionId = u64;

/// Which partition.
pub type PartitionId = (Target, i32);

/// What stands at an offset.
#[derive(Clone, Debug)]
pub enum Slot {
    /// A record.
    Record(Stored),
    /// The end of a transaction.
    Marker,
    /// What compaction has taken.
    Gone,
}

/// A record in a log.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Whose it is.
    pub transaction: TransactionId,
    /// As it was sent.
    pub key: String,
    /// As they were sent.
    pub headers: Vec<(&'static str, String)>,
    /// `None` takes the key back.
    pub value: Option<Arc<[u8]>>,
}

impl Stored {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Committed,
    Aborted,
}

#[derive(Debug)]
struct Transaction {
    lane: u32,
    standing: Standing,
    /// Where it has records and no marker yet.
    partitions: BTreeSet<PartitionId>,
    /// Every partition it ever had records in.
    records: usize,
}

/// The coordinator's word on one transactional id.
#[derive(Debug, Default)]
struct Coordinator {
    epoch: u64,
    open: Option<TransactionId>,
    /// Decided, and not all its markers written yet.
    ending: Option<TransactionId>,
}

/// Why a request came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A newer producer has the id.
    Fenced,
    /// The transaction before is still being ended: ask again.
    Concurrent,
    /// The transaction is not open any more.
    Ended,
    /// A record of the batch is larger than the topics take: nothing of the batch is.
    TooLarge,
}

/// All brokers together.
#[derive(Debug, Default)]
pub struct Brokers {
    /// What topics take, bytes; any, where nothing is said.
    record_bytes_max: BTreeMap<Target, usize>,
    partitions: BTreeMap<PartitionId, Vec<Slot>>,
    transactions: BTreeMap<TransactionId, Transaction>,
    coordinators: BTreeMap<u32, Coordinator>,
}

impl Brokers {
    /// From now on the topic takes no larger record, whatever clients know of it.
    pub fn set_record_bytes_max(&mut self, topic: Target, bytes: usize) {
        self.record_bytes_max.insert(topic, bytes);
    }

    /// Whether a producer of this epoch is the last that has the id of the lane.
    pub fn is_current(&self, lane: u32, epoch: u64) -> bool {
        self.coordinators.get(&lane).is_some_and(|coordinator| coordinator.epoch == epoch)
    }

    /// `init_transactions`: the new epoch. What was open is to be aborted first; its markers are due.
    ///
    /// # Errors
    /// [`Refused::Concurrent`].
    pub fn fence(&mut self, lane: u32) -> Result<u64, Refused> {
        let coordinator = self.coordinators.entry(lane).or_default();
        if coordinator.ending.is_some() {
            return Err(Refused::Concurrent);
        }
        coordinator.epoch += 1;
        let epoch = coordinator.epoch;
        if coordinator.open.is_some() {
            self.decide(lane, Standing::Aborted);
            return Err(Refused::Concurrent);
        }
        Ok(epoch)
    }

    /// The coordinator aborts what has been open for too long, and its producer with it.
    pub fn time_out(&mut self, lane: u32, transaction: TransactionId) {
        let coordinator = self.coordinators.entry(lane).or_default();
        if coordinator.open == Some(transaction) {
            coordinator.epoch += 1;
            self.decide(lane, Standing::Aborted);
        }
    }

    /// A batch of records of a transaction for one partition: the offset of the last.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn produce(
        &mut self,
        lane: u32,
        epoch: u64,
        transaction: TransactionId,
        partition: PartitionId,
        lines: &[&Line],
    ) -> Result<i64, Refused> {
        let coordinator = self.coordinators.entry(lane).or_default();
        if coordinator.epoch != epoch {
            return Err(Refused::Fenced);
        }
        if coordinator.ending.is_some() {
            return Err(Refused::Concurrent);
        }
        if self.transactions.get(&transaction).is_some_and(|it| it.standing != Standing::Open) {
            return Err(Refused::Ended);
        }
        coordinator.open = Some(transaction);
        let max = self.record_bytes_max.get(&partition.0);
        let is_too_large = |line: &&Line| max.is_some_and(|max| line.bytes() > *max);
        let is_refused = lines.iter().any(is_too_large);
        let known = self.transactions.entry(transaction).or_insert_with(|| Transaction {
            lane,
            standing: Standing::Open,
            partitions: BTreeSet::new(),
            records: 0,
        });
        // The coordinator was told of the partition before its leader saw a record.
        known.partitions.insert(partition);
        if is_refused {
            return Err(Refused::TooLarge);
        }
        known.records += lines.len();
        let slots = self.partitions.entry(partition).or_default();
        for line in lines {
            let (key, headers) = (line.key.clone(), line.headers.clone());
            let value = line.value.clone();
            slots.push(Slot::Record(Stored { transaction, key, headers, value }));
        }
        Ok(last_offset(slots))
    }

    /// `commit_transaction`.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn commit(
        &mut self,
        lane: u32,
        epoch: u64,
        transaction: TransactionId,
    ) -> Result<(), Refused> {
        let coordinator = self.coordinators.entry(lane).or_default();
        if coordinator.epoch != epoch {
            // Also for what this epoch has committed: the coordinator looks at the epoch first.
            return Err(Refused::Fenced);
        }
        let is_committed = |it: &Transaction| it.standing == Standing::Committed;
        if self.transactions.get(&transaction).is_some_and(is_committed) {
            // The same request once more.
            return Ok(());
        }
        if coordinator.open != Some(transaction) {
            return Err(Refused::Ended);
        }
        self.decide(lane, Standing::Committed);
        Ok(())
    }

    fn decide(&mut self, lane: u32, standing: Standing) {
        let coordinator = self.coordinators.entry(lane).or_default();
        let Some(transaction) = coordinator.open.take() else { return };
        coordinator.ending = Some(transaction);
        if let Some(known) = self.transactions.get_mut(&transaction) {
            known.standing = standing;
        }
    }

    /// Partitions that wait for a marker of the lane's ending transaction.
    pub fn markers_due(&self, lane: u32) -> Vec<(TransactionId, PartitionId)> {
        let ending = self.coordinators.get(&lane).and_then(|coordinator| coordinator.ending);
        let Some(transaction) = ending else { return Vec::new() };
        let partitions = self.transactions.get(&transaction).map(|it| it.partitions.clone());
        partitions.into_iter().flatten().map(|partition| (transaction, partition)).collect()
    }

    /// Writes a marker.
    pub fn mark(&mut self, transaction: TransactionId, partition: PartitionId) {
        let Some(known) = self.transactions.get_mut(&transaction) else { return };
        if known.standing == Standing::Open || !known.partitions.remove(&partition) {
            return;
        }
        self.partitions.entry(partition).or_default().push(Slot::Marker);
        if known.partitions.is_empty()
            && let Some(coordinator) = self.coordinators.get_mut(&known.lane)
            && coordinator.ending == Some(transaction)
        {
            coordinator.ending = None;
        }
    }

    /// The end of a partition as a `read_uncommitted` client sees it.
    pub fn high_watermark(&self, partition: PartitionId) -> i64 {
        self.partitions.get(&partition).map_or(0, |slots| last_offset(slots) + 1)
    }

    /// How far a `read_committed` client can read: to the first record of a transaction without its
    /// marker there.
    pub fn stable_offset(&self, partition: PartitionId) -> i64 {
        let Some(slots) = self.partitions.get(&partition) else { return 0 };
        let is_open = |slot: &Slot| match slot {
            Slot::Record(stored) => self
                .transactions
                .get(&stored.transaction)
                .is_some_and(|it| it.partitions.contains(&partition)),
            Slot::Marker | Slot::Gone => false,
        };
        let open = slots.iter().position(is_open).unwrap_or(slots.len());
        i64::try_from(open).unwrap_or(i64::MAX)
    }

    /// Committed records below an offset, with their own.
    pub fn committed(
        &self,
        partition: PartitionId,
        end: i64,
    ) -> impl Iterator<Item = (i64, &Stored)> {
        let slots = self.partitions.get(&partition).map_or(&[][..], Vec::as_slice);
        let stable = self.stable_offset(partition);
        (0..end.min(stable)).zip(slots).filter_map(|(offset, slot)| match slot {
            Slot::Record(stored) => {
                let standing = self.transactions.get(&stored.transaction)?.standing;
                (standing == Standing::Committed).then_some((offset, stored))
            }
            Slot::Marker | Slot::Gone => None,
        })
    }

    /// A lane's partition, read from its beginning to an offset: what the lane is restored from.
    ///
    /// # Errors
    /// [`Undone::Contradiction`].
    pub fn restore(&self, partition: PartitionId, end: i64) -> Result<Restored, Undone> {
        let mut reading = Reading::default();
        for (offset, record) in self.committed(partition, end) {
            reading.take(&record.key, record.value.as_deref(), offset)?;
        }
        Ok(reading.finish()?)
    }

    /// Every `__lane` after an offset and below another, oldest first, with its own.
    ///
    /// # Errors
    /// [`Undone::Contradiction`].
    pub fn heads_after(
        &self,
        partition: PartitionId,
        after: i64,
        end: i64,
    ) -> Result<Vec<(Head, i64)>, Undone> {
        let records = self.committed(partition, end);
        let heads = records.filter(|(at, record)| *at > after && record.key == FeedId::RESERVED);
        heads.map(|(at, record)| Ok((read_head(record.value.as_deref(), at)?, at))).collect()
    }

    /// Compaction of everything that is decided: aborted records go, and of each key all but the newest
    /// record. Offsets stay as they are.
    pub fn compact(&mut self, partition: PartitionId) {
        let stable = self.stable_offset(partition);
        let newest: BTreeMap<String, i64> =
            self.committed(partition, stable).map(|(at, it)| (it.key.clone(), at)).collect();
        let slots = self.partitions.get_mut(&partition).into_iter().flatten();
        for (at, slot) in (0..stable).zip(slots) {
            if matches!(slot, Slot::Record(stored) if newest.get(&stored.key) != Some(&at)) {
                *slot = Slot::Gone;
            }
        }
    }

    /// Every partition of a topic.
    pub fn partitions_of(&self, target: Target) -> Vec<PartitionId> {
        self.partitions.keys().filter(|(topic, _)| *topic == target).copied().collect()
    }

    /// How many records a transaction has, in all partitions.
    pub fn records_of(&self, transaction: TransactionId) -> usize {
        self.transactions.get(&transaction).map_or(0, |it| it.records)
    }
}

fn last_offset(slots: &[Slot]) -> i64 {
    i64::try_from(slots.len()).unwrap_or(i64::MAX) - 1
}
