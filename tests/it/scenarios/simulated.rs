//! Scenarios on the brokers of the simulation. Nothing is late here: markers are written at once.

use std::collections::BTreeMap;

use cw_decide::brokers::{Brokers, PartitionId, Refused, TransactionId};
use cw_decide::lane::log::Restored;
use cw_decide::lane::wire::{Head, Line, Target};
use cw_decide::lane::{Batching, Failure, Undone};
use serde_json::Value;

use super::log::Failed;
use super::run::{OTHER, foreign};
use super::{Foreign, Verdict, Why};

/// The lane, its transactional id.
const LANE: u32 = 0;

/// The transactional id of the stranger.
const STRANGER: u32 = 1000;

/// The lane's partition.
const STATE: PartitionId = (Target::State, 0);

const ARTICLES: PartitionId = (Target::Articles, 0);

pub(crate) struct Simulated {
    brokers: Brokers,
    /// The last transaction of each id.
    transactions: BTreeMap<u32, TransactionId>,
    next: TransactionId,
    stranger: Option<Producer>,
}

pub(super) struct Producer {
    id: u32,
    epoch: u64,
    batching: Batching,
    transaction: TransactionId,
    last_offset: i64,
}

impl Simulated {
    pub(super) fn new(record_bytes_max: Option<usize>) -> Self {
        let mut brokers = Brokers::default();
        if let Some(bytes) = record_bytes_max {
            brokers.set_record_bytes_max(Target::Articles, bytes);
        }
        Self { brokers, transactions: BTreeMap::new(), next: 1, stranger: None }
    }

    pub(super) fn fence(&mut self, batching: Batching) -> Producer {
        self.fence_id(LANE, batching)
    }

    fn fence_id(&mut self, id: u32, batching: Batching) -> Producer {
        loop {
            match self.brokers.fence(id) {
                Ok(epoch) => {
                    return Producer { id, epoch, batching, transaction: 0, last_offset: -1 };
                }
                Err(refused) => {
                    assert_eq!(refused, Refused::Concurrent);
                    self.mark(id);
                }
            }
        }
    }

    fn mark(&mut self, id: u32) {
        for (transaction, partition) in self.brokers.markers_due(id) {
            self.brokers.mark(transaction, partition);
        }
    }

    /// Where the lane's partition ends, once everything before that is decided.
    fn end(&mut self) -> i64 {
        let end = self.brokers.high_watermark(STATE);
        if self.brokers.stable_offset(STATE) < end {
            self.time_out();
        }
        end
    }

    pub(super) fn restore(&mut self) -> Result<Restored, Undone> {
        let end = self.end();
        self.brokers.restore(STATE, end)
    }

    pub(super) fn heads_after(&mut self, offset: i64) -> Result<Vec<(Head, i64)>, Undone> {
        let end = self.end();
        self.brokers.heads_after(STATE, offset, end)
    }

    pub(super) fn send(&mut self, producer: &mut Producer, lines: &[Line]) -> Result<(), Failed> {
        producer.transaction = self.next;
        self.next += 1;
        self.transactions.insert(producer.id, producer.transaction);
        let mut batches: BTreeMap<PartitionId, Vec<usize>> = BTreeMap::new();
        for (index, line) in lines.iter().enumerate() {
            batches.entry((line.target, line.partition.unwrap_or(0))).or_default().push(index);
        }
        for (partition, indexes) in batches {
            let size = if producer.batching.is_careful { 1 } else { indexes.len() };
            for batch in indexes.chunks(size) {
                let records: Vec<&Line> = batch.iter().map(|at| &lines[*at]).collect();
                let Producer { id, epoch, transaction, .. } = *producer;
                let sent = self.brokers.produce(id, epoch, transaction, partition, &records);
                let offset = sent.map_err(|refused| failed(refused, batch))?;
                if batch.last() == Some(&(lines.len() - 1)) {
                    producer.last_offset = offset;
                }
            }
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, producer: &mut Producer) -> Result<i64, Failed> {
        let Producer { id, epoch, transaction, last_offset, .. } = *producer;
        if let Err(refused) = self.brokers.commit(id, epoch, transaction) {
            let Failed { failure, why } = failed(refused, &[]);
            return Err(Failed { failure: Failure { is_doubtful: true, ..failure }, why });
        }
        self.mark(id);
        Ok(last_offset)
    }

    pub(super) fn stranger_opens(&mut self, record: Foreign) {
        let mut producer =
            self.fence_id(STRANGER, Batching { record_bytes_max: None, is_careful: false });
        assert!(self.send(&mut producer, &[foreign(record)]).is_ok());
        self.stranger = Some(producer);
    }

    pub(super) fn stranger_commits(&mut self) {
        let mut producer = self.stranger.take().unwrap();
        assert!(self.commit(&mut producer).is_ok());
    }

    pub(super) fn time_out(&mut self) {
        for (id, transaction) in self.transactions.clone() {
            self.brokers.time_out(id, transaction);
            self.mark(id);
        }
    }

    pub(super) fn compact(&mut self) {
        self.brokers.compact(STATE);
        self.stranger_opens(Foreign::Other);
        self.stranger_commits();
    }

    pub(super) fn read(&self) -> Verdict {
        let records = |partition| self.brokers.committed(partition, i64::MAX);
        let title = |value: Option<&[u8]>| {
            let value: Value = serde_json::from_slice(value.unwrap_or_default()).unwrap();
            value["title"].as_str().unwrap_or_default().to_owned()
        };
        Verdict::Seen {
            state: records(STATE).map(|(_, record)| record.key.clone()).collect(),
            articles: records(ARTICLES).map(|(_, record)| title(record.value.as_deref())).collect(),
        }
    }

    pub(super) fn offsets(&self) -> Verdict {
        let high_watermark = self.brokers.high_watermark(STATE);
        Verdict::Offsets { high_watermark, stable: self.brokers.stable_offset(STATE) }
    }
}

fn failed(refused: Refused, batch: &[usize]) -> Failed {
    let (why, refused_lines) = match refused {
        Refused::Fenced => (Why::Fenced, Vec::new()),
        Refused::TooLarge => (Why::TooLarge, batch.to_vec()),
        Refused::Concurrent | Refused::Ended => (Why::Other, Vec::new()),
    };
    let text = format!("{refused:?}");
    Failed { failure: Failure { text, is_doubtful: false, refused: refused_lines }, why }
}

/// The key of what means nothing to a lane has its prefix, or a lane would take it for a feed's.
#[test]
fn a_foreign_record_is_no_feeds() {
    assert!(OTHER.starts_with(cw_model::FeedId::RESERVED_PREFIX));
}
