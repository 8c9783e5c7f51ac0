//! How a lane is told to end, and from when on it gives up what does not go.

use std::time::Duration;

use crate::Moment;

/// How long a lane that is to end goes on trying to commit what it has, if nobody says otherwise. Brokers
/// that are well need a fraction of a second, and the group waits for us meanwhile.
pub const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// What a lane has been told about its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    patience: Duration,
    requested_at: Option<Moment>,
    is_lost: bool,
    draining_at: Option<Moment>,
}

impl Default for Stop {
    fn default() -> Self {
        Self::new(LEAVE_PATIENCE)
    }
}

impl Stop {
    /// Of a lane that was told nothing yet, and will go on trying for `patience` once it is.
    pub fn new(patience: Duration) -> Self {
        Self { patience, requested_at: None, is_lost: false, draining_at: None }
    }

    /// Commit what waits, then end.
    pub fn request(&mut self, at: Moment) {
        self.requested_at.get_or_insert(at);
    }

    /// The lane is somebody else's already: end.
    pub fn lose(&mut self, at: Moment) {
        // Lost is a kind of requested: whoever asks only whether to end need not know why.
        self.request(at);
        self.is_lost = true;
    }

    /// No more polls begin.
    pub fn drain(&mut self, at: Moment) {
        self.draining_at.get_or_insert(at);
    }

    /// Whether to end, in whatever way.
    pub fn is_requested(self) -> bool {
        self.requested_at.is_some()
    }

    /// Whether the lane is somebody else's.
    pub fn is_lost(self) -> bool {
        self.is_lost
    }

    /// Whether nothing is worth waiting for, because more will not come.
    pub fn is_hurried(self) -> bool {
        self.requested_at.is_some() || self.draining_at.is_some()
    }

    /// Whether to end without what does not go.
    pub fn is_over(self, now: Moment) -> bool {
        let waited_long =
            |since: Option<Moment>| since.is_some_and(|since| now.since(since) >= self.patience);
        // A lost lane has no patience at all: while we try, its new owner cannot begin.
        self.is_lost || waited_long(self.requested_at) || waited_long(self.draining_at)
    }
}

/// When to give up what brokers do not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// As soon as the lane is to end.
    WhenStopRequested,
    /// Once the lane is lost, or was to end as long ago as it has patience.
    WhenOver,
}

impl GiveUp {
    /// Whether it is time.
    pub fn is_due(self, stop: Stop, now: Moment) -> bool {
        match self {
            Self::WhenStopRequested => stop.is_requested(),
            Self::WhenOver => stop.is_over(now),
        }
    }
}
