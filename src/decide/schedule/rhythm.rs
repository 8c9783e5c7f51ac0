//! The interval between polls, learned from when a feed publishes.
//!
//! How much a feed publishes is learned by hour of the day and by weekday. Three things follow from that:
//!
//! - **How often it is asked**: as the square root of the rate (Sia and Cho: of all ways to spread so many requests,
//!   that one makes the sum of all delays the smallest), in busy hours more, where most entries come; and no more than
//!   [`REQUESTS_A_DAY`] times on any day for the sake of delays alone. A wait is made of the hours that it goes through, so one that begins at night ends with it.
//! - **How seldom it may be asked**: windows of entries must overlap, for what leaves a feed between two polls is lost.
//!   So it is asked so early that three standard deviations more than are expected would still fit into its window.
//! - **Bursts**, which no rhythm foretells: the shortest time in which the window turned over is remembered for some
//!   days, and kept up with; and a poll that finds much is followed by one that would find half the window at the same pace.

use std::time::Duration;

use cw_model::Timestamp;
use cw_model::state::{DAYS, HOURS, Rhythm, day_of};

/// Where a feed starts of which nothing is known: newsrooms publish about this often, and a first week at
/// this pace is polite.
pub const INTERVAL_START: Duration = Duration::from_secs(15 * 60);

/// The most requests in a day that are made for the sake of short delays.
pub const REQUESTS_A_DAY: f64 = 95.0;

/// How many polls an hour a feed with one entry an hour is worth.
const POLLS_AT_ONE: f64 = 3.0;

/// So many standard deviations (of a Poisson process) more than are expected fit into a window.
const DEVIATIONS: f64 = 3.0;

/// The fewest entries that a feed is asked for: one that lists a single entry can never be sure of its window.
const ENTRIES_A_POLL_MIN: f64 = 0.5;

/// After so many days what was learned of an hour counts a third.
const HOUR_MEMORY: f64 = 4.0;

/// After so many weeks what was learned of a weekday counts a third.
const DAY_MEMORY: f64 = 2.0;

/// What is learned of the busiest day and of the quietest, by the mean of all.
const DAY_RANGE: (f64, f64) = (0.1, 4.0);

/// A window that turned over in so short a time is forgotten by half in three days.
const TURNOVER_MEMORY: Duration = Duration::from_secs(3 * 24 * 3600);

/// Fewer entries at once are no burst: feeds that list one replace it whenever they have another.
const BURST_MIN: usize = 3;

/// Entries whose dates lie within so short a time came at one moment, as in a daily letter: asking more often
/// would find no more of them.
const AT_ONCE: Duration = Duration::from_secs(60);

/// A silence longer than this teaches nothing: who knows what happened in it.
const SILENCE_MAX: Duration = Duration::from_secs(2 * 24 * 3600);

/// The longest past that a first document speaks for.
const PAST_MAX: Duration = Duration::from_secs(14 * 24 * 3600);

/// Entries of a day below which the hours of a feed say little: half of each is the mean of all then.
const SMOOTH_BELOW: f64 = 4.0;

const HOUR: Duration = Duration::from_secs(3600);
const HOUR_SECONDS: i64 = 3600;
const HOURS_A_DAY: f64 = 24.0;

/// What an answered poll says of a feed's pace.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// The last poll before it that was answered; `None` for a first.
    pub after: Option<Timestamp>,
    /// This poll.
    pub at: Timestamp,
    /// The entries that were not there before: when each says that it was published.
    pub came: &'a [Option<Timestamp>],
    /// How many entries the feed lists.
    pub window: u64,
}

/// The shortest and the longest wait.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// `interval_min`
    pub min: Duration,
    /// `interval_max`
    pub max: Duration,
}

