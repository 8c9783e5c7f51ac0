//! What a feed has added to the ledger on one day, to be held against its quota.

use crate::{Quota, Timestamp};

/// Seconds of a day of UTC.
const DAY_SECONDS: i64 = 24 * 3600;

/// What a feed has added to the ledger on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayUse {
    /// The day, counted from 1970-01-01 (UTC).
    pub day: i64,
    /// Article revisions.
    pub articles: u64,
    /// Their bytes, and those of rejects.
    pub bytes: u64,
    /// Articles of the last document that were left unread, because the quota was used up.
    pub left: u64,
}

impl DayUse {
    /// What was added on the day of `now`: nothing yet, if this is of another day.
    #[must_use]
    pub fn on_day_of(self, now: Timestamp) -> Self {
        let day = day_of(now);
        if self.day == day { self } else { Self { day, articles: 0, bytes: 0, ..self } }
    }

    /// Whether nothing more may be added.
    pub fn is_spent(&self, quota: Quota) -> bool {
        self.articles >= quota.articles || self.bytes >= quota.bytes
    }

    /// Counts what is added.
    pub fn add(&mut self, articles: u64, bytes: u64) {
        self.articles = self.articles.saturating_add(articles);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The day of UTC, counted from 1970-01-01.
pub fn day_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(DAY_SECONDS)
}

/// How long from `now` to the next day of UTC.
pub fn until_next_day(now: Timestamp) -> std::time::Duration {
    let passed = now.as_second().rem_euclid(DAY_SECONDS);
    std::time::Duration::from_secs((DAY_SECONDS - passed).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_one_of_utc() {
        let quota = Quota { articles: 2, bytes: 100 };
        let mut used = DayUse::default().on_day_of(at("2026-03-01T23:59:59Z"));
        used.add(2, 10);
        assert!(used.on_day_of(at("2026-03-01T00:00:00Z")).is_spent(quota));
        assert!(!used.on_day_of(at("2026-03-02T00:00:00Z")).is_spent(quota));
        let before_1970 = DayUse::default().on_day_of(at("1969-12-31T23:59:59Z"));
        assert_eq!(before_1970.day, -1);
    }

    #[test]
    fn either_of_the_two_is_a_limit() {
        let quota = Quota { articles: 2, bytes: 100 };
        for (articles, bytes, is_spent) in
            [(0, 0, false), (1, 99, false), (2, 0, true), (0, 100, true), (u64::MAX, 0, true)]
        {
            let mut used = DayUse::default();
            used.add(articles, bytes);
            assert_eq!(used.is_spent(quota), is_spent, "{used:?}");
        }
    }

    #[test]
    fn the_next_day_is_never_now() {
        for (now, seconds) in [
            ("2026-03-01T00:00:00Z", 86_400),
            ("2026-03-01T23:59:59Z", 1),
            ("1969-12-31T23:00:00Z", 3600),
        ] {
            assert_eq!(until_next_day(at(now)).as_secs(), seconds, "{now}");
        }
    }
}
