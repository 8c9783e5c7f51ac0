//! Where a lane of this replica stands, as whoever runs it is told.

/// Where a lane of this replica stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Every state.
    pub const ALL: [LaneState; 6] = [
        Self::Fencing,
        Self::Restoring,
        Self::Owned,
        Self::Fenced,
        Self::InDoubt,
        Self::Quarantined,
    ];

    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fencing => "fencing",
            Self::Restoring => "restoring",
            Self::Owned => "owned",
            Self::Fenced => "fenced",
            Self::InDoubt => "in_doubt",
            Self::Quarantined => "quarantined",
        }
    }
}
