//! One term of a lane in this replica: fence, restore, commit, give back.
//!
//! When terms begin and end is `life`'s.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error, info, warn};

use super::board::Life;
use super::group::{Entry, Group, Job, in_order, take_back};
use super::restore::{RestoreError, Tip};
use super::settings::RECORD_BYTES_DEFAULT;
use super::stop::Stop;
use super::transaction::{Batching, Failure, Producer};
use super::wire::{Draft, Head, Layout, Line};
use super::{PutOff, Shared, Topics, lock};
use crate::clock::Clock;
use crate::commit::{CommitError, LaneChange, Lease, Past};
use crate::model::{Outcome, Urgency};
use crate::telemetry::lanes::LaneState;

/// How long a state may stay unwritten that changes nothing but when and how a feed is asked. Most
/// polls change no more than that, and writing each would be most of what is written.
pub(super) const PUT_OFF: Duration = Duration::from_secs(3600);

/// The first wait after a term that could not begin, or a commit that could not be looked up.
pub(super) const WAIT_MIN: Duration = Duration::from_millis(250);

/// The longest such wait: brokers that are back are noticed this soon.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(5);

/// How often librdkafka is let speak while nothing is committed.
const IDLE: Duration = Duration::from_secs(1);

/// How a term ended.
#[derive(Debug)]
pub(super) enum End {
    /// Told to leave; everything accepted is committed, or its poll told that it is not.
    Left,
    /// The group took the lane without asking.
    Lost,
    /// Told nothing, but the topics are other than they were when it began.
    Changed,
    /// Somebody else fenced it.
    Taken(String),
}

/// What became of a transaction in doubt.
#[derive(Debug)]
enum Resolution {
    /// It stands in the log, its `__lane` at this offset.
    Committed(i64),
    /// It does not, and never will.
    Aborted,
}

/// What ends the gathering.
#[derive(Debug, PartialEq, Eq)]
enum Woken {
    Job,
    Due,
    Idle,
    Left,
    Lost,
}

/// One lease on the lane.
pub(super) struct Term<'a> {
    shared: &'a Shared,
    life: Life,
    stop: &'a Stop,
    lease: Lease,
    jobs: mpsc::Receiver<Job>,
    hurry: watch::Receiver<u64>,
    /// `None` only while one is being replaced.
    producer: Option<Producer>,
    topics: Topics,
    tip: Tip,
    /// States that change nothing but the schedule.
    put_off: PutOff,
    put_off_since: Option<Instant>,
    /// How the owners before left it.
    past: Past,
    /// Whether what is committed is the last of this term.
    is_ending: bool,
    /// Whether each record goes alone, to find the one that brokers refuse.
    is_careful: bool,
    /// What the last transaction failed for, until one is committed.
    failing: Option<String>,
}

