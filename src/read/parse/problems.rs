//! What had to be left out of a document: counted, each kind with the bytes of one.

use cw_model::reject::{DETAIL_BYTES_MAX, cut};

/// The most problems of one document: a hundred show what is wrong, and each becomes a reject. What
/// is past them is counted with the last.
const PROBLEMS_MAX: usize = 100;

/// One entry that had to be left out, several for the same reason, or something of the feed itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, for a person; bounded.
    pub detail: String,
    /// Where in the decoded document, in bytes, if known.
    pub offset: Option<u64>,
    /// What was left out, or the first of several.
    pub bytes: Vec<u8>,
    /// How many entries it stands for; none if it is something of the feed itself.
    pub entries: u64,
}

impl Problem {
    /// The problem of one entry.
    pub(super) fn new(detail: String, offset: usize, entry: &str) -> Self {
        Self {
            detail: cut(detail, DETAIL_BYTES_MAX),
            offset: Some(offset as u64),
            bytes: entry.as_bytes().to_vec(),
            entries: 1,
        }
    }
}

/// Those of one document, in document order.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// Whether the bytes of another one are kept.
    pub(super) fn has_room(&self) -> bool {
        self.list.len() < PROBLEMS_MAX
    }

    pub(super) fn push(&mut self, problem: Problem) {
        let is_full = !self.has_room();
        match self.list.last_mut().filter(|_| is_full) {
            Some(last) => last.entries += problem.entries,
            None => self.list.push(problem),
        }
    }

    pub(super) fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// All of them; what the last one stands for is said.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        if self.list.len() >= PROBLEMS_MAX
            && let Some(last) = self.list.last_mut()
            && last.entries > 1
        {
            let others = last.entries - 1;
            last.detail = cut(format!("{}; and {others} more", last.detail), DETAIL_BYTES_MAX);
        }
        self.list
    }
}

/// What is said of the first entry past the limit.
pub(super) fn over_limit_detail(entries_max: usize) -> String {
    format!(
        "the document has more than {entries_max} entries, the most that are read of one; those \
         past them are left out, of which this is the first. Raise parse.entries_max to read more"
    )
}
