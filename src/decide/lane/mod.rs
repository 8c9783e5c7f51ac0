//! One lane of the Kafka ledger, from when the group gives it until it ends here. Pure.
//!
//! ```text
//!  Waiting ─► TakingUp: AwaitGroup ─► Fence ─► Restore ─► Mark ─┐ given
//!     ▲                    │ away, contradiction               ▼
//!     ├────────────────────┘                 Owned: Gathering ◄─► Committing ─► LookingUp ─► Retrying
//!     └── taken ◄──────────────────────────────┤        (what is not plainly committed is looked up)
//!                                              └─► GivingBack ─► Ended
//! ```
//!
//! [`Lane::handle`] takes an event and the time, and returns what to do at once; [`Lane::next`] says
//! what to wait for. The driver (`ledger::kafka::driver`) does both on a thread of its own and decides
//! nothing, since librdkafka's transactional calls block and one at a time is allowed.
//!
//! What is promised is in `src/README.md`, "Lanes on Kafka".

mod attempt;
mod commit;
pub mod copied;
mod group;
pub mod hash;
pub mod header;
pub mod log;
mod messages;
mod stop;
mod take_up;
mod tenure;
#[cfg(test)]
mod tests;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use commit::Work;
use cw_model::LaneState;
pub use group::Submitted;
pub use messages::{
    Answer, Batching, Count, Effect, Event, Failure, Found, Next, Notice, Topics, Undone,
};
pub use stop::{GiveUp, LEAVE_PATIENCE, Stop};
use take_up::TakeUp;
use tenure::Tenure;
use wire::PartitionBy;

use super::{Backoff, Moment, Now, backoff};

/// How long a state may stay unwritten that changes nothing but when and how a feed is asked. Most
/// polls change no more than that, and writing each would be most of what is written.
pub const PUT_OFF: Duration = Duration::from_secs(3600);

/// The first wait after brokers failed: most of their troubles are over in a moment.
const RETRY_FIRST: Duration = Duration::from_millis(250);

/// The longest such wait: brokers that are back are noticed this soon.
const RETRY_LONGEST: Duration = Duration::from_secs(5);

/// The longest wait before a quarantined lane is looked at again, in case somebody has mended it.
const QUARANTINE_WAIT: Duration = Duration::from_secs(30);

/// What does not change while the process runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which lane.
    pub lane: u32,
    /// Tells this process from every other.
    pub instance: Arc<str>,
    /// How long outcomes are gathered to be committed together.
    pub commit_interval: Duration,
    /// Which partition a record goes to.
    pub partition_by: PartitionBy,
    /// The operator's own limit of a record, bytes.
    pub record_bytes_max: Option<usize>,
}

/// A lane, as long as the group says that it is ours.
#[derive(Debug)]
pub struct Lane<T> {
    settings: Settings,
    /// As of the last look.
    topics: Topics,
    stop: Stop,
    /// Of tries to take the lane up.
    backoff: Backoff,
    /// Of looks at a lane that is quarantined.
    quarantine: Backoff,
    /// Transactions that this process knows to be committed in it.
    known_sequence: u64,
    /// What the last try to take it up came to nothing for.
    problem: Option<String>,
    phase: Phase<T>,
    effects: Vec<Effect<T>>,
}

#[derive(Debug)]
enum Phase<T> {
    /// Waits before it takes the lane up again.
    Waiting(Moment),
    TakingUp(TakeUp<T>),
    Owned(Box<Tenure<T>>, Work<T>),
    Ended,
}

/// How a tenure ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    /// Told to leave; everything accepted is committed, or its poll told that it is not.
    Left,
    /// The group took the lane without asking.
    Lost,
    /// Told nothing, but the topics are other than they were when it began.
    TopicsChanged,
    /// Somebody else had the lane meanwhile.
    Taken(String),
}

impl<T> Lane<T> {
    /// A lane that the group has just given. The first thing to do is what [`Self::next`] says.
    pub fn new(settings: Settings, topics: Topics, now: Now) -> (Self, Vec<Effect<T>>) {
        let seed = backoff::seed(&settings.instance, settings.lane.into());
        // Another seed, or both waits of a lane would have the same jitter.
        let of_quarantine = backoff::seed(&settings.instance, !u64::from(settings.lane));
        let mut lane = Self {
            settings,
            topics,
            stop: Stop::default(),
            backoff: Backoff::new(RETRY_FIRST, RETRY_LONGEST, seed),
            quarantine: Backoff::new(QUARANTINE_WAIT, QUARANTINE_WAIT, of_quarantine),
            known_sequence: 0,
            problem: None,
            phase: Phase::Ended,
            effects: Vec::new(),
        };
        lane.phase = lane.take_up(now);
        let effects = std::mem::take(&mut lane.effects);
        (lane, effects)
    }

    /// Takes in what happened; says what to do at once, in this order.
    pub fn handle(&mut self, event: Event<T>, now: Now) -> Vec<Effect<T>> {
        // Taken out so that each phase is consumed by what follows it: no branch can go on with the
        // old one.
        let phase = std::mem::replace(&mut self.phase, Phase::Ended);
        self.phase = match event {
            Event::Told(stop) => {
                self.stop = stop;
                self.after_word(phase, now)
            }
            Event::TopicsSeen(topics) => {
                self.topics = topics;
                self.after_word(phase, now)
            }
            event => match phase {
                Phase::Waiting(_) => match event {
                    Event::Elapsed => self.take_up(now),
                    event => self.unasked(phase, event),
                },
                Phase::TakingUp(step) => self.took_up(step, event, now),
                Phase::Owned(tenure, work) => self.worked(tenure, work, event, now),
                Phase::Ended => self.unasked(Phase::Ended, event),
            },
        };
        std::mem::take(&mut self.effects)
    }

    /// What the driver does next.
    pub fn next(&self) -> Next<'_> {
        match &self.phase {
            Phase::Waiting(until) => Next::Rest(*until),
            Phase::TakingUp(step) => step.next(self.topics),
            Phase::Owned(tenure, work) => self.next_work(tenure, work),
            Phase::Ended => Next::End,
        }
    }

    /// What changes at once when the lane is told something, whatever it is doing. What is under way
    /// at the brokers ends first.
    fn after_word(&mut self, phase: Phase<T>, now: Now) -> Phase<T> {
        match phase {
            // A lane that is being taken up is not interrupted here: its step is under way at the
            // brokers, and `took_up` looks at the stop when it ends.
            Phase::Waiting(_) if self.stop.is_requested() => self.end(),
            Phase::Owned(tenure, work) => self.worked_on(tenure, work, now),
            Phase::Waiting(_) | Phase::TakingUp(_) | Phase::Ended => phase,
        }
    }

    /// An event that nothing asked for changes nothing; an outcome is given back.
    fn unasked(&mut self, phase: Phase<T>, event: Event<T>) -> Phase<T> {
        // A ticket that is dropped leaves its poll waiting for ever.
        if let Event::Submitted(Submitted { ticket, .. }) = event {
            self.effects.push(Effect::Answer(ticket, Answer::Taken));
        }
        phase
    }

    fn end(&mut self) -> Phase<T> {
        self.effects.push(Effect::Gone);
        Phase::Ended
    }

    fn log(&mut self, notice: Notice) {
        self.effects.push(Effect::Log(notice));
    }

    fn count(&mut self, count: Count) {
        self.effects.push(Effect::Count(count));
    }

    fn stands(&mut self, state: LaneState, why: &str) {
        self.effects.push(Effect::Status(state, why.to_owned()));
    }
}