impl<'a> Term<'a> {
    /// Fences, restores, and tells the scheduler.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub(super) fn begin(
        shared: &'a Shared,
        life: Life,
        stop: &'a Stop,
        known_sequence: u64,
    ) -> Result<Self, RestoreError> {
        let lane = life.lane;
        let began_at = Instant::now();
        let topics = shared.topics();
        shared.board.set(life, LaneState::Fencing, "");
        shared.await_turn(stop)?;
        let batching = Batching { record_bytes_max: topics.record_bytes_max, is_careful: false };
        let producer = shared.fence(lane, batching, || stop.is_told())?;
        shared.board.set(life, LaneState::Restoring, "");
        let restored = shared.partition(lane).restore(|| stop.is_told())?;
        let sequence = restored.tip.sequence();
        if sequence < known_sequence {
            return Err(RestoreError::Contradiction(format!(
                "its log ends at sequence {sequence}, and this process has committed \
                 {known_sequence}; was the topic deleted and made anew?"
            )));
        }
        if stop.is_told() {
            return Err(RestoreError::Told);
        }
        let past = restored.tip.past(&shared.instance, Clock::System.now());
        let (lease, jobs, put_off) = shared.open_desk(lane);
        let mut term = Self {
            shared,
            life,
            stop,
            lease,
            jobs,
            hurry: shared.hurry.subscribe(),
            producer: Some(producer),
            topics,
            tip: restored.tip,
            put_off,
            put_off_since: None,
            past,
            is_ending: false,
            is_careful: false,
            failing: None,
        };
        if let Err(failure) = term.mark_taken() {
            shared.close_desk(lease);
            return Err(RestoreError::Away(failure.text));
        }
        shared.board.set(life, LaneState::Owned, "");
        let sequence = term.tip.sequence();
        shared.board.metrics().restored(lane, began_at.elapsed(), sequence);
        debug!(lane.number = lane, lane.sequence = sequence, "lane restored");
        let (layout, now) = (term.layout(), Clock::System.now());
        let tried_again = |(id, state)| (id, layout.tried_again(state, now));
        let states = restored.states.into_iter().map(tried_again).collect();
        shared.tell(LaneChange::Given { lease, states, past });
        Ok(term)
    }

    /// Says in the log that the lane is in use, before anything of it is polled: should we not live to
    /// give it back, whoever takes it up next reads with care. After an unclean end the log says so
    /// already.
    fn mark_taken(&mut self) -> Result<(), Failure> {
        if self.tip.head.as_ref().is_some_and(|head| !head.ended) {
            return Ok(());
        }
        let (head, committed) = self.attempt(&[]);
        self.tip = Tip { offset: committed?, head: Some(head) };
        Ok(())
    }

    /// Says in the log that the lane is given back. Where that does not go at once, whoever takes it
    /// up next reads with care, and no more.
    fn mark_ended(&mut self) {
        if self.failing.is_none() {
            self.is_ending = true;
            let (_head, _committed) = self.attempt(&[]);
        }
    }

    /// The lease is void; whoever polls is told, once.
    pub(super) fn give_back(&mut self) {
        if self.shared.close_desk(self.lease) {
            self.shared.tell(LaneChange::Taken { lease: self.lease });
        }
    }

    /// Transactions ever committed in the lane, as far as this term knows.
    pub(super) fn sequence(&self) -> u64 {
        self.tip.sequence()
    }

    fn layout(&self) -> Layout {
        Layout {
            lane: self.lease.lane,
            partition_by: self.shared.settings.partition_by,
            partitions: self.topics.partitions,
            record_bytes_max: self.record_bytes_max(),
            known_bytes_max: self.topics.record_bytes_max.map(|_known| self.record_bytes_max()),
        }
    }

    /// The least of what topics take, as far as is known, and what the operator says.
    fn record_bytes_max(&self) -> usize {
        let topics = self.topics.record_bytes_max;
        let ours = self.shared.settings.record_bytes_max();
        topics.into_iter().chain(ours).min().unwrap_or(RECORD_BYTES_DEFAULT)
    }

    /// Commits what comes until the lane is to be given up.
    pub(super) fn serve(&mut self) -> End {
        loop {
            let (group, woken) = self.gather();
            let group = if woken == Woken::Lost { Group::default() } else { group };
            if !group.entries.is_empty()
                && let Err(end) = self.commit(group.entries)
            {
                return end;
            }
            match woken {
                Woken::Lost => return End::Lost,
                Woken::Left => return self.end_cleanly(End::Left),
                // What was refused for its size may have room now, and partitions may be more.
                Woken::Job | Woken::Due | Woken::Idle if self.shared.topics() != self.topics => {
                    return self.end_cleanly(End::Changed);
                }
                Woken::Job | Woken::Due | Woken::Idle => {}
            }
            if self.put_off_since.is_some_and(|since| since.elapsed() >= PUT_OFF)
                && let Err(end) = self.write_put_off()
            {
                return end;
            }
        }
    }

    fn end_cleanly(&mut self, end: End) -> End {
        if let Err(end) = self.write_put_off() {
            return end;
        }
        self.mark_ended();
        end
    }

    /// Takes jobs until there are enough, or the first has waited long enough, or it is time to go.
    fn gather(&mut self) -> (Group, Woken) {
        let mut group = Group::default();
        // Who was in a hurry before has been served.
        self.hurry.mark_unchanged();
        loop {
            let (woken, job) = self.wait(&group);
            if let Some(producer) = &self.producer {
                producer.serve();
            }
            if let Some(job) = job {
                self.take(job, &mut group);
            }
            match woken {
                Woken::Job if group.is_full() => return (group, Woken::Due),
                Woken::Job => {}
                Woken::Due | Woken::Idle | Woken::Left | Woken::Lost => return (group, woken),
            }
        }
    }

    fn wait(&mut self, group: &Group) -> (Woken, Option<Job>) {
        let interval = if self.shared.draining.is_cancelled() || self.stop.is_told() {
            Duration::ZERO
        } else {
            self.shared.settings.commit_interval
        };
        let (wake_at, then) = match group.begun_at {
            Some(begun_at) => (begun_at + interval, Woken::Due),
            None => (Instant::now() + IDLE, Woken::Idle),
        };
        if self.stop.is_told() {
            // Nobody can send any more, nor polls in vain; what was sent is still answered.
            self.jobs.close();
            self.give_back();
        }
        let is_leaving = self.stop.is_told();
        let is_waiting = group.begun_at.is_some();
        let (jobs, hurry, stop) = (&mut self.jobs, &mut self.hurry, self.stop);
        let draining = &self.shared.draining;
        self.shared.runtime.block_on(async {
            tokio::select! {
                biased;
                () = stop.lost() => (Woken::Lost, None),
                job = jobs.recv() => match job {
                    Some(job) => (Woken::Job, Some(job)),
                    None => (Woken::Left, None),
                },
                // Again through the loop, which then sees it.
                () = stop.told(), if !is_leaving => (Woken::Job, None),
                () = draining.cancelled(), if is_waiting && !interval.is_zero() => (Woken::Due, None),
                Ok(()) = hurry.changed(), if is_waiting => (Woken::Due, None),
                () = sleep_until(wake_at) => (then, None),
            }
        })
    }

    fn take(&mut self, job: Job, group: &mut Group) {
        let Job { outcome, reply } = job;
        let moving_from = self.shared.moving_from(&outcome.feed_id, self.lease.lane);
        if outcome.urgency == Urgency::Lazy && moving_from.is_none() {
            lock(&self.put_off).insert(outcome.feed_id.clone(), Arc::clone(&outcome.state));
            self.put_off_since.get_or_insert_with(Instant::now);
            let _unheard = reply.send(Ok(None));
            return;
        }
        lock(&self.put_off).remove(&outcome.feed_id);
        let draft = self.draft(&outcome, &BTreeSet::new());
        let (outcome, reply) = (Some(outcome), Some(reply));
        match draft {
            Ok(draft) => group.push(Entry { outcome, reply, draft, refused: BTreeSet::new() }),
            Err(why) => {
                let draft = Draft::default();
                let entry = Entry { outcome, reply, draft, refused: BTreeSet::new() };
                entry.answer(Err(self.refusal(why)));
            }
        }
    }

    /// The lines of an outcome; if its feed comes from another lane, it leaves that one with them.
    fn draft(&self, outcome: &Outcome, refused: &BTreeSet<usize>) -> Result<Draft, String> {
        let (layout, id) = (self.layout(), &outcome.feed_id);
        let mut draft = layout.draft(outcome, refused)?;
        let from = self.shared.moving_from(id, self.lease.lane);
        draft.lines.extend(from.map(|lane| layout.left(id, lane)));
        Ok(draft)
    }

    fn refusal(&self, why: String) -> CommitError {
        CommitError::Refused { path: format!("lane {}", self.lease.lane), why }
    }

    /// Writes every state that was put off.
    fn write_put_off(&mut self) -> Result<(), End> {
        self.put_off_since = None;
        let mut group = Group::default();
        let put_off = std::mem::take(&mut *lock(&self.put_off));
        for (id, state) in put_off {
            match self.layout().state(&id, &state) {
                Ok(line) => group.push(Entry {
                    outcome: None,
                    reply: None,
                    draft: Draft { lines: vec![line], ..Draft::default() },
                    refused: BTreeSet::new(),
                }),
                Err(why) => error!(feed.id = %id, error = why, "a feed's state cannot be written"),
            }
            if group.is_full() {
                self.commit(std::mem::take(&mut group).entries)?;
            }
        }
        if group.entries.is_empty() { Ok(()) } else { self.commit(group.entries) }
    }

    /// Commits these, whatever it takes, and answers whoever waits for them.
    fn commit(&mut self, mut entries: Vec<Entry>) -> Result<(), End> {
        let mut wait = WAIT_MIN;
        loop {
            if entries.is_empty() {
                // All was refused, and each poll has been told: nothing is in doubt any more.
                self.set_well();
                return Ok(());
            }
            if self.producer.is_none()
                && let Err(end) = self.look_up(None)
            {
                take_back(entries);
                return Err(end);
            }
            let began_at = Instant::now();
            let (head, committed) = self.attempt(&entries);
            let failure = match committed {
                Ok(offset) => {
                    self.committed(head, offset, began_at, entries);
                    return Ok(());
                }
                Err(failure) => failure,
            };
            let refused = self.refused(&entries, &failure);
            self.tell_of(&head, &failure);
            match self.look_up(Some((&head, &failure))) {
                Ok(Resolution::Committed(offset)) => {
                    self.committed(head, offset, began_at, entries);
                    return Ok(());
                }
                Ok(Resolution::Aborted) if self.is_over() => {
                    take_back(entries);
                    return Err(End::Left);
                }
                Ok(Resolution::Aborted) if refused.is_empty() => {
                    self.shared.rest_until_over(self.stop, wait);
                    wait = (wait * 2).min(WAIT_MAX);
                }
                Ok(Resolution::Aborted) => self.leave_out(&mut entries, &refused),
                Err(end) => {
                    take_back(entries);
                    return Err(end);
                }
            }
        }
    }

    /// Says once what keeps transactions from being committed, however often it is tried.
    fn tell_of(&mut self, head: &Head, failure: &Failure) {
        let (lane, sequence) = (self.lease.lane, head.sequence);
        self.shared.board.metrics().failed(lane);
        let why = failure.text.as_str();
        if self.failing.as_deref() == Some(why) {
            debug!(
                lane.number = lane,
                lane.sequence = sequence,
                error = why,
                "a transaction failed again"
            );
        } else {
            warn!(
                lane.number = lane,
                lane.sequence = sequence,
                error = why,
                "a transaction did not end well; looking up what became of it"
            );
            self.failing = Some(why.to_owned());
        }
    }

    /// One try.
    fn attempt(&self, entries: &[Entry]) -> (Head, Result<i64, Failure>) {
        let now = Clock::System.now();
        let lines = in_order(entries);
        let writer = (self.shared.instance.as_str(), self.lease.term);
        let head = Head {
            ended: self.is_ending,
            left_uncleanly_at: self.past.careful_until(now).and(self.past.left_uncleanly_at),
            ..Head::after(self.tip.sequence(), writer, lines.len(), now)
        };
        let failed = |text: String| Failure { text, is_doubtful: false, refused: Vec::new() };
        let committed = match (self.layout().head(&head), &self.producer) {
            (Ok(last), Some(producer)) => {
                let mut lines: Vec<&Line> = lines.into_iter().map(|(line, _)| line).collect();
                lines.push(&last);
                producer.commit(&lines, now, || self.is_over())
            }
            (Err(why), _) => Err(failed(why)),
            (Ok(_), None) => Err(failed("there is no producer".to_owned())),
        };
        (head, committed)
    }

    fn committed(&mut self, head: Head, offset: i64, began_at: Instant, entries: Vec<Entry>) {
        let metrics = self.shared.board.metrics();
        metrics.committed(self.lease.lane, began_at.elapsed(), head.sequence);
        metrics.written(self.lease.lane, entries.iter().map(Entry::bytes).sum());
        metrics.unpublished(self.lease.lane, entries.iter().map(Entry::unpublished).sum());
        self.tip = Tip { head: Some(head), offset };
        if self.set_well() {
            info!(lane.number = self.lease.lane, "the lane commits again");
        }
        for outcome in entries.iter().filter_map(|entry| entry.outcome.as_ref()) {
            lock(&self.shared.moving).remove(&outcome.feed_id);
        }
        if std::mem::take(&mut self.is_careful) {
            // The record that did not go is out of the way: batches again, with the next one.
            self.producer = None;
        }
        for entry in entries {
            entry.warn_of_left_out(self.lease.lane, self.record_bytes_max());
            entry.answer(Ok(()));
        }
    }

    /// Nothing fails or is in doubt now; says whether something was.
    fn set_well(&mut self) -> bool {
        let was_failing = self.failing.take().is_some();
        if was_failing {
            self.shared.board.set(self.life, LaneState::Owned, "");
        }
        was_failing
    }

    /// What a broker refused, each once: a record of an entry, or its state or a reject (`None`), or
    /// `__lane` (an entry that there is not). All that shared a batch with the culprit.
    fn refused(&self, entries: &[Entry], failure: &Failure) -> BTreeSet<(usize, Option<usize>)> {
        let lines = in_order(entries);
        let place = |index: &usize| match lines.get(*index) {
            Some((line, entry)) => (*entry, line.record),
            None => (entries.len(), None),
        };
        failure.refused.iter().map(place).collect()
    }

    /// After a refusal: the one record that was refused is left out; if there were several, each goes
    /// alone the next time, so that the first to be refused is the one.
    fn leave_out(&mut self, entries: &mut Vec<Entry>, refused: &BTreeSet<(usize, Option<usize>)>) {
        if refused.len() > 1 && !self.is_careful {
            self.is_careful = true;
            self.producer = None;
            return;
        }
        let Some((index, record)) = refused.first().copied() else { return };
        let Some(entry) = entries.get_mut(index) else { return };
        let draft = match (record, &entry.outcome) {
            (Some(record), Some(outcome)) => {
                entry.refused.insert(record);
                let (outcome, refused) = (Arc::clone(outcome), entry.refused.clone());
                self.draft(&outcome, &refused)
            }
            (_, _) => Err(entry.refusal()),
        };
        match draft {
            Ok(draft) => entry.draft = draft,
            Err(why) => entries.remove(index).answer(Err(self.refusal(why))),
        }
    }

    /// Makes a new producer, which ends whatever the last one left open, and finds out what became of
    /// its last transaction, if there was one.
    fn look_up(&mut self, last: Option<(&Head, &Failure)>) -> Result<Resolution, End> {
        let lane = self.lease.lane;
        let metrics = self.shared.board.metrics();
        let mut wait = WAIT_MIN;
        self.producer = None;
        if let Some((_, failure)) = last {
            self.shared.board.set(self.life, LaneState::InDoubt, &failure.text);
        }
        loop {
            // Whoever has it now must not be fenced; what we sent, it finds.
            if self.stop.is_lost() {
                return Err(End::Lost);
            }
            match self.look() {
                Ok(heads) => {
                    let resolution = match heads.as_slice() {
                        [] => Ok(Resolution::Aborted),
                        [(head, offset)] if last.is_some_and(|(it, _)| head.is_of(it)) => {
                            Ok(Resolution::Committed(*offset))
                        }
                        [(head, _), ..] => Err(End::Taken(format!(
                            "sequence {} is by instance {}",
                            head.sequence, head.instance
                        ))),
                    };
                    let found = match &resolution {
                        Ok(Resolution::Committed(_)) => "committed",
                        Ok(Resolution::Aborted) => "aborted",
                        Err(_) => "taken",
                    };
                    if last.is_some_and(|(_, failure)| failure.is_doubtful) {
                        metrics.resolved(lane, found);
                    }
                    if last.is_some() {
                        debug!(
                            lane.number = lane,
                            commit.found = found,
                            "looked up what became of the transaction"
                        );
                    }
                    return resolution;
                }
                Err(RestoreError::Contradiction(why)) => return Err(End::Taken(why)),
                Err(RestoreError::Away(why)) => {
                    self.shared.board.set(self.life, LaneState::InDoubt, &why);
                    debug!(lane.number = lane, error = why, "could not look it up; trying again");
                    // So that the next commit tells that the lane is well again.
                    self.failing.get_or_insert(why);
                }
                Err(RestoreError::Told) => {}
            }
            if self.is_over() {
                return Err(End::Left);
            }
            self.shared.rest_until_over(self.stop, wait);
            wait = (wait * 2).min(WAIT_MAX);
        }
    }

    /// Whether it is time to give up: told to leave, or draining, and long enough ago.
    fn is_over(&self) -> bool {
        self.stop.is_over() || self.shared.is_drain_over()
    }

    /// Fences anew, and reads what stands in the log after the last transaction known.
    fn look(&mut self) -> Result<Vec<(Head, i64)>, RestoreError> {
        let (shared, stop, lane) = (self.shared, self.stop, self.lease.lane);
        let is_told = || stop.is_over() || shared.is_drain_over();
        if self.producer.is_none() {
            // Told to leave, we have the lane until we say that we have left.
            if !stop.is_told() {
                shared.await_turn(stop)?;
            }
            let record_bytes_max = self.topics.record_bytes_max;
            let batching = Batching { record_bytes_max, is_careful: self.is_careful };
            self.producer = Some(shared.fence(lane, batching, is_told)?);
        }
        shared.partition(lane).heads_after(self.tip.offset, is_told)
    }
}
