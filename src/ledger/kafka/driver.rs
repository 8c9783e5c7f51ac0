//! Drives one lane on a thread of its own: does what `decide::lane` says, and tells it what came of it.
//!
//! A thread and not a task: librdkafka's transactional calls block, and one at a time is allowed.

use std::sync::Arc;
use std::time::Duration;

use cw_decide::lane::log::Restored;
use cw_decide::lane::wire::{Head, LeftOut, Line};
use cw_decide::lane::{
    Answer, Batching, Count, Effect, Event, Failure, GiveUp, Lane, Next, Notice, Settings, Stop,
    Submitted, Topics, Undone,
};
use cw_decide::{Lease, Moment};
use cw_model::state::FeedState;
use cw_model::{FeedId, Outcome};
use cw_status::ledger::Assignment;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep_until, timeout};
use tracing::{debug, error, info, warn};

use super::transaction::Producer;
use super::{Desk, Shared, TURN_TIMEOUT, TURNS, lock};
use crate::ledger::{CommitError, LaneChange};

/// How often librdkafka is let speak while nothing is committed, and the topics are compared.
const IDLE: Duration = Duration::from_secs(1);

/// With the state that was written, if it is not the outcome's.
pub(super) type LaneReply = oneshot::Sender<Result<Option<Arc<FeedState>>, CommitError>>;

/// An outcome to be committed, and who waits for it.
#[derive(Debug)]
pub(super) struct LaneJob {
    pub(super) outcome: Arc<Outcome>,
    pub(super) reply: LaneReply,
}

/// A lane and what it works with.
struct Driver<'a> {
    shared: &'a Shared,
    assignment: Assignment,
    /// What it is told about its end, as of now.
    stop: watch::Receiver<Stop>,
    hurry: watch::Receiver<u64>,
    lane: Lane<LaneReply>,
    producer: Option<Producer>,
    queue: Option<mpsc::Receiver<LaneJob>>,
    /// What the lane has been told so far.
    told: Stop,
    topics: Topics,
}

/// Drives a lane from when the group gives it until it ends here.
pub(super) fn drive(shared: &Shared, assignment: Assignment, stop: watch::Receiver<Stop>) {
    let settings = Settings {
        lane: assignment.lane,
        instance: shared.instance.as_str().into(),
        commit_interval: shared.settings.commit_interval,
        partition_by: shared.settings.partition_by,
        record_bytes_max: shared.settings.record_bytes_max(),
    };
    let topics = shared.topics();
    let (lane, effects) = Lane::new(settings, topics, shared.now());
    let mut driver = Driver {
        shared,
        assignment,
        stop,
        hurry: shared.hurry.subscribe(),
        lane,
        producer: None,
        queue: None,
        told: Stop::default(),
        topics,
    };
    // Effects come in an order that matters: a queue is closed before it is dropped, a lane is
    // given before it is answered for.
    driver.apply(effects);
    while driver.turn() {}
}

