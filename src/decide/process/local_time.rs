//! Feeds that write their local time and call it UTC.
//!
//! What such a feed published a moment ago is dated hours ahead. How many is learned from entries that were not known
//! before: as they came between two polls that are close together, or, of a first document, from all that it lists.
//! An entry that is dated as it came speaks against it. So one entry that is announced for tomorrow mends nothing.
//!
//! Not told: offsets of an hour, which a wrong clock has too, and those behind UTC, which look like late news.

use std::time::Duration;

use cw_model::state::LocalTime;
use cw_model::{Entry, Steps, Timestamp, TooCostly};
use cw_read::parse::date::{self, Conventions};

/// Polls that are further apart do not say when an entry came, seconds.
const CLOSE: i64 = 3600;

/// How long after its date an entry may appear, seconds.
const LATE: i64 = 1800;

/// How far a publisher's clock may err, seconds.
const ERROR: i64 = 120;

/// Dates that are ahead by no more may be those of a wrong clock, seconds.
const AHEAD_MIN: i64 = 3600;

/// The offset of Kiribati, the largest there is, minutes.
const OFFSET_MAX: i64 = 14 * 60;

/// The one offset of many people that is no whole number of half hours: Nepal's, minutes.
const NEPAL: i64 = 5 * 60 + 45;

/// The fewest entries of a first document that show an offset.
const LISTED_MIN: usize = 3;

/// The newest entry of a first document that shows an offset is no older, seconds: half a step of offsets.
const NEWEST_MAX: i64 = 900;

/// Announced events begin at round times, and news do not: seconds.
const ROUND: i64 = 300;

/// What was shown more often does not count for more, so that an offset that changes is learned anew soon.
const VOTES_MAX: u8 = 6;

/// Steps for a date that is read once more.
const DATE_STEPS: usize = 500;

/// Entries that were not known before.
pub(super) struct Arrivals {
    /// How far each is ahead of this poll as it is dated, seconds.
    leads: Vec<i64>,
    /// How long ago the poll before was, seconds, if that was close.
    since: Option<i64>,
    /// How many of them are dated at a round time and ahead.
    round: usize,
}

impl Arrivals {
    /// Those of a document whose articles are new, by the dates that are in UTC as they say.
    pub(super) fn of<'a>(
        new: impl Iterator<Item = &'a Entry>,
        conventions: &Conventions,
        after: Option<Timestamp>,
        now: Timestamp,
        steps: &Steps,
    ) -> Result<Self, TooCostly> {
        let now = now.as_second();
        let since = after.map(|after| now - after.as_second());
        // A clock that was put back makes it negative: then this poll says nothing of when entries
        // came.
        let since = since.filter(|since| (0..=CLOSE).contains(since));
        let mut arrivals = Self { leads: Vec::new(), since, round: 0 };
        for entry in new {
            steps.spend(DATE_STEPS)?;
            let written = entry.published.as_deref().or(entry.updated.as_deref());
            let read = written.and_then(|text| date::read(text, conventions));
            let Some(read) = read.filter(|read| read.is_utc) else { continue };
            let second = read.at.as_second();
            arrivals.leads.push(second - now);
            arrivals.round += usize::from(second - now > AHEAD_MIN && second % ROUND == 0);
        }
        Ok(arrivals)
    }

    /// Those that are ahead by what may be an offset.
    fn ahead(&self) -> impl Iterator<Item = i64> {
        let all = self.leads.iter().copied();
        all.filter(|lead| (AHEAD_MIN + 1..=OFFSET_MAX * 60 + ERROR).contains(lead))
    }
}

/// What is known of a feed's local time after these entries.
pub(super) fn learned(before: LocalTime, arrivals: &Arrivals) -> LocalTime {
    match arrivals.since {
        Some(since) => by_arrival(before, arrivals, since),
        None if before.votes == 0 => by_document(arrivals),
        None => before,
    }
}

/// Entries came between this poll and the one before, and their dates say when.
fn by_arrival(before: LocalTime, arrivals: &Arrivals, since: i64) -> LocalTime {
    // As early as an entry may be dated that came since the last poll, as late as a clock may be
    // wrong.
    let just = -(since + LATE)..=ERROR;
    let as_dated = arrivals.leads.iter().filter(|lead| just.contains(lead)).count();
    let offset = i64::from(before.minutes) * 60;
    // An entry that came sooner after its date may show that the offset is a step larger.
    let like_before = offset - since - LATE..=offset + LATE + ERROR;
    let is_known = before.votes > 0;
    let same: Vec<i64> =
        arrivals.ahead().filter(|lead| is_known && like_before.contains(lead)).collect();
    if let Some(newest) = same.iter().max()
        // A feed may mix both, after it was mended for instance: then what is dated rightly has a
        // say.
        && same.len() >= as_dated
    {
        let minutes = before.minutes.max(offset_of(*newest));
        return LocalTime { minutes, votes: counted(same.len() + usize::from(before.votes)) };
    }
    let others = arrivals.ahead().filter(|lead| !like_before.contains(lead) || !is_known);
    let other = others.max().map(offset_of);
    let supported = other.map_or(0, |minutes| {
        let lead = |lead: &i64| just.contains(&(lead - i64::from(minutes) * 60));
        arrivals.ahead().filter(lead).count()
    });
    let against = counted(as_dated.max(supported));
    // Doubt first, a new offset only once the old one has no vote: one odd entry must not move all
    // dates of a feed.
    let after = if against > 0 { before.doubted(against) } else { before };
    match other.filter(|_| after.votes == 0 && supported > as_dated) {
        Some(minutes) => LocalTime { minutes, votes: counted(supported) },
        None => after,
    }
}

/// All that a first document lists: many are ahead, none further than clocks are, the newest nearly by an offset.
fn by_document(arrivals: &Arrivals) -> LocalTime {
    let mut ahead: Vec<i64> = arrivals.ahead().collect();
    let beyond = arrivals.leads.iter().filter(|lead| **lead > OFFSET_MAX * 60 + ERROR).count();
    ahead.sort_unstable();
    ahead.dedup();
    let Some(newest) = ahead.last() else { return LocalTime::default() };
    let minutes = offset_of(*newest);
    let is_new = i64::from(minutes) * 60 - newest <= NEWEST_MAX;
    // A calendar of events looks like a feed in another zone, but for its round times.
    let are_news = arrivals.round * 2 < ahead.len();
    if ahead.len() < LISTED_MIN || beyond > 0 || !is_new || !are_news {
        return LocalTime::default();
    }
    LocalTime { minutes, votes: counted(ahead.len()) }
}

/// The smallest offset that puts what leads by so many seconds into the past, minutes.
fn offset_of(lead: i64) -> u16 {
    let minutes = (lead - ERROR).max(0).div_euclid(60) + i64::from((lead - ERROR) % 60 > 0);
    // Rounded up: an entry is dated before it is seen, never after.
    let half_hours = (minutes + 29) / 30 * 30;
    let is_nepal = half_hours == NEPAL + 15 && minutes <= NEPAL;
    let offset = if is_nepal { NEPAL } else { half_hours };
    u16::try_from(offset.min(OFFSET_MAX)).unwrap_or_default()
}

fn counted(votes: usize) -> u8 {
    u8::try_from(votes).unwrap_or(VOTES_MAX).min(VOTES_MAX)
}

/// How the feed writes its dates, with its local time.
pub(super) fn with_local_time(dates: &Conventions, local_time: LocalTime) -> Conventions {
    let ahead: Option<Duration> = local_time.learned();
    Conventions { ahead, ..dates.clone() }
}
