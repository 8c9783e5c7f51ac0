//! How a lane is told to end.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a lane that is to leave goes on trying to commit what it has. A broker that is well needs
/// a fraction of a second, and the group waits for us meanwhile.
pub(super) const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// The word to end, for one lane.
#[derive(Debug, Default)]
pub(super) struct Stop {
    told: CancellationToken,
    lost: CancellationToken,
    told_at: OnceLock<Instant>,
}

impl Stop {
    /// Commit what waits, then end.
    pub(super) fn leave(&self) {
        self.told_at.get_or_init(Instant::now);
        self.told.cancel();
    }

    /// The lane is somebody else's already: end.
    pub(super) fn lose(&self) {
        self.leave();
        self.lost.cancel();
    }

    /// Whether to end, in whatever way.
    pub(super) fn is_told(&self) -> bool {
        self.told.is_cancelled()
    }

    /// Whether the lane is somebody else's.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Whether it is time to end without what does not go.
    pub(super) fn is_over(&self) -> bool {
        self.is_lost() || self.told_at.get().is_some_and(|at| at.elapsed() >= LEAVE_PATIENCE)
    }

    /// Waits for the word. Cancel safety: nothing is lost.
    pub(super) async fn told(&self) {
        self.told.cancelled().await;
    }

    /// Waits for the word that the lane is lost. Cancel safety: nothing is lost.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }
}
