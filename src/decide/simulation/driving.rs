//! Drives lanes as `ledger::kafka::driver` does.

use std::collections::BTreeMap;
use std::time::Duration;

use cw_model::LaneState;

use super::replica::{Operation, Ticket};
use super::world::{Batch, PATIENCE, Request, TRANSACTION_TIMEOUT, What, Where, World};
use crate::brokers::PartitionId;
use crate::lane::wire::{Head, Line, Target};
use crate::lane::{Answer, Effect, Event, Failure, GiveUp, Next, Submitted, Undone};
use crate::{Lease, Moment, States, scheduler};

impl World {
    /// Goes on until something has to be waited for.
    pub(super) fn drive(&mut self, whose: Where) {
        while self.is_idle(whose) && (self.tell(whose) || self.receive(whose)) {}
        if self.is_idle(whose) {
            self.begin(whose);
        }
    }

    fn is_idle(&mut self, whose: Where) -> bool {
        self.driver(whose).is_some_and(|driver| driver.operation.is_none())
    }

    /// Hands an event to the lane.
    fn handle(&mut self, whose: Where, event: Event<Ticket>) {
        let Some(replica) = self.replica(whose.place, whose.instance) else { return };
        let skew = replica.skew;
        let now = self.clock(skew);
        let Some(driver) = self.driver(whose) else { return };
        let effects = driver.lane.handle(event, now);
        self.apply(whose, effects);
    }

    /// Tells the lane what has changed around it. Says whether something has.
    fn tell(&mut self, whose: Where) -> bool {
        let Some(replica) = self.replica(whose.place, whose.instance) else { return false };
        let topics = replica.topics;
        let Some(driver) = self.driver(whose) else { return false };
        if driver.stop != driver.told {
            driver.told = driver.stop;
            let stop = driver.stop;
            self.handle(whose, Event::Told(stop));
            return true;
        }
        if driver.topics != topics {
            driver.topics = topics;
            self.handle(whose, Event::TopicsSeen(topics));
            return true;
        }
        false
    }

    /// Hands over what waits in the queue, if the lane takes it. Says whether there was something.
    fn receive(&mut self, whose: Where) -> bool {
        let Some(driver) = self.driver(whose) else { return false };
        if !matches!(driver.lane.next(), Next::Receive(_)) {
            return false;
        }
        let event = match driver.queue.pop_front() {
            Some(submitted) => Event::Submitted(submitted),
            None if driver.is_queue_open => return false,
            None => Event::QueueEmpty,
        };
        self.handle(whose, event);
        true
    }

    /// Begins what the lane wants next.
    fn begin(&mut self, whose: Where) {
        let now = self.now;
        let turns = self.replica(whose.place, whose.instance).map_or(0, |replica| replica.turns);
        let Some(driver) = self.driver(whose) else { return };
        driver.number += 1;
        driver.deadline = now + PATIENCE;
        driver.give_up = GiveUp::WhenOver;
        let number = driver.number;
        match driver.lane.next() {
            Next::AwaitGroup => {
                driver.give_up = GiveUp::WhenStopRequested;
                driver.operation = Some(Operation::AwaitGroup { enough: turns + 2 });
            }
            Next::Fence(batching, give_up) => {
                driver.give_up = give_up;
                driver.is_careful = batching.is_careful;
                driver.operation = Some(Operation::Fence);
                self.send(whose, number, Request::Fence);
            }
            Next::Restore => {
                driver.give_up = GiveUp::WhenStopRequested;
                driver.operation = Some(Operation::Restore);
                self.send(whose, number, Request::Read { after: None, end: None });
            }
            Next::ReadHeads(after) => {
                driver.operation = Some(Operation::ReadHeads);
                self.send(whose, number, Request::Read { after: Some(after), end: None });
            }
            Next::Commit(lines) => {
                let lines: Vec<Line> = lines.into_iter().cloned().collect();
                self.begin_commit(whose, number, lines);
            }
            Next::Receive(until) => {
                driver.operation = Some(Operation::Receive);
                let until = until.map(|until| until.since(Moment::default()));
                until.into_iter().for_each(|until| self.at(until, What::Wake(whose, number)));
            }
            Next::Rest(until) => {
                driver.operation = Some(Operation::Rest);
                self.at(until.since(Moment::default()), What::Wake(whose, number));
            }
            Next::End => self.ended(whose),
        }
    }

