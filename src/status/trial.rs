//! How trials of documents end, as they are counted.

use strum::{EnumIter, IntoStaticStr};

/// How the trial of a document in a process of its own ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum TrialOutcome {
    /// The process read it.
    Read,
    /// It ended the process.
    Crashed,
    /// There was no process; it was read at once.
    Untried,
}

impl TrialOutcome {
    pub(super) fn name(self) -> &'static str {
        self.into()
    }
}
