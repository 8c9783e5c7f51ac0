//! How much a feed may add to the ledger in a day.

/// What a feed may add to the ledger in a day (UTC). What it has added is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Article revisions.
    pub articles: u64,
    /// Their bytes, and those of rejects, as written.
    pub bytes: u64,
}
