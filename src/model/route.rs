//! Where a record is to be published.

use super::Record;

/// Who is told of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Whoever reads all articles.
    Articles,
    /// Whoever reads those about conflict too: it is relevant.
    Relevant,
    /// Those too: the revision they were told of before was relevant, or may have been, and this one
    /// is not.
    Correction,
}

/// A record, and who is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// As published.
    pub record: Record,
    /// Who is told.
    pub route: Route,
}