/// The rhythm after a poll, where `interval` is what was learned before there were rhythms.
pub fn learned(rhythm: Option<Rhythm>, interval: Option<Duration>, heard: &Heard<'_>) -> Rhythm {
    let Some(mut rhythm) = rhythm else {
        return match interval {
            Some(interval) => steady(interval, heard.at),
            None => first(heard),
        };
    };
    let Some(after) = heard.after.filter(|after| *after < heard.at) else { return rhythm };
    let silence = between(after, heard.at);
    let window = as_f64(heard.window.max(1));
    let came = as_f64(heard.came.len() as u64);
    rhythm.turnover = relaxed(rhythm.turnover, silence);
    if came * 4.0 >= window && heard.came.len() >= BURST_MIN && !came_at_once(heard.came) {
        // All of them new: nobody knows how many more there were.
        let whole = if came >= window { silence / 2 } else { silence.mul_f64(window / came) };
        rhythm.turnover = sooner(rhythm.turnover, whole);
    }
    if silence <= SILENCE_MAX {
        learn_rates(&mut rhythm, after, heard);
    }
    rhythm
}

/// How long to wait after a poll.
pub fn wait(rhythm: &Rhythm, heard: &Heard<'_>, bounds: Bounds) -> Duration {
    waited(rhythm, heard, bounds, scale(rhythm, heard.at, bounds))
}

/// How long may be waited so that nothing leaves the feed unread, if somebody else sees to it that nothing is late.
pub fn longest(rhythm: &Rhythm, heard: &Heard<'_>, bounds: Bounds) -> Duration {
    waited(rhythm, heard, bounds, 0.0)
}

/// How long to wait after a poll, where so large a part of the polls that short delays are worth is made.
fn waited(rhythm: &Rhythm, heard: &Heard<'_>, bounds: Bounds, scale: f64) -> Duration {
    let safe = entries_a_poll(heard.window);
    // Polls an hour, hour by hour, until they make one.
    let mut left = 1.0;
    let mut waited = Duration::ZERO;
    while waited < bounds.max {
        let at = heard.at.checked_add(waited).unwrap_or(Timestamp::MAX);
        let rate = expected(rhythm, at);
        let polls = (scale * worth(rate)).max(rate / safe).max(1e-6);
        let rest = until_next_hour(at);
        let here = Duration::try_from_secs_f64(left / polls * HOUR.as_secs_f64());
        match here {
            Ok(here) if here <= rest => {
                waited += here;
                break;
            }
            _ => {
                left -= polls * rest.as_secs_f64() / HOUR.as_secs_f64();
                waited += rest;
            }
        }
    }
    let waited = waited.min(turnover_wait(rhythm)).min(burst_wait(heard));
    waited.clamp(bounds.min, bounds.max)
}

/// What a wait may be for the sake of bursts like those that came lately.
fn turnover_wait(rhythm: &Rhythm) -> Duration {
    if rhythm.turnover == 0 {
        return Duration::MAX;
    }
    let least = HOUR.mul_f64(HOURS_A_DAY / REQUESTS_A_DAY);
    Duration::from_secs(rhythm.turnover.into()).mul_f64(0.8).max(least)
}

/// What it may be if entries go on coming as fast as since the poll before: half a window's worth.
fn burst_wait(heard: &Heard<'_>) -> Duration {
    let Some(after) = heard.after.filter(|_| heard.came.len() > 1) else { return Duration::MAX };
    let came = as_f64(heard.came.len() as u64);
    between(after, heard.at).mul_f64(as_f64(heard.window.max(1)) / came / 2.0)
}

/// As many entries as may be expected at a poll so that all of them fit into a window, even if more come: the root of
/// `n + DEVIATIONS * sqrt(n) = window`.
fn entries_a_poll(window: u64) -> f64 {
    let half = DEVIATIONS / 2.0;
    let root = (half * half + as_f64(window.max(1))).sqrt() - half;
    (root * root).max(ENTRIES_A_POLL_MIN)
}

/// Polls an hour that a rate of entries is worth.
fn worth(rate: f64) -> f64 {
    POLLS_AT_ONE * if rate < 1.0 { rate.sqrt() } else { rate.powf(0.75) }
}

