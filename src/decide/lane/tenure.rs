//! The time under one lease: what is known of the lane's log, and what has not been written yet.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use cw_model::FeedId;
use cw_model::state::FeedState;

use super::attempt::Attempt;
use super::group::{Entry, Submitted};
use super::log::LogEnd;
use super::messages::Topics;
use super::wire::{Draft, Head, Layout, Unwritable};
use super::{Ending, PUT_OFF, Settings};
use crate::{Lease, Moment, Now, Past};

/// librdkafka's own limit of a record (`message.max.bytes`), where that of the topics is not known.
const RECORD_BYTES_DEFAULT: usize = 1_000_000;

/// How records go to the brokers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sending {
    /// Many in a batch.
    #[default]
    Batched,
    /// Each alone, to find the one that brokers refuse.
    OneByOne,
}

/// One lease on the lane.
#[derive(Debug)]
pub(super) struct Tenure<T> {
    pub(super) lease: Lease,
    /// As they were when it began.
    pub(super) topics: Topics,
    /// Where the log ends, as far as is known.
    pub(super) end: LogEnd,
    /// How the owners before left it.
    pub(super) past: Past,
    /// States that change nothing but the schedule, not written yet, and since when the oldest waits.
    put_off: BTreeMap<FeedId, Arc<FeedState>>,
    put_off_since: Option<Moment>,
    /// States that were put off and are being written.
    pub(super) overdue: VecDeque<Entry<T>>,
    /// What the last transaction failed for, until one is committed.
    pub(super) failing: Option<String>,
    /// Whether there is a producer. Without one the next commit begins with a fence.
    pub(super) has_producer: bool,
    /// How its records go.
    pub(super) sending: Sending,
    pub(super) is_queue_open: bool,
    /// How it ends, once that is decided.
    pub(super) ending: Option<Ending>,
}

impl<T> Tenure<T> {
    pub(super) fn new(lease: Lease, topics: Topics, end: LogEnd, past: Past) -> Self {
        Self {
            lease,
            topics,
            end,
            past,
            put_off: BTreeMap::new(),
            put_off_since: None,
            overdue: VecDeque::new(),
            failing: None,
            // A tenure begins behind the fence, and the producer that fenced is its first.
            has_producer: true,
            sending: Sending::Batched,
            is_queue_open: true,
            ending: None,
        }
    }

    pub(super) fn layout(&self, settings: &Settings) -> Layout {
        Layout {
            lane: self.lease.lane,
            partition_by: settings.partition_by,
            partitions: self.topics.partitions,
            record_bytes_max: self.record_bytes_max(settings),
            // An assumed limit must not be remembered in a state as if the topics had said it:
            // `tried_again` compares it with what they say later.
            known_bytes_max: self
                .topics
                .record_bytes_max
                .map(|_known| self.record_bytes_max(settings)),
        }
    }

    /// The least of what topics take, as far as is known, and what the operator says.
    pub(super) fn record_bytes_max(&self, settings: &Settings) -> usize {
        let limits = self.topics.record_bytes_max.into_iter().chain(settings.record_bytes_max);
        limits.min().unwrap_or(RECORD_BYTES_DEFAULT)
    }

    /// A transaction of so many lines.
    pub(super) fn attempt(&self, settings: &Settings, lines: usize, now: Now) -> Attempt {
        self.attempt_with(settings, self.head(settings, lines, now), now)
    }

    /// The transaction that gives the lane back.
    pub(super) fn last_attempt(&self, settings: &Settings, now: Now) -> Attempt {
        let head = Head { ended: true, ..self.head(settings, 0, now) };
        self.attempt_with(settings, head, now)
    }

    fn attempt_with(&self, settings: &Settings, head: Head, now: Now) -> Attempt {
        let last = self.layout(settings).head(&head);
        Attempt { head, last, begun_at: now.at }
    }

    fn head(&self, settings: &Settings, lines: usize, now: Now) -> Head {
        let writer = (&*settings.instance, self.lease.epoch);
        let past = self.past;
        Head {
            // Carried on from `__lane` to `__lane` until the time of care is over: otherwise a
            // second restart within the day would end it early.
            left_uncleanly_at: past.careful_until(now.wall).and(past.left_uncleanly_at),
            ..Head::after(self.end.sequence(), writer, lines, now.wall)
        }
    }

    /// Keeps a state that need not be written yet.
    pub(super) fn put_off(&mut self, feed: FeedId, state: Arc<FeedState>, at: Moment) {
        self.put_off.insert(feed, state);
        // Since the oldest: a feed that is put off again and again would never be written
        // otherwise.
        self.put_off_since.get_or_insert(at);
    }

    /// A state that was put off is not written: a newer one is, with its outcome.
    pub(super) fn forget(&mut self, feed: &FeedId) {
        self.put_off.remove(feed);
    }

    /// When states that were put off are written at the latest.
    pub(super) fn put_off_until(&self) -> Option<Moment> {
        self.put_off_since.map(|since| since + PUT_OFF)
    }

    pub(super) fn has_put_off(&self) -> bool {
        !self.put_off.is_empty()
    }

    /// Every state that was put off is to be written now. Gives those that cannot be.
    pub(super) fn end_put_off(&mut self, settings: &Settings) -> Vec<(FeedId, Unwritable)> {
        self.put_off_since = None;
        let layout = self.layout(settings);
        let mut unwritable = Vec::new();
        for (id, state) in std::mem::take(&mut self.put_off) {
            match layout.state(&id, &state) {
                Ok(line) => self.overdue.push_back(Entry {
                    submitted: None,
                    draft: Draft { lines: vec![line], ..Draft::default() },
                    refused: BTreeSet::new(),
                }),
                // It is dropped. What it said was only when and how to ask; the state of before is
                // in the log.
                Err(why) => unwritable.push((id, why)),
            }
        }
        unwritable
    }

    /// Takes an outcome: as lines to be committed, or as a state to be put off, or not at all.
    pub(super) fn entry(
        &self,
        settings: &Settings,
        submitted: Submitted<T>,
    ) -> Result<Entry<T>, (T, Unwritable)> {
        match self.layout(settings).draft(&submitted.outcome, &BTreeSet::new()) {
            Ok(draft) => Ok(Entry { submitted: Some(submitted), draft, refused: BTreeSet::new() }),
            Err(why) => Err((submitted.ticket, why)),
        }
    }
}
