//! What a number of casualties counts: the event, a new total, a cumulative toll, the past, a fear,
//! or nothing.
//!
//! Decided for each number by the cues near it, in this order: a denial; a possibility; what is told
//! again; a toll over a long time; a new total; the past; a number too large for one day; else the event
//! the article reports. A comparison ("the deadliest attack since 2016") takes the long time for itself.
//! The publication date is not known here, so a year is taken for the past: news rarely names the current
//! one.

use std::ops::Range;

use cw_model::CasualtyScope;

use super::claim::Count;
use super::role::{Cue, List, Role, What};
use super::text::Text;

/// Words a denial reaches: "denied reports that its forces had killed 12".
const DENIAL_REACH: usize = 9;

/// Words a possibility reaches: "could have killed", "a plot to".
const POSSIBILITY_REACH: usize = 4;

/// Words a year or "two years ago" reaches.
const PAST_REACH: usize = 12;

/// Words between a tense or the name of a conflict and the number it speaks of.
const TENSE_REACH: usize = 9;

/// Words between what happened and the time it took: "died in five years of war".
const SPAN_REACH: usize = 3;

/// Words between "since" and what it counts from.
const SINCE_REACH: usize = 6;

/// Times that one count looks at every cue.
const SCANS: usize = 8;

/// The cues of one sentence, each list in order.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    cues: Vec<(Cue, Range<usize>)>,
    /// "in 1994", "on May 1, 2011".
    years: Vec<Range<usize>>,
    /// "since 2011", "since the war began".
    since: Vec<Range<usize>>,
    /// "five years of war", "six months of clashes".
    spans: Vec<Span>,
}

/// A long time, and whether it is one of war.
#[derive(Debug)]
struct Span {
    words: Range<usize>,
    is_of_conflict: bool,
}

impl Scopes {
    /// Looks at every word of a sentence once.
    pub(super) fn of(text: &Text<'_, '_>, sentence: &Range<usize>) -> Self {
        let mut scopes = Self::default();
        for at in sentence.clone() {
            scopes.years.extend(year_at(text, at, sentence));
            for (cue, words) in text.cues(at) {
                let near = words.end..(words.end + SINCE_REACH).min(sentence.end);
                if cue == Cue::Since && near.clone().any(|at| begins_long_ago(text, at)) {
                    scopes.since.push(words.clone());
                }
                if cue == Cue::Span && text.is(words.end, List::Of) {
                    let is_of_conflict =
                        near.clone().any(|at| text.cue(at, Cue::Conflict).is_some());
                    scopes.spans.push(Span { words: words.clone(), is_of_conflict });
                }
                scopes.cues.push((cue, words));
            }
        }
        scopes
    }

    /// Every place of a cue.
    fn all(&self, cue: Cue) -> impl Iterator<Item = &Range<usize>> {
        self.cues.iter().filter(move |(own, _words)| *own == cue).map(|(_cue, words)| words)
    }

    fn has(&self, cue: Cue) -> bool {
        self.all(cue).next().is_some()
    }

    /// Whether something else is counted from there: "the worst attack since the war began".
    fn is_compared(&self, place: &Range<usize>, count: &Count) -> bool {
        self.all(Cue::Compared).any(|compared| {
            let apart = compared.start < count.tokens.start && count.tokens.end <= place.start;
            compared.start < place.start && place.start - compared.start <= PAST_REACH && !apart
        })
    }

    /// Whether a count says that it is the sum of others.
    pub(super) fn is_sum(&self, count: &Count) -> bool {
        let people = &count.people;
        self.all(Cue::Total).any(|total| total.start >= people.start && total.end <= people.end)
    }

    /// Whether the sentence adds to what was told before.
    pub(super) fn adds(&self) -> bool {
        self.has(Cue::Also)
    }
}

/// What a number counts.
pub(super) fn scope_of(text: &Text<'_, '_>, scopes: &Scopes, count: &Count) -> CasualtyScope {
    text.compared(scopes.cues.len().saturating_mul(SCANS));
    if count.low.max(count.high) == Some(0) || is_denied(text, scopes, count) {
        return CasualtyScope::Denied;
    }
    if is_possible(text, scopes, count) {
        return CasualtyScope::Hypothetical;
    }
    let is_held = matches!(count.what, What::Detained | What::Displaced);
    if scopes.has(Cue::Retold) && !is_held {
        return CasualtyScope::Historical;
    }
    if is_running(text, scopes, count) {
        return CasualtyScope::Background;
    }
    let is_total = count.is_toll
        || scopes.all(Cue::Total).any(|total| distance(total, &count.people) <= PAST_REACH);
    if is_total && scopes.has(Cue::Rise) {
        return CasualtyScope::Update;
    }
    if is_past(text, scopes, count) {
        return CasualtyScope::Historical;
    }
    if is_large(count) && (is_perfect(scopes, count) || !is_of_one_day(scopes)) {
        return CasualtyScope::Background;
    }
    CasualtyScope::Event
}

fn is_denied(text: &Text<'_, '_>, scopes: &Scopes, count: &Count) -> bool {
    let (number, happening) = (count.people.start, count.happening.start);
    let first = number.min(happening);
    let denied = scopes.all(Cue::Denied).any(|cue| {
        cue.end <= first
            && first - cue.end <= DENIAL_REACH
            && text.clause(cue.start) == text.clause(first)
            && !scopes.all(Cue::Asserted).any(|said| said.start > cue.start && said.end <= first)
    });
    let auxiliary = |at: usize| text.is(at, List::Auxiliary) || text.is(at, List::Passive);
    let not_so = scopes.all(Cue::NotSo).any(|cue| {
        (cue.start < happening && cue.end > happening)
            || (cue.end <= happening
                && happening - cue.end <= POSSIBILITY_REACH
                && (cue.end..happening).all(auxiliary))
    });
    let denied_after = scopes
        .all(Cue::DeniedAfter)
        .any(|cue| cue.start >= count.tokens.end && cue.start - count.tokens.end <= DENIAL_REACH);
    denied || denied_after || not_so
}

