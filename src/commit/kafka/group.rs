//! What is committed together: outcomes as lines, and who waits for them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::wire::{Line, Target};
use crate::commit::CommitError;
use crate::model::Outcome;

/// A transaction takes no more outcomes after so many records: larger ones are no faster.
const GROUP_RECORDS_MAX: usize = 1000;

/// The same, bytes: what a broker is asked to take in one go, and what is sent again if it fails.
const GROUP_BYTES_MAX: usize = 4 << 20;

pub(super) type Reply = oneshot::Sender<Result<(), CommitError>>;

/// An outcome to be committed, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) outcome: Arc<Outcome>,
    pub(super) reply: Reply,
}

/// What is committed together with others: an outcome, or a state that was put off.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) outcome: Option<Arc<Outcome>>,
    pub(super) reply: Option<Reply>,
    pub(super) lines: Vec<Line>,
    /// Records of the outcome that no topic takes.
    pub(super) refused: BTreeSet<usize>,
}

impl Entry {
    pub(super) fn bytes(&self) -> usize {
        self.lines.iter().map(Line::bytes).sum()
    }

    /// How many of its rejects stand for records that no topic takes.
    pub(super) fn unpublished(&self) -> usize {
        let rejects = self.lines.iter().filter(|line| line.target == Target::Rejects).count();
        let own = self.outcome.as_ref().map_or(0, |outcome| outcome.rejects.len());
        rejects.saturating_sub(own)
    }

    pub(super) fn answer(self, result: Result<(), CommitError>) {
        if let Some(reply) = self.reply {
            // Whoever asked may have been cancelled; the commit stands all the same.
            let _unheard = reply.send(result);
        }
    }
}

/// What has been gathered for a transaction.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) entries: Vec<Entry>,
    records: usize,
    bytes: usize,
    pub(super) begun_at: Option<Instant>,
}

impl Group {
    pub(super) fn push(&mut self, entry: Entry) {
        self.records += entry.lines.len();
        self.bytes += entry.bytes();
        self.begun_at.get_or_insert_with(Instant::now);
        self.entries.push(entry);
    }

    pub(super) fn is_full(&self) -> bool {
        self.records >= GROUP_RECORDS_MAX || self.bytes >= GROUP_BYTES_MAX
    }
}

/// Tells whoever waits that nothing was committed.
pub(super) fn take_back(entries: Vec<Entry>) {
    entries.into_iter().for_each(|entry| entry.answer(Err(CommitError::Taken)));
}

/// Every line in the order it is sent, states last, and which entry it is of.
pub(super) fn in_order(entries: &[Entry]) -> Vec<(&Line, usize)> {
    let lines = entries
        .iter()
        .enumerate()
        .flat_map(|(index, entry)| entry.lines.iter().map(move |line| (line, index)));
    let (states, others): (Vec<_>, Vec<_>) =
        lines.partition(|(line, _)| line.target == Target::State);
    others.into_iter().chain(states).collect()
}
