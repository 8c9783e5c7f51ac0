//! When a publisher asks not to be asked.

use crate::Timestamp;

/// Hours of a day.
const HOURS: u32 = 24;

/// Days of a week.
const DAYS: u32 = 7;

const HOUR_SECONDS: i64 = 3600;

/// The hours and the weekdays in which a publisher asks not to be asked: `skipHours` and `skipDays` of RSS 2.0,
/// which are of GMT.
///
/// Whoever lists all of them means something else, and is taken to list none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skips {
    /// A bit for each hour, from 0.
    pub hours: u32,
    /// A bit for each weekday, from Monday.
    pub days: u8,
}

impl Skips {
    /// This hour is one of them; 24 is midnight, as in RSS 0.91.
    pub fn skip_hour(&mut self, hour: u32) {
        if hour <= HOURS {
            self.hours |= 1 << (hour % HOURS);
        }
    }

    /// This weekday is one of them, 0 being Monday.
    pub fn skip_day(&mut self, weekday: u32) {
        if weekday < DAYS {
            self.days |= 1 << weekday;
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.hours() == 0 && self.days() == 0
    }

    /// The first moment from this one on that is in none of them.
    pub fn first_outside(self, from: Timestamp) -> Timestamp {
        let begin = from.as_second().div_euclid(HOUR_SECONDS);
        let hours = i64::from(HOURS * DAYS);
        let free = (begin..begin + hours).find(|hour| !self.has(*hour)).unwrap_or(begin);
        if free == begin {
            return from;
        }
        Timestamp::from_second(free * HOUR_SECONDS).unwrap_or(from)
    }

    /// Whether an hour, counted from 1970, is one of them.
    fn has(self, hour: i64) -> bool {
        let day = hour.div_euclid(i64::from(HOURS));
        let of_day = hour.rem_euclid(i64::from(HOURS));
        // The first day of 1970 was a Thursday.
        let weekday = (day + 3).rem_euclid(i64::from(DAYS));
        self.hours() >> of_day & 1 > 0 || self.days() >> weekday & 1 > 0
    }

    fn hours(self) -> u32 {
        if self.hours == (1 << HOURS) - 1 { 0 } else { self.hours }
    }

    fn days(self) -> u8 {
        if self.days == (1 << DAYS) - 1 { 0 } else { self.days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hours: &[u32], days: &[u32], from: &str, free: &str) {
        let mut skips = Skips::default();
        hours.iter().for_each(|hour| skips.skip_hour(*hour));
        days.iter().for_each(|day| skips.skip_day(*day));
        let [from, free] = [from, free].map(|text| text.parse().unwrap());
        assert_eq!(skips.first_outside(from), free, "{skips:?}");
    }

    #[test]
    fn the_first_moment_outside_is_the_next_hour_or_day_that_is_not_skipped() {
        // A Friday.
        let friday = "2026-03-06T22:30:15Z";
        check(&[], &[], friday, friday);
        check(&[1, 2], &[1], friday, friday);
        check(&[22, 23, 24, 1], &[], friday, "2026-03-07T02:00:00Z");
        check(&[], &[4, 5, 6], friday, "2026-03-09T00:00:00Z");
        check(&[22, 23, 0], &[5, 6], friday, "2026-03-09T01:00:00Z");
        check(&[23], &[3], "1969-12-31T23:59:59Z", "1970-01-02T00:00:00Z");
    }

    #[test]
    fn all_of_them_are_none_and_what_is_no_hour_is_passed_over() {
        let at = "2026-03-06T22:30:15Z";
        check(&(0..24).collect::<Vec<_>>(), &(0..7).collect::<Vec<_>>(), at, at);
        check(&[25, 99, u32::MAX], &[7, 99], at, at);
        // What is left when all hours mean nothing.
        check(&(0..24).collect::<Vec<_>>(), &[4], at, "2026-03-07T00:00:00Z");
    }
}
