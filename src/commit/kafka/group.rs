//! What is committed together: outcomes as lines, and who waits for them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::warn;

use super::wire::{Draft, LeftOut, Line, Target};
use crate::commit::CommitError;
use crate::model::Outcome;
use crate::state::FeedState;

/// A transaction takes no more outcomes after so many records: larger ones are no faster.
const GROUP_RECORDS_MAX: usize = 1000;

/// The same, bytes: what a broker is asked to take in one go, and what is sent again if it fails.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// With the state that was written, if it is not the outcome's.
pub(super) type Reply = oneshot::Sender<Result<Option<Arc<FeedState>>, CommitError>>;

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
    pub(super) draft: Draft,
    /// Records of the outcome that no topic takes.
    pub(super) refused: BTreeSet<usize>,
}

impl Entry {
    pub(super) fn bytes(&self) -> usize {
        self.draft.lines.iter().map(Line::bytes).sum()
    }

    /// How many of its records no topic takes.
    pub(super) fn unpublished(&self) -> usize {
        self.draft.left_out.len()
    }

    /// That a broker refused something else of it than a record.
    pub(super) fn refusal(&self) -> String {
        let state = self.draft.lines.iter().rfind(|line| line.target == Target::State);
        let bytes = state.map_or(0, Line::bytes);
        format!(
            "a broker refused a reject of the feed, or its state of {bytes} bytes; raise \
             max.message.bytes of the topics"
        )
    }

    /// Says which of its records no topic takes.
    pub(super) fn warn_of_left_out(&self, lane: u32, limit: usize) {
        let (Some(outcome), [first, rest @ ..]) = (&self.outcome, self.draft.left_out.as_slice())
        else {
            return;
        };
        let LeftOut { article, revision, bytes, is_waiting } = first;
        let more =
            if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
        let then = if *is_waiting {
            "published once max.message.bytes of the topics leaves room"
        } else {
            "not tried again: too many of this feed wait"
        };
        warn!(
            lane.number = lane,
            feed.id = %outcome.feed_id,
            error = format!(
                "revision {revision} of article {article} takes {bytes} bytes and a record {limit} at \
                 most, or a broker refused it{more}; {then}"
            ),
            "an article is too large for its topics"
        );
    }

    pub(super) fn answer(self, result: Result<(), CommitError>) {
        if let Some(reply) = self.reply {
            // Whoever asked may have been cancelled; the commit stands all the same.
            let state = self.draft.state;
            let _unheard = reply.send(result.map(|()| state));
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
        self.records += entry.draft.lines.len();
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
        .flat_map(|(index, entry)| entry.draft.lines.iter().map(move |line| (line, index)));
    let (states, others): (Vec<_>, Vec<_>) =
        lines.partition(|(line, _)| line.target == Target::State);
    others.into_iter().chain(states).collect()
}
