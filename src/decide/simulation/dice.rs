//! Numbers that a seed decides (`SplitMix64`).

use std::time::Duration;

use crate::backoff::split_mix;

/// Everything that is left to chance in a history.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        split_mix(&mut self.0)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether it happens, once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A duration from `low` to `high`, milliseconds; mostly a short one.
    pub(super) fn millis(&mut self, low: u64, high: u64) -> Duration {
        let span = high - low + 1;
        let short = self.below(span).min(self.below(span)).min(self.below(span));
        Duration::from_millis(low + short)
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let count = u64::try_from(of.len()).unwrap_or(0);
        if count == 0 {
            return None;
        }
        of.get(usize::try_from(self.below(count)).unwrap_or(0)).copied()
    }
}
