//! How often transactions begin, where many outcomes come one after another.
//!
//! Each transaction writes whole pages of the indexes and a segment of the search index, whatever it holds, so one for
//! each poll of a large installation would be most of what is written. A daemon with little to do never waits for this.

use std::time::Duration;

use tokio::time::Instant;

/// Between two transactions, once many have come: as long as outcomes are gathered on Kafka. Whoever needs the places of
/// those that wait hurries them.
const GAP: Duration = Duration::from_secs(1);

/// So many may come one after another before that: what a small installation has at once is there at once.
const BURST: u32 = 16;

/// When the next transaction may begin.
#[derive(Debug)]
pub(super) struct Pace {
    /// Each transaction moves it on by a gap. It is never in the past, nor so far ahead that one waits for longer than a gap.
    spent_until: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { spent_until: now }
    }

    /// How long a transaction waits for others to come with it.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.spent_until.saturating_duration_since(now).saturating_sub(GAP * BURST)
    }

    /// A transaction has begun.
    pub(super) fn began(&mut self, now: Instant) {
        let latest = now + GAP * (BURST + 1);
        self.spent_until = (self.spent_until.max(now) + GAP).min(latest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of some transactions begins whose first outcomes come at these times, seconds since the start.
    fn begun(outcomes: impl Iterator<Item = f64>) -> Vec<f64> {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut begun: Vec<f64> = Vec::new();
        for came in outcomes {
            // One that came while another was waiting went with it.
            if begun.last().is_some_and(|last| came <= *last) {
                continue;
            }
            let now = start + Duration::from_secs_f64(came);
            let at = now + pace.wait(now);
            pace.began(at);
            begun.push((at - start).as_secs_f64());
        }
        begun
    }

    #[test]
    fn whoever_has_little_to_commit_never_waits() {
        let polls = || (0..1000).map(f64::from);
        assert_eq!(begun(polls()), polls().collect::<Vec<_>>());
        assert_eq!(begun((1..=16).map(|n| f64::from(n) / 1000.0)).len(), 16);
    }

    #[test]
    fn many_outcomes_go_together_and_none_waits_longer_than_a_gap() {
        let came = |n: u32| f64::from(n) / 100.0;
        let begun = begun((1..=6000).map(came));
        // A minute of a hundred outcomes a second.
        assert!(begun.len() <= 60 + 17, "{} transactions", begun.len());
        let waits = begun.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(waits.into_iter().all(|wait| wait < 1.02), "one waits for longer");
    }

    /// A full group and one that is hurried do not wait, however many there are.
    #[test]
    fn those_that_did_not_wait_make_no_later_one_wait_for_longer() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..1000 {
            pace.began(start);
        }
        assert_eq!(pace.wait(start), GAP);
        assert_eq!(pace.wait(start + GAP), Duration::ZERO);
    }
}