    pub(super) fn ended(&mut self, whose: Where) {
        let Where { place, instance, lane, assignment } = whose;
        let Some(replica) = self.replica(place, instance) else { return };
        let driver = replica.drivers.remove(&(lane, assignment));
        // The group is told only that a lane it wants back has ended. One that ends by itself is served
        // by nobody.
        let is_awaited = driver.is_some_and(|driver| driver.stop.is_requested());
        if is_awaited && replica.assigned.get(&lane) == Some(&assignment) {
            replica.assigned.remove(&lane);
            let wait = self.travel(place);
            self.after_some(wait, What::Released(instance, lane, self.now));
        }
    }

    pub(super) fn begin_commit(&mut self, whose: Where, number: u64, lines: Vec<Line>) {
        let transaction = self.next_transaction;
        self.next_transaction += 1;
        let mut by_partition: BTreeMap<PartitionId, Vec<(usize, Line)>> = BTreeMap::new();
        for (index, line) in lines.into_iter().enumerate() {
            let partition = (line.target, line.partition.unwrap_or(0));
            by_partition.entry(partition).or_default().push((index, line));
        }
        let Some(driver) = self.driver(whose) else { return };
        let (epoch, is_careful) = (driver.producer.unwrap_or(0), driver.is_careful);
        driver.operation = Some(Operation::Commit {
            transaction,
            unacknowledged: by_partition.len(),
            offset: 0,
            is_sent: false,
        });
        self.say(|| {
            format!("{} commits transaction {transaction} in lane {}", whose.instance, whose.lane)
        });
        for (partition, lines) in by_partition {
            let batch = Batch { epoch, transaction, partition, lines, is_careful };
            self.send(whose, number, Request::Produce(batch));
        }
        self.after(TRANSACTION_TIMEOUT, What::TimeOut(whose.lane, transaction));
    }

    /// What the lane waited for has come.
    pub(super) fn finish(&mut self, whose: Where, event: Event<Ticket>) {
        if let Some(driver) = self.driver(whose) {
            driver.operation = None;
            while self.tell(whose) {}
            self.handle(whose, event);
            self.drive(whose);
        }
    }

    pub(super) fn wake(&mut self, whose: Where, number: u64) {
        let is_due = self.driver(whose).is_some_and(|driver| {
            driver.number == number
                && matches!(driver.operation, Some(Operation::Receive | Operation::Rest))
        });
        if is_due {
            self.finish(whose, Event::Elapsed);
        }
    }

    pub(super) fn apply(&mut self, whose: Where, effects: Vec<Effect<Ticket>>) {
        for effect in effects {
            self.apply_one(whose, effect);
        }
    }

    pub(super) fn apply_one(&mut self, whose: Where, effect: Effect<Ticket>) {
        let (lane, instance) = (whose.lane, whose.instance);
        match effect {
            Effect::Give { lease, states, past } => {
                self.say(|| format!("{instance} has lane {lane}"));
                let epoch = self.driver(whose).and_then(|driver| driver.producer);
                // Whoever was fenced meanwhile may have read the log before others wrote there.
                if epoch.is_some_and(|epoch| self.brokers.is_current(lane, epoch)) {
                    self.check_given(instance, lease, &states);
                }
                if let Some(driver) = self.driver(whose) {
                    driver.lease = Some(lease);
                    driver.is_queue_open = true;
                }
                let given = scheduler::Event::LaneGiven { lease, states, past };
                self.inform(whose.place, instance, given);
            }
            Effect::CloseQueue(lease) => {
                self.say(|| format!("{instance} gives lane {lane} back"));
                if let Some(driver) = self.driver(whose) {
                    driver.is_queue_open = false;
                    driver.lease = None;
                }
                self.inform(whose.place, instance, scheduler::Event::LaneTaken(lease));
            }
            Effect::DropQueue => {
                let queue = self.driver(whose).map(|driver| std::mem::take(&mut driver.queue));
                for Submitted { ticket, .. } in queue.into_iter().flatten() {
                    self.after(Duration::ZERO, What::PollEnded(whose, ticket, Answer::Taken));
                }
            }
            Effect::DropProducer => {
                self.driver(whose).into_iter().for_each(|driver| driver.producer = None);
            }
            Effect::Answer(ticket, answer) => {
                self.remember(instance, &ticket, &answer);
                // The scheduler hears of it when its poll has ended.
                let wait = self.dice.millis(0, 60);
                self.after(wait, What::PollEnded(whose, ticket, answer));
            }
            Effect::Status(LaneState::Quarantined, why) => {
                self.wrong.push(format!("lane {lane} is quarantined: {why}"));
            }
            Effect::Log(notice) => self.say(|| format!("{instance}, lane {lane}: {notice:?}")),
            Effect::Count(count) => self.tally.count(&count),
            Effect::Status(..) | Effect::Gone => {}
        }
    }

