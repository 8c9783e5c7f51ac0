//! An owned lane: gather outcomes, commit them together, look up what is not plainly committed.

use std::collections::BTreeSet;

use cw_model::{LaneState, Urgency};

use super::attempt::Attempt;
use super::group::{Entry, Group, Submitted, in_order, refused};
use super::log::LogEnd;
use super::messages::{
    Answer, Batching, Count, Effect, Event, Failure, Found, Next, Notice, Undone,
};
use super::stop::GiveUp;
use super::tenure::{Sending, Tenure};
use super::wire::Head;
use super::{Ending, Lane, Phase};
use crate::{Backoff, Moment, Now};

/// What an owned lane is doing.
#[derive(Debug)]
pub(super) enum Work<T> {
    /// Takes outcomes until there are enough, or the first has waited long enough.
    Gathering(Group<T>),
    Committing(Batch<T>, Box<Attempt>),
    /// Finds out what became of a transaction, or, without one, makes a new producer.
    LookingUp(Batch<T>, Box<LookUp>),
    /// What was aborted is tried again then.
    Retrying(Batch<T>, Moment),
    /// The log is being told that the lane is given back.
    GivingBack(Box<Attempt>),
}

/// Entries that are committed together, whatever it takes.
#[derive(Debug)]
pub(super) struct Batch<T> {
    entries: Vec<Entry<T>>,
    backoff: Backoff,
}

/// A look into the log.
#[derive(Debug)]
pub(super) struct LookUp {
    /// What is in doubt; `None`: nothing is, there only is no producer.
    in_doubt: Option<(Box<Attempt>, Failure)>,
    step: Step,
    backoff: Backoff,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Hearing,
    Fencing,
    Reading,
    Resting(Moment),
}

