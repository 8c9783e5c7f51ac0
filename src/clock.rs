//! The only reader of clocks that tell more than how long something took.

use std::time::Duration;

use cw_model::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Always this instant, for tests and reproducible output.
    Fixed(Timestamp),
}

impl Clock {
    /// The time.
    pub fn now(self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one reader of the clock")]
            Self::System => Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}

/// How much processor time this process has used.
pub fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}
