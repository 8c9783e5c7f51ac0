//! A replica of a scenario: the machine of a lane, driven as `ledger::kafka::driver` drives it, with the
//! network in the scenario's hands.

use std::sync::Arc;
use std::time::Duration;

use cw_decide::lane::wire::{Line, PartitionBy};
use cw_decide::lane::{
    Answer, Count, Effect, Event, Failure, Lane, Next, Notice, Settings, Stop, Submitted, Topics,
};
use cw_decide::{Moment, Now};
use cw_model::{LaneState, Outcome, samples};

use super::log::{Failed, Log, Producer};
use super::{Name, Request, Verdict, Why};

/// How many things a lane does before it is at rest, at most.
const TURNS: usize = 200;

/// How far a lane goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// It has something to commit.
    Commit,
    /// It waits for outcomes, or for somebody to look.
    Rest,
}

pub(super) struct Replica {
    lane: Lane<()>,
    producer: Option<Producer>,
    now: Duration,
    /// Whether it goes on after a wait: it is being taken up, or has a lease.
    goes_on: bool,
    is_queue_open: bool,
    leases: u64,
    verdicts: Vec<Verdict>,
}

impl Replica {
    pub(super) fn new(name: Name, now: Duration) -> Self {
        let settings = Settings {
            lane: 0,
            instance: format!("{name:?}").into(),
            commit_interval: Duration::from_secs(1),
            partition_by: PartitionBy::Lane,
            record_bytes_max: None,
        };
        let topics = Topics { partitions: [1; 3], record_bytes_max: None };
        let (lane, effects) = Lane::new(settings, topics, clock(now));
        let mut replica = Self {
            lane,
            producer: None,
            now,
            goes_on: true,
            is_queue_open: false,
            leases: 0,
            verdicts: Vec::new(),
        };
        replica.apply(effects);
        replica
    }

    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// What has come of it since it was last asked.
    pub(super) fn verdicts(&mut self) -> Vec<Verdict> {
        std::mem::take(&mut self.verdicts)
    }

    /// Takes the lane up, until it has it or somebody must look.
    pub(super) fn take_up(&mut self, log: &mut Log<'_>) {
        self.goes_on = true;
        self.go_on(log);
    }

    /// Takes an outcome and sends its transaction.
    pub(super) fn send(&mut self, outcome: Outcome, log: &mut Log<'_>) {
        self.handle(Event::Submitted(Submitted { outcome: Arc::new(outcome), ticket: () }));
        if let Next::Receive(Some(until)) = self.lane.next() {
            self.pass(until);
        }
        // Without a producer there is a fence first.
        self.go_on_to(Until::Commit, log);
        match self.send_lines(log) {
            Ok(()) => self.verdicts.push(Verdict::Sent),
            Err(failed) => self.fail(failed, log),
        }
    }

    /// Ends what was sent.
    pub(super) fn end(&mut self, request: Request, log: &mut Log<'_>) {
        let committed = match request {
            Request::Answered => self.commit(log),
            Request::AnswerLost => {
                assert!(self.commit(log).is_ok(), "it takes effect");
                Err(no_answer())
            }
            Request::Lost => Err(no_answer()),
        };
        match committed {
            Ok(offset) => self.handle(Event::Committed(Ok(offset))),
            Err(failed) => return self.fail(failed, log),
        }
        self.go_on(log);
    }

    pub(super) fn give_back(&mut self, log: &mut Log<'_>) {
        let mut stop = Stop::default();
        stop.request(Moment::after_start(self.now));
        self.handle(Event::Told(stop));
        self.go_on(log);
    }

    /// Goes on until there is nothing to do.
    fn go_on(&mut self, log: &mut Log<'_>) {
        self.go_on_to(Until::Rest, log);
    }

