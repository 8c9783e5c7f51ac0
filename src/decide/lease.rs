//! The right to a lane, and what goes with it: states of its feeds, how its last owner ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cw_model::state::FeedState;
use cw_model::{FeedId, Timestamp};

/// What is known of feeds.
pub type States = HashMap<FeedId, Arc<FeedState>>;

/// The right to commit outcomes of a lane's feeds, from when it was given until it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease {
    /// The lane, from 0.
    pub lane: u32,
    /// Tells apart the times that this process was given the lane.
    pub epoch: u64,
}

/// How the last owners of a lane ended, as far as it matters still.
///
/// An end that was not clean may have been the work of a document, which will be served again:
/// for [`Past::CARE`] after one is found, new documents are first read where they can do no harm.
/// The ledger keeps the instant, so that restarts and changes of owner do not end that early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// When it was last found that the owner before had not given the lane back.
    pub left_uncleanly_at: Option<Timestamp>,
}

impl Past {
    /// How long documents are read with care: a day, since nearly every feed that is alive has
    /// been asked and has changed by then.
    pub const CARE: Duration = Duration::from_secs(24 * 3600);

    /// What to go by from now on, after an owner who ended so.
    pub fn after(self, end: OwnerEnd, now: Timestamp) -> Self {
        match end {
            OwnerEnd::Unclean => Self { left_uncleanly_at: Some(now) },
            OwnerEnd::Clean => {
                let left_uncleanly_at = self.left_uncleanly_at.filter(|_| self.is_recent(now));
                Self { left_uncleanly_at }
            }
        }
    }

    /// Until when documents are read with care, if they are.
    pub fn careful_until(self, now: Timestamp) -> Option<Timestamp> {
        // A clock that was ahead must not make that longer.
        let at = self.left_uncleanly_at?.min(now);
        at.checked_add(Self::CARE).ok().filter(|until| now < *until)
    }

    fn is_recent(self, now: Timestamp) -> bool {
        self.careful_until(now).is_some()
    }
}

/// How the last owner of a lane ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerEnd {
    /// It gave the lane back, or there was none.
    Clean,
    /// It did not: it crashed, was killed, lost its power or its place.
    Unclean,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn care_lasts_a_day_from_the_last_unclean_end_whoever_comes_between() {
        let at = |text: &str| -> Timestamp { format!("2026-03-{text}:00:00Z").parse().unwrap() };
        let found = Past::default().after(OwnerEnd::Unclean, at("01T12"));
        assert_eq!(found.careful_until(at("01T13")), Some(at("02T12")));
        let handed_over = found.after(OwnerEnd::Clean, at("02T11"));
        assert_eq!(handed_over, found);
        assert_eq!(
            found.after(OwnerEnd::Unclean, at("02T11")).careful_until(at("03T10")),
            Some(at("03T11"))
        );
        assert_eq!(found.careful_until(at("02T12")), None);
        assert_eq!(found.after(OwnerEnd::Clean, at("02T12")), Past::default());
        assert_eq!(
            Past::default().after(OwnerEnd::Clean, at("01T12")).careful_until(at("01T12")),
            None
        );
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_make_care_longer() {
        let past = Past { left_uncleanly_at: Some("2031-01-01T00:00:00Z".parse().unwrap()) };
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(past.careful_until(now), now.checked_add(Past::CARE).ok());
    }
}