/// By how much fewer polls are made on the coming day so that they are no more than [`REQUESTS_A_DAY`].
fn scale(rhythm: &Rhythm, now: Timestamp, bounds: Bounds) -> f64 {
    let most = HOUR.as_secs_f64() / bounds.min.as_secs_f64().max(1.0);
    let coming = |hour: usize| {
        let at = now.checked_add(HOUR.saturating_mul(u32::try_from(hour).unwrap_or(0)));
        worth(expected(rhythm, at.unwrap_or(now)))
    };
    let hours: Vec<f64> = (0..HOURS).map(coming).collect();
    let sum = |scale: f64| hours.iter().map(|polls| (scale * polls).min(most)).sum::<f64>();
    if sum(1.0) <= REQUESTS_A_DAY {
        return 1.0;
    }
    // What one hour cannot use, for it is asked as often as it may, the others can.
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..12 {
        let middle = (low + high) / 2.0;
        if sum(middle) > REQUESTS_A_DAY { high = middle } else { low = middle }
    }
    low
}

/// Entries an hour that are expected at this time: those of the hour and its neighbours, and of a feed that
/// publishes little the mean of all.
fn expected(rhythm: &Rhythm, at: Timestamp) -> f64 {
    let hour = hour_of(at);
    let near = |distance: usize| rhythm.rate((hour + distance) % HOURS);
    let smooth = near(0) * 0.5 + (near(1) + near(HOURS - 1)) * 0.25;
    let day = rhythm.rate_of_a_day();
    let share = SMOOTH_BELOW / (SMOOTH_BELOW + day);
    (share * day / HOURS_A_DAY + (1.0 - share) * smooth) * rhythm.day(weekday_of(at))
}

/// The rhythm of a feed of which a wait is all that is known: the one that is worth it.
fn steady(interval: Duration, at: Timestamp) -> Rhythm {
    let polls = HOUR.as_secs_f64() / interval.as_secs_f64().max(1.0);
    Rhythm::steady((polls / POLLS_AT_ONE).powi(2), since(at))
}

/// The rhythm that a first document shows: its entries' dates, if they have any.
fn first(heard: &Heard<'_>) -> Rhythm {
    let oldest = heard.at.checked_sub(PAST_MAX).unwrap_or(Timestamp::MIN);
    let dated: Vec<Timestamp> =
        heard.came.iter().flatten().copied().filter(|at| (oldest..heard.at).contains(at)).collect();
    let Some(begin) = dated.iter().min().copied().filter(|_| dated.len() > 1) else {
        return steady(INTERVAL_START, heard.at);
    };
    let past = between(begin, heard.at).max(HOUR);
    let mean = as_f64(dated.len() as u64) / hours(past);
    let mut rhythm = Rhythm::steady(mean, since(heard.at));
    let mut came = [0.0; HOURS];
    for at in &dated {
        if let Some(count) = came.get_mut(hour_of(*at)) {
            *count += 1.0;
        }
    }
    let mut seen = [0.0; HOURS];
    each_hour(begin, heard.at, |at, part| {
        if let Some(seen) = seen.get_mut(hour_of(at)) {
            *seen += part;
        }
    });
    for (hour, (came, seen)) in came.into_iter().zip(seen).enumerate() {
        rhythm.set_rate(hour, (came + mean) / (seen + 1.0));
    }
    rhythm
}

