//! One replica: its scheduler, and drivers of its lanes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cw_model::state::FeedState;
use cw_model::{Feed, FeedId};

use super::group::Word;
use crate::Lease;
use crate::brokers::TransactionId;
use crate::lane::{GiveUp, Lane, Stop, Submitted, Topics};
use crate::scheduler::{Event, Scheduler};

/// Whoever waits for a commit.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) lease: Lease,
    pub(super) feed: Arc<Feed>,
    /// As the outcome leaves it.
    pub(super) state: Arc<FeedState>,
}

/// What a driver waits for.
#[derive(Debug)]
pub(super) enum Operation {
    AwaitGroup { enough: u64 },
    Fence,
    Restore,
    ReadHeads,
    Commit { transaction: TransactionId, unacknowledged: usize, offset: i64, is_sent: bool },
    Receive,
    Rest,
}

/// A driver and its lane.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) lane: Lane<Ticket>,
    /// What it is waiting for; a number tells its answers from those that come too late.
    pub(super) operation: Option<Operation>,
    pub(super) number: u64,
    pub(super) deadline: Duration,
    pub(super) give_up: GiveUp,
    pub(super) stop: Stop,
    pub(super) told: Stop,
    pub(super) topics: Topics,
    pub(super) queue: VecDeque<Submitted<Ticket>>,
    pub(super) is_queue_open: bool,
    /// The epoch of its producer.
    pub(super) producer: Option<u64>,
    /// Whether its producer sends each record alone.
    pub(super) is_careful: bool,
    pub(super) lease: Option<Lease>,
}

impl Driver {
    pub(super) fn new(lane: Lane<Ticket>, topics: Topics) -> Self {
        Self {
            lane,
            operation: None,
            number: 0,
            deadline: Duration::MAX,
            give_up: GiveUp::WhenOver,
            stop: Stop::default(),
            told: Stop::default(),
            topics,
            queue: VecDeque::new(),
            is_queue_open: false,
            producer: None,
            is_careful: false,
            lease: None,
        }
    }
}

/// A process.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) scheduler: Scheduler,
    /// What the scheduler is to be told, oldest first.
    pub(super) inbox: VecDeque<Event>,
    /// Tells the last wake-up of the scheduler from those before.
    pub(super) wake_number: u64,
    /// Feeds that are being polled.
    pub(super) polls: BTreeSet<FeedId>,
    /// Those of them whose requests are being ended.
    pub(super) put_off: BTreeSet<FeedId>,
    /// When each host was asked last, and how far the clock was wrong then.
    pub(super) asked: BTreeMap<String, (Duration, i64)>,
    /// Tells it from all before it in its place.
    pub(super) instance: u64,
    pub(super) asleep_until: Duration,
    /// Until then nothing of it reaches a broker, nor the other way.
    pub(super) cut_until: Duration,
    /// Drivers by lane and assignment: one that was lost may still be ending.
    pub(super) drivers: BTreeMap<(u32, u64), Driver>,
    /// The assignment that counts.
    pub(super) assigned: BTreeMap<u32, u64>,
    pub(super) next_number: u64,
    /// How often the group's consumer has been polled.
    pub(super) turns: u64,
    pub(super) turned_at: Duration,
    pub(super) awake_since: Duration,
    /// What the group said last.
    pub(super) word: Option<Word>,
    /// Whether it ends.
    pub(super) is_ending: bool,
    /// How far its clock is wrong, seconds.
    pub(super) skew: i64,
    /// What it has seen of the topics.
    pub(super) topics: Topics,
}

impl Replica {
    pub(super) fn new(instance: u64, now: Duration, scheduler: Scheduler, topics: Topics) -> Self {
        Self {
            scheduler,
            inbox: VecDeque::new(),
            wake_number: 0,
            polls: BTreeSet::new(),
            put_off: BTreeSet::new(),
            asked: BTreeMap::new(),
            instance,
            asleep_until: Duration::ZERO,
            cut_until: Duration::ZERO,
            drivers: BTreeMap::new(),
            assigned: BTreeMap::new(),
            next_number: 1,
            turns: 0,
            turned_at: now,
            awake_since: Duration::ZERO,
            word: None,
            is_ending: false,
            skew: 0,
            topics,
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Everything it drives is to end.
    pub(super) fn stop_all(&mut self, tell: impl Fn(&mut Stop)) {
        self.drivers.values_mut().for_each(|driver| tell(&mut driver.stop));
    }
}
