//! Waits that double.

use std::time::Duration;

/// The waits between tries of one thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    /// The first wait: most troubles of a cluster are over in a moment.
    pub(super) const MIN: Duration = Duration::from_millis(250);

    /// The longest wait: brokers that are back are noticed this soon.
    pub(super) const MAX: Duration = Duration::from_secs(5);

    /// How long to wait this time.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(Self::MAX);
        wait
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self(Self::MIN)
    }
}
