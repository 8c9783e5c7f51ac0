//! What the scheduler is told, and what it wants done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cw_model::state::FeedState;
use cw_model::{Feed, FeedId, Timestamp};

use crate::schedule::conduct::{Patience, Request};
use crate::schedule::queue::Politeness;
use crate::subscription::HubRequest;
use crate::{Lease, Past, States};

/// As much of the configuration as decides when feeds are polled.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Every feed. An id stands once.
    pub feeds: Vec<Arc<Feed>>,
    /// How gently hosts are treated.
    pub politeness: Politeness,
    /// How many polls may be under way.
    pub concurrency: usize,
    /// What a crash of a feed's document is remembered under.
    pub crash_label: CrashLabel,
    /// Under which callback hubs are asked to push; `None`: they are not asked. Fixed while the process runs.
    pub callback: Option<Arc<str>>,
}

/// Makes the text that tells apart versions and configurations under which a document is read: see
/// `FeedState::due`. A pure function of the feed.
#[derive(Clone)]
pub struct CrashLabel(Arc<dyn Fn(&Feed) -> String + Send + Sync>);

impl CrashLabel {
    /// A label made by this function.
    pub fn new(of: impl Fn(&Feed) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(of))
    }

    /// The label of a feed.
    pub fn of(&self, feed: &Feed) -> String {
        (self.0)(feed)
    }
}

impl fmt::Debug for CrashLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrashLabel")
    }
}

/// Sequences of a feed's state by the lane that has it.
pub type Sequences = BTreeMap<u32, u64>;

/// In which lanes feeds were found that were looked for.
pub type Sightings = BTreeMap<FeedId, Sequences>;

/// Why lanes could not be read: a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LookError(String);

impl LookError {
    /// What went wrong, as the ledger says it.
    pub fn new(error: &impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// Nothing but that time has passed.
    Elapsed,
    /// The ledger gave a lane to this process.
    LaneGiven {
        /// What outcomes are committed under.
        lease: Lease,
        /// Of every feed ever committed in the lane, also of those no longer configured.
        states: States,
        /// How its owners before ended.
        past: Past,
    },
    /// The ledger took a lane. Polls under way in it come to nothing.
    LaneTaken(Lease),
    /// The request of a poll has ended; what it brought is read and committed yet.
    Fetched(FeedId, Request),
    /// [`Effect::Poll`] ended.
    PollEnded(FeedId, PollEnd),
    /// [`Effect::Look`] ended: these feeds were looked for in these lanes.
    Looked(Arc<Look>, Result<Sightings, LookError>),
    /// [`Effect::AskHub`] ended, of this generation; if it failed, with what the hub asked to wait.
    HubAsked(FeedId, u32, Result<(), Option<Duration>>),
    /// An operator wants the configuration read again.
    ReloadRequested,
    /// [`Effect::ReadConfiguration`] ended; without a configuration, it has mistakes.
    ConfigurationRead(Option<Box<Configuration>>),
    /// No more polls are to begin.
    StopRequested,
}

/// How a poll ended.
#[derive(Clone, Debug)]
pub enum PollEnd {
    /// Its outcome was committed under this lease, and leaves this state.
    Committed(Lease, Arc<FeedState>),
    /// Nothing was changed: the lane was taken before the commit.
    Taken,
    /// Nothing was changed: the process stops.
    Abandoned,
    /// Nothing was changed: other feeds that share its server have their turns first, which takes so long.
    NotItsTurn(Duration),
    /// Nothing was changed: its request was ended by [`Effect::PutOff`].
    PutOff,
    /// Nothing was changed: the ledger refused the outcome, or the poll ended by a defect of ours.
    Failed,
}

/// Feeds to be looked for, and the lanes to be read for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which feeds.
    pub feeds: BTreeSet<FeedId>,
    /// Which lanes: all, also those that this process believes to have.
    pub lanes: BTreeSet<u32>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Effect {
    /// Poll a feed, and come back with [`Event::PollEnded`].
    Poll(Box<Poll>),
    /// End the request of a poll, unless it has ended: others wait for its place. The feed is asked anew.
    PutOff(FeedId),
    /// No host answers any more: the network is away. What fails in silence from now on is no fault of its host.
    NetworkLost {
        /// Hosts that were silent before that was clear.
        hosts: usize,
    },
    /// Somebody answers again.
    NetworkBack {
        /// Feeds that are asked within minutes: they became due meanwhile, or failed before it was clear why.
        due: usize,
    },
    /// Read these lanes to the end of their logs, and say which of the feeds have a state in which.
    Look(Arc<Look>),
    /// Ask the hub of a feed for something, and come back with [`Event::HubAsked`].
    AskHub(Arc<Feed>, HubRequest),
    /// Polls wait for places that outcomes hold: commit those without waiting for more.
    Hurry,
    /// Read the configuration, and come back with [`Event::ConfigurationRead`].
    ReadConfiguration,
    /// A configuration was accepted and its feeds are in use: say so to whoever asked for it.
    Reloaded(FeedChanges),
    /// To be logged.
    Log(Notice),
}

/// A poll that begins.
#[derive(Clone, Debug)]
pub struct Poll {
    /// As configured now.
    pub feed: Arc<Feed>,
    /// What its outcome is committed under.
    pub lease: Lease,
    /// As of its last poll; the default before the first.
    pub state: Arc<FeedState>,
    /// Whether a new document is first read in a process of its own.
    pub is_tried: bool,
    /// How much of the time for a request it may take.
    pub patience: Patience,
    /// How long it has been due.
    pub waited: Duration,
}

/// What people are told in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A lane is polled from now on.
    LaneGiven {
        /// Which.
        lane: u32,
        /// States that came with it.
        states: usize,
        /// Until when documents are read with care, if they are.
        careful_until: Option<Timestamp>,
    },
    /// A lane is not polled any more.
    LaneTaken {
        /// Which.
        lane: u32,
    },
    /// A feed is polled in the lane that has its state, which is not the lane of its host.
    KeepsItsLane {
        /// Which feed.
        feed: FeedId,
        /// Where it is polled.
        lane: u32,
    },
    /// Lanes could not be read.
    NotLooked {
        /// Why not.
        why: LookError,
    },
    /// The wall clock went back.
    ClockPutBack,
}

/// What a configuration that was read anew changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedChanges {
    /// Feeds now.
    pub feeds: usize,
    /// Of them, those that were not there before.
    pub added: usize,
    /// Those that are not there any more.
    pub removed: usize,
}
