//! Requests to the brokers and what comes back, late, twice or never.

use std::time::Duration;

use super::replica::{Operation, Replica};
use super::world::{Batch, Reply, Request, What, Where, World};
use crate::brokers::{PartitionId, Refused};
use crate::lane::wire::{Line, Target};
use crate::lane::{Event, Failure};

impl World {
    pub(super) fn send(&mut self, whose: Where, number: u64, request: Request) {
        let mut wait = self.travel(whose.place);
        let is_commit = matches!(request, Request::EndTransaction(..));
        if is_commit && !self.is_peace() && self.dice.once_in(12) {
            // The request comes late, or twice, whatever its producer believes.
            let late = self.dice.millis(10, 25_000);
            self.after(late, What::Arrive(whose, number, request.clone()));
            wait = wait.filter(|_| self.dice.once_in(3));
        }
        self.after_some(wait, What::Arrive(whose, number, request));
    }

    pub(super) fn reply(&mut self, whose: Where, number: u64, reply: Reply) {
        let wait = self.travel(whose.place);
        self.after_some(wait, What::Answered(whose, number, reply));
    }

    pub(super) fn mark(&mut self, lane: u32) {
        for (transaction, partition) in self.brokers.markers_due(lane) {
            let wait =
                if self.is_peace() { self.dice.millis(1, 10) } else { self.dice.millis(1, 800) };
            self.after(wait, What::Mark(transaction, partition));
        }
    }

    pub(super) fn arrive(&mut self, whose: Where, number: u64, request: Request) {
        let lane = whose.lane;
        let retry = Duration::from_millis(20);
        let replied = match &request {
            Request::Fence => self.brokers.fence(lane).map(Reply::Fenced),
            Request::Produce(batch) => match self.produce(lane, batch) {
                Ok(offset) => Ok(Reply::Produced(batch.partition, offset)),
                Err((Refused::TooLarge, lines)) => {
                    self.tally.refused += 1;
                    Ok(Reply::Refused(Refused::TooLarge, lines))
                }
                Err((refused, _)) => Err(refused),
            },
            Request::EndTransaction(epoch, transaction) => {
                self.brokers.commit(lane, *epoch, *transaction).map(|()| Reply::Ended)
            }
            Request::Read { after, end } => {
                let partition = (Target::State, i32::try_from(lane).unwrap_or(0));
                let end = end.unwrap_or_else(|| self.brokers.high_watermark(partition));
                if self.brokers.stable_offset(partition) < end {
                    // Read on, until the transaction that is open there is over.
                    let request = Request::Read { after: *after, end: Some(end) };
                    self.after(retry, What::Arrive(whose, number, request));
                    return;
                }
                Ok(self.read(partition, *after, end))
            }
        };
        if self.is_told && !matches!(request, Request::Read { .. }) {
            let line = match &request {
                Request::Fence => {
                    format!("fence of lane {lane} by {}: {replied:?}", whose.instance)
                }
                Request::EndTransaction(epoch, transaction) => {
                    format!("end of transaction {transaction} (epoch {epoch}): {replied:?}")
                }
                Request::Produce(Batch { transaction, partition, .. }) => {
                    format!("records of transaction {transaction} for {partition:?}: {replied:?}")
                }
                Request::Read { .. } => String::new(),
            };
            self.say(|| line);
        }
        self.mark(lane);
        match replied {
            Err(Refused::Concurrent) => self.after(retry, What::Arrive(whose, number, request)),
            Err(refused) => self.reply(whose, number, Reply::Refused(refused, Vec::new())),
            Ok(reply) => self.reply(whose, number, reply),
        }
    }

    /// Records for one partition, all at once or each alone: the offset of the last, or which were
    /// refused.
    fn produce(&mut self, lane: u32, batch: &Batch) -> Result<i64, (Refused, Vec<usize>)> {
        let Batch { epoch, transaction, partition, lines, is_careful } = batch;
        let size = if *is_careful { 1 } else { lines.len() };
        let mut last = Err((Refused::Ended, Vec::new()));
        for some in lines.chunks(size.max(1)) {
            let lines: Vec<&Line> = some.iter().map(|(_, line)| line).collect();
            let sent = self.brokers.produce(lane, *epoch, *transaction, *partition, &lines);
            let indexes = || some.iter().map(|(index, _)| *index).collect();
            last = Ok(sent.map_err(|refused| (refused, indexes()))?);
        }
        last
    }

    pub(super) fn read(&self, partition: PartitionId, after: Option<i64>, end: i64) -> Reply {
        match after {
            None => Reply::Restored(self.brokers.restore(partition, end)),
            Some(after) => Reply::Heads(self.brokers.heads_after(partition, after, end)),
        }
    }

    pub(super) fn answered(&mut self, whose: Where, number: u64, reply: Reply) {
        let Some(driver) = self.driver(whose) else { return };
        if driver.number != number {
            return;
        }
        let lane_partition = (Target::State, i32::try_from(whose.lane).unwrap_or(0));
        let event = match (&mut driver.operation, reply) {
            (Some(Operation::Fence), Reply::Fenced(epoch)) => {
                driver.producer = Some(epoch);
                Event::Fenced(Ok(()))
            }
            (
                Some(Operation::Commit { unacknowledged, offset, is_sent, transaction }),
                Reply::Produced(partition, at),
            ) => {
                if partition == lane_partition {
                    *offset = at;
                }
                *unacknowledged -= 1;
                if *unacknowledged == 0 {
                    *is_sent = true;
                    let request =
                        Request::EndTransaction(driver.producer.unwrap_or(0), *transaction);
                    self.send(whose, number, request);
                }
                return;
            }
            (Some(Operation::Commit { offset, .. }), Reply::Ended) => Event::Committed(Ok(*offset)),
            (Some(Operation::Commit { is_sent, .. }), Reply::Refused(why, refused)) => {
                let (text, is_doubtful) = (format!("{why:?}"), *is_sent);
                Event::Committed(Err(Failure { text, is_doubtful, refused }))
            }
            (Some(Operation::Restore), Reply::Restored(restored)) => {
                let epoch = self.replica(whose.place, whose.instance).map_or(0, Replica::number);
                Event::Restored(restored, epoch)
            }
            (Some(Operation::ReadHeads), Reply::Heads(heads)) => Event::HeadsRead(heads),
            (_, _) => return,
        };
        self.finish(whose, event);
    }
}
