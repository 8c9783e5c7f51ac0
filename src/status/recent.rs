//! What was committed lately: counts by minute and hour, and the newest articles about conflict.
//!
//! Kept for the page that shows it, in this process alone, and forgotten with it; everything in it has
//! a bound. Where the ledger can be asked, a start fills in what was committed before. Whoever needs more asks the ledger
//! or the metrics.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cw_model::record::{RecordChange, RecordConflict, RecordEvidence, RecordField};
use cw_model::{FeedId, Outcome, PollResult, Record, Timestamp};

/// The most articles.
pub const ARTICLES_MAX: usize = 50;

/// The hours that are counted one by one.
pub const HOURS: usize = 24;

/// The minutes that "lately" is, the current one among them.
pub const RATE_MINUTES: usize = 5;

/// The most tags that an hour counts: more than a taxonomy has, unless somebody writes one of hundreds.
const TAGS_MAX: usize = 300;

/// The most tags and places shown of an article.
const NAMES_MAX: usize = 6;

/// The longest headline, characters.
pub const TITLE_CHARS_MAX: usize = 300;

/// The longest passage, characters.
const PASSAGE_CHARS_MAX: usize = 240;

/// How many characters stand before the first words that are marked in a passage.
const BEFORE_CHARS: usize = 80;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// What polls came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// A document was read.
    pub modified: u64,
    /// 304.
    pub not_modified: u64,
    /// Nothing was read.
    pub failed: u64,
    /// Revisions committed.
    pub records: u64,
    /// Those about conflict.
    pub relevant: u64,
}

impl Tally {
    /// All polls.
    pub fn polls(&self) -> u64 {
        self.modified + self.not_modified + self.failed
    }

    fn add(&mut self, other: &Self) {
        self.modified += other.modified;
        self.not_modified += other.not_modified;
        self.failed += other.failed;
        self.records += other.records;
        self.relevant += other.relevant;
    }
}

/// An hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// When it began, in hours since 1970.
    pub number: i64,
    /// What its polls came to.
    pub tally: Tally,
    /// How many articles had which tag, by id.
    pub tags: BTreeMap<String, u64>,
}

impl Hour {
    /// So many more articles had this tag.
    fn count(&mut self, tag: &str, count: u64) {
        if let Some(known) = self.tags.get_mut(tag) {
            *known += count;
        } else if self.tags.len() < TAGS_MAX {
            self.tags.insert(tag.to_owned(), count);
        }
    }
}

/// A text, and which of its words say so: spans of characters, in order, none overlapping another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// As the publisher wrote it, perhaps cut.
    pub text: String,
    /// Begin and end, counted in characters.
    pub marks: Vec<(usize, usize)>,
}

/// A place that an article names.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedPlace {
    /// Its name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Whether what the article tells happened here.
    pub is_primary: bool,
}

/// An article about conflict that was committed.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentArticle {
    /// When it was committed.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
    /// Which revision.
    pub revision: u32,
    /// In which feed.
    pub feed: FeedId,
    /// Who published it, if that is known.
    pub publisher: Option<String>,
    /// Its link.
    pub url: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// Its headline.
    pub title: Passage,
    /// What else says so, if not the headline alone.
    pub passage: Option<Passage>,
    /// The labels of its tags, best first.
    pub tags: Vec<String>,
    /// Where.
    pub places: Vec<NamedPlace>,
    /// How likely it is about conflict.
    pub score: Option<f64>,
}

/// What was committed lately, at one moment.
#[derive(Clone, Debug, Default)]
pub struct RecentSnapshot {
    /// The sum of the last [`RATE_MINUTES`].
    pub last_minutes: Tally,
    /// Hours in which something was committed, the oldest first.
    pub hours: Vec<Hour>,
    /// The newest first.
    pub articles: Vec<Arc<RecentArticle>>,
    /// How far articles and tags go back.
    pub reach: Reach,
}

/// How far articles and tags go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// To the start of this process.
    #[default]
    Start,
    /// To what the ledger had before.
    Ledger,
}

