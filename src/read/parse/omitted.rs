//! Elements that the cut leaves out with all that is in them.

/// Why an element is left out with all that is in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    /// An entry past the limit.
    OverLimit,
    /// No entry, though it is named like one.
    Stray(&'static str),
    /// One child too many.
    Child,
}

/// An element that is left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeftOut {
    pub(super) why: Why,
    /// Where it begins.
    pub(super) at: usize,
    pub(super) depth: usize,
}