impl Driver<'_> {
    /// One step; says whether there is another.
    fn turn(&mut self) -> bool {
        self.tell();
        let lane = self.assignment.lane;
        let event = match self.lane.next() {
            Next::AwaitGroup => Event::GroupHeard(self.await_group()),
            Next::Fence(batching, give_up) => Event::Fenced(self.fence(batching, give_up)),
            Next::Restore => Event::Restored(self.restore(), self.shared.next_number()),
            Next::ReadHeads(offset) => Event::HeadsRead(self.read_heads(offset)),
            Next::Commit(lines) => Event::Committed(self.commit(&lines)),
            Next::Receive(until) => match self.receive(until) {
                Some(event) => event,
                None => return true,
            },
            Next::Rest(until) => match self.rest(until) {
                Some(event) => event,
                None => return true,
            },
            Next::End => {
                debug!(lane.number = lane, "the lane has ended here");
                return false;
            }
        };
        // What it was told while brokers were asked comes first.
        self.tell();
        self.handle(event);
        true
    }

    fn handle(&mut self, event: Event<LaneReply>) {
        let effects = self.lane.handle(event, self.shared.now());
        self.apply(effects);
    }

    /// Tells the lane what has changed around it since it was last told.
    fn tell(&mut self) {
        let stop = self.stop();
        if stop != self.told {
            self.told = stop;
            self.handle(Event::Told(stop));
        }
        let topics = self.shared.topics();
        if topics != self.topics {
            self.topics = topics;
            self.handle(Event::TopicsSeen(topics));
        }
    }

    /// What the lane is to be told about its end, as of now.
    fn stop(&self) -> Stop {
        stop_now(self.shared, &self.stop)
    }

    /// Waits until the group's consumer has been polled since.
    fn await_group(&self) -> Result<(), Undone> {
        let (shared, mut stop) = (self.shared, self.stop.clone());
        // Not the state of the group but two polls of its consumer that began after now: only they
        // show that a rebalance that has happened would have been heard.
        let mut turns = shared.turns.subscribe();
        let enough = *turns.borrow_and_update() + TURNS;
        shared.runtime.block_on(async {
            tokio::select! {
                _ = stop.wait_for(|stop| stop.is_requested()) => return Err(Undone::GivenUp),
                waited = timeout(TURN_TIMEOUT, turns.wait_for(|turns| *turns >= enough)) => {
                    if waited.is_err() {
                        let why = "the consumer group is not being followed";
                        return Err(Undone::Away(why.to_owned()));
                    }
                }
            }
            // After a sleep the group may have gone on without us, and says so only in answer to a heartbeat.
            let Some(until) = shared.turns.waking_until() else { return Ok(()) };
            tokio::select! {
                _ = stop.wait_for(|stop| stop.is_requested()) => Err(Undone::GivenUp),
                () = sleep_until(until) => Ok(()),
            }
        })
    }

    fn fence(&mut self, batching: Batching, give_up: GiveUp) -> Result<(), Undone> {
        let (shared, stop) = (self.shared, &self.stop);
        let lane = self.assignment.lane;
        let producer = Producer::new(&shared.settings, lane, batching, shared.status.metrics())?;
        // Kept only if the fence succeeded: a producer that was not fenced in may not send.
        producer.fence(|| is_given_up(shared, stop, give_up))?;
        self.producer = Some(producer);
        Ok(())
    }

    fn restore(&self) -> Result<Restored, Undone> {
        let is_given_up = || is_given_up(self.shared, &self.stop, GiveUp::WhenStopRequested);
        self.shared.partition(self.assignment.lane).restore(is_given_up)
    }

    fn read_heads(&self, offset: i64) -> Result<Vec<(Head, i64)>, Undone> {
        let is_given_up = || is_given_up(self.shared, &self.stop, GiveUp::WhenOver);
        self.shared.partition(self.assignment.lane).heads_after(offset, is_given_up)
    }

    fn commit(&self, lines: &[&Line]) -> Result<i64, Failure> {
        let Some(producer) = &self.producer else {
            let text = "there is no producer".to_owned();
            return Err(Failure { text, is_doubtful: false, refused: Vec::new() });
        };
        let is_given_up = || is_given_up(self.shared, &self.stop, GiveUp::WhenOver);
        producer.commit(lines, self.shared.now().wall, is_given_up)
    }

    /// Waits for outcomes; `None` if it is only to look around.
    fn receive(&mut self, until: Option<Moment>) -> Option<Event<LaneReply>> {
        // Marked before it is read: what comes between the two wakes the wait below, instead of
        // being missed.
        self.stop.mark_unchanged();
        if self.stop() != self.told {
            return None;
        }
        let shared = self.shared;
        let idle_until = shared.now().at + IDLE;
        let (wake_at, is_due) = match until {
            Some(until) if until <= idle_until => (until, true),
            Some(_) | None => (idle_until, false),
        };
        let is_draining = shared.draining.is_cancelled();
        let (stop, hurry) = (&mut self.stop, &mut self.hurry);
        let Some(queue) = &mut self.queue else { return Some(Event::QueueEmpty) };
        let event = shared.runtime.block_on(async {
            tokio::select! {
                biased;
                Ok(()) = stop.changed() => None,
                job = queue.recv() => Some(received(job)),
                () = shared.draining.cancelled(), if !is_draining => None,
                Ok(()) = hurry.changed() => Some(Event::Hurried),
                () = sleep_until(shared.instant(wake_at)) => is_due.then_some(Event::Elapsed),
            }
        });
        // librdkafka hands out errors and statistics only when it is polled. An idle lane would
        // learn that it was fenced only at its next commit.
        if let Some(producer) = &self.producer {
            producer.serve();
        }
        event
    }

    /// Waits; `None` if it is only to look around.
    fn rest(&mut self, until: Moment) -> Option<Event<LaneReply>> {
        self.stop.mark_unchanged();
        if self.stop() != self.told {
            return None;
        }
        let (shared, stop) = (self.shared, &mut self.stop);
        shared.runtime.block_on(async {
            tokio::select! {
                biased;
                Ok(()) = stop.changed() => None,
                () = sleep_until(shared.instant(until)) => Some(Event::Elapsed),
            }
        })
    }

    fn apply(&mut self, effects: Vec<Effect<LaneReply>>) {
        effects.into_iter().for_each(|effect| self.apply_one(effect));
    }

    fn apply_one(&mut self, effect: Effect<LaneReply>) {
        let shared = self.shared;
        match effect {
            Effect::Give { lease, states, past } => {
                self.queue = Some(open_queue(shared, lease));
                // Who was in a hurry before the lane was given has been served, or waits in another
                // lane.
                self.hurry.mark_unchanged();
                shared.tell(LaneChange::Given { lease, states, past });
            }
            Effect::CloseQueue(lease) => {
                if let Some(queue) = &mut self.queue {
                    queue.close();
                }
                // Once, however often it is closed: the scheduler counts lanes.
                if shared.close_desk(lease) {
                    shared.tell(LaneChange::Taken { lease });
                }
            }
            Effect::DropQueue => self.queue = None,
            Effect::DropProducer => self.producer = None,
            Effect::Answer(reply, answer) => {
                let result = match answer {
                    Answer::Committed(state) => Ok(state),
                    Answer::Taken => Err(CommitError::Taken),
                    Answer::Refused(why) => Err(CommitError::Refused {
                        path: format!("lane {}", self.assignment.lane),
                        why,
                    }),
                };
                // Whoever asked may have been cancelled; the commit stands all the same.
                let _unheard = reply.send(result);
            }
            Effect::Status(state, why) => shared.status.set(self.assignment, state, &why),
            Effect::Gone => shared.status.remove(self.assignment),
            Effect::Count(count) => self.count(&count),
            Effect::Log(notice) => log(self.assignment.lane, notice),
        }
    }

    fn count(&self, count: &Count) {
        let (metrics, lane) = (self.shared.status.metrics(), self.assignment.lane);
        match *count {
            Count::Committed { took, sequence, bytes, unpublished } => {
                metrics.committed(lane, took, sequence);
                metrics.written(lane, bytes);
                metrics.unpublished(lane, unpublished);
            }
            Count::Failed => metrics.failed(lane),
            Count::Resolved(found) => metrics.resolved(lane, found.name()),
            Count::Fenced => metrics.fenced(lane),
            Count::Restored { took, sequence } => metrics.restored(lane, took, sequence),
        }
    }
}