    fn go_on_to(&mut self, until: Until, log: &mut Log<'_>) {
        for _ in 0..TURNS {
            let event = match self.lane.next() {
                Next::AwaitGroup => Event::GroupHeard(Ok(())),
                Next::Fence(batching, _) => match log.fence(batching) {
                    Ok(producer) => {
                        self.producer = Some(producer);
                        Event::Fenced(Ok(()))
                    }
                    Err(undone) => Event::Fenced(Err(undone)),
                },
                Next::Restore => {
                    self.leases += 1;
                    Event::Restored(log.restore(), self.leases)
                }
                Next::ReadHeads(after) => Event::HeadsRead(log.heads_after(after)),
                Next::Commit(_) if until == Until::Commit => return,
                Next::Commit(_) => match self.send_lines(log).and_then(|()| self.commit(log)) {
                    Ok(offset) => Event::Committed(Ok(offset)),
                    Err(failed) => self.failed(failed),
                },
                Next::Receive(_) if !self.is_queue_open => Event::QueueEmpty,
                Next::Rest(until) if self.goes_on => {
                    self.pass(until);
                    continue;
                }
                Next::Receive(_) | Next::Rest(_) | Next::End => return,
            };
            self.handle(event);
        }
        panic!("the lane is not at rest after {TURNS} turns: {:?}", self.lane);
    }

    fn pass(&mut self, until: Moment) {
        self.now = self.now.max(until.since(Moment::default()));
        self.handle(Event::Elapsed);
    }

    fn send_lines(&mut self, log: &mut Log<'_>) -> Result<(), Failed> {
        let Next::Commit(lines) = self.lane.next() else { panic!("nothing to commit") };
        let lines: Vec<Line> = lines.into_iter().cloned().collect();
        let now = clock(self.now).wall;
        log.send(self.producer.as_mut().unwrap(), &lines, now)
    }

    fn commit(&mut self, log: &mut Log<'_>) -> Result<i64, Failed> {
        log.commit(self.producer.as_mut().unwrap())
    }

    fn fail(&mut self, failed: Failed, log: &mut Log<'_>) {
        let event = self.failed(failed);
        self.handle(event);
        self.go_on(log);
    }

    fn failed(&mut self, Failed { failure, why }: Failed) -> Event<()> {
        let verdict = Verdict::Failed { why, is_doubtful: failure.is_doubtful };
        // Brokers decide how many records they refuse with the one that is too large. So it may take two
        // tries to find it, or one.
        if why == Why::TooLarge
            && let [.., before, Verdict::LookedUp(_)] = self.verdicts.as_slice()
            && *before == verdict
        {
            self.verdicts.truncate(self.verdicts.len() - 2);
        }
        self.verdicts.push(verdict);
        Event::Committed(Err(failure))
    }

    fn handle(&mut self, event: Event<()>) {
        let effects = self.lane.handle(event, clock(self.now));
        self.apply(effects);
    }

    fn apply(&mut self, effects: Vec<Effect<()>>) {
        for effect in effects {
            let verdict = match effect {
                Effect::Give { states, past, .. } => {
                    self.is_queue_open = true;
                    // The sequence was said just before.
                    if let Some(Verdict::Given { feeds, is_clean, .. }) = self.verdicts.last_mut() {
                        *feeds = states.len();
                        *is_clean = past.left_uncleanly_at.is_none();
                    }
                    continue;
                }
                Effect::CloseQueue(_) => {
                    self.is_queue_open = false;
                    continue;
                }
                Effect::DropProducer => {
                    self.producer = None;
                    continue;
                }
                Effect::Answer((), Answer::Committed(_)) => Verdict::Committed,
                Effect::Answer((), Answer::Taken) => Verdict::Taken,
                Effect::Answer((), Answer::Refused(_)) => Verdict::Refused,
                Effect::Status(LaneState::Quarantined, _) => {
                    self.goes_on = false;
                    Verdict::Quarantined
                }
                Effect::Count(Count::Fenced) => {
                    self.goes_on = false;
                    Verdict::LaneLost
                }
                Effect::Count(Count::Restored { sequence, .. }) => {
                    Verdict::Given { sequence, feeds: 0, is_clean: false }
                }
                Effect::Log(Notice::LookedUp(found)) => Verdict::LookedUp(found),
                Effect::Log(Notice::TooLarge { records, .. }) => Verdict::LeftOut(records.len()),
                Effect::Gone => Verdict::Ended,
                Effect::DropQueue | Effect::Status(..) | Effect::Count(_) | Effect::Log(_) => {
                    continue;
                }
            };
            self.verdicts.push(verdict);
        }
    }
}

/// The time of scenarios; it passes as lanes wait.
fn clock(at: Duration) -> Now {
    Now { at: Moment::after_start(at), wall: samples::now().checked_add(at).unwrap() }
}

fn no_answer() -> Failed {
    let text = "no answer".to_owned();
    Failed { failure: Failure { text, is_doubtful: true, refused: Vec::new() }, why: Why::NoAnswer }
}