#[derive(Debug, Default)]
struct Kept {
    /// By number of the minute, the oldest first.
    minutes: VecDeque<(i64, Tally)>,
    hours: VecDeque<Hour>,
    articles: VecDeque<Arc<RecentArticle>>,
    reach: Reach,
}

/// What was committed lately. Those who commit write it, those who show it read it.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Kept>);

impl Recent {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change is whole in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An outcome was committed.
    pub fn committed(&self, outcome: &Outcome, at: Timestamp) {
        let tally = tally(outcome);
        let relevant = || outcome.records.iter().filter_map(|routed| relevant(&routed.record));
        // Outside the lock. The last are the newest.
        let articles: Vec<_> = relevant()
            .rev()
            .take(ARTICLES_MAX)
            .map(|(record, conflict)| Arc::new(article(&outcome.feed_id, record, conflict, at)))
            .collect();
        let mut kept = self.kept();
        kept.count(&tally, at);
        if let Some(hour) = kept.hours.back_mut() {
            let tags = relevant().flat_map(|(_, conflict)| &conflict.tags);
            tags.for_each(|tag| hour.count(&tag.id, 1));
        }
        for article in articles.into_iter().rev() {
            kept.articles.push_front(article);
        }
        kept.articles.truncate(ARTICLES_MAX);
    }

    /// The ledger has told what was committed before this process began: articles, the newest first, and how many had
    /// which tag in which hour since 1970.
    pub fn remember(
        &self,
        articles: &[(Timestamp, Record)],
        tags: impl IntoIterator<Item = (i64, String, u64)>,
    ) {
        let past = articles.iter().filter_map(|(at, record)| {
            let (record, conflict) = relevant(record)?;
            let feed = FeedId::parse(&record.feed.id).ok()?;
            Some(Arc::new(article(&feed, record, conflict, *at)))
        });
        let past: Vec<_> = past.collect();
        let mut kept = self.kept();
        kept.articles.extend(past);
        kept.articles.truncate(ARTICLES_MAX);
        for (number, tag, count) in tags {
            kept.make_hour(number);
            if let Some(hour) = kept.hours.iter_mut().find(|hour| hour.number == number) {
                hour.count(&tag, count);
            }
        }
        while kept.hours.len() > HOURS {
            kept.hours.pop_front();
        }
        kept.reach = Reach::Ledger;
    }

    /// What was committed lately, as of `now`.
    pub fn snapshot(&self, now: Timestamp) -> RecentSnapshot {
        let kept = self.kept();
        let mut last_minutes = Tally::default();
        let since = now.as_second().div_euclid(MINUTE) - (RATE_MINUTES as i64 - 1);
        let lately = kept.minutes.iter().filter(|(minute, _)| *minute >= since);
        lately.for_each(|(_, tally)| last_minutes.add(tally));
        let first = now.as_second().div_euclid(HOUR) - (HOURS as i64 - 1);
        RecentSnapshot {
            last_minutes,
            hours: kept.hours.iter().filter(|hour| hour.number >= first).cloned().collect(),
            articles: kept.articles.iter().cloned().collect(),
            reach: kept.reach,
        }
    }
}

impl Kept {
    /// Puts the hour of this number in its place, unless it is there.
    fn make_hour(&mut self, number: i64) {
        let place = self.hours.partition_point(|hour| hour.number < number);
        if self.hours.get(place).is_none_or(|hour| hour.number != number) {
            self.hours.insert(place, Hour { number, ..Hour::default() });
        }
    }

    /// Counts in the last minute and hour. A clock that was put back counts where it had been.
    fn count(&mut self, tally: &Tally, at: Timestamp) {
        let minute = at.as_second().div_euclid(MINUTE);
        if self.minutes.back().is_none_or(|(last, _)| *last < minute) {
            self.minutes.push_back((minute, Tally::default()));
        }
        while self.minutes.len() > RATE_MINUTES {
            self.minutes.pop_front();
        }
        if let Some((_, last)) = self.minutes.back_mut() {
            last.add(tally);
        }
        let number = at.as_second().div_euclid(HOUR);
        if self.hours.back().is_none_or(|last| last.number < number) {
            self.hours.push_back(Hour { number, ..Hour::default() });
        }
        while self.hours.len() > HOURS {
            self.hours.pop_front();
        }
        if let Some(last) = self.hours.back_mut() {
            last.tally.add(tally);
        }
    }
}

