//! What the next poll of a feed must know.
//!
//! A state has two halves. Its *plan* says when the feed is asked next and how it stands: every poll
//! changes it, and scheduler, counts and lists look at nothing else. Its *memory* is what the next document
//! is compared with: large, changed only by a document that says something new, and held packed.
//!
//! A state is replaced as a whole by each committed outcome, live and at restore alike, so there
//! is no second path that would first run after a crash. Making the next state is
//! `pipeline::process`'s; how one is written is `record`'s.

mod bytes;
mod content;
mod day_use;
mod feed_plan;
mod habits;
mod memory;
mod moves_record;
mod packed;
mod plan;
mod reading;
mod record;
mod requests;
mod revisions;
mod rhythm;
mod seen;
mod subscription;
mod subscription_record;
mod trust;
mod unpublished;
mod validator;

pub use content::Content;
pub use day_use::{DayUse, day_of, until_next_day};
pub use feed_plan::{Crash, FeedPlan, LastFailure, MOVE_DAYS, Moves, Standing};
pub use memory::{Character, FeedMemory, SEEN_BYTES, TEXT_BYTES};
pub use packed::PackedMemory;
pub use plan::{Plan, Reason};
pub use reading::{FollowedBy, LocalTime};
pub use record::{STATE_VERSION, StateRecord, UnreadableState, is_readable};
pub use requests::{Answered, Carried, Claim, REQUESTS_KEPT, Request, Requests};
pub use revisions::{EARLIER_MAX, Revisions, RevisionsById};
pub use rhythm::{DAYS, HOURS, Rhythm};
pub use seen::{Seen, SeenArticle};
pub use subscription::{HubLease, Leaving, Offer, Pause, PauseReason, Subscription};
pub use trust::{Distrust, NextRequest, Sends, Trust};
pub use unpublished::{Room, Unpublished};

/// What the next poll of a feed must know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedState {
    /// When it is asked next, and how it stands.
    pub plan: FeedPlan,
    /// What its next document is compared with.
    pub memory: PackedMemory,
}

/// A state whose memory is unpacked, to be looked into and changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnpackedState {
    /// See [`FeedState::plan`].
    pub plan: FeedPlan,
    /// See [`FeedState::memory`].
    pub memory: FeedMemory,
}

impl FeedState {
    /// The same with its memory unpacked.
    pub fn unpack(&self) -> UnpackedState {
        UnpackedState { plan: self.plan.clone(), memory: self.unpacked_memory() }
    }

    /// Its memory, unpacked.
    pub fn unpacked_memory(&self) -> FeedMemory {
        self.memory.unpack(self.plan.sequence)
    }

    /// The same without what is known of the URL alone: how it answered, and what it asked for. What it
    /// showed stays.
    #[must_use]
    pub fn without_its_url(&self) -> Self {
        let plan = self.plan.without_its_url();
        if self.memory.body_digest().is_none() {
            return Self { plan, memory: self.memory.clone() };
        }
        let memory = FeedMemory { body_digest: None, ..self.unpacked_memory() };
        UnpackedState { plan, memory }.pack()
    }

    /// Its plan and nothing of its memory, in the form of a state as a ledger keeps it: JSON.
    ///
    /// # Errors
    /// None that is known, as of [`Self::written`].
    pub fn written_plan(&self) -> serde_json::Result<String> {
        Self { plan: self.plan.clone(), memory: PackedMemory::default() }.written()
    }

    /// The same with the plan of a later state that has the same memory.
    #[must_use]
    pub fn with_plan_of(self, later: Self) -> Self {
        Self { plan: later.plan, memory: self.memory }
    }

    /// Whether the next poll would publish the same after either, whatever it is answered: validators,
    /// schedule and failures only decide how it asks.
    ///
    /// A feed polled for the first time is not like one that was not: its backlog is done.
    pub fn publishes_like(&self, other: &Self) -> bool {
        self.plan.succeeded_at.is_some() == other.plan.succeeded_at.is_some()
            && self.plan.url == other.plan.url
            && self.plan.today == other.plan.today
            && self.plan.local_time == other.plan.local_time
            && self.memory.publishes_like(&other.memory)
    }

    /// See [`FeedPlan::reads_like`].
    pub fn reads_like(&self, other: &Self) -> bool {
        self.plan.reads_like(&other.plan)
    }
}

impl UnpackedState {
    /// The state, its memory packed.
    pub fn pack(self) -> FeedState {
        let memory = PackedMemory::pack(&self.memory, self.plan.sequence);
        FeedState { plan: self.plan, memory }
    }
}

/// Counts how often a thread unpacks a memory. For tests only.
#[cfg(any(test, feature = "samples"))]
pub mod unpackings {
    use std::cell::Cell;

    thread_local! {
        static UNPACKINGS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        UNPACKINGS.set(UNPACKINGS.get() + 1);
    }

    /// How often this thread unpacks while it does something.
    pub fn during(what: impl FnOnce()) -> usize {
        let before = UNPACKINGS.get();
        what();
        UNPACKINGS.get() - before
    }
}
