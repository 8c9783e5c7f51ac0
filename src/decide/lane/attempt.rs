//! One transaction that is being committed, or was and is in doubt.

use super::wire::{Head, Line};
use crate::Moment;

/// A transaction: its `__lane`, last of its lines.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) head: Head,
    pub(super) last: Line,
    pub(super) begun_at: Moment,
}
