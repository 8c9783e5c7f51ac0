//! Taking a lane up: hear the group, fence, restore, mark.

use cw_model::LaneState;

use super::attempt::Attempt;
use super::copied::Copied;
use super::log::{Contradiction, LogEnd, Restored};
use super::messages::{Batching, Count, Effect, Event, Next, Notice, Topics};
use super::stop::GiveUp;
use super::tenure::Tenure;
use super::{Lane, Phase, Undone};
use crate::{Lease, Moment, Now, States};

/// How far a lane has been taken up.
#[derive(Debug)]
pub(super) enum TakeUp<T> {
    /// The group must be heard before anybody is fenced.
    Hearing {
        begun_at: Moment,
    },
    Fencing {
        begun_at: Moment,
    },
    Restoring {
        begun_at: Moment,
    },
    /// The log is being told that the lane is in use.
    Marking {
        begun_at: Moment,
        tenure: Box<Tenure<T>>,
        states: States,
        attempt: Box<Attempt>,
    },
}

impl<T> TakeUp<T> {
    pub(super) fn next(&self, topics: Topics) -> Next<'_> {
        match self {
            Self::Hearing { .. } => Next::AwaitGroup,
            Self::Fencing { .. } => {
                let record_bytes_max = topics.record_bytes_max;
                // Given up as soon as the lane is to end: nothing was promised to anybody yet.
                let batching = Batching { record_bytes_max, is_careful: false };
                Next::Fence(batching, GiveUp::WhenStopRequested)
            }
            Self::Restoring { .. } => Next::Restore,
            Self::Marking { attempt, .. } => Next::Commit(vec![&attempt.last]),
        }
    }
}

impl<T> Lane<T> {
    /// Begins to take the lane up.
    pub(super) fn take_up(&mut self, now: Now) -> Phase<T> {
        // Before it fences it hears the group again. Without that, a replica that slept through a
        // rebalance would wake up and fence the rightful owner.
        self.stands(LaneState::Fencing, "");
        Phase::TakingUp(TakeUp::Hearing { begun_at: now.at })
    }

    /// What comes of a step.
    pub(super) fn took_up(&mut self, step: TakeUp<T>, event: Event<T>, now: Now) -> Phase<T> {
        let next = match (step, event) {
            (TakeUp::Hearing { begun_at }, Event::GroupHeard(done)) => {
                done.map(|()| TakeUp::Fencing { begun_at })
            }
            (TakeUp::Fencing { begun_at }, Event::Fenced(done)) => done.map(|()| {
                self.stands(LaneState::Restoring, "");
                TakeUp::Restoring { begun_at }
            }),
            (TakeUp::Restoring { begun_at }, Event::Restored(Ok(restored), epoch)) => {
                // Read after the fence and not before: until then the owner before us could still
                // commit.
                return self.restored(begun_at, restored, epoch, now);
            }
            (TakeUp::Restoring { .. }, Event::Restored(Err(undone), _)) => Err(undone),
            (TakeUp::Marking { begun_at, mut tenure, states, attempt }, Event::Committed(done)) => {
                match done {
                    Ok(offset) => {
                        tenure.end = LogEnd { head: Some(attempt.head), offset };
                        return self.given(begun_at, tenure, states, now);
                    }
                    // Whether the mark was committed does not matter: it says only that the lane is
                    // in use, and taking it up again reads it if it is there.
                    Err(failure) => Err(Undone::Away(failure.text)),
                }
            }
            (step, event) => return self.unasked(Phase::TakingUp(step), event),
        };
        match next {
            // Between two steps, never within one: each leaves the log whole.
            Ok(_) if self.stop.is_requested() => self.not_taken_up(Undone::GivenUp, now),
            Ok(step) => Phase::TakingUp(step),
            Err(undone) => self.not_taken_up(undone, now),
        }
    }

    fn restored(&mut self, begun_at: Moment, restored: Restored, epoch: u64, now: Now) -> Phase<T> {
        if let Some(why) = restored.copied.as_deref().and_then(Copied::problem) {
            return self.not_taken_up(Contradiction(why.to_owned()).into(), now);
        }
        let sequence = restored.end.sequence();
        // We have committed more than the log has. To poll by it would publish everything since
        // then a second time.
        if sequence < self.known_sequence {
            let why = format!(
                "its log ends at sequence {sequence}, and this process has committed {}; was the \
                 topic deleted and made anew?",
                self.known_sequence
            );
            return self.not_taken_up(Contradiction(why).into(), now);
        }
        if self.stop.is_requested() {
            return self.not_taken_up(Undone::GivenUp, now);
        }
        let lease = Lease { lane: self.settings.lane, epoch };
        let Restored { states, end, .. } = restored;
        // Should we not live to give the lane back, whoever takes it up next reads with care. After an
        // unclean end the log says so already.
        let is_marked = end.head.as_ref().is_some_and(|head| !head.ended);
        let past = end.past(&self.settings.instance, now.wall);
        let tenure = Box::new(Tenure::new(lease, self.topics, end, past));
        // The last `__lane` does not say `ended`, so a crash of ours would be seen already: the log
        // need not be told again.
        if is_marked {
            return self.given(begun_at, tenure, states, now);
        }
        let attempt = Box::new(tenure.attempt(&self.settings, 0, now));
        Phase::TakingUp(TakeUp::Marking { begun_at, tenure, states, attempt })
    }

    fn given(
        &mut self,
        begun_at: Moment,
        tenure: Box<Tenure<T>>,
        states: States,
        now: Now,
    ) -> Phase<T> {
        self.backoff.reset();
        self.problem = None;
        let sequence = tenure.end.sequence();
        self.known_sequence = self.known_sequence.max(sequence);
        self.stands(LaneState::Owned, "");
        self.count(Count::Restored { took: now.at.since(begun_at), sequence });
        self.log(Notice::Restored { sequence });
        let layout = tenure.layout(&self.settings);
        // Topics may take more than they did when a record was refused; the next tenure is when
        // that is looked at.
        let tried_again = |(id, state)| (id, layout.tried_again(state, now.wall));
        let states = states.into_iter().map(tried_again).collect();
        self.effects.push(Effect::Give { lease: tenure.lease, states, past: tenure.past });
        self.go_on(tenure, now)
    }

    /// Waits and tries again, or ends if it is to end.
    fn not_taken_up(&mut self, undone: Undone, now: Now) -> Phase<T> {
        // It holds the `transactional.id`. Idle, it would be fenced by our own next try and log
        // that as an error.
        self.effects.push(Effect::DropProducer);
        let wait = match undone {
            Undone::GivenUp => return self.end(),
            Undone::Away(why) => {
                self.stands(LaneState::Fencing, &why);
                if self.is_new_problem(&why) {
                    self.log(Notice::NotTakenUp { why });
                }
                self.backoff.next_wait()
            }
            Undone::Contradiction(why) => {
                let why = why.to_string();
                self.stands(LaneState::Quarantined, &why);
                if self.is_new_problem(&why) {
                    self.log(Notice::Quarantined { why });
                }
                // A contradiction does not go away by itself, so it is looked at seldom: each look
                // reads the whole partition.
                self.quarantine.next_wait()
            }
        };
        if self.stop.is_requested() {
            return self.end();
        }
        Phase::Waiting(now.at + wait)
    }

    /// Whether it is not what the last try came to nothing for: each thing that is wrong is told once,
    /// however often it is tried.
    fn is_new_problem(&mut self, why: &str) -> bool {
        let is_new = self.problem.as_deref() != Some(why);
        self.problem = Some(why.to_owned());
        is_new
    }
}
