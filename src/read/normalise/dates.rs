//! Whether to believe a date. Reading one is `parse::date`'s.
//!
//! - a date more than an hour ahead of the poll is null and flagged `Future`: clocks err by minutes,
//!   and what is announced for tomorrow has not been published; but not by a clock that has lost its time
//! - what a feed calls UTC is mended where the feed is known to write local time (`Conventions::ahead`), and flagged
//!   `ZoneLearned`, or `Future` if it lay there as written
//! - one before 1990 is null and flagged `Unparsed`: there were no feeds, it is a default value
//! - `Missing` is said of the date of publication only; most feeds have no date of change

use std::time::Duration;

use cw_model::{DateQuality, Timestamp};

use crate::parse::date::{self, Conventions};

/// How far ahead of ours a publisher's clock may be.
const AHEAD_MAX: Duration = Duration::from_hours(1);

/// 2024-01-01T00:00:00Z, in seconds. No program that has this line was built before: a clock that says so has lost its time,
/// as on boards without a battery, and knows nothing of what is in the future.
const CLOCK_LOST_BEFORE: i64 = 1_704_067_200;

/// 1990-01-01T00:00:00Z, in seconds.
const EARLIEST_SECOND: i64 = 631_152_000;

/// The dates of an article as far as they are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BelievedDates {
    /// Of publication.
    pub published_at: Option<Timestamp>,
    /// Of the last change.
    pub updated_at: Option<Timestamp>,
    /// What is odd, sorted, each once.
    pub quality: Vec<DateQuality>,
}

/// Reads both dates as written and decides.
pub fn believe(
    published: Option<&str>,
    updated: Option<&str>,
    conventions: &Conventions,
    now: Timestamp,
) -> BelievedDates {
    let mut quality = Vec::new();
    let present = |text: &&str| !text.trim().is_empty();
    let published = published.filter(present);
    if published.is_none() {
        quality.push(DateQuality::Missing);
    }
    let published_at = published.and_then(|text| believe_one(text, conventions, now, &mut quality));
    let updated = updated.filter(present);
    let updated_at = updated.and_then(|text| believe_one(text, conventions, now, &mut quality));
    quality.sort_unstable();
    quality.dedup();
    BelievedDates { published_at, updated_at, quality }
}

fn believe_one(
    text: &str,
    conventions: &Conventions,
    now: Timestamp,
    quality: &mut Vec<DateQuality>,
) -> Option<Timestamp> {
    let Some(read) = date::read(text, conventions) else {
        quality.push(DateQuality::Unparsed);
        return None;
    };
    if read.at.as_second() < EARLIEST_SECOND {
        quality.push(DateQuality::Unparsed);
        return None;
    }
    let is_clock_lost = now.as_second() < CLOCK_LOST_BEFORE;
    let latest = now.checked_add(AHEAD_MAX).ok().filter(|_| !is_clock_lost);
    let is_ahead = |at: Timestamp| latest.is_some_and(|latest| at > latest);
    quality.extend(is_ahead(read.at).then_some(DateQuality::Future));
    let ahead = conventions.ahead.filter(|_| read.is_utc);
    let Some(at) = ahead.and_then(|ahead| read.at.checked_sub(ahead).ok()) else {
        quality.extend(read.assumed);
        return Some(read.at).filter(|at| !is_ahead(*at));
    };
    if is_ahead(at) {
        return None;
    }
    quality.extend((!is_ahead(read.at)).then_some(DateQuality::ZoneLearned));
    Some(at)
}