fn is_possible(text: &Text<'_, '_>, scopes: &Scopes, count: &Count) -> bool {
    let happening = count.happening.start;
    scopes.all(Cue::Possible).any(|cue| {
        let before = cue.end <= happening && happening - cue.end <= POSSIBILITY_REACH;
        let inside = cue.start < happening && cue.end > happening;
        // "to May 3"
        let is_date = text.is(cue.start, List::Month) && is_number(text.word(cue.end));
        // "who threatened to kill 30 pupils was arrested"
        let is_spent = (cue.start..happening).any(|at| {
            text.role(at, |role| matches!(role, Role::Happening(_)).then_some(())).is_some_and(
                |((), end)| end < happening && !text.is(end, List::And) && !text.is(end, List::Or),
            )
        });
        !is_spent
            && !is_date
            && (before || inside)
            && text.clause(cue.start) == text.clause(happening)
    })
}

/// A toll over a long time.
fn is_running(text: &Text<'_, '_>, scopes: &Scopes, count: &Count) -> bool {
    let counts = |place: &&Range<usize>| {
        !scopes.is_compared(place, count) && !is_of_another(text, place, count)
    };
    let running = scopes.all(Cue::Running).find(counts).is_some();
    let since = scopes.since.iter().find(counts).is_some();
    let perfect = is_perfect(scopes, count);
    let span = scopes.spans.iter().any(|span| {
        let own = span.words.end <= count.tokens.start
            || distance(&span.words, &count.tokens) <= SPAN_REACH;
        let told = perfect || (span.is_of_conflict && !scopes.has(Cue::Fresh));
        own && told && counts(&&span.words)
    });
    // "The fighting has displaced 12 million people."
    let conflict = scopes.all(Cue::Perfect).any(|tense| {
        tense.end <= count.people.start
            && count.people.start - tense.end <= TENSE_REACH
            && text.clause(tense.start) == text.clause(count.people.start)
            && scopes.all(Cue::Conflict).any(|conflict| {
                conflict.end <= tense.start && tense.start - conflict.end <= TENSE_REACH
            })
    });
    running || since || span || conflict
}

/// Whether a time is that of something else: "in Donetsk, where war has raged since 2014".
fn is_of_another(text: &Text<'_, '_>, place: &Range<usize>, count: &Count) -> bool {
    (count.tokens.end..place.start).any(|at| text.is(at, List::Relative))
}

fn is_past(text: &Text<'_, '_>, scopes: &Scopes, count: &Count) -> bool {
    let near = |place: &Range<usize>| {
        distance(place, &count.tokens) <= PAST_REACH
            && !scopes.is_compared(place, count)
            && !is_of_another(text, place, count)
    };
    let before = scopes.all(Cue::PastBefore).any(|cue| {
        cue.end <= count.tokens.start
            && text.clause(cue.start) == text.clause(count.tokens.end.saturating_sub(1))
    });
    before
        || scopes.all(Cue::Past).any(near)
        || (!scopes.has(Cue::Fresh) && scopes.years.iter().any(near))
}

/// Whether a number is larger than what happens in a day, but for a disaster.
fn is_large(count: &Count) -> bool {
    let least = match count.what {
        What::Killed | What::Wounded | What::KilledOrWounded | What::Missing => 1_000,
        What::Detained => 10_000,
        What::Displaced => 1_000_000,
    };
    count.low.max(count.high).is_some_and(|number| number >= least)
}

fn is_of_one_day(scopes: &Scopes) -> bool {
    scopes.has(Cue::Fresh) || scopes.has(Cue::Sudden)
}

fn is_perfect(scopes: &Scopes, count: &Count) -> bool {
    let first = count.tokens.start.saturating_sub(TENSE_REACH);
    scopes.all(Cue::Perfect).any(|tense| {
        tense.start >= first && tense.end <= count.happening.start.max(count.people.start)
    })
}

fn distance(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.start.saturating_sub(b.end).max(b.start.saturating_sub(a.end))
}

/// "in 1994", "of January 2014", "on May 1, 2011".
fn year_at(text: &Text<'_, '_>, at: usize, sentence: &Range<usize>) -> Option<Range<usize>> {
    let is_date_of = |at: usize| at < sentence.end && is_year(text.word(at));
    if let Some(after) = text.cue(at, Cue::YearAfter) {
        let year = text.listed(after, List::Month).unwrap_or(after);
        return is_date_of(year).then_some(at..year + 1);
    }
    let after = text.listed(at, List::Month)?;
    let day = after < sentence.end && text.word(after).parse::<u8>().is_ok_and(|day| day <= 31);
    (day && is_date_of(after + 1)).then_some(at..after + 2)
}

fn is_number(word: &str) -> bool {
    word.starts_with(char::is_numeric)
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.parse::<u32>().is_ok_and(|year| (1800..2100).contains(&year))
}

/// A year, a month or a conflict.
fn begins_long_ago(text: &Text<'_, '_>, at: usize) -> bool {
    is_year(text.word(at)) || text.is(at, List::Month) || text.cue(at, Cue::Conflict).is_some()
}
