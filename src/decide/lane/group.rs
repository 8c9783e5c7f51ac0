//! What is committed together: outcomes as lines, and who waits for them.

use std::collections::BTreeSet;
use std::sync::Arc;

use cw_model::Outcome;

use super::wire::{Draft, Line, Target, Unwritable};
use crate::Moment;

/// A transaction takes no more outcomes after so many records: larger ones are no faster.
const GROUP_RECORDS_MAX: usize = 1000;

/// The same, bytes: what a broker is asked to take in one go, and what is sent again if it fails.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// What is committed together with others: an outcome, or a state that was put off.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) submitted: Option<Submitted<T>>,
    pub(super) draft: Draft,
    /// Records of the outcome that no topic takes.
    pub(super) refused: BTreeSet<usize>,
}

/// An outcome that somebody wants committed.
#[derive(Debug)]
pub struct Submitted<T> {
    /// What is to be committed.
    pub outcome: Arc<Outcome>,
    /// Whoever waits for the answer.
    pub ticket: T,
}

impl<T> Entry<T> {
    pub(super) fn bytes(&self) -> usize {
        self.draft.lines.iter().map(Line::bytes).sum()
    }

    /// How many of its records no topic takes.
    pub(super) fn unpublished(&self) -> usize {
        self.draft.left_out.len()
    }

    /// Why it is refused if a broker refused something else of it than a record.
    pub(super) fn refusal(&self) -> Unwritable {
        let state = self.draft.lines.iter().rfind(|line| line.target == Target::State);
        let bytes = state.map_or(0, Line::bytes);
        Unwritable::Refused { bytes }
    }
}

/// What has been gathered for a transaction.
#[derive(Debug)]
pub(super) struct Group<T> {
    pub(super) entries: Vec<Entry<T>>,
    records: usize,
    bytes: usize,
    /// When its first entry came.
    pub(super) begun_at: Option<Moment>,
    /// Somebody waits for a place that its outcomes hold.
    pub(super) is_hurried: bool,
}

impl<T> Default for Group<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), records: 0, bytes: 0, begun_at: None, is_hurried: false }
    }
}

impl<T> Group<T> {
    pub(super) fn push(&mut self, entry: Entry<T>, at: Moment) {
        self.records += entry.draft.lines.len();
        self.bytes += entry.bytes();
        self.begun_at.get_or_insert(at);
        self.entries.push(entry);
    }

    pub(super) fn is_full(&self) -> bool {
        self.records >= GROUP_RECORDS_MAX || self.bytes >= GROUP_BYTES_MAX
    }
}

/// Every line in the order it is sent, states last, and which entry it is of.
pub(super) fn in_order<T>(entries: &[Entry<T>]) -> Vec<(&Line, usize)> {
    let lines = entries
        .iter()
        .enumerate()
        .flat_map(|(index, entry)| entry.draft.lines.iter().map(move |line| (line, index)));
    // States behind all records: who reads what is not committed yet never meets a state whose records
    // have still to come.
    let (states, others): (Vec<_>, Vec<_>) =
        lines.partition(|(line, _)| line.target == Target::State);
    others.into_iter().chain(states).collect()
}

/// What a broker refused, each once: a record of an entry, or its state or a reject (`None`), or
/// `__lane` (an entry that there is not). All that shared a batch with the culprit.
pub(super) fn refused<T>(
    entries: &[Entry<T>],
    lines: &[usize],
) -> BTreeSet<(usize, Option<usize>)> {
    let in_order = in_order(entries);
    let place = |index: &usize| match in_order.get(*index) {
        Some((line, entry)) => (*entry, line.record),
        // The line behind all others is `__lane`.
        None => (entries.len(), None),
    };
    lines.iter().map(place).collect()
}
