//! The time as drivers hand it in: nothing in `decide` reads a clock.

use std::ops::Add;
use std::time::Duration;

use cw_model::Timestamp;

/// A point on a clock that never goes back. Where it starts means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// So long after the clock's start.
    pub fn after_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long it is since `earlier`; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

/// The time of an event, on both clocks. Waits are reckoned by `at`, what is written by `wall`, which
/// an operator may put back.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Never goes back.
    pub at: Moment,
    /// The time of day.
    pub wall: Timestamp,
}