impl<T> Lane<T> {
    pub(super) fn next_work<'a>(&'a self, tenure: &'a Tenure<T>, work: &'a Work<T>) -> Next<'a> {
        match work {
            Work::Gathering(group) => Next::Receive(self.gathered_until(tenure, group)),
            Work::Committing(batch, attempt) => {
                // `__lane` goes last: it stands behind everything it vouches for, so a reader that
                // finds it has seen the whole transaction.
                let lines = in_order(&batch.entries).into_iter().map(|(line, _)| line);
                Next::Commit(lines.chain([&attempt.last]).collect())
            }
            Work::LookingUp(_, look_up) => match look_up.step {
                Step::Hearing => Next::AwaitGroup,
                Step::Fencing => {
                    let record_bytes_max = tenure.topics.record_bytes_max;
                    // A fence makes a new producer, and `batch.num.messages` is read only then.
                    let is_careful = tenure.sending == Sending::OneByOne;
                    Next::Fence(Batching { record_bytes_max, is_careful }, GiveUp::WhenOver)
                }
                // Only what lies behind the last `__lane` that we know of is read: the transaction
                // in doubt can be nowhere else.
                Step::Reading => Next::ReadHeads(tenure.end.offset),
                Step::Resting(until) => Next::Rest(until),
            },
            Work::Retrying(_, until) => Next::Rest(*until),
            Work::GivingBack(attempt) => Next::Commit(vec![&attempt.last]),
        }
    }

    /// When what was gathered is committed, or what was put off is written.
    fn gathered_until(&self, tenure: &Tenure<T>, group: &Group<T>) -> Option<Moment> {
        // An empty group waits for nothing but states that were put off: those must be written
        // within the hour.
        let Some(begun_at) = group.begun_at else { return tenure.put_off_until() };
        if group.is_hurried || self.stop.is_hurried() {
            return Some(begun_at);
        }
        Some(begun_at + self.settings.commit_interval)
    }

    /// What comes of an event that the work waits for.
    pub(super) fn worked(
        &mut self,
        tenure: Box<Tenure<T>>,
        work: Work<T>,
        event: Event<T>,
        now: Now,
    ) -> Phase<T> {
        match (work, event) {
            (Work::Gathering(group), event) => self.gathered(tenure, group, event, now),
            (Work::Committing(batch, attempt), Event::Committed(Ok(offset))) => {
                self.committed(tenure, batch, *attempt, offset, now)
            }
            // Every failure is looked up in the log, plain ones too: one way that is walked often is
            // better than a second one for the rare case.
            (Work::Committing(batch, attempt), Event::Committed(Err(failure))) => {
                self.failed(tenure, batch, attempt, failure, now)
            }
            (Work::LookingUp(batch, look_up), event) => {
                self.looked_up(tenure, batch, look_up, event, now)
            }
            (Work::Retrying(batch, _), Event::Elapsed) => self.commit(tenure, batch, now),
            // Where that did not go at once, whoever takes the lane up next reads with care, no more.
            (Work::GivingBack(_), Event::Committed(_)) => self.give_back(tenure, now),
            (work, event) => self.unasked(Phase::Owned(tenure, work), event),
        }
    }

    /// What changes when the lane was told something meanwhile.
    pub(super) fn worked_on(
        &mut self,
        tenure: Box<Tenure<T>>,
        work: Work<T>,
        now: Now,
    ) -> Phase<T> {
        match work {
            // A commit under way is left alone: librdkafka cannot take it back, and its answer says more
            // than we know.
            Work::Gathering(group) => self.gather(tenure, group, now),
            Work::LookingUp(batch, look_up) if self.stop.is_lost() => match look_up.step {
                Step::Resting(_) => self.give_up(tenure, batch.entries, Ending::Lost, now),
                // What was asked of the brokers is answered first.
                Step::Hearing | Step::Fencing | Step::Reading => {
                    Phase::Owned(tenure, Work::LookingUp(batch, look_up))
                }
            },
            Work::Retrying(batch, _) if self.stop.is_lost() => {
                self.give_up(tenure, batch.entries, Ending::Lost, now)
            }
            work => Phase::Owned(tenure, work),
        }
    }

    /// With nothing in hand: writes what must be written, ends what is to end, or gathers again.
    pub(super) fn go_on(&mut self, mut tenure: Box<Tenure<T>>, now: Now) -> Phase<T> {
        if self.stop.is_lost() {
            return self.give_up(tenure, Vec::new(), Ending::Lost, now);
        }
        // What was refused for its size may have room now, and partitions may be more.
        if tenure.ending.is_none() && self.topics != tenure.topics && tenure.is_queue_open {
            tenure.ending = Some(Ending::TopicsChanged);
        }
        let is_due = tenure.put_off_until().is_some_and(|until| until <= now.at);
        if is_due || (tenure.ending.is_some() && tenure.has_put_off()) {
            for (feed, why) in tenure.end_put_off(&self.settings) {
                self.log(Notice::StateUnwritable { feed, why: why.to_string() });
            }
        }
        let mut group = Group::default();
        // States that were put off go first and by themselves. They have no ticket, so nobody waits
        // for them, and they fill whole transactions.
        while !group.is_full()
            && let Some(entry) = tenure.overdue.pop_front()
        {
            group.push(entry, now.at);
        }
        if !group.entries.is_empty() {
            return self.commit_group(tenure, group, now);
        }
        if tenure.ending.is_none() {
            return self.gather(tenure, Group::default(), now);
        }
        // Only here, with nothing in hand and nothing put off, may the log be told that the lane is
        // given back.
        self.end_cleanly(tenure, now)
    }

    /// Says in the log that the lane is given back, unless brokers are in trouble.
    fn end_cleanly(&mut self, tenure: Box<Tenure<T>>, now: Now) -> Phase<T> {
        // The record `ended` is a favour to the next owner, who then need not try each document in
        // a child process. It is not worth a wait: the group lets nobody have the lane until we
        // leave.
        if tenure.failing.is_some() || !tenure.has_producer {
            return self.give_back(tenure, now);
        }
        let attempt = Box::new(tenure.last_attempt(&self.settings, now));
        Phase::Owned(tenure, Work::GivingBack(attempt))
    }

    /// Gathers on, unless the group has more to say than outcomes.
    fn gather(&mut self, mut tenure: Box<Tenure<T>>, group: Group<T>, now: Now) -> Phase<T> {
        if self.stop.is_lost() {
            return self.give_up(tenure, group.entries, Ending::Lost, now);
        }
        if self.stop.is_requested() {
            // Nobody can submit any more, nor polls in vain; what was submitted is still answered.
            self.close_queue(&mut tenure);
        // New limits and partitions hold from the next tenure on. With entries in hand that would
        // tear a draft that was laid out for the old ones.
        } else if group.entries.is_empty() && self.topics != tenure.topics {
            return self.go_on(tenure, now);
        }
        Phase::Owned(tenure, Work::Gathering(group))
    }

    fn gathered(
        &mut self,
        mut tenure: Box<Tenure<T>>,
        mut group: Group<T>,
        event: Event<T>,
        now: Now,
    ) -> Phase<T> {
        match event {
            Event::Submitted(submitted) => {
                self.take(&mut tenure, &mut group, submitted, now);
                if group.is_full() {
                    return self.commit_group(tenure, group, now);
                }
            }
            Event::Hurried => group.is_hurried = true,
            Event::QueueEmpty => {
                // The queue is closed and drained, so this was the last group. An ending that was
                // decided before, of other topics, stays.
                tenure.ending.get_or_insert(Ending::Left);
                return self.commit_group(tenure, group, now);
            }
            Event::Elapsed => {
                let is_due = self.gathered_until(&tenure, &group).is_some_and(|at| at <= now.at);
                if is_due {
                    return self.commit_group(tenure, group, now);
                }
            }
            event => return self.unasked(Phase::Owned(tenure, Work::Gathering(group)), event),
        }
        Phase::Owned(tenure, Work::Gathering(group))
    }

    fn take(
        &mut self,
        tenure: &mut Tenure<T>,
        group: &mut Group<T>,
        submitted: Submitted<T>,
        now: Now,
    ) {
        let outcome = &submitted.outcome;
        if outcome.urgency == Urgency::Lazy {
            // It is answered at once, before anything is written. If the process dies within the
            // hour the feed is asked once more than needed, and nothing else changes.
            tenure.put_off(outcome.feed_id.clone(), outcome.state.clone(), now.at);
            self.effects.push(Effect::Answer(submitted.ticket, Answer::Committed(None)));
            return;
        }
        // A newer state of the feed is about to be written. The older one, written after it, would
        // take its place in a compacted log.
        tenure.forget(&outcome.feed_id);
        match tenure.entry(&self.settings, submitted) {
            Ok(entry) => group.push(entry, now.at),
            Err((ticket, why)) => {
                self.effects.push(Effect::Answer(ticket, Answer::Refused(why.to_string())));
            }
        }
    }

    /// Commits what was gathered. From now on its entries stay together.
    fn commit_group(&mut self, tenure: Box<Tenure<T>>, group: Group<T>, now: Now) -> Phase<T> {
        let batch = Batch { entries: group.entries, backoff: self.backoff.another() };
        self.commit(tenure, batch, now)
    }

    /// Begins a try, with a new producer if there is none.
    fn commit(&mut self, mut tenure: Box<Tenure<T>>, batch: Batch<T>, now: Now) -> Phase<T> {
        if batch.entries.is_empty() {
            // If all was refused, each poll has been told: nothing is in doubt any more.
            self.set_well(&mut tenure);
            return self.go_on(tenure, now);
        }
        if self.stop.is_lost() {
            return self.give_up(tenure, batch.entries, Ending::Lost, now);
        }
        if !tenure.has_producer {
            return self.look_up(tenure, batch, None, now);
        }
        let lines = batch.entries.iter().map(|entry| entry.draft.lines.len()).sum();
        let attempt = Box::new(tenure.attempt(&self.settings, lines, now));
        Phase::Owned(tenure, Work::Committing(batch, attempt))
    }

    fn committed(
        &mut self,
        mut tenure: Box<Tenure<T>>,
        batch: Batch<T>,
        attempt: Attempt,
        offset: i64,
        now: Now,
    ) -> Phase<T> {
        let entries = batch.entries;
        self.count(Count::Committed {
            took: now.at.since(attempt.begun_at),
            sequence: attempt.head.sequence,
            bytes: entries.iter().map(Entry::bytes).sum(),
            unpublished: entries.iter().map(Entry::unpublished).sum(),
        });
        tenure.end = LogEnd { head: Some(attempt.head), offset };
        if self.set_well(&mut tenure) {
            self.log(Notice::CommitsAgain);
        }
        if std::mem::take(&mut tenure.sending) == Sending::OneByOne {
            // The record that did not go is out of the way: batches again, with the next one.
            self.drop_producer(&mut tenure);
        }
        let limit = tenure.record_bytes_max(&self.settings);
        for Entry { submitted, draft, .. } in entries {
            let Some(Submitted { outcome, ticket }) = submitted else { continue };
            if !draft.left_out.is_empty() {
                let (feed, records) = (outcome.feed_id.clone(), draft.left_out);
                self.log(Notice::TooLarge { feed, records, limit });
            }
            self.effects.push(Effect::Answer(ticket, Answer::Committed(draft.state)));
        }
        self.go_on(tenure, now)
    }

    /// Nothing fails or is in doubt now; says whether something was.
    fn set_well(&mut self, tenure: &mut Tenure<T>) -> bool {
        let was_failing = tenure.failing.take().is_some();
        if was_failing {
            self.stands(LaneState::Owned, "");
        }
        was_failing
    }

    fn failed(
        &mut self,
        mut tenure: Box<Tenure<T>>,
        batch: Batch<T>,
        attempt: Box<Attempt>,
        failure: Failure,
        now: Now,
    ) -> Phase<T> {
        self.count(Count::Failed);
        let (sequence, why) = (attempt.head.sequence, failure.text.clone());
        let is_repeated = tenure.failing.as_ref() == Some(&why);
        tenure.failing = Some(why.clone());
        self.log(Notice::TransactionFailed { sequence, why, is_repeated });
        self.look_up(tenure, batch, Some((attempt, failure)), now)
    }

    /// Makes a new producer, which ends whatever the last one left open, and finds out what became of
    /// its last transaction, if there was one.
    fn look_up(
        &mut self,
        mut tenure: Box<Tenure<T>>,
        batch: Batch<T>,
        in_doubt: Option<(Box<Attempt>, Failure)>,
        now: Now,
    ) -> Phase<T> {
        self.drop_producer(&mut tenure);
        if let Some((_, failure)) = &in_doubt {
            self.stands(LaneState::InDoubt, &failure.text);
        }
        let backoff = self.backoff.another();
        // A producer whose transaction failed may not be used for another (KIP-98), and a new one
        // under the same `transactional.id` ends what it left open: after that the log cannot
        // change behind our back.
        let look_up = LookUp { in_doubt, step: Step::Hearing, backoff };
        self.look(tenure, batch, Box::new(look_up), now)
    }

    /// Begins a look.
    fn look(
        &mut self,
        tenure: Box<Tenure<T>>,
        batch: Batch<T>,
        mut look_up: Box<LookUp>,
        now: Now,
    ) -> Phase<T> {
        // Whoever has it now must not be fenced; what we sent, it finds.
        if self.stop.is_lost() {
            return self.give_up(tenure, batch.entries, Ending::Lost, now);
        }
        look_up.step = if tenure.has_producer {
            Step::Reading
        } else if self.stop.is_requested() {
            // The group waits for us: we have the lane until we say that we have left.
            Step::Fencing
        } else {
            Step::Hearing
        };
        Phase::Owned(tenure, Work::LookingUp(batch, look_up))
    }

    fn looked_up(
        &mut self,
        mut tenure: Box<Tenure<T>>,
        batch: Batch<T>,
        mut look_up: Box<LookUp>,
        event: Event<T>,
        now: Now,
    ) -> Phase<T> {
        let undone = match (look_up.step, event) {
            (Step::Hearing, Event::GroupHeard(Ok(()))) => {
                look_up.step = Step::Fencing;
                return Phase::Owned(tenure, Work::LookingUp(batch, look_up));
            }
            (Step::Fencing, Event::Fenced(Ok(()))) => {
                // The coordinator has answered `InitProducerId`: whatever we left open is committed
                // or aborted by now, and the log says which.
                tenure.has_producer = true;
                return self.look(tenure, batch, look_up, now);
            }
            (Step::Reading, Event::HeadsRead(Ok(heads))) => {
                return self.found(tenure, batch, *look_up, &heads, now);
            }
            (Step::Resting(_), Event::Elapsed) => return self.look(tenure, batch, look_up, now),
            (Step::Hearing, Event::GroupHeard(Err(undone)))
            | (Step::Fencing, Event::Fenced(Err(undone)))
            | (Step::Reading, Event::HeadsRead(Err(undone))) => undone,
            (_, event) => {
                return self.unasked(Phase::Owned(tenure, Work::LookingUp(batch, look_up)), event);
            }
        };
        match undone {
            Undone::Contradiction(why) => {
                let ending = Ending::Taken(why.to_string());
                return self.give_up(tenure, batch.entries, ending, now);
            }
            Undone::Away(why) => {
                self.stands(LaneState::InDoubt, &why);
                // So that the next commit tells that the lane is well again.
                tenure.failing.get_or_insert_with(|| why.clone());
                self.log(Notice::NotLookedUp { why });
            }
            Undone::GivenUp => {}
        }
        // Out of patience. What is in doubt stays so for us; the next owner reads it in the log,
        // and the polls are told that nothing was committed, which costs a repeated request and no
        // record.
        if self.stop.is_over(now.at) {
            let ending = if self.stop.is_lost() { Ending::Lost } else { Ending::Left };
            return self.give_up(tenure, batch.entries, ending, now);
        }
        look_up.step = Step::Resting(now.at + look_up.backoff.next_wait());
        Phase::Owned(tenure, Work::LookingUp(batch, look_up))
    }

    /// What the log says of the transaction in doubt.
    fn found(
        &mut self,
        mut tenure: Box<Tenure<T>>,
        mut batch: Batch<T>,
        look_up: LookUp,
        heads: &[(Head, i64)],
        now: Now,
    ) -> Phase<T> {
        let in_doubt = look_up.in_doubt;
        let is_ours =
            |head: &Head| in_doubt.as_ref().is_some_and(|(attempt, _)| head.is_of(&attempt.head));
        // Behind the end that we know there can be nothing (aborted), exactly our own `__lane`
        // (committed), or something else. Then another process has had the lane, even if ours is
        // among it.
        let found = match heads {
            [] => Found::Aborted,
            [(head, _)] if is_ours(head) => Found::Committed,
            [..] => Found::Taken,
        };
        if let Some((_, failure)) = &in_doubt {
            if failure.is_doubtful {
                self.count(Count::Resolved(found));
            }
            self.log(Notice::LookedUp(found));
        }
        match (found, in_doubt, heads) {
            (Found::Committed, Some((attempt, _)), [(_, offset), ..]) => {
                self.committed(tenure, batch, *attempt, *offset, now)
            }
            // Nothing was in doubt: there only was no producer, and now there is.
            (Found::Aborted, None, _) => self.commit(tenure, batch, now),
            (Found::Aborted, Some(_), _) if self.stop.is_over(now.at) => {
                self.give_up(tenure, batch.entries, Ending::Left, now)
            }
            (Found::Aborted, Some((_, failure)), _) => {
                // The same batch again, entry for entry: a record that gets another place within it
                // would get another order in the topic.
                let refused = refused(&batch.entries, &failure.refused);
                if refused.is_empty() {
                    let until = now.at + batch.backoff.next_wait();
                    return Phase::Owned(tenure, Work::Retrying(batch, until));
                }
                self.leave_out(&mut tenure, &mut batch.entries, &refused);
                self.commit(tenure, batch, now)
            }
            (Found::Taken | Found::Committed, _, heads) => {
                let writer = heads.first().map(|(head, _)| (head.sequence, &*head.instance));
                let (sequence, instance) = writer.unwrap_or_default();
                let why = format!("sequence {sequence} is by instance {instance}");
                self.give_up(tenure, batch.entries, Ending::Taken(why), now)
            }
        }
    }

    /// After a refusal: the one record that was refused is left out; if there were several, each goes
    /// alone the next time, so that the first to be refused is the one.
    fn leave_out(
        &mut self,
        tenure: &mut Tenure<T>,
        entries: &mut Vec<Entry<T>>,
        refused: &BTreeSet<(usize, Option<usize>)>,
    ) {
        // A broker refuses a whole batch (`MESSAGE_TOO_LARGE`) and does not say for which record.
        // Alone, each is refused for itself.
        if refused.len() > 1 && tenure.sending == Sending::Batched {
            tenure.sending = Sending::OneByOne;
            self.drop_producer(tenure);
            return;
        }
        let Some((index, record)) = refused.first().copied() else { return };
        let Some(entry) = entries.get_mut(index) else { return };
        let draft = match (record, &entry.submitted) {
            // Made anew from the outcome, because the state must remember that this article was not
            // published.
            (Some(record), Some(Submitted { outcome, .. })) => {
                entry.refused.insert(record);
                tenure.layout(&self.settings).draft(outcome, &entry.refused)
            }
            // A state or a reject: there is nothing smaller that could stand for it.
            (_, _) => Err(entry.refusal()),
        };
        match draft {
            Ok(draft) => entry.draft = draft,
            Err(why) => {
                let submitted = entries.remove(index).submitted;
                let refused = submitted.map(|submitted| {
                    Effect::Answer(submitted.ticket, Answer::Refused(why.to_string()))
                });
                self.effects.extend(refused);
            }
        }
    }

    /// What was not committed is not; the tenure ends so.
    fn give_up(
        &mut self,
        mut tenure: Box<Tenure<T>>,
        entries: Vec<Entry<T>>,
        ending: Ending,
        now: Now,
    ) -> Phase<T> {
        let tickets = entries.into_iter().filter_map(|entry| Some(entry.submitted?.ticket));
        self.effects.extend(tickets.map(|ticket| Effect::Answer(ticket, Answer::Taken)));
        tenure.ending = Some(ending);
        self.give_back(tenure, now)
    }

    /// The lease ends. Then the lane ends too, or is taken up anew.
    fn give_back(&mut self, mut tenure: Box<Tenure<T>>, now: Now) -> Phase<T> {
        // If a topic is deleted and made anew, its log is empty and looks like a lane that was
        // never used. This number, which outlives the tenure, tells the two apart.
        self.known_sequence = self.known_sequence.max(tenure.end.sequence());
        self.close_queue(&mut tenure);
        // After it is closed, so that nothing can be submitted between the two; dropping it answers
        // each poll that still waits in it.
        self.effects.push(Effect::DropQueue);
        self.drop_producer(&mut tenure);
        match tenure.ending {
            None | Some(Ending::Left | Ending::Lost) => self.end(),
            Some(Ending::TopicsChanged) if self.stop.is_requested() => self.end(),
            // At once: it is still ours.
            Some(Ending::TopicsChanged) => {
                self.log(Notice::TopicsChanged);
                self.take_up(now)
            }
            Some(Ending::Taken(why)) => {
                self.count(Count::Fenced);
                self.stands(LaneState::Fenced, &why);
                self.log(Notice::Fenced { why });
                if self.stop.is_requested() {
                    return self.end();
                }
                Phase::Waiting(now.at + self.backoff.next_wait())
            }
        }
    }

    fn close_queue(&mut self, tenure: &mut Tenure<T>) {
        if std::mem::take(&mut tenure.is_queue_open) {
            self.effects.push(Effect::CloseQueue(tenure.lease));
        }
    }

    fn drop_producer(&mut self, tenure: &mut Tenure<T>) {
        tenure.has_producer = false;
        self.effects.push(Effect::DropProducer);
    }
}