/// A record, if it is of an article about conflict that is still published.
fn relevant(record: &Record) -> Option<(&Record, &RecordConflict)> {
    let conflict = record.conflict.as_ref().filter(|conflict| conflict.relevant)?;
    (record.change != RecordChange::Withdrawn).then_some((record, conflict))
}

fn tally(outcome: &Outcome) -> Tally {
    let mut tally = Tally { records: outcome.records.len() as u64, ..Tally::default() };
    match &outcome.result {
        PollResult::Modified(_) => tally.modified = 1,
        PollResult::NotModified => tally.not_modified = 1,
        PollResult::Failed(_) => tally.failed = 1,
    }
    let count = outcome.records.iter().filter(|routed| relevant(&routed.record).is_some()).count();
    tally.relevant = count as u64;
    tally
}

fn article(
    feed: &FeedId,
    record: &Record,
    conflict: &RecordConflict,
    at: Timestamp,
) -> RecentArticle {
    let evidence: Vec<&RecordEvidence> =
        conflict.tags.iter().flat_map(|tag| &tag.evidence).collect();
    let passage_of = |field, text: Option<&String>, chars_max| {
        let spans = evidence.iter().filter(|evidence| evidence.field == field);
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let spans = spans.map(|evidence| (number(evidence.start), number(evidence.end)));
        text.map(|text| passage(text, spans.collect(), chars_max))
    };
    let marked = |passage: &Passage| !passage.marks.is_empty();
    let title = passage_of(RecordField::Title, record.title.as_ref(), TITLE_CHARS_MAX);
    let passage = passage_of(RecordField::Summary, record.summary.as_ref(), PASSAGE_CHARS_MAX)
        .filter(marked)
        .or_else(|| passage_of(RecordField::Body, record.body.as_ref(), PASSAGE_CHARS_MAX))
        .filter(marked);
    let places = conflict.places.iter().flatten().take(NAMES_MAX).map(|place| NamedPlace {
        name: place.name.clone(),
        country: place.country.clone(),
        lat: place.lat,
        lon: place.lon,
        is_primary: place.primary,
    });
    RecentArticle {
        at,
        id: record.id.clone(),
        revision: record.revision,
        feed: feed.clone(),
        publisher: record.feed.publisher.clone().or_else(|| record.feed.title.clone()),
        url: record.url.clone(),
        language: record.language.clone(),
        title: title.unwrap_or_default(),
        passage,
        tags: conflict.tags.iter().take(NAMES_MAX).map(|tag| tag.label.clone()).collect(),
        places: places.collect(),
        score: conflict.score,
    }
}