/// What came since the poll before, each in the hour that it says if that lies between, else where most
/// was to be expected.
fn learn_rates(rhythm: &mut Rhythm, after: Timestamp, heard: &Heard<'_>) {
    let mut by_hour: [f64; HOURS * 2 + 2] = [0.0; HOURS * 2 + 2];
    let first_hour = after.as_second().div_euclid(HOUR_SECONDS);
    let slot = |at: Timestamp| {
        usize::try_from(at.as_second().div_euclid(HOUR_SECONDS) - first_hour).unwrap_or(usize::MAX)
    };
    let mut undated = 0.0;
    for at in heard.came {
        match at.filter(|at| after < *at && *at <= heard.at) {
            Some(at) => by_hour.get_mut(slot(at)).into_iter().for_each(|count| *count += 1.0),
            None => undated += 1.0,
        }
    }
    let mut sum = 0.0;
    each_hour(after, heard.at, |at, part| sum += part * expected(rhythm, at).max(1e-6));
    let days = f64::from(since(heard.at).saturating_sub(rhythm.since)).clamp(1.0, HOUR_MEMORY);
    let before = *rhythm;
    let day = before.rate_of_a_day();
    each_hour(after, heard.at, |at, part| {
        let (hour, weekday) = (hour_of(at), weekday_of(at));
        let dated = by_hour.get_mut(slot(at)).map(std::mem::take).unwrap_or_default();
        let share = part * expected(&before, at).max(1e-6) / sum;
        let came = dated + undated * share;
        let (rate, times) = (rhythm.rate(hour), rhythm.day(weekday));
        let weight = 1.0 - (-part / days).exp();
        let found = came / part / times.max(DAY_RANGE.0);
        rhythm.set_rate(hour, rate + weight * (found - rate));
        let surplus = (came - part * rate * times) / (DAY_MEMORY * day.max(2.0));
        rhythm.set_day(weekday, (times + surplus).clamp(DAY_RANGE.0, DAY_RANGE.1));
    });
}

/// Whether all entries say that they were published at one moment.
fn came_at_once(came: &[Option<Timestamp>]) -> bool {
    let first = came.iter().flatten().min();
    let last = came.iter().flatten().max();
    let is_dated = came.iter().all(Option::is_some);
    first.zip(last).is_some_and(|(first, last)| is_dated && between(*first, *last) <= AT_ONCE)
}

/// A time in which the window turned over, when that is so much longer ago.
fn relaxed(turnover: u32, silence: Duration) -> u32 {
    if silence >= PAST_MAX {
        return 0;
    }
    let longer = (silence.as_secs_f64() / TURNOVER_MEMORY.as_secs_f64()).exp2();
    let relaxed = Duration::from_secs(turnover.into()).mul_f64(longer);
    // One of months says nothing.
    u32::try_from(relaxed.as_secs()).ok().filter(|_| relaxed < PAST_MAX).unwrap_or(0)
}

fn sooner(turnover: u32, other: Duration) -> u32 {
    let other = u32::try_from(other.as_secs()).unwrap_or(u32::MAX).max(1);
    if turnover == 0 { other } else { turnover.min(other) }
}

/// Each hour of a time, and how much of it.
fn each_hour(from: Timestamp, to: Timestamp, mut what: impl FnMut(Timestamp, f64)) {
    let mut at = from;
    while at < to {
        let rest = until_next_hour(at).min(between(at, to));
        what(at, hours(rest));
        let Ok(next) = at.checked_add(rest) else { return };
        at = next;
    }
}

/// Not nothing.
fn until_next_hour(at: Timestamp) -> Duration {
    let into = at.as_millisecond().rem_euclid(HOUR_SECONDS * 1000);
    Duration::from_millis((HOUR_SECONDS * 1000 - into).unsigned_abs())
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn hours(duration: Duration) -> f64 {
    duration.as_secs_f64() / HOUR.as_secs_f64()
}

fn hour_of(at: Timestamp) -> usize {
    let hour = at.as_second().div_euclid(HOUR_SECONDS).rem_euclid(HOURS as i64);
    usize::try_from(hour).unwrap_or_default()
}

/// 0 is Monday; the first day of 1970 was a Thursday.
fn weekday_of(at: Timestamp) -> usize {
    usize::try_from((day_of(at) + 3).rem_euclid(DAYS as i64)).unwrap_or_default()
}

fn since(at: Timestamp) -> i32 {
    i32::try_from(day_of(at)).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a count of entries is small")]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}
