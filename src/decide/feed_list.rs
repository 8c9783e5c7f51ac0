//! A list of feeds that is asked for by its URL: when it is asked for again, and whether what came is taken.
//!
//! A list that is empty, or has lost most of its feeds, is more often a fault of whoever writes it than what
//! was meant. Taking it would end the polling of feeds that nobody has taken out.

use std::collections::HashSet;
use std::time::Duration;

use cw_model::{Digest, FeedId};

/// As many answers in a row must be the same before a list is taken that has lost most of its feeds.
pub const ANSWERS_MIN: u32 = 3;

/// The most that chance adds to a wait, as a part of it: replicas that started together ask apart.
const JITTER_MAX: f64 = 0.1;

/// Why a list that can be read is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeldBack {
    /// It has no feeds to poll.
    #[error("it has no feed to poll; to poll none of its feeds, take its URL out of feeds_from")]
    Empty,
    /// More than half of the feeds are gone.
    #[error(
        "it would remove {removed} of {of} feeds, which is more than half; it is taken once {ANSWERS_MIN} answers in \
         a row say so, and this is number {answers}"
    )]
    Shrunk {
        /// So many.
        removed: usize,
        /// Of so many.
        of: usize,
        /// How many answers in a row have said so.
        answers: u32,
    },
}

/// Remembers what was held back, to take it if it stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guard {
    held: Option<(Digest, u32)>,
}

impl Guard {
    /// Whether a list with the feeds `new` takes the place of one with the feeds `old`. `digest` is that of
    /// its bytes: only the same list counts as said again.
    ///
    /// # Errors
    /// Why it does not.
    pub fn weigh(
        &mut self,
        old: &HashSet<FeedId>,
        new: &HashSet<FeedId>,
        digest: Digest,
    ) -> Result<(), HeldBack> {
        if new.is_empty() {
            self.held = None;
            return Err(HeldBack::Empty);
        }
        let (removed, of) = (old.difference(new).count(), old.len());
        if removed * 2 <= of {
            self.held = None;
            return Ok(());
        }
        let answers = match self.held {
            Some((held, answers)) if held == digest => answers + 1,
            Some(_) | None => 1,
        };
        if answers >= ANSWERS_MIN {
            self.held = None;
            return Ok(());
        }
        self.held = Some((digest, answers));
        Err(HeldBack::Shrunk { removed, of, answers })
    }

    /// Something else was answered.
    pub fn reset(&mut self) {
        self.held = None;
    }
}

/// How long to wait before a list is asked for again: the configured interval, or what the server asked for if
/// that is longer, as far as `retry_after_max` believes it; and never less than either. `dice` is between
/// 0 and 1.
pub fn next_wait(
    interval: Duration,
    retry_after: Option<Duration>,
    retry_after_max: Duration,
    dice: f64,
) -> Duration {
    let asked = retry_after.unwrap_or_default().min(retry_after_max);
    let wait = interval.max(asked);
    wait + wait.mul_f64(JITTER_MAX * dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> HashSet<FeedId> {
        names.iter().map(|name| FeedId::parse(name).unwrap()).collect()
    }

    const ONE: Digest = Digest([1; 8]);
    const OTHER: Digest = Digest([2; 8]);

    #[test]
    fn half_may_go_at_once_and_more_than_half_once_it_is_said_three_times() {
        let old = ids(&["a", "b", "c", "d"]);
        let mut guard = Guard::default();
        assert_eq!(guard.weigh(&old, &ids(&["a", "b", "x"]), ONE), Ok(()));
        let shrunk = |answers| Err(HeldBack::Shrunk { removed: 3, of: 4, answers });
        assert_eq!(guard.weigh(&old, &ids(&["a"]), ONE), shrunk(1));
        assert_eq!(guard.weigh(&old, &ids(&["a"]), ONE), shrunk(2));
        // Another list, or another answer, and it counts from the start.
        assert_eq!(guard.weigh(&old, &ids(&["b"]), OTHER), shrunk(1));
        guard.reset();
        assert_eq!(guard.weigh(&old, &ids(&["b"]), OTHER), shrunk(1));
        assert_eq!(guard.weigh(&old, &ids(&["b"]), OTHER), shrunk(2));
        assert_eq!(guard.weigh(&old, &ids(&["b"]), OTHER), Ok(()));
        assert_eq!(guard.weigh(&old, &ids(&["b"]), OTHER), shrunk(1), "it begins anew");
    }

    #[test]
    fn an_empty_list_is_never_taken_and_a_first_one_at_once() {
        let mut guard = Guard::default();
        for _ in 0..2 * ANSWERS_MIN {
            assert_eq!(guard.weigh(&ids(&["a"]), &ids(&[]), ONE), Err(HeldBack::Empty));
        }
        assert_eq!(guard.weigh(&ids(&[]), &ids(&["a"]), ONE), Ok(()));
        assert_eq!(guard.weigh(&ids(&[]), &ids(&[]), ONE), Err(HeldBack::Empty));
    }

    #[test]
    fn a_list_is_asked_for_no_earlier_than_the_interval_and_the_server_say() {
        let (minute, hour, day) =
            (Duration::from_secs(60), Duration::from_secs(3600), Duration::from_secs(86_400));
        for (retry_after, dice, expected) in [
            (None, 0.0, minute),
            (None, 1.0, Duration::from_secs(66)),
            (Some(Duration::from_secs(5)), 0.0, minute),
            (Some(hour), 0.0, hour),
            (Some(hour), 7.0, Duration::from_secs(3960)),
            (Some(365 * day), 0.0, day),
        ] {
            assert_eq!(next_wait(minute, retry_after, day, dice), expected, "{retry_after:?}");
        }
    }
}