    /// Somebody is told that a poll is committed.
    fn remember(&mut self, instance: u64, ticket: &Ticket, answer: &Answer) {
        if let Answer::Committed(written) = answer {
            let state = written.as_ref().unwrap_or(&ticket.state);
            let told = self.told_committed.entry((instance, ticket.lease)).or_default();
            told.insert(ticket.feed.id.clone(), state.plan.sequence);
        }
    }

    /// Whoever had the lane before and gave it back has written everything that it called committed, also
    /// what it had put off.
    fn check_given(&mut self, instance: u64, lease: Lease, states: &States) {
        let lane = lease.lane;
        let partition = (Target::State, i32::try_from(lane).unwrap_or(0));
        let Ok(heads) = self.brokers.heads_after(partition, -1, i64::MAX) else { return };
        let is_own = |head: &Head| is_by(head, instance, lease);
        let before = heads.into_iter().map(|(head, _)| head).rfind(|head| !is_own(head));
        let Some(before) = before.filter(|head| head.ended) else { return };
        let told = self
            .told_committed
            .iter()
            .find(|((by, lease), _)| is_by(&before, *by, *lease) && lease.lane == lane);
        for (feed, told) in told.into_iter().flat_map(|(_, told)| told) {
            let found = states.get(feed).map(|state| state.plan.sequence);
            if found < Some(*told) {
                self.wrong.push(format!(
                    "{feed} was at {told} when lane {lane} was given back, and is at {found:?}"
                ));
            }
        }
    }

    /// Somebody waits for places that outcomes hold.
    pub(super) fn hurry(&mut self, whose: Where) {
        let Some(driver) = self.driver(whose) else { return };
        if matches!(driver.operation, Some(Operation::Receive)) {
            self.finish(whose, Event::Hurried);
        }
    }

    /// What brokers have not answered is given up.
    pub(super) fn give_up(&mut self, whose: Where) {
        let Some(driver) = self.driver(whose) else { return };
        let event = match &driver.operation {
            Some(Operation::Fence) => Event::Fenced(Err(Undone::Away("no answer".to_owned()))),
            Some(Operation::Restore) => Event::Restored(Err(Undone::GivenUp), 0),
            Some(Operation::ReadHeads) => Event::HeadsRead(Err(Undone::GivenUp)),
            Some(Operation::Commit { is_sent, .. }) => {
                let is_doubtful = *is_sent;
                Event::Committed(Err(Failure { is_doubtful, ..in_doubt("no answer") }))
            }
            Some(Operation::AwaitGroup { .. } | Operation::Receive | Operation::Rest) | None => {
                return;
            }
        };
        let event = match event {
            // Restore that was only too slow is tried again.
            Event::Restored(_, number) if !driver.stop.is_requested() => {
                Event::Restored(Err(Undone::Away("no answer".to_owned())), number)
            }
            event => event,
        };
        self.finish(whose, event);
    }
}

/// Whether an instance wrote it under a lease.
fn is_by(head: &Head, instance: u64, lease: Lease) -> bool {
    (head.instance.parse(), head.epoch) == (Ok(instance), lease.epoch)
}

/// A transaction of which nobody knows the end.
fn in_doubt(text: &str) -> Failure {
    Failure { text: text.to_owned(), is_doubtful: true, refused: Vec::new() }
}
