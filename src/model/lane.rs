//! Where a lane of this replica stands, as whoever runs it is told.

use strum::{EnumIter, IntoStaticStr};

/// Where a lane of this replica stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LaneState {
    /// Given by the group; whoever had it is being shut out.
    Fencing,
    /// Its states are being read.
    Restoring,
    /// Its feeds are polled and its outcomes committed.
    Owned,
    /// Somebody else has it, or had it meanwhile; asked for again if the group still says so.
    Fenced,
    /// What became of a commit is being found out.
    InDoubt,
    /// Its log contradicts itself; nothing of it is polled until somebody has looked.
    Quarantined,
}

impl LaneState {
    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