fn received(job: Option<LaneJob>) -> Event<LaneReply> {
    match job {
        Some(LaneJob { outcome, reply }) => Event::Submitted(Submitted { outcome, ticket: reply }),
        None => Event::QueueEmpty,
    }
}

fn open_queue(shared: &Shared, lease: Lease) -> mpsc::Receiver<LaneJob> {
    let (sender, jobs) = mpsc::channel(super::QUEUE_OUTCOMES);
    lock(&shared.desks).insert(lease.lane, Desk { lease, jobs: sender });
    jobs
}

fn stop_now(shared: &Shared, stop: &watch::Receiver<Stop>) -> Stop {
    let mut stop = *stop.borrow();
    if let Some(at) = shared.draining_at.get() {
        stop.drain(*at);
    }
    stop
}

fn is_given_up(shared: &Shared, stop: &watch::Receiver<Stop>, give_up: GiveUp) -> bool {
    give_up.is_due(stop_now(shared, stop), shared.now().at)
}

/// Tells people.
fn log(lane: u32, notice: Notice) {
    match notice {
        Notice::Restored { sequence } => {
            debug!(lane.number = lane, lane.sequence = sequence, "lane restored");
        }
        Notice::NotTakenUp { why } => {
            warn!(lane.number = lane, error = why, "could not take up the lane; trying again");
        }
        Notice::Quarantined { why } => error!(
            lane.number = lane,
            error = why,
            "the lane is quarantined: nothing of it is polled"
        ),
        Notice::Fenced { why } => warn!(
            lane.number = lane,
            error = why,
            "another replica has had the lane; asking whether it is still ours"
        ),
        Notice::TopicsChanged => {
            info!(lane.number = lane, "the topics have changed; taking the lane up anew");
        }
        Notice::TransactionFailed { sequence, why, is_repeated: false } => warn!(
            lane.number = lane,
            lane.sequence = sequence,
            error = why,
            "a transaction did not end well; looking up what became of it"
        ),
        Notice::TransactionFailed { sequence, why, is_repeated: true } => debug!(
            lane.number = lane,
            lane.sequence = sequence,
            error = why,
            "a transaction failed again"
        ),
        Notice::LookedUp(found) => debug!(
            lane.number = lane,
            commit.found = found.name(),
            "looked up what became of the transaction"
        ),
        Notice::NotLookedUp { why } => {
            debug!(lane.number = lane, error = why, "could not look it up; trying again");
        }
        Notice::CommitsAgain => info!(lane.number = lane, "the lane commits again"),
        Notice::TooLarge { feed, records, limit } => log_too_large(lane, &feed, &records, limit),
        Notice::StateUnwritable { feed, why } => {
            error!(feed.id = %feed, error = why, "a feed's state cannot be written");
        }
    }
}

/// Says which records no topic takes.
fn log_too_large(lane: u32, feed: &FeedId, records: &[LeftOut], limit: usize) {
    let [first, rest @ ..] = records else { return };
    let LeftOut { article, revision, bytes, is_waiting } = first;
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
    let then = if *is_waiting {
        "published once max.message.bytes of the topics leaves room"
    } else {
        "not tried again: too many of this feed wait"
    };
    warn!(
        lane.number = lane,
        feed.id = %feed,
        error = format!(
            "revision {revision} of article {article} takes {bytes} bytes and a record {limit} at most, \
             or a broker refused it{more}; {then}"
        ),
        "an article is too large for its topics"
    );
}