/// So much of a text around the first of these spans, and the spans in it.
fn passage(text: &str, mut spans: Vec<(usize, usize)>, chars_max: usize) -> Passage {
    spans.sort_unstable();
    let first = spans.first().map_or(0, |(start, _)| *start);
    // Where the beginning is shown anyway nothing is left out before the words.
    let begin = if first < chars_max / 2 { 0 } else { first.saturating_sub(BEFORE_CHARS) };
    let mut rest = text.chars().skip(begin);
    let mut shown: String = rest.by_ref().take(chars_max).collect();
    let length = shown.chars().count();
    let before = usize::from(begin > 0);
    if before > 0 {
        shown.insert(0, '…');
    }
    if rest.next().is_some() {
        shown.push('…');
    }
    let mut marks: Vec<(usize, usize)> = Vec::new();
    for (start, end) in spans {
        let start = start.saturating_sub(begin).min(length) + before;
        let end = end.saturating_sub(begin).min(length) + before;
        match marks.last_mut() {
            Some((_, last)) if *last >= start => *last = end.max(*last),
            _ if start < end => marks.push((start, end)),
            _ => {}
        }
    }
    Passage { text: shown, marks }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn minutes_and_hours_are_counted_and_forgotten() {
        let recent = Recent::default();
        let tally = Tally { modified: 1, records: 2, ..Tally::default() };
        for minute in 0..60 * 48 {
            recent.kept().count(&tally, at(minute * MINUTE));
        }
        let now = at(60 * 48 * MINUTE - 1);
        let snapshot = recent.snapshot(now);
        assert_eq!(snapshot.last_minutes.polls(), 5);
        assert_eq!(snapshot.last_minutes.records, 10);
        assert_eq!(snapshot.hours.len(), HOURS);
        assert!(snapshot.hours.iter().all(|hour| hour.tally.modified == 60));
        // Nothing since.
        let later = recent.snapshot(at(now.as_second() + 3 * HOUR));
        assert_eq!((later.last_minutes, later.hours.len()), (Tally::default(), HOURS - 3));
        // The clock was put back.
        recent.kept().count(&tally, at(0));
        assert_eq!(recent.snapshot(now).last_minutes.polls(), 6);
    }

    #[test]
    fn what_was_committed_before_the_start_stands_behind_what_came_since() {
        use cw_model::samples::{outcome, record, tagged};
        let recent = Recent::default();
        assert_eq!(recent.snapshot(at(0)).reach, Reach::Start);
        let since = tagged(9, "since", "strike.air");
        recent.committed(&outcome("a", 1, vec![since]), at(10 * HOUR));
        let mut withdrawn = tagged(3, "withdrawn", "strike.air");
        withdrawn.change = RecordChange::Withdrawn;
        let past = [
            (at(9 * HOUR), tagged(2, "later", "strike.air")),
            (at(9 * HOUR), withdrawn),
            (at(8 * HOUR), record(4, "not about conflict")),
            (at(8 * HOUR), tagged(1, "earlier", "unrest")),
        ];
        let tags = [(8, "unrest", 1), (9, "strike.air", 1), (10, "strike.air", 4)];
        recent.remember(&past, tags.map(|(hour, tag, count)| (hour, tag.to_owned(), count)));
        let snapshot = recent.snapshot(at(10 * HOUR));
        let titles: Vec<&str> =
            snapshot.articles.iter().map(|one| one.title.text.as_str()).collect();
        assert_eq!(titles, ["since", "later", "earlier"]);
        assert_eq!(snapshot.reach, Reach::Ledger);
        let hours: Vec<(i64, u64)> =
            snapshot.hours.iter().map(|hour| (hour.number, hour.tags.values().sum())).collect();
        assert_eq!(hours, [(8, 1), (9, 1), (10, 5)]);
        // More than are kept: the oldest go.
        let many: Vec<_> = (0..100).map(|n| (at(0), tagged(n, "x", "unrest"))).collect();
        recent.remember(&many, (0..100).map(|hour| (hour, "unrest".to_owned(), 1)));
        let snapshot = recent.snapshot(at(99 * HOUR));
        assert_eq!((snapshot.articles.len(), snapshot.hours.len()), (ARTICLES_MAX, HOURS));
    }

    #[track_caller]
    fn check(text: &str, spans: &[(usize, usize)], chars_max: usize, expected: &str) {
        let passage = passage(text, spans.to_vec(), chars_max);
        let mut marked = String::new();
        for (index, char) in passage.text.chars().enumerate() {
            let begins = passage.marks.iter().any(|(start, _)| *start == index);
            marked.push_str(if begins { "[" } else { "" });
            marked.push(char);
            let ends = passage.marks.iter().any(|(_, end)| *end == index + 1);
            marked.push_str(if ends { "]" } else { "" });
        }
        assert_eq!(marked, expected);
    }

    #[test]
    fn a_passage_has_its_words_marked_wherever_it_is_cut() {
        check("Обстріл Києва вночі", &[(0, 7)], 40, "[Обстріл] Києва вночі");
        check("a truce began", &[(2, 7), (4, 13)], 40, "a [truce began]");
        check("a truce began", &[(2, 7), (2, 7)], 4, "a [tr]…");
        let long = format!("{}truce{}", "x".repeat(100), "y".repeat(100));
        let expected = format!("…{}[truce]{}…", "x".repeat(80), "y".repeat(15));
        check(&long, &[(100, 105)], 100, &expected);
        check("short", &[(90, 95)], 10, "…");
        check("", &[], 10, "");
    }
}
